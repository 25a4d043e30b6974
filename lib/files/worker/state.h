/*
 * resume_private - what the files of the resume module slice; nobody else includes it.
 *
 * resume.c goes from partition to partition and hands out what is due; resume_place.c says where to begin in each, and
 * keeps the checkpoint behind what was read.
 */
#ifndef METASPN_FILES_WORKER_STATE_H
#define METASPN_FILES_WORKER_STATE_H

#include "files/partition.h"
#include "files/worker/resume.h"

/* Lines that were handed out in blocks, unread: their greatest timestamp and its ids are found at the end. */
struct extent {
    uint32_t partition;
    uint64_t from, to; /* none where these are the same */
};

struct resume {
    struct catalog *store;
    struct resume_options options;
    struct checkpoint next; /* the checkpoint in the making */
    uint64_t left;          /* events that may still be handed out */

    size_t row; /* of the store, that is entered next */
    struct scan *scan;
    const struct catalog_partition *at; /* the partition in hand, while there is a scan */
    struct partition *open; /* it, opened before the scan: what is hashed was not replaced after it was read */
    uint64_t from, behind;  /* where it was entered; the position behind the last item */
    bool in_blocks;         /* items are not parsed, though a checkpoint is wanted */
    bool judged;            /* by the id or the time of each event, whether it is due */
    bool strict;            /* copies are looked at: an earlier partition has ended before its end */

    struct store_place *ends; /* where partitions ended before their end; owned */
    size_t end_count, end_capacity;
    struct extent blocks;
};

static inline bool resume_goes_by_time(const struct resume *resume)
{
    const struct checkpoint *checkpoint = resume->options.checkpoint;
    return checkpoint && !checkpoint->has_positions;
}

/* Where to begin in a partition; its end where nothing of it is due. Reports a rewritten file. */
enum status resume_find_start(struct resume *resume, const struct catalog_partition *row, uint64_t *ret_from,
                              struct error *err);
/* The partition was read, or counts as read, up to this position. */
enum status resume_pass(struct resume *resume, const struct catalog_partition *row, uint64_t to, struct error *err);
/* Notes what was handed out. */
enum status resume_note(struct resume *resume, const struct scan_item *item, struct error *err);

#endif
