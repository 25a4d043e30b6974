/*
 * store - the directory: what partitions there are, what is known of them, and the one way in.
 *
 * Open it for reading or writing; catalog_refresh() lists the partitions, looks at each (size, identity, content),
 * reads on what other programs appended since anyone of us looked, and brings the derived index up to date, in memory
 * at least. From then on until the next refresh this handle's view is fixed: a partition ends where it ended then.
 * append.h is the way of new events.
 *
 * Messages that are no errors (a torn tail, a fragment, an index that had to be rebuilt) go to the notice function.
 */
#ifndef METASPN_FILES_CATALOG_CATALOG_H
#define METASPN_FILES_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/notices.h"
#include "base/status.h"
#include "event/event.h"
#include "files/day.h"
#include "files/index/index.h"
#include "files/partition.h"
#include "files/workspace.h"
#include "store/store.h"

struct catalog;

struct catalog_options {
    enum workspace_access access;
    bool no_index;                   /* believe nothing but the partitions */
    bool no_sync;                    /* appended events need not be durable */
    int lock_timeout_ms;             /* for the writers' lock */
    const volatile int *interrupted; /* ends the wait for the lock when it becomes true; may be NULL */
    notice_say *notice;              /* may be NULL */
    void *notice_context;
};

/* Opens the store of `workspace` (NULL: none was named). STATUS_IO as workspace_open(). */
enum status catalog_open(const char *workspace, const struct catalog_options *options, struct catalog **ret_store,
                         struct error *err);
/* Folds and commits what the index has staged; NULL is taken. */
void catalog_close(struct catalog *store);

/* The workspace, for checkpoints, snapshots and paths; owned by the store. */
struct workspace *catalog_workspace(struct catalog *store);
struct index *catalog_index(struct catalog *store);

/* A partition's number: ascending by day, then signals before emissions. Also the upper part of an index value. */
static inline uint32_t partition_number(enum event_kind kind, int32_t day)
{
    return (uint32_t)(day - DAY_MIN) << 1 | (uint32_t)kind;
}
static inline enum event_kind partition_number_kind(uint32_t number)
{
    return (enum event_kind)(number & 1);
}
static inline int32_t partition_number_day(uint32_t number)
{
    return (int32_t)(number >> 1) + DAY_MIN;
}

/*
 * A partition as the last refresh saw it. Bytes [0, facts.known) are described by the facts and by the index; [known,
 * end) is at most one whole event without newline (or more, where the index cannot hold it), to be read; [end, size) is
 * a fragment or zero bytes, not written yet.
 */
struct catalog_partition {
    uint32_t number;
    enum event_kind kind;
    int32_t day;
    struct partition_stat stat;
    uint64_t end;
    struct partition_facts facts; /* facts.known 0: nothing known */
    bool is_unread;               /* it had gone when it was to be read, or had changed (catalog_note_unread()) */
};

/*
 * Looks at all partitions of these kinds (set of KIND_BIT()s) and catches up. Notes torn tails once. Statuses:
 * STATUS_IO where a folder or file cannot be read, or something foreign stands in its place.
 */
enum status catalog_refresh(struct catalog *store, unsigned kinds, struct error *err);
/* All partitions of the last refresh, ascending by number. Valid until the next refresh or append. */
const struct catalog_partition *catalog_partitions(const struct catalog *store, size_t *ret_count);
const struct catalog_partition *catalog_partition(const struct catalog *store, uint32_t number);

/* Whoever was to read a partition has found it gone, or not as it was when the store was looked at. */
void catalog_note_unread(struct catalog *store, uint32_t number);

/*
 * Opens a day to read, once: what the last refresh knows is compared with the open file. Where that is the file that
 * was seen, or one that has only grown since, the day ends where its row does; where another file stands there, or
 * other bytes, it is read anew from this very descriptor, and the row, the facts and the index are of it from then on
 * (day.is_other). The caller closes it by day_close(). STATUS_ABSENT: it has gone, or there is no such row.
 *
 * A day of which no byte is needed need not be opened: its row tells what catalog_refresh() knew of it, which looked at
 * its name (fstatat) just then.
 */
