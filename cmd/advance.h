/*
 * advance - `metaspn-checkpoint advance`: moves a stored checkpoint forward, to where another one is or behind lines
 * that a worker has done with (SPEC section 6).
 */
#ifndef METASPN_ADVANCE_H
#define METASPN_ADVANCE_H

#include <stddef.h>

#include "base/status.h"
#include "cli.h"
#include "options.h"

struct advance_request {
    const char *name; /* of the checkpoint */
    const char *to;   /* the file of the other checkpoint; NULL: lines are read */
    char *const *files;
    size_t file_count;
};

/* STATUS_INVALID: a line is wrong, and what precedes it counts; or the other checkpoint is of another kind. */
enum status advance_run(struct cli *cli, const struct options *options, const struct advance_request *request,
                        struct error *err);

#endif
