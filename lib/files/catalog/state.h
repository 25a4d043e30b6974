/* state - what the files of the catalog and of appending share; nobody else includes it. Calls go down this page. */
#ifndef METASPN_FILES_CATALOG_STATE_H
#define METASPN_FILES_CATALOG_STATE_H

#include "base/mutant.h"
#include "files/catalog/catalog.h"

/* A partition of which the lock file says that it is not certain what a sync made of it (unsynced.c). */
struct catalog_unsynced {
    uint32_t number;
    uint64_t from; /* the byte from which on it was not known to be on disk */
    bool stands; /* the bytes must be written anew; false: a sync has succeeded, and the line is yet to be taken out */
};

#define CATALOG_FOUND 1024

struct catalog {
    struct catalog_options options;
    struct notices notices;      /* held while locked */
    struct workspace *workspace; /* owned */
    struct index *index;         /* owned */
    int lock;                    /* descriptor of store/lock; -1: not opened yet */
    bool locked;
    struct catalog_unsynced *unsynced; /* while locked: what the lock file says, in its order */
    size_t unsynced_count, unsynced_capacity;
    uint64_t unsynced_length;             /* of the lock file */
    unsigned kinds;                       /* of the last refresh */
    struct catalog_partition *partitions; /* ascending by number */
    size_t count, capacity;
    struct partition *open; /* the partition that was read last, kept open; NULL */
    uint32_t open_number;
    struct bytes block; /* of it: what catalog_line_at() read last */
    uint64_t block_offset;
    struct bytes line;                 /* working space */
    struct bytes lines;                /* likewise: what a batch appends to one partition */
    struct entry found[CATALOG_FOUND]; /* {hash, value}: answers of catalog_find_first() since the last look, by
                                              the hash: an id repeated often is asked for often */
    struct entries matches;            /* of the last question to the index */
    struct entries shadowed;           /* {partition, value}: repeats of events on a last line without newline */
    struct bytes kept;                 /* quarantine.c: names of the copies in quarantine/ */
    bool kept_listed;
};

/* The folder that a partition lies in. */
static inline enum workspace_folder catalog_folder(uint32_t number)
{
    return partition_number_kind(number) == EVENT_SIGNAL ? FOLDER_SIGNALS : FOLDER_EMISSIONS;
}

static inline struct store_place catalog_place_of(uint64_t value)
{
    return (struct store_place){index_value_partition(value), index_value_offset(value)};
}

/* Something stands after the last newline: nothing may be appended to it. */
static inline bool catalog_tail_is_open(const struct catalog_partition *row)
{
    return !MUTANT(NO_TAIL_CHECK) && row->stat.size > row->facts.known && row->facts.known < INDEX_OFFSET_LIMIT / 2;
}

/* ---- state.c: rows, files, the index's folder */

/* The row of a partition, or NULL. */
struct catalog_partition *catalog_row(const struct catalog *store, uint32_t number);
/* A new row, with these facts (NULL: none), in its place. */
enum status catalog_add_row(struct catalog *store, uint32_t number, const struct partition_facts *facts,
                            struct catalog_partition **ret_row, struct error *err);
/* The row of a partition, made where there is none. Valid until the next one is made. */
enum status catalog_row_of(struct catalog *store, uint32_t number, struct catalog_partition **ret_row,
                           struct error *err);
/* The rows have the facts that the index has: the one place where they are brought up to date. */
void catalog_show_facts(struct catalog *store);
/* Stages facts, and shows them in the row where there is one. */
enum status catalog_put_facts(struct catalog *store, const struct partition_facts *facts, struct error *err);

/* Opens a partition as io_open_below() does; `create` makes its folder too. */
enum status catalog_open_as(struct catalog *store, uint32_t number, enum io_open how, bool create,
                            struct partition **ret_partition, bool *ret_created, struct error *err);
/* The partition, kept open until another is wanted. */
enum status catalog_partition_at_hand(struct catalog *store, uint32_t number, struct partition **ret_partition,
                                      struct error *err);

/* The index may be deleted at any time: where another stands in its place, or none, that is opened, or made. What is
 * known of the rows is of the old one until the next look. */
enum status catalog_find_index(struct catalog *store, struct error *err);

/* ---- intake.c: takes note of lines as they are read or written */

struct intake {
    struct catalog *store;
    struct partition_facts facts; /* grows with what is taken in */
    enum event_kind kind;
    int32_t day;
    struct bytes scratch;
    struct entry recent[256]; /* block keys noted lately */
    enum status status;
    struct error *err;
};
void intake_start(struct intake *intake, struct catalog *store, const struct catalog_partition *row, struct error *err);
/* `id_hash`: event_id_hash() with the index's seed. */
enum status intake_event(struct intake *intake, const struct event *event, uint64_t id_hash, uint64_t offset);
/* A line that ended in a newline, without it, whatever it is. */
enum status intake_line(struct intake *intake, const char *line, size_t length, uint64_t offset);
void intake_release(struct intake *intake);
/* Makes what is staged visible to look-ups; `known` tells that the ids were looked up already. */
enum status catalog_merge(struct catalog *store, bool known, struct error *err);