enum status catalog_open_day(struct catalog *store, uint32_t number, struct day **ret_day, struct error *err);

/* Opens a partition to read. STATUS_ABSENT: it has gone. */
enum status catalog_open_partition(struct catalog *store, uint32_t number, struct partition **ret_partition,
                                   struct error *err);
/* Closes what the last look-up, sync or line read has left open: before waiting for long, so that a writer can mend a
 * torn last line (RELIABILITY 8). catalog_refresh() leaves nothing open. */
void catalog_close_files(struct catalog *store);
/* "DIR/store/signals/2026-02-05.jsonl" into *out (cleared, NUL-terminated behind its length). */
bool catalog_partition_path(const struct catalog *store, uint32_t number, struct bytes *out);

/* The first record of this event's id in its kind (lowest date, then lowest position), confirmed from the partition.
 * STATUS_ABSENT: the id is not stored. */
enum status catalog_find_first(struct catalog *store, const struct event *event, struct store_place *ret_position,
                               struct error *err);
/* Suspected repeats of a partition: offsets of lines that may not be the first record of their id, ascending, as
 * `value` offsets. Lines not among them (below facts.known) are first records. *ret_offsets is owned by the caller
 * (free). */
enum status catalog_suspects(struct catalog *store, uint32_t number, uint64_t **ret_offsets, size_t *ret_count,
                             struct error *err);
/*
 * Candidates for these keys of INDEX_IDS (`are_ids`) or INDEX_REFS, ascending by partition and offset: an event with
 * one of the keys that lies below facts.known starts at one of the offsets, or, for block keys, in the block of
 * CATALOG_KEY_BLOCK bytes that starts there. *ret is sorted, owned by the caller (entries_release); entry.value
 * is an index value, entry.key the key.
 */
#define CATALOG_KEY_BLOCK ((uint64_t)65536)
enum status catalog_candidates(struct catalog *store, bool are_ids, const uint64_t *keys, size_t count,
                               struct entries *ret, struct error *err);

/* Whether a damaged line's bytes lie in quarantine/, from whatever partition they were copied. What cannot be read
 * there does not. STATUS_IO: no memory, or a link or something else than a directory stands in the place of
 * quarantine/. */
enum status catalog_is_quarantined(struct catalog *store, uint32_t number, const char *line, size_t length,
                                   bool *ret_quarantined, struct error *err);
/* Copies bytes there, durably. */
enum status catalog_quarantine(struct catalog *store, uint32_t number, const char *line, size_t length,
                               struct error *err);

/*
 * Whether these facts are believed of the file as it is: it is the same file as then, or one that has grown since, the
 * bytes before facts->known being the same. `partition` is open.
 */
enum status catalog_facts_hold(const struct partition_facts *facts, const struct partition_stat *stat,
                               const struct partition *partition, bool *ret_hold, struct error *err);
/* Mends the last lines of all partitions that need it (SPEC section 8), under the writers' lock, as the next append to
 * each of them would; notices say what was done. */
enum status catalog_mend_all(struct catalog *store, struct error *err);
/* Forgets the index and makes it anew from the partitions. STATUS_IO: it did not reach the disk. */
enum status catalog_remake_index(struct catalog *store, struct error *err);

/* The line at a position (without newline), borrowed until the next call. Lines that lie close are read together. */
enum status catalog_line_at(struct catalog *store, struct store_place position, const char **ret_line,
                            size_t *ret_length, struct error *err);

/* Reads it into *line; STATUS_ABSENT where what stands there now is no record of the event's id. */
enum status catalog_read_record(struct catalog *store, struct store_place position, const struct event *event,
                                struct bytes *line, struct error *err);

/* Makes durable what a partition holds (checkpoint advance), under the writers' lock. */
enum status catalog_sync_partition(struct catalog *store, uint32_t number, struct error *err);

/* The writers' lock, for what must be read and replaced as one (checkpoint advance). */
enum status catalog_lock(struct catalog *store, struct error *err);
void catalog_unlock(struct catalog *store);

#endif
