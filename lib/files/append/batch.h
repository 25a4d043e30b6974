/*
 * batch - a batch on its way into the store: what append.c (the order of steps), duplicates.c (which events are new),
 * write.c (writing, undoing) and sync.c (syncing, noting) share; nobody else includes it.
 */
#ifndef METASPN_FILES_APPEND_BATCH_H
#define METASPN_FILES_APPEND_BATCH_H

#include "files/append/append.h"
#include "files/catalog/state.h"

/* One partition's slice of a batch. */
struct slice {
    uint32_t number;
    size_t from, to;             /* of batch.fresh */
    struct partition *partition; /* NULL: not open, or closed again to let others be opened */
    uint64_t end;                /* size of the file before */
    uint64_t length;             /* bytes to be written */
    enum partition_append how;
    bool created, written;
    struct partition_stat stat; /* of the file with the lines */
};

struct batch {
    struct catalog *store;
    struct store_item *items;
    size_t count;          /* items that take part */
    uint64_t *id_hashes;   /* of each item */
    struct entries hashes; /* {hash, item}, ascending */
    struct entries fresh;  /* {partition number, item} of new events, ascending */
    struct slice *slices;
    size_t slice_count;
    bool caught_up; /* with somebody without lock, since the look-up */
    bool stops;     /* at the first duplicate */
    size_t stop;    /* the first one that came up since the look-up, if it stops: what follows is not written */
    struct error *err;
};

/* The partition that an event belongs to. */
static inline uint32_t batch_partition_of(const struct event *event)
{
    return partition_number(event->kind, timestamp_day(event->timestamp));
}

/* duplicates.c: fills in every item's outcome, and its first record where that is stored already. */
enum status batch_find_duplicates(struct batch *batch);
/* Asks again for one item, for somebody without lock may have been faster. *ret_found: it is a duplicate of a stored
 * record by now, unless `own`, and its own line stands there. */
enum status batch_find_again(struct batch *batch, struct store_item *item, bool own, bool *ret_found);
/* Items that repeat one of this batch which turned out to be stored repeat that record. */
enum status batch_compare_repetitions(struct batch *batch);

/* write.c: writes what is new, syncs it, and notes it in the index; what was written by a step that failed is taken
 * back. */
enum status batch_write(struct batch *batch);
void batch_release_slices(struct batch *batch);

/* sync.c: makes slices [from, to), which are written and open, durable, and stages them for the index; after a failure
 * nothing that is staged will be committed. */
enum status batch_sync_and_note(struct batch *batch, size_t from, size_t to);
/* Their sync by itself. */
enum status batch_sync_slices(struct batch *batch, size_t from, size_t to);

#endif
