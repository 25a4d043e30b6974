/*
 * checkpoint_move - what a checkpoint's positions mean in a store, and how they move (SPEC section 6).
 *
 * A position *fits* a partition where the hash of the bytes before it matches and it lies at the start of a line,
 * behind a line's last byte (with or without the newline that may have come since, blanks before it: the same
 * position), or at the end
 * of the partition. Where it does not, the partition was restored from a backup or rewritten, and is due from its
 * start.
 *
 * All functions speak of the store as catalog_refresh() saw it last (of the kind in hand). None of them writes the
 * checkpoint's file: that is checkpoint_save()'s, under catalog_lock() where the old one matters:
 *
 *     catalog_refresh(); catalog_lock(); checkpoint_load(); checkpoint_advance(); checkpoint_save(); catalog_unlock();
 */
#ifndef METASPN_FILES_WORKER_ADVANCE_H
#define METASPN_FILES_WORKER_ADVANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "event/event.h"
#include "files/catalog/catalog.h"
#include "store/checkpoint.h"

/* *ret_fits; and where it does, *ret_from is the position as the start of a line, or the end of the partition. A
 * partition that was read to the end, as it stands in the facts, is not opened for that. STATUS_ABSENT: it has gone, so
 * that nobody knows. */
enum status checkpoint_fit(struct catalog *store, const struct catalog_partition *partition,
                           const struct checkpoint_position *position, bool *ret_fits, uint64_t *ret_from,
                           struct error *err);

/* The same in an open day. */
enum status checkpoint_fit_day(const struct day *day, const struct checkpoint_position *position, bool *ret_fits,
                               uint64_t *ret_from, struct error *err);
/* The position at this offset of an open day, with its hash; at day->end: past its last event or damaged line, before
 * the blank lines after that. STATUS_ABSENT: the file holds other bytes by now than the facts tell of, so that nobody
 * knows which ones lay before the offset. */
enum status checkpoint_position_in(const struct day *day, uint64_t offset, struct checkpoint_position *ret_position,
                                   struct error *err);

/* Where a partition ends for a position: behind its last event or damaged line (SPEC section 1), before the blank lines
 * that stand behind them. Read from `open` (NULL: opened for that) where there are blank lines at all. STATUS_ABSENT:
 * the partition has gone. */
enum status checkpoint_end(struct catalog *store, const struct catalog_partition *partition,
                           const struct partition *open, uint64_t *ret_end, struct error *err);
/* The position at this offset (partition->end: at checkpoint_end()), with its hash: of the facts where it is the end of
 * what they describe, else read likewise. STATUS_ABSENT: the partition has gone, or holds other bytes by now than the
 * facts tell of, so that nobody knows which ones lay before the offset. */
enum status checkpoint_position_at(struct catalog *store, const struct catalog_partition *partition,
                                   const struct partition *open, uint64_t offset,
                                   struct checkpoint_position *ret_position, struct error *err);

/* Whether an event is due to a checkpoint without positions. False: no memory. */
bool checkpoint_time_due(const struct checkpoint *checkpoint, const struct event *event, bool *ret_due);
/* The same for all events of a partition together, which ends at `end`, as far as the facts can tell. */
enum checkpoint_share { CHECKPOINT_NONE_DUE, CHECKPOINT_SOME_DUE, CHECKPOINT_ALL_DUE };
enum checkpoint_share checkpoint_share_due(const struct checkpoint *checkpoint, const struct partition_facts *facts,
                                           uint64_t end);
/* The offset of the first event of a partition that is due to a checkpoint without positions, or the partition's end.
 * STATUS_ABSENT: the partition has gone, or became shorter meanwhile. */
enum status checkpoint_first_due(struct catalog *store, const struct checkpoint *checkpoint,
                                 const struct catalog_partition *partition, uint64_t *ret_offset, struct error *err);

/* Gives a checkpoint without positions one for every partition of the kind, which is synced: before the first event
 * still due, or at the end. One that has positions stays as it is. */
enum status checkpoint_complete(struct catalog *store, enum event_kind kind, struct checkpoint *checkpoint,
                                struct error *err);

/*
 * Moves on to what `to` has passed: in each partition to the greater position; to the new one where the old one does
 * not fit; not to one that does not fit itself where the old one does. Positions of partitions that are gone are kept,
 * the greater one. last_timestamp and ids are the greater ones. Partitions whose position moves are synced. *ret_moved:
 * something changed.
 *
 * A `to` without positions is settled first, at the later of both times where `checkpoint` has none either. A
 * `checkpoint` without positions takes those of `to` as they are: what --next gave is behind what was read, and a
 * partition that has come since is due as a whole. Who moves behind single lines settles `checkpoint` before.
 *
 * STATUS_INVALID: `to` is of another kind. On failure `checkpoint` is to be released.
 */
enum status checkpoint_advance(struct catalog *store, struct checkpoint *checkpoint, const struct checkpoint *to,
                               bool *ret_moved, struct error *err);

/*
 * Moves back to `time`: no position moves forward. On the day of `time` before its first event at or after it (none:
 * the end), on later days to the start; on earlier ones positions stay, or come to the end where there was none.
 * last_timestamp is `time` then, without ids. A checkpoint without positions is settled before, so that nothing due to
 * it is lost; a new worker's has positions, but none yet. Partitions in which a position comes to the end are synced.
 */
enum status checkpoint_reset(struct catalog *store, enum event_kind kind, int64_t time, struct checkpoint *checkpoint,
                             struct error *err);

/* How many bytes lie behind the checkpoint in the partitions of the kind, whatever is in them. */
enum status checkpoint_bytes_behind(struct catalog *store, enum event_kind kind, const struct checkpoint *checkpoint,
                                    uint64_t *ret_bytes, struct error *err);

#endif
