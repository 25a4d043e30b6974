#include "files/workspace.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

static const char *const folder_names[WORKSPACE_FOLDERS] = {"signals",   "emissions", "checkpoints",
                                                            "snapshots", "index",     "quarantine"};

struct workspace {
    enum workspace_access access;
    bool only_looks; /* a writer that makes nothing yet */
    int store;
    char *store_path;
    char *lock_path;
    int folders[WORKSPACE_FOLDERS]; /* -1: not open */
    bool named[WORKSPACE_FOLDERS];  /* the names that lead to it were synced */
    char *folder_paths[WORKSPACE_FOLDERS];
};

void workspace_close(struct workspace *workspace)
{
    if (!workspace)
        return;
    for (int which = 0; which < WORKSPACE_FOLDERS; which++) {
        io_close(workspace->folders[which], "", NULL);
        free(workspace->folder_paths[which]);
    }
    io_close(workspace->store, "", NULL);
    free(workspace->store_path);
    free(workspace->lock_path);
    free(workspace);
}

static struct workspace *workspace_new(const char *directory, enum workspace_access access)
{
    struct workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace)
        return NULL;
    workspace->access = access;
    workspace->store = -1;
    for (int which = 0; which < WORKSPACE_FOLDERS; which++)
        workspace->folders[which] = -1;
    bool good = asprintf(&workspace->store_path, "%s%sstore", directory ? directory : "", directory ? "/" : "") >= 0 &&
                asprintf(&workspace->lock_path, "%s/lock", workspace->store_path) >= 0;
    for (int which = 0; good && which < WORKSPACE_FOLDERS; which++)
        good = asprintf(&workspace->folder_paths[which], "%s/%s", workspace->store_path, folder_names[which]) >= 0;
    if (good)
        return workspace;
    workspace_close(workspace);
    return NULL;
}

static bool is_partition_folder(void *context, const char *name, unsigned char type)
{
    bool *found = context;
    if (type != DT_REG && (strcmp(name, "signals") == 0 || strcmp(name, "emissions") == 0))
        *found = true;
    return !*found;
}

/* There is no `store`: makes it, or says why not. */
static enum status make_store(struct workspace *workspace, const char *directory, struct error *err)
{
    const char *label = workspace->store_path;
    char target[PATH_MAX], quoted[QUOTED_SIZE];
    bool is_store = false;
    int fd;
    if (io_open_directory(directory ? directory : ".", &fd, err) != STATUS_OK)
        return STATUS_IO;
    ssize_t length = readlinkat(fd, "store", target, sizeof target);
    enum status status = STATUS_OK;
    if (length >= 0)
        status = error_set(err, STATUS_IO, "%s: is a symbolic link to %s, which does not exist", label,
                           quote_bytes(quoted, target, (size_t)length));
    else
        status = io_list(fd, directory ? directory : ".", is_partition_folder, &is_store, err);
    if (status != STATUS_OK)
        goto out;
    if (is_store)
        status =
            error_set(err, STATUS_IO, "%s: there is none, but signals/ or emissions/: name the directory above", label);
    else if (workspace->access == WORKSPACE_READ)
        status = error_set(err, STATUS_IO, "%s: No such file or directory", label);
    else if (!directory)
        status = error_set(err, STATUS_IO,
                           "%s: No such file or directory (it is made here only where -C . asks for it)", label);
    else if (!workspace->only_looks)
        status = io_open_directory_below(fd, "store", true, label, &workspace->store, err);
out:
    io_close(fd, "", NULL);
    return status == STATUS_OK ? STATUS_OK : STATUS_IO;
}

static enum status open_store(struct workspace *workspace, const char *directory, struct error *err)
{
    enum status status = io_open_directory(workspace->store_path, &workspace->store, err);
    return status == STATUS_ABSENT ? make_store(workspace, directory, err) : status;
}

enum status workspace_open(const char *directory, enum workspace_access access, struct workspace **ret_workspace,
                           struct error *err)
{
    struct workspace *workspace = workspace_new(directory, access);
    if (!workspace)
        return error_set_memory(err);
    enum status status = open_store(workspace, directory, err);
    if (status != STATUS_OK) {
        workspace_close(workspace);
        return status;
    }
    *ret_workspace = workspace;
    return STATUS_OK;
}

