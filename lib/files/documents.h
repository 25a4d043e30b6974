/*
 * documents - checkpoints and snapshots as files of the store: read, listed and removed, and replaced as a whole.
 */
#ifndef METASPN_FILES_DOCUMENTS_H
#define METASPN_FILES_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "files/workspace.h"
#include "store/checkpoint.h"
#include "store/snapshot.h"

/* ---- checkpoints */

/*
 * Reads the checkpoint of this name. STATUS_ABSENT: there is none. STATUS_IO: it cannot be read, or is damaged, the
 * empty file that an interrupted write of the original leaves included: that is never taken for an absent one.
 */
enum status checkpoint_load(struct workspace *workspace, const char *name, struct checkpoint *ret_checkpoint,
                            struct error *err);
/* The same of a file that the caller names, which may be a pipe. STATUS_INVALID: it is damaged. */
enum status checkpoint_load_path(const char *path, struct checkpoint *ret_checkpoint, struct error *err);

/* Replaces the checkpoint of this name by a document (as checkpoint_print() makes it), durably. Temporaries that a
 * killed process left an hour before `now_seconds` are removed. For what depends on the old one, hold catalog_lock().
 * STATUS_INVALID: it is larger than CHECKPOINT_MAX, so that nobody could read it (canonical forms may grow); nothing
 * was stored. */
enum status checkpoint_save(struct workspace *workspace, const char *name, const struct bytes *document,
                            int64_t now_seconds, struct error *err);
/* The same in a file that the caller names: a regular file, or none yet. */
enum status checkpoint_save_path(const char *path, const struct bytes *document, struct error *err);
/* STATUS_ABSENT: there was none. */
enum status checkpoint_delete(struct workspace *workspace, const char *name, struct error *err);

struct checkpoint_list {
    char **names; /* ascending by their bytes; owned, each of them too */
    size_t count, capacity;
};
/* What there is. STATUS_IO: it cannot be listed; or something that is no regular file stands in the place of one, of
 * which the first is told and the others are listed. Release the list in any case. */
enum status checkpoint_list(struct workspace *workspace, struct checkpoint_list *ret_list, struct error *err);
void checkpoint_list_release(struct checkpoint_list *list);

/* ---- snapshots */

/*
 * Stores a composed document, durably; one of the same name and time is replaced. *ret_path (may be NULL) becomes its
 * path, NUL-terminated. Temporaries that a killed process left an hour before `now_seconds` are removed.
 * STATUS_INVALID: it is larger than SNAPSHOT_MAX, so that nobody could read it (canonical forms may grow); nothing was
 * stored.
 */
enum status snapshot_write(struct workspace *workspace, const char *name, struct snapshot_time when,
                           const struct bytes *document, int64_t now_seconds, struct bytes *ret_path,
                           struct error *err);

/*
 * Reads a stored document with its newline into *ret_document: for a daily `when` that day's, otherwise the last of
 * this name at or before `when.time` (TIMESTAMP_MAX: the last). STATUS_ABSENT: there is none. STATUS_IO: it is no JSON
 * object, as an interrupted write of another program leaves it, or cannot be read.
 */
enum status snapshot_read(struct workspace *workspace, const char *name, struct snapshot_time when,
                          struct bytes *ret_document, struct error *err);

struct snapshot {
    struct snapshot_time when;
    char *name; /* owned by the list */
    char *path; /* "DIR/store/snapshots/…", owned by the list */
};

struct snapshot_list {
    struct snapshot *items;
    size_t count, capacity;
};

/*
 * All snapshots (of this name, where it is not NULL) in their order. STATUS_IO: it cannot be listed; or something that
 * is no regular file stands in the place of one, of which the first is told and the others are listed. Release the list
 * in any case.
 */
enum status snapshot_list(struct workspace *workspace, const char *name, struct snapshot_list *ret_list,
                          struct error *err);
void snapshot_list_release(struct snapshot_list *list);

#endif
