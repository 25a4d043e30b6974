/*
 * workspace - the directory that contains `store/`, found and opened once (SPEC section 2).
 *
 * workspace_open() finds `store` (which may be a symbolic link) and keeps a descriptor of it. The folders in it are
 * opened when they are asked for, through that descriptor and never through a link, and stay open until
 * workspace_close(). A writer may make `store` and every folder, a reader only FOLDER_INDEX. What is made has mode 0777
 * less umask, and its parent is synced.
 *
 * Paths, for messages and for --print=path, begin with the workspace as it was given: "DIR/store/signals/...", or
 * "store/signals/..." where none was given. They live as long as the workspace.
 */
#ifndef METASPN_FILES_WORKSPACE_H
#define METASPN_FILES_WORKSPACE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

struct workspace;

enum workspace_access { WORKSPACE_READ, WORKSPACE_WRITE };

/* FOLDER_SIGNALS and FOLDER_EMISSIONS have the values of EVENT_SIGNAL and EVENT_EMISSION. */
enum workspace_folder {
    FOLDER_SIGNALS,
    FOLDER_EMISSIONS,
    FOLDER_CHECKPOINTS,
    FOLDER_SNAPSHOTS,
    FOLDER_INDEX,
    FOLDER_QUARANTINE,
};
#define WORKSPACE_FOLDERS 6

/*
 * Opens the workspace `directory` (NULL: the current directory, as none was named by -C or METASPN_WORKSPACE).
 * WORKSPACE_WRITE makes a missing `store/`, but not in a current directory that nobody named, and not in a directory
 * that itself holds `signals/` or `emissions/`: that is the store, and its parent was meant. STATUS_IO, naming the
 * path: there is no such workspace, no `store/` where it may not be made, or it cannot be opened.
 */
enum status workspace_open(const char *directory, enum workspace_access access, struct workspace **ret_workspace,
                           struct error *err);
void workspace_close(struct workspace *workspace);

/* Returns what workspace_open() for writing would, and makes nothing: for a writer before it waits for its input. */
enum status workspace_check(const char *directory, struct error *err);

/* The descriptor of `store/`, borrowed. */
int workspace_store(const struct workspace *workspace);
/* "DIR/store", borrowed. */
const char *workspace_store_path(const struct workspace *workspace);

/* The descriptor of a folder, borrowed. `create` makes a missing one where the access allows it. STATUS_ABSENT: there
 * is none. STATUS_IO: it is a link or no directory, or cannot be opened or made. */
enum status workspace_folder(struct workspace *workspace, enum workspace_folder which, bool create, int *ret_fd,
                             struct error *err);
/* Lets go of folders that were moved away or replaced; they are opened anew when they are asked for. STATUS_IO: that
 * happened to `store/` itself, in which the lock is. */
enum status workspace_refresh(struct workspace *workspace, struct error *err);
/* STATUS_IO: a link or something else than a directory stands in the place of the folder. */
enum status workspace_check_folder(const struct workspace *workspace, enum workspace_folder which, struct error *err);
/* Makes durable the names that lead to the files of a folder: syncs the folder, `store/` and the workspace. */
enum status workspace_sync_folder(struct workspace *workspace, enum workspace_folder which, struct error *err);
/* Replaces the file `name` of a folder as io_replace() does, and makes durable the names that lead to it. A missing
 * folder is made. `path` is for messages. */
enum status workspace_replace(struct workspace *workspace, enum workspace_folder which, const char *name,
                              const void *data, size_t length, const char *path, struct error *err);
/* "DIR/store/signals", borrowed, whether the folder exists or not. */
const char *workspace_folder_path(const struct workspace *workspace, enum workspace_folder which);

/* Replaces *out by "DIR/store/FOLDER/NAME", NUL-terminated after its length. False: no memory. */
bool workspace_path(const struct workspace *workspace, enum workspace_folder which, const char *name,
                    struct bytes *out);

/* Opens the writers' lock file `store/lock`, which is made where it is missing. The caller owns the descriptor and
 * locks it by io_lock(). The file is never deleted and never replaced. */
enum status workspace_open_lock(struct workspace *workspace, int *ret_fd, struct error *err);
/* "DIR/store/lock", borrowed. */
const char *workspace_lock_path(const struct workspace *workspace);

#endif
