/*
 * workspace - the directory that contains `store/`, found and opened once (SPEC section 2).
 *
 * workspace_open() finds `store` (which may be a symbolic link) and keeps a descriptor of it. The folders below it, the
 * rooms, are opened when they are asked for, through that descriptor and never through a link, and stay open until
 * workspace_close(). A reader creates nothing; a writer may create `store` and every folder, a reader only
 * FOLDER_INDEX. What is created is made with mode 0777 less umask, and its parent is synced.
 *
 * Paths, for messages and for --print=path: the workspace as it was given, then "/store/signals/..."; only
 * "store/signals/..." where none was given. The texts live as long as the workspace.
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
#define WORKSPACE_ROOMS 6

/*
 * Opens the workspace `directory`; NULL: none was named (by -C or METASPN_WORKSPACE), so it is the current directory.
 * WORKSPACE_WRITE makes a missing `store/`, but not in a current directory that nobody named, and not in a directory
 * that itself holds `signals/` or `emissions/` (it is the store, and its parent was meant). STATUS_IO, naming the path:
 * no such workspace, no `store/` where it may not be made, or it cannot be opened.
 */
enum status workspace_open(const char *directory, enum workspace_access access, struct workspace **ret_workspace,
                           struct error *err);
void workspace_close(struct workspace *workspace);

/* What workspace_open() for writing would answer, with nothing made: before a writer waits for its input. */
enum status workspace_check(const char *directory, struct error *err);

/* The descriptor of `store/`, borrowed. */
int workspace_store(const struct workspace *workspace);
/* "DIR/store", borrowed. */
const char *workspace_store_path(const struct workspace *workspace);

/*
 * The descriptor of a folder, borrowed. `create` makes a missing one where the access allows it. STATUS_ABSENT: there
 * is none (and next time it is looked for again). STATUS_IO: it is a link or no directory, or cannot be opened or made.
 */
enum status workspace_folder(struct workspace *workspace, enum workspace_folder which, bool create, int *ret_fd,
                             struct error *err);
/* To be called before the folders are looked at again: what was moved away or replaced meanwhile is opened anew when it
 * is asked for. STATUS_IO: that happened to `store/` itself, which the locks stand in. */
enum status workspace_look_again(struct workspace *workspace, struct error *err);
/* STATUS_IO: a link or something else than a directory stands in the place of the folder. */
enum status workspace_check_folder(const struct workspace *workspace, enum workspace_folder which, struct error *err);
/* Makes the names durable that lead to the files of a folder: syncs the folder, `store/` and the workspace, whoever
 * made them. */
enum status workspace_sync_folder(struct workspace *workspace, enum workspace_folder which, struct error *err);
/* Replaces the file `name` of a folder, which is made where it is missing, as io_replace() does; `path` is for
 * messages. The names of the folder and of the store are durable then too. */
enum status workspace_replace(struct workspace *workspace, enum workspace_folder which, const char *name,
                              const void *data, size_t length, const char *path, struct error *err);
/* "DIR/store/signals", borrowed, whether the folder exists or not. */
const char *workspace_folder_path(const struct workspace *workspace, enum workspace_folder which);

/* Replaces *out by "DIR/store/ROOM/NAME", with a NUL behind its length. False: no memory. */
bool workspace_path(const struct workspace *workspace, enum workspace_folder which, const char *name,
                    struct bytes *out);

/*
 * Opens the writers' lock file `store/lock`, making it where it is missing; the caller locks it by io_lock() and owns
 * the descriptor. The file is never deleted and never replaced.
 */
enum status workspace_open_lock(struct workspace *workspace, int *ret_fd, struct error *err);
/* "DIR/store/lock", borrowed. */
const char *workspace_lock_path(const struct workspace *workspace);

#endif
