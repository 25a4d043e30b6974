/*
 * checkpoint_lines - from the lines that a worker echoes to the positions past them (SPEC section 6,
 * `metaspn-checkpoint advance` without --to).
 *
 *     struct checkpoint_lines lines = {.store = store, .kinds = KIND_BIT(checkpoint.kind)};
 *     for each line: checkpoint_lines_pass(&lines, ...);
 *     checkpoint_lines_take(&lines, &passed);
 *     under the store's lock: load the checkpoint, checkpoint_complete() it, checkpoint_advance() it to `passed`
 *     checkpoint_lines_release(&lines);
 *
 * A line stands for the first line in the store (by date and position) with the same bytes. Where lines come as they
 * lie in a day, which is what replay prints without a filter, they are found by reading on; others by their id. Memory
 * does not grow with the number of lines.
 */
#ifndef METASPN_FILES_WORKER_LINES_H
#define METASPN_FILES_WORKER_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "files/catalog/catalog.h"
#include "store/checkpoint.h"

struct checkpoint_lines {
    struct catalog *store; /* borrowed; it is refreshed where a line is not found in what was seen of it */
    unsigned kinds;        /* KIND_BIT()s that lines may be of; the first line decides */

    struct checkpoint passed; /* the position in the day in hand has no hash yet */
    struct store_place next;  /* where the next line is expected: in the day in hand */
    struct day *day;          /* in hand: the file in which its lines were found; owned, NULL: none */
    enum status trouble;      /* with a position's hash; and `why` */
    struct error why;
    struct bytes ahead; /* bytes of the day from ahead_offset on */
    uint64_t ahead_offset;
    uint64_t *suspects; /* lines of the day that may be repeats; owned */
    size_t suspect_count;
    struct bytes scratch;
};

/* Passes one line (without newline; a blank one is none). STATUS_INVALID: it is no event of the kind, or nowhere in the
 * store. The store must have been refreshed once. */
enum status checkpoint_lines_pass(struct checkpoint_lines *lines, const char *line, size_t length, struct error *err);

/* Hands over what was passed: kind, positions, the greatest timestamp and its ids; nothing where no line was. Release
 * it in any case. STATUS_IO: the hash of a position could not be read. */
enum status checkpoint_lines_take(struct checkpoint_lines *lines, struct checkpoint *ret_passed, struct error *err);
void checkpoint_lines_release(struct checkpoint_lines *lines);

#endif
