/*
 * change - one step under the store's lock: how a stored checkpoint moves (SPEC section 6).
 *
 * Each function reads the stored checkpoint, changes it and replaces it while it holds the writers' lock, so that no
 * step of another process is lost. Before, it refreshes the partitions; under the lock it does so once more, so that no
 * position that another process has stored meanwhile seems to lie past an end. The partitions whose position moves are
 * synced before the checkpoint is stored. No partition is left open, and no lock.
 *
 * `now_seconds` is the Unix time by which left-over temporaries are judged.
 */
#ifndef METASPN_FILES_WORKER_CHANGE_H
#define METASPN_FILES_WORKER_CHANGE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "event/event.h"
#include "files/catalog/catalog.h"
#include "store/checkpoint.h"
#include "store/store.h"

/* Replaces or removes a document under the lock: who moves a checkpoint does not lose it. As documents_put() and
 * documents_delete(). */
enum status change_put(struct catalog *store, const struct document_key *key, const struct bytes *text,
                       int64_t now_seconds, struct error *err);
enum status change_delete(struct catalog *store, const struct document_key *key, struct error *err);

/* Moves the checkpoint `name` on to what `to` has passed (checkpoint_advance()); makes it where there is none.
 * STATUS_INVALID: `to` is a checkpoint of another kind. */
enum status change_advance(struct catalog *store, const char *name, const struct checkpoint *to, int64_t now_seconds,
                           struct error *err);

/* Moves the checkpoint `name` past the lines that its worker echoes (lines.h); makes it where there is none. What
 * precedes a line that is refused counts: echo->passed and echo->refused; the status says whether it was stored. */
enum status change_pass(struct catalog *store, const char *name, struct store_echo *echo, int64_t now_seconds,
                        struct error *err);

/* Moves the checkpoint `name` back to `time` (checkpoint_reset()), or lets a new one begin there. `kind` (NULL: not
 * given) is that of a new checkpoint. STATUS_USAGE: it is not the kind of the stored one, which *err names. */
enum status change_rewind(struct catalog *store, const char *name, const enum event_kind *kind, int64_t time,
                          int64_t now_seconds, struct error *err);

/* Of which kinds (a set of KIND_BIT()s) the partitions were refreshed last. */
struct change_seen {
    unsigned kinds;
};
/* Refreshes the partitions of both kinds, before change_behind(). STATUS_IO: they cannot be read together; *err says
 * why, and change_behind() looks at each kind alone. */
enum status change_see(struct catalog *store, struct change_seen *ret_seen, struct error *err);
/* How many bytes the checkpoint lags behind the partitions of its kind (signals where it has none). STATUS_IO: they
 * cannot be read, which many checkpoints have in common. */
enum status change_behind(struct catalog *store, struct change_seen *seen, const struct checkpoint *checkpoint,
                          uint64_t *ret_bytes, struct error *err);

#endif
