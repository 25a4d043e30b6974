/*
 * replay - what metaspn-replay does once it knows what was asked for: the one way out of a store, be it of what is
 * there, of what a worker's checkpoint has not passed, or of what is appended from now on.
 */
#ifndef METASPN_REPLAY_H
#define METASPN_REPLAY_H

#include <stdbool.h>

#include "cli.h"
#include "options.h"
#include "output.h"
#include "selection.h"
#include "store/store.h"

struct replay_request {
    struct selection selection;
    struct store_query query; /* as far as options say: kinds (0: not said), order, reverse, limit, tail, follows */
    bool count, as_table, no_index, skip_damaged;
    const char *checkpoint, *checkpoint_file, *next; /* NULL: not given */
};

/* Prints to `out`, and reports and notes at the cli what fails. Where everything is out, and nothing worse than damage
 * was met, replaces the file of --next. */
void replay_run(struct cli *cli, const struct options *options, const struct replay_request *request,
                struct output *out);

#endif
