/*
 * checkpoints - the store, opened by the verbs of metaspn-checkpoint that change what is kept in it, and the stored
 * checkpoint, read and replaced under the writers' lock (SPEC section 6).
 *
 *     checkpoints_open(&checkpoints, &cli, &options, WORKSPACE_WRITE)
 *     checkpoints_lock(&checkpoints, kinds): the partitions have been looked at, and nobody else replaces a checkpoint
 *     checkpoints_load(), change it, checkpoints_save()
 *     checkpoints_unlock(); checkpoints_close()
 */
#ifndef METASPN_CHECKPOINTS_H
#define METASPN_CHECKPOINTS_H

#include <stdbool.h>

#include "base/status.h"
#include "cli.h"
#include "files/catalog/catalog.h"
#include "options.h"
#include "store/checkpoint.h"

struct checkpoints {
    struct cli *cli;
    const struct options *options;
    struct catalog *store; /* owned */
    struct bytes told;     /* what the store has had to say */
};

enum status checkpoints_open(struct checkpoints *checkpoints, struct cli *cli, const struct options *options,
                             enum workspace_access access, struct error *err);
void checkpoints_close(struct checkpoints *checkpoints);

/*
 * Looks at the partitions of these kinds (0: none are needed) and takes the lock. The look is made before, as it may
 * take long, and once more under the lock, so that no position that another process has stored meanwhile seems to lie
 * past an end.
 */
enum status checkpoints_lock(struct checkpoints *checkpoints, unsigned kinds, struct error *err);
/* Leaves no partition open. */
void checkpoints_unlock(struct checkpoints *checkpoints);

/* One that is absent has passed nothing. */
enum status checkpoints_load(struct checkpoints *checkpoints, const char *name, struct checkpoint *ret_checkpoint,
                             bool *ret_absent, struct error *err);
enum status checkpoints_save(struct checkpoints *checkpoints, const char *name, const struct checkpoint *checkpoint,
                             struct error *err);

#endif
