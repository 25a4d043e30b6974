/* store_private - what the files of the store module share; nobody else includes it. */
#ifndef METASPN_FILES_CATALOG_STATE_H
#define METASPN_FILES_CATALOG_STATE_H

#include "base/mutant.h"
#include "files/catalog/catalog.h"

/* A partition of which the lock file says that it is not certain what a sync made of it (store_doubt.c). */
struct store_doubt {
    uint32_t number;
    uint64_t from; /* the byte from which on it was not known to be on disk */
    bool stands;   /* the bytes must be written anew; false: a sync has settled it, and the file is yet to be told */
};

#define STORE_FOUND 1024

struct store {
    struct store_options options;
    struct workspace *workspace; /* owned */
    struct index *index;         /* owned */
    int lock;                    /* descriptor of store/lock; -1: not opened yet */
    bool locked;
    struct store_doubt *doubts; /* while locked: what the lock file says, in its order */
    size_t doubt_count, doubt_capacity;
    uint64_t doubts_length; /* of the lock file */
    struct bytes untold;    /* notices that came up under the lock: a letter and a text with its NUL, each */
    unsigned kinds;         /* of the last refresh */
    struct store_partition *partitions; /* ascending by number */
    size_t count, capacity;
    struct partition *open; /* the partition that was read last, kept open; NULL */
    uint32_t open_number;
    struct bytes line;                     /* working space */
    struct bytes share;                    /* likewise: the lines that a batch appends to one partition */
    struct index_entry found[STORE_FOUND]; /* {hash, value}: answers of store_find_first() since the last look, by the
                                              hash: an id repeated often is asked for often */
    struct index_entries matches;
    struct bytes kept; /* store_quarantine.c: names of the copies in quarantine/ */
    bool kept_listed;
    struct index_entries shadowed;  /* {partition, value}: see store_note_shadowed() */
    struct index_entries fragments; /* {partition}: of whose last line it was told that it is not whole yet */
};

/* The room that a partition lies in. */
static inline enum workspace_room store_room(uint32_t number)
{
    return partition_number_kind(number) == EVENT_SIGNAL ? ROOM_SIGNALS : ROOM_EMISSIONS;
}

/* Something stands behind the last newline: nothing may be appended to it. */
static inline bool store_tail_is_open(const struct store_partition *row)
{
    return !MUTANT(NO_TAIL_CHECK) && row->stat.size > row->facts.known && row->facts.known < INDEX_OFFSET_LIMIT / 2;
}

void store_tell(struct store *store, enum notice notice, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Opens a partition as io_open_below() does; `create` makes its folder too. */
enum status store_open_as(struct store *store, uint32_t number, enum io_open how, bool create,
                          struct partition **ret_partition, bool *ret_created, struct error *err);
/* The partition, kept open until another is wanted. */
enum status store_partition_at_hand(struct store *store, uint32_t number, struct partition **ret_partition,
                                    struct error *err);
/* The row of a partition, or NULL; room for more; and a new one where there is none. */
struct store_partition *store_row(struct store *store, uint32_t number);
enum status store_reserve_rows(struct store *store, size_t more, struct error *err);
enum status store_add_row(struct store *store, uint32_t number, struct store_partition **ret_row, struct error *err);

/* The index may be deleted at any time: where another stands in its place, or none, that is opened, or made. What is
 * known of the rows is of the old one until the next look. */
enum status store_find_index(struct store *store, struct error *err);

/* The index's values for a key into store->matches; a damaged index is rebuilt. */
enum status store_find_matches(struct store *store, enum index_table table, uint64_t key, struct error *err);

/* store_repeats.c: an event on a last line without newline is in no index yet; notes the records of its id in later
 * partitions, which it makes repeats. After every store_settle() that follows a look. STATUS_INVALID: the index is
 * damaged. */
enum status store_note_shadowed(struct store *store, struct error *err);

/* store_catchup.c: lists and looks, without reading; *ret_pending is the number of bytes that are not known. */
enum status store_look(struct store *store, unsigned kinds, uint64_t *ret_pending, struct error *err);
/* Reads on in all partitions of the last look that have grown, and settles the index. */
enum status store_read_on(struct store *store, struct error *err);
/* The same for one partition, after looking at it again. */
enum status store_look_again(struct store *store, struct store_partition *row, struct error *err);
/* The index turned out damaged: reads everything of this view anew. */
enum status store_rebuild(struct store *store, struct error *err);

/* The facts are of the file as it looks now. */
void store_set_stat(struct partition_facts *facts, const struct partition_stat *stat);

/* Takes note of lines as they are read or written. */
struct intake {
    struct store *store;
    struct partition_facts facts; /* grows with what is taken in */
    enum event_kind kind;
    int32_t day;
    struct bytes scratch;
    struct index_entry recent[256]; /* block keys noted lately */
    enum status status;
    struct error *err;
};
void intake_start(struct intake *intake, struct store *store, const struct store_partition *row, struct error *err);
/* `id_hash`: event_id_hash() with the index's seed. */
enum status intake_event(struct intake *intake, const struct event *event, uint64_t id_hash, uint64_t offset);
void intake_release(struct intake *intake);
/* Settles what is staged; `known` tells that the ids were looked up already. */
enum status store_settle(struct store *store, bool known, struct error *err);

/*
 * store_turn.c: a writer's turn. Takes the writers' lock, then the index's, and catches up; what takes long to catch up
 * with is read before. On failure neither lock is held.
 */
enum status store_begin_turn(struct store *store, unsigned kinds, struct error *err);
void store_end_turn(struct store *store);
/* In a turn: sees what others wrote. *ret_much (NULL: it is read however much it is): that is too much to be read under
 * the lock, and was not. */
enum status store_see(struct store *store, unsigned kinds, bool *ret_much, struct error *err);

/*
 * store_doubt.c: the only way to sync a partition, under the writers' lock.
 *
 * After a sync that failed the kernel takes the bytes for written: the next sync succeeds, and says nothing about them.
 * Who sees the failure may be killed in that moment, the index may be lost, and the bytes may stand there still, for
 * they are not cut off where somebody else has the file open. So before a partition is synced, a line in the lock file
 * says so: its name, and the byte from which on it was not known to be on disk. The line goes when the sync has
 * succeeded. Where one stands already, those bytes are written anew first, and only then is the sync believed; so it is
 * for what follows them too, a new line behind them or the acknowledgement of a duplicate.
 *
 * Only what the page cache holds is ever in doubt, for after a power cut the disk is what can be read. So the lines
 * need no sync.
 */
enum status store_sync(struct store *store, uint32_t number, struct partition *partition, struct error *err);
/* Reads the lines when the lock was taken; STATUS_INVALID: the file is too large to be ours. */
enum status store_load_doubts(struct store *store, struct error *err);
/* Takes out those that are settled, before the lock is given back. */
void store_save_doubts(struct store *store);

/* store_tail.c: mends the last lines of partitions that need it (SPEC section 8); `wanted` says for which ones to wait.
 */
typedef bool store_wanted(void *context, uint32_t number);
enum status store_mend(struct store *store, store_wanted *wanted, void *context, struct error *err);
/* Tells that a last line is not whole yet: once a partition, for one that is just being written is so at many a look.
 */
void store_tell_fragment(struct store *store, const struct store_partition *row, const char *label);
/* The same of all of them. One that cannot be mended does not keep the others from it; the first failure is returned.
 */
enum status store_mend_each(struct store *store, struct error *err);

#endif
