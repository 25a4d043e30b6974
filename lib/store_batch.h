/*
 * store_batch - a batch on its way into the store: what store_append.c (locks, order of steps), store_lookup.c (which
 * events are new) and store_write.c (writing, syncing, undoing, telling the index) share; nobody else includes it.
 */
#ifndef METASPN_STORE_BATCH_H
#define METASPN_STORE_BATCH_H

#include "store_private.h"

/* One partition's share of a batch. */
struct share {
    uint32_t number;
    size_t from, to;             /* of batch.fresh */
    struct partition *partition; /* NULL: not open, or closed again to let others be opened */
    uint64_t end;                /* size of the file before */
    uint64_t length;             /* bytes to be written */
    enum partition_append how;
    bool created, written;
    struct partition_stat stat; /* of the file with the lines */
    uint64_t hash;              /* of the bytes before their end */
};

struct batch {
    struct store *store;
    struct store_item *items;
    size_t count;                /* items that take part */
    struct index_entries hashes; /* {hash, item}, ascending */
    struct index_entries fresh;  /* {partition number, item} of new events, ascending */
    struct share *shares;
    size_t share_count;
    struct bytes scratch;
    struct error *err;
};

/* Fills in every item's outcome, and its first record where that is stored already. */
enum status batch_find_duplicates(struct batch *batch);

/* The partition that an event belongs to. */
uint32_t batch_partition_of(const struct event *event);
/* Writes what is new, syncs it, and notes it in the index; what was written by a step that failed is taken back. */
enum status batch_append(struct batch *batch);
void batch_release_shares(struct batch *batch);

#endif
