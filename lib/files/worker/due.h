/*
 * due - what is due to a checkpoint without positions, as the original writes it: events later than its last_timestamp,
 * or at it and not among its ids (SPEC section 6).
 */
#ifndef METASPN_FILES_WORKER_DUE_H
#define METASPN_FILES_WORKER_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "event/event.h"
#include "files/catalog/catalog.h"
#include "store/checkpoint.h"

/* Whether an event is due. False: no memory. */
bool checkpoint_time_due(const struct checkpoint *checkpoint, const struct event *event, bool *ret_due);
/* How much of a partition that ends at `end` is due, as far as the facts tell. */
enum checkpoint_share { CHECKPOINT_NONE_DUE, CHECKPOINT_SOME_DUE, CHECKPOINT_ALL_DUE };
enum checkpoint_share checkpoint_share_due(const struct checkpoint *checkpoint, const struct partition_facts *facts,
                                           uint64_t end);
/* The offset of the first event of a partition that is due, or the partition's end. STATUS_ABSENT: the partition has
 * gone, or became shorter meanwhile. */
enum status checkpoint_first_due(struct catalog *store, const struct checkpoint *checkpoint,
                                 const struct catalog_partition *partition, uint64_t *ret_offset, struct error *err);

#endif
