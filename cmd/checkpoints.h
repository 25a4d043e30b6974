/*
 * checkpoints - the store, opened by the verbs of metaspn-checkpoint that change what is kept in it.
 */
#ifndef METASPN_CHECKPOINTS_H
#define METASPN_CHECKPOINTS_H

#include <stdbool.h>

#include "base/status.h"
#include "cli.h"
#include "files/catalog/catalog.h"
#include "options.h"

struct checkpoints {
    struct cli *cli;
    const struct options *options;
    struct catalog *store; /* owned */
    struct bytes told;     /* what the store has had to say */
};

enum status checkpoints_open(struct checkpoints *checkpoints, struct cli *cli, const struct options *options,
                             enum workspace_access access, struct error *err);
void checkpoints_close(struct checkpoints *checkpoints);

#endif
