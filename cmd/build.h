/*
 * build - `metaspn-checkpoint build`: a checkpoint by time, as the original makes it, from processed events (SPEC
 * section 6).
 */
#ifndef METASPN_BUILD_H
#define METASPN_BUILD_H

#include <stddef.h>

#include "base/status.h"
#include "cli.h"
#include "output.h"

/* Prints the checkpoint, or nothing where there was no event. STATUS_INVALID: a line is no event, of another kind than
 * the first, or earlier than the one before; nothing was printed. */
enum status build_run(struct cli *cli, char *const *files, size_t count, struct output *out, struct error *err);

#endif
