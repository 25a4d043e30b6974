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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "event/event.h"
#include "files/catalog/catalog.h"
#include "store/checkpoint.h"

/* Replaces or removes a document under the lock: who moves a checkpoint does not lose it. As documents_put() and
 * documents_delete(). */
enum status change_put(struct catalog *store, const struct document_key *key, const struct bytes *text,
                       int64_t now_seconds, struct error *err);
enum status change_delete(struct catalog *store, const struct document_key *key, struct error *err);

/* Moves the checkpoint `name` on to what `to` has passed (checkpoint_advance()); makes it where there is none.
 * *ret_moved: it was stored. STATUS_INVALID: `to` is a checkpoint of another kind. */
enum status change_advance(struct catalog *store, const char *name, const struct checkpoint *to, int64_t now_seconds,
                           bool *ret_moved, struct error *err);

/* Moves the checkpoint `name` back to `time` (checkpoint_reset()), or lets a new one begin there. `kind` (NULL: not
 * given) is that of a new checkpoint. STATUS_USAGE: it is not the kind of the stored one, which *err names. */
enum status change_rewind(struct catalog *store, const char *name, const enum event_kind *kind, int64_t time,
                          int64_t now_seconds, struct error *err);

/*
 * Passes the lines that a worker echoes, as they come:
 *
 *     change_pass_open(...);
 *     for each line: change_pass(...);
 *     change_pass_store(...);          now and then, and at the end: moves the stored checkpoint past them
 *     change_pass_close(...);
 *
 * A line stands for the first line in the store with the same bytes (lines.h).
 */
struct change_pass;
/* The name is borrowed. */
enum status change_pass_open(struct catalog *store, const char *name, int64_t now_seconds,
                             struct change_pass **ret_pass, struct error *err);
/* Passes one line, without newline; a blank one is none. STATUS_INVALID: it is no event of the checkpoint's kind, or
 * nowhere in the store. */
enum status change_pass(struct change_pass *pass, const char *line, size_t length, struct error *err);
/* True where lines were passed that are not stored yet. */
bool change_pass_pending(const struct change_pass *pass);
/* Leaves no file open: before waiting for lines. */
void change_pass_rest(struct change_pass *pass);
enum status change_pass_store(struct change_pass *pass, struct error *err);
/* Forgets what was not stored. NULL is taken. */
void change_pass_close(struct change_pass *pass);

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
