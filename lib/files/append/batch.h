/*
 * catalog_batch - a batch on its way into the store: what catalog_append.c (locks, order of steps), catalog_lookup.c
 * (which events are new), store_write.c (writing, undoing) and catalog_note.c (syncing, telling the index) share;
 * nobody else includes it.
 */
#ifndef METASPN_FILES_APPEND_BATCH_H
#define METASPN_FILES_APPEND_BATCH_H

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
    struct partition_stat stat;   /* of the file with the lines */
    struct partition_facts facts; /* with the lines */
};

struct batch {
    struct catalog *store;
    struct store_item *items;
    size_t count;                /* items that take part */
    uint64_t *id_hashes;         /* of each item, by batch_hash_ids() */
    uint64_t seed;               /* that they were made with */
    struct index_entries hashes; /* {hash, item}, ascending */
    struct index_entries fresh;  /* {partition number, item} of new events, ascending */
    struct slice *slices;
    size_t slice_count;
    bool caught_up; /* with somebody without lock, since the look-up */
    bool stops;     /* at the first duplicate */
    size_t stop;    /* the first one that came up since the look-up, if it stops: what is behind is not written */
    struct bytes scratch;
    struct error *err;
};

/* Fills in batch.id_hashes, unless they stand there: an index that was made anew has another seed. */
enum status batch_hash_ids(struct batch *batch);
/* Fills in every item's outcome, and its first record where that is stored already. */
enum status batch_find_duplicates(struct batch *batch);
/* When somebody without lock was faster: asks again for items that are not written yet, fresh.data[from .. *to). Those
 * that are stored by now go behind the others, and *to before them. */
enum status batch_look_up_again(struct batch *batch, size_t from, size_t *to);
/* The same for one item, which may be written: its own line is no duplicate. STATUS_ABSENT: it is nowhere. */
enum status batch_find_item(struct batch *batch, struct store_item *item);
/* Items that repeat one of this batch which turned out to be stored repeat that record. */
enum status batch_compare_repetitions(struct batch *batch);

/* The partition that an event belongs to. */
uint32_t batch_partition_of(const struct event *event);
/* Writes what is new, syncs it, and notes it in the index; what was written by a step that failed is taken back. */
enum status batch_append(struct batch *batch);
void batch_release_slices(struct batch *batch);
/* The row of a partition, made where it is new. Valid until the next one is made. */
enum status batch_row(struct batch *batch, uint32_t number, struct catalog_partition **ret_row);

/* Makes slices [from, to), which are written and open, durable, and stages them for the index; after a failure nothing
 * that is staged will be committed. */
enum status batch_sync_and_note(struct batch *batch, size_t from, size_t to);
/* Their sync by itself. */
enum status batch_sync_slices(struct batch *batch, size_t from, size_t to);

#endif