/* ---- look.c */

/* Lists and looks, without reading; *ret_pending is the number of bytes that are not known. */
enum status catalog_look(struct catalog *store, unsigned kinds, uint64_t *ret_pending, struct error *err);

/* ---- catchup.c */

/* The file looks as it did when the facts were taken. */
bool catalog_same_file(const struct partition_facts *facts, const struct partition_stat *stat);
/* Compares the row's facts with a file that is open, and forgets those that do not hold. */
enum status catalog_compare(struct catalog *store, struct catalog_partition *row, const struct partition *partition,
                            struct error *err);
/* Reads on in all partitions of the last look that have grown, and merges the index. What has gone has no row then. */
enum status catalog_read_on(struct catalog *store, struct error *err);
/* The same for one partition that has a row, of which this file is open: the row is of it then. */
enum status catalog_take_file(struct catalog *store, uint32_t number, struct partition *partition, struct error *err);
/* The same of the file that has its name now. */
enum status catalog_look_again(struct catalog *store, uint32_t number, struct error *err);
/*
 * The one place where a damaged index is repaired. After each question to it, `turn` being 0 at first:
 *     do status = index_find(...); while (catalog_repair(store, &status, &turn, err));
 * True: *status was STATUS_INVALID, everything of this view was read anew, and the question is to be asked again.
 * Otherwise *status is what the caller returns, and never STATUS_INVALID.
 */
bool catalog_repair(struct catalog *store, enum status *status, int *turn, struct error *err);

/* The facts are of the file as it looks now. */
void catalog_set_stat(struct partition_facts *facts, const struct partition_stat *stat);

/* ---- find.c */

/* The index's values for a key into store->matches. */
enum status catalog_find_matches(struct catalog *store, enum index_table table, uint64_t key, struct error *err);
/* index_lookup(). */
enum status catalog_find_many(struct catalog *store, const uint64_t *keys, size_t count, struct entries *ret_hits,
                              struct error *err);
/* Whether the line at a position is a record of this event's id, and then, unless NULL, whether it conflicts with the
 * event. STATUS_ABSENT: the partition has gone. */
enum status catalog_holds_id(struct catalog *store, struct store_place position, const struct event *event,
                             bool *ret_holds, bool *ret_conflicts, struct error *err);
/* catalog_find_first(), which tells that too. */
enum status catalog_find_record(struct catalog *store, const struct event *event, struct store_place *ret_position,
                                bool *ret_conflicts, struct error *err);

/*
 * ---- unsynced.c: the only way to sync a partition, under the writers' lock
 *
 * After a sync that failed the kernel takes the bytes for written: the next sync succeeds, and says nothing about them.
 * Who sees the failure may be killed in that moment, the index may be lost, and the bytes may stand there still, for
 * they are not cut off where somebody else has the file open. So before a partition is synced, a line in the lock file
 * says so: its name, and the byte from which on it was not known to be on disk. The line goes when the sync has
 * succeeded. Where one stands already, those bytes are written anew first, and only then is the sync believed; so it is
 * for what follows them too, a new line after them or the acknowledgement of a duplicate.
 *
 * Only what the page cache holds is ever in doubt, for after a power cut the disk is what can be read. So the lines
 * need no sync.
 */
enum status catalog_sync(struct catalog *store, uint32_t number, struct partition *partition, struct error *err);
/* Reads the lines when the lock was taken; STATUS_INVALID: the file is too large to be ours. */
enum status catalog_load_unsynced(struct catalog *store, struct error *err);
/* Takes out those that are done with, before the lock is given back. */
void catalog_save_unsynced(struct catalog *store);

/* ---- turn.c: a writer's turn */

/* Takes the writers' lock, then the index's, and catches up; what takes long to catch up with is read before. On
 * failure neither lock is held. */
enum status catalog_begin_turn(struct catalog *store, unsigned kinds, struct error *err);
void catalog_end_turn(struct catalog *store);
/* In a turn: sees what others wrote. *ret_much (NULL: it is read however much it is): that is too much to be read under
 * the lock, and was not. */
enum status catalog_see(struct catalog *store, unsigned kinds, bool *ret_much, struct error *err);

/* ---- mend.c */

/* Mends the last line of a partition that needs it (SPEC section 8). Where it is not `wanted` nobody is waited for, and
 * what fails is left to the writer that wants it. */
enum status catalog_mend(struct catalog *store, uint32_t number, bool wanted, struct error *err);

#endif