enum status workspace_check(const char *directory, struct error *err)
{
    struct workspace *workspace = workspace_new(directory, WORKSPACE_WRITE);
    if (!workspace)
        return error_set_memory(err);
    workspace->only_looks = true;
    enum status status = open_store(workspace, directory, err);
    workspace_close(workspace);
    return status;
}

int workspace_store(const struct workspace *workspace)
{
    return workspace->store;
}

const char *workspace_store_path(const struct workspace *workspace)
{
    return workspace->store_path;
}

const char *workspace_folder_path(const struct workspace *workspace, enum workspace_folder which)
{
    return workspace->folder_paths[which];
}

const char *workspace_lock_path(const struct workspace *workspace)
{
    return workspace->lock_path;
}

enum status workspace_folder(struct workspace *workspace, enum workspace_folder which, bool create, int *ret_fd,
                             struct error *err)
{
    if (workspace->folders[which] < 0) {
        bool may_create = workspace->access == WORKSPACE_WRITE || which == FOLDER_INDEX;
        enum status status = io_open_directory_below(workspace->store, folder_names[which], create && may_create,
                                                     workspace->folder_paths[which], &workspace->folders[which], err);
        if (status != STATUS_OK)
            return status;
    }
    *ret_fd = workspace->folders[which];
    return STATUS_OK;
}

enum status workspace_refresh(struct workspace *workspace, struct error *err)
{
    if (!io_is_same_file(workspace->store, AT_FDCWD, workspace->store_path, true))
        return error_set(err, STATUS_IO, "%s: was moved away or replaced while it was in use", workspace->store_path);
    for (int which = 0; which < WORKSPACE_FOLDERS; which++) {
        int fd = workspace->folders[which];
        if (fd < 0 || which == FOLDER_INDEX || io_is_same_file(fd, workspace->store, folder_names[which], false))
            continue;
        io_close(fd, "", NULL);
        workspace->folders[which] = -1;
        workspace->named[which] = false;
    }
    return STATUS_OK;
}

enum status workspace_check_folder(const struct workspace *workspace, enum workspace_folder which, struct error *err)
{
    return io_check_type(workspace->store, folder_names[which], S_IFDIR, workspace->folder_paths[which], err);
}

/* The names of the folder and of the store. */
static enum status sync_names(struct workspace *workspace, enum workspace_folder which, struct error *err)
{
    enum status status = io_sync_directory(workspace->store, workspace->store_path, err);
    if (status == STATUS_OK)
        status = io_sync_parent(workspace->store, workspace->store_path, err);
    workspace->named[which] = status == STATUS_OK;
    return status;
}

enum status workspace_sync_folder(struct workspace *workspace, enum workspace_folder which, struct error *err)
{
    int folder;
    enum status status = workspace_folder(workspace, which, false, &folder, err);
    if (status != STATUS_OK)
        return status;
    status = io_sync_directory(folder, workspace->folder_paths[which], err);
    return status == STATUS_OK ? sync_names(workspace, which, err) : status;
}

enum status workspace_replace(struct workspace *workspace, enum workspace_folder which, const char *name,
                              const void *data, size_t length, const char *path, struct error *err)
{
    int folder;
    enum status status = workspace_folder(workspace, which, true, &folder, err);
    if (status != STATUS_OK)
        return status;
    if (!workspace->named[which])
        status = sync_names(workspace, which, err);
    return status == STATUS_OK ? io_replace(folder, name, data, length, true, path, err) : status;
}

bool workspace_path(const struct workspace *workspace, enum workspace_folder which, const char *name, struct bytes *out)
{
    const char *parent = workspace->folder_paths[which];
    bytes_clear(out);
    if (!bytes_reserve(out, strlen(parent) + strlen(name) + 2))
        return false;
    bytes_append_string(out, parent);
    bytes_append_char(out, '/');
    bytes_append_string(out, name);
    out->data[out->length] = '\0';
    return true;
}

enum status workspace_open_lock(struct workspace *workspace, int *ret_fd, struct error *err)
{
    return io_open_below(workspace->store, "lock", IO_UPDATE, true, workspace->lock_path, ret_fd, NULL, err);
}
