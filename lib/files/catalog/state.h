/* catalog_private - what the files of the store module slice; nobody else includes it. */
#ifndef METASPN_FILES_CATALOG_STATE_H
#define METASPN_FILES_CATALOG_STATE_H

#include "base/mutant.h"
#include "files/catalog/catalog.h"

/* A partition of which the lock file says that it is not certain what a sync made of it (catalog_unsynced.c). */
struct catalog_unsynced {
    uint32_t number;
    uint64_t from; /* the byte from which on it was not known to be on disk */
    bool stands;   /* the bytes must be written anew; false: a sync has settled it, and the file is yet to be told */
};

#define CATALOG_FOUND 1024

struct catalog {
    struct catalog_options options;
    struct workspace *workspace; /* owned */
    struct index *index;         /* owned */
    int lock;                    /* descriptor of store/lock; -1: not opened yet */
    bool locked;
    struct catalog_unsynced *unsynced; /* while locked: what the lock file says, in its order */
    size_t unsynced_count, unsynced_capacity;
    uint64_t unsynced_length; /* of the lock file */
    struct bytes untold;      /* notices that came up under the lock: a letter and a text with its NUL, each */
    unsigned kinds;           /* of the last refresh */
    struct catalog_partition *partitions; /* ascending by number */
    size_t count, capacity;
    struct partition *open; /* the partition that was read last, kept open; NULL */
    uint32_t open_number;
    struct bytes line;                       /* working space */
    struct bytes slice;                      /* likewise: the lines that a batch appends to one partition */
    struct index_entry found[CATALOG_FOUND]; /* {hash, value}: answers of catalog_find_first() since the last look, by
                                              the hash: an id repeated often is asked for often */
    struct index_entries matches;
    struct bytes kept; /* catalog_quarantine.c: names of the copies in quarantine/ */
    bool kept_listed;
    struct index_entries shadowed;  /* {partition, value}: see catalog_note_shadowed() */
    struct index_entries fragments; /* {partition}: of whose last line it was told that it is not whole yet */
};

/* The folder that a partition lies in. */
static inline enum workspace_folder catalog_folder(uint32_t number)
{
    return partition_number_kind(number) == EVENT_SIGNAL ? FOLDER_SIGNALS : FOLDER_EMISSIONS;
}

/* Something stands behind the last newline: nothing may be appended to it. */
static inline bool catalog_tail_is_open(const struct catalog_partition *row)
{
    return !MUTANT(NO_TAIL_CHECK) && row->stat.size > row->facts.known && row->facts.known < INDEX_OFFSET_LIMIT / 2;
}

void catalog_tell(struct catalog *store, enum notice notice, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Opens a partition as io_open_below() does; `create` makes its folder too. */
enum status catalog_open_as(struct catalog *store, uint32_t number, enum io_open how, bool create,
                            struct partition **ret_partition, bool *ret_created, struct error *err);
/* The partition, kept open until another is wanted. */
enum status catalog_partition_at_hand(struct catalog *store, uint32_t number, struct partition **ret_partition,
                                      struct error *err);
/* The row of a partition, or NULL; room for more; and a new one where there is none. */
struct catalog_partition *catalog_row(struct catalog *store, uint32_t number);
enum status catalog_reserve_rows(struct catalog *store, size_t more, struct error *err);
enum status catalog_add_row(struct catalog *store, uint32_t number, struct catalog_partition **ret_row,
                            struct error *err);

/* The index may be deleted at any time: where another stands in its place, or none, that is opened, or made. What is
 * known of the rows is of the old one until the next look. */
enum status catalog_find_index(struct catalog *store, struct error *err);

/* The index's values for a key into store->matches; a damaged index is rebuilt. */
enum status catalog_find_matches(struct catalog *store, enum index_table table, uint64_t key, struct error *err);

/* catalog_repeats.c: an event on a last line without newline is in no index yet; notes the records of its id in later
 * partitions, which it makes repeats. After every catalog_merge() that follows a look. STATUS_INVALID: the index is
 * damaged. */
enum status catalog_note_shadowed(struct catalog *store, struct error *err);

/* catalog_catchup.c: lists and looks, without reading; *ret_pending is the number of bytes that are not known. */
enum status catalog_look(struct catalog *store, unsigned kinds, uint64_t *ret_pending, struct error *err);
/* Reads on in all partitions of the last look that have grown, and settles the index. */
enum status catalog_read_on(struct catalog *store, struct error *err);
/* The same for one partition, of which this file is open: the row is of it then. */
enum status catalog_take_file(struct catalog *store, struct catalog_partition *row, struct partition *partition,
                              struct error *err);
/* The same of the file that has its name now. */
enum status catalog_look_again(struct catalog *store, struct catalog_partition *row, struct error *err);
/* The index turned out damaged: reads everything of this view anew. */
enum status catalog_rebuild(struct catalog *store, struct error *err);

/* The facts are of the file as it looks now. */
void catalog_set_stat(struct partition_facts *facts, const struct partition_stat *stat);

/* Takes note of lines as they are read or written. */
struct intake {
    struct catalog *store;
    struct partition_facts facts; /* grows with what is taken in */
    enum event_kind kind;
    int32_t day;
    struct bytes scratch;
    struct index_entry recent[256]; /* block keys noted lately */
    enum status status;
    struct error *err;
};
void intake_start(struct intake *intake, struct catalog *store, const struct catalog_partition *row, struct error *err);
/* `id_hash`: event_id_hash() with the index's seed. */
enum status intake_event(struct intake *intake, const struct event *event, uint64_t id_hash, uint64_t offset);
void intake_release(struct intake *intake);
/* Settles what is staged; `known` tells that the ids were looked up already. */
enum status catalog_merge(struct catalog *store, bool known, struct error *err);

/*
 * catalog_turn.c: a writer's turn. Takes the writers' lock, then the index's, and catches up; what takes long to catch
 * up with is read before. On failure neither lock is held.
 */
enum status catalog_begin_turn(struct catalog *store, unsigned kinds, struct error *err);
void catalog_end_turn(struct catalog *store);
/* In a turn: sees what others wrote. *ret_much (NULL: it is read however much it is): that is too much to be read under
 * the lock, and was not. */
enum status catalog_see(struct catalog *store, unsigned kinds, bool *ret_much, struct error *err);

/*
 * catalog_unsynced.c: the only way to sync a partition, under the writers' lock.
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
enum status catalog_sync(struct catalog *store, uint32_t number, struct partition *partition, struct error *err);
/* Reads the lines when the lock was taken; STATUS_INVALID: the file is too large to be ours. */
enum status catalog_load_unsynced(struct catalog *store, struct error *err);
/* Takes out those that are settled, before the lock is given back. */
void catalog_save_unsynced(struct catalog *store);

/* catalog_tail.c: mends the last lines of partitions that need it (SPEC section 8); `wanted` says for which ones to
 * wait.
 */
typedef bool catalog_wanted(void *context, uint32_t number);
enum status catalog_mend(struct catalog *store, catalog_wanted *wanted, void *context, struct error *err);
/* Tells that a last line is not whole yet: once a partition, for one that is just being written is so at many a look.
 */
void catalog_tell_fragment(struct catalog *store, const struct catalog_partition *row, const char *label);
/* The same of all of them. One that cannot be mended does not keep the others from it; the first failure is returned.
 */
enum status catalog_mend_each(struct catalog *store, struct error *err);

#endif
