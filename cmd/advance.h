/*
 * advance - `metaspn-checkpoint advance`: moves a stored checkpoint forward, to where another one is or past lines that
 * a worker has done with (SPEC section 6).
 */
#ifndef METASPN_ADVANCE_H
#define METASPN_ADVANCE_H

#include <stddef.h>

#include "base/status.h"
#include "cli.h"
#include "store/store.h"

/* On to the checkpoint in the file `path`. STATUS_INVALID: it is none, or of the other kind. */
enum status advance_to(struct store *store, const char *name, const char *path, struct error *err);
/* Past the lines of the input, in time as they come. STATUS_INVALID: a line is wrong, and what precedes it counts. */
enum status advance_past(struct cli *cli, struct store *store, const char *name, char *const *files, size_t count,
                         struct error *err);

#endif
