/*
 * advance - how a checkpoint moves in a store of files (SPEC section 6); position.h says what its positions mean.
 *
 * All functions speak of the store as catalog_refresh() saw it last (of the kind in hand). They change the checkpoint
 * in memory alone; change.h reads and replaces the stored one.
 */
#ifndef METASPN_FILES_WORKER_ADVANCE_H
#define METASPN_FILES_WORKER_ADVANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "event/event.h"
#include "files/catalog/catalog.h"
#include "store/checkpoint.h"

/* Gives a checkpoint without positions one for every partition of the kind, which is synced: before the first event
 * still due (due.h), or at the end. One that has positions stays as it is. */
enum status checkpoint_complete(struct catalog *store, enum event_kind kind, struct checkpoint *checkpoint,
                                struct error *err);

/*
 * Moves on to what `to` has passed: in each partition to the greater position; to the new one where the old one does
 * not fit; not to one that does not fit itself where the old one does. Positions of partitions that are gone are kept,
 * the greater one. last_timestamp and ids are the greater ones. Partitions whose position moves are synced. *ret_moved:
 * something changed.
 *
 * A `to` without positions is completed first, at the later of both times where `checkpoint` has none either. A
 * `checkpoint` without positions takes those of `to` as they are: what --next gave is past what was read, and a
 * partition that has come since is due as a whole. Who moves past single lines completes `checkpoint` before.
 *
 * STATUS_INVALID: `to` is of another kind. On failure `checkpoint` is to be released.
 */
enum status checkpoint_advance(struct catalog *store, struct checkpoint *checkpoint, const struct checkpoint *to,
                               bool *ret_moved, struct error *err);

/*
 * Moves back to `time`: no position moves forward. On the day of `time` before its first event at or after it (none:
 * the end), on later days to the start; on earlier ones positions stay, or come to the end where there was none.
 * last_timestamp is `time` then, without ids. A checkpoint without positions is completed before, so that nothing due
 * to it is lost; a new worker's has positions, but none yet. Partitions in which a position comes to the end are
 * synced.
 */
enum status checkpoint_reset(struct catalog *store, enum event_kind kind, int64_t time, struct checkpoint *checkpoint,
                             struct error *err);

/* How many bytes the checkpoint lags behind the partitions of the kind, whatever is in them. */
enum status checkpoint_bytes_behind(struct catalog *store, enum event_kind kind, const struct checkpoint *checkpoint,
                                    uint64_t *ret_bytes, struct error *err);

#endif
