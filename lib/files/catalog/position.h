/*
 * position - what a checkpoint's position means in a day (SPEC section 6).
 *
 * A position *fits* a day where the hash of the bytes before it matches and it is the start of a line, the end of a
 * line (with or without the newline that may have come since, blanks before it: the same position), or the end of the
 * day. Where it does not, the day was restored from a backup or rewritten, and is due from its start.
 *
 * A day ends for a position after its last event or damaged line (SPEC section 1), before the blank lines that follow.
 *
 * Functions that take a row speak of the day as catalog_refresh() saw it last, and open it only where what is known of
 * it does not tell. STATUS_ABSENT from any of them: it has gone, or holds other bytes by now, so that nobody knows.
 */
#ifndef METASPN_FILES_CATALOG_POSITION_H
#define METASPN_FILES_CATALOG_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "files/catalog/catalog.h"
#include "files/day.h"
#include "store/checkpoint.h"

/* *ret_fits; and where it does, *ret_from is the position as the start of a line, or the end of the day. */
enum status position_fits_day(const struct day *day, const struct checkpoint_position *position, bool *ret_fits,
                              uint64_t *ret_from, struct error *err);
enum status position_fits(struct catalog *store, const struct catalog_partition *row,
                          const struct checkpoint_position *position, bool *ret_fits, uint64_t *ret_from,
                          struct error *err);

/* The position at this offset, with its hash; at the end of the day before the blank lines that end it. */
enum status position_in_day(const struct day *day, uint64_t offset, struct checkpoint_position *ret_position,
                            struct error *err);
enum status position_at(struct catalog *store, const struct catalog_partition *row, uint64_t offset,
                        struct checkpoint_position *ret_position, struct error *err);

#endif
