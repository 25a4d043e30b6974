#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mutant.h"

#define TEMPORARY_AGE 3600 /* seconds after which a temporary belongs to nobody any more */

/* A new file beside the one to be replaced, under a name that nobody else uses. */
static int create_temporary(int directory, char *name, size_t size)
{
    for (int turn = 0; turn < 100; turn++) {
        uint64_t random = 0;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            random = (uint64_t)getpid() << 32 | (uint64_t)turn;
        snprintf(name, size, IO_TEMPORARY_PREFIX "%016llx", (unsigned long long)random);
        int fd = io_open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

enum status io_replace(int directory, const char *name, const void *data, size_t length, bool durable,
                       const char *label, struct error *err)
{
    char temporary[sizeof IO_TEMPORARY_PREFIX + 16];
    enum status status = io_check_type(directory, name, S_IFREG, label, err);
    if (status != STATUS_OK)
        return status;
    int fd = create_temporary(directory, temporary, sizeof temporary);
    if (fd < 0)
        return error_set_errno(err, errno, "%s: cannot create a temporary file", label);
    status = io_write(fd, data, length, label, NULL, err);
    if (status == STATUS_OK && durable && !MUTANT(NO_FSYNC_BEFORE_RENAME) && fsync(fd) != 0)
        status = error_set_errno(err, errno, "%s: cannot sync", label);
    enum status closed = io_close(fd, label, status == STATUS_OK ? err : NULL);
    if (status == STATUS_OK)
        status = closed;
    if (status == STATUS_OK && renameat(directory, temporary, directory, name) != 0)
        status = error_set_errno(err, errno, "%s: cannot replace", label);
    if (status != STATUS_OK) {
        unlinkat(directory, temporary, 0);
        return status;
    }
    return durable ? io_sync_directory(directory, label, err) : STATUS_OK;
}

enum status io_replace_path(const char *path, const void *data, size_t length, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!parent)
        return error_set_memory(err);
    int directory = -1;
    enum status status = io_open_directory(parent, &directory, err);
    free(parent);
    if (status != STATUS_OK)
        return STATUS_IO;
    status = io_replace(directory, slash ? slash + 1 : path, data, length, true, path, err);
    close(directory);
    return status;
}

struct sweep {
    int directory;
    const char *label;
    int64_t now_seconds;
    size_t removed;
    enum status status;
    struct error *err;
};

bool io_is_left_over(int directory, const char *name, int64_t now_seconds)
{
    struct stat st;
    return strncmp(name, IO_TEMPORARY_PREFIX, strlen(IO_TEMPORARY_PREFIX)) == 0 &&
           fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           st.st_mtime + TEMPORARY_AGE <= now_seconds;
}

static bool sweep_entry(void *context, const char *name, unsigned char type)
{
    struct sweep *sweep = context;
    (void)type;
    if (!io_is_left_over(sweep->directory, name, sweep->now_seconds))
        return true;
    if (unlinkat(sweep->directory, name, 0) == 0)
        sweep->removed++;
    else if (errno != ENOENT)
        sweep->status = error_set_errno(sweep->err, errno, "%s/%s: cannot remove", sweep->label, name);
    return sweep->status == STATUS_OK;
}

enum status io_sweep(int directory, const char *label, int64_t now_seconds, size_t *ret_removed, struct error *err)
{
    struct sweep sweep = {.directory = directory, .label = label, .now_seconds = now_seconds, .err = err};
    enum status status = io_list(directory, label, sweep_entry, &sweep, err);
    if (ret_removed)
        *ret_removed = sweep.removed;
    return status == STATUS_OK ? sweep.status : status;
}
