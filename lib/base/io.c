#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mutant.h"

#define LEASE_WAIT_MS      60000    /* longer than the kernel lets a lease stand that somebody waits for */
#define LEASE_POLL_NS      200000   /* between the first two tries to open a file that is leased */
#define LEASE_POLL_MOST_NS 10000000 /* between the last ones */
#define LOCK_POLL_NS       2000000  /* between two tries of a lock that somebody holds */
#define TEMPORARY_AGE      3600     /* seconds after which a temporary belongs to nobody any more */

static bool openat2_is_missing(int error)
{
    return error == ENOSYS || error == EPERM || error == E2BIG;
}

static int open_once(int directory, const char *name, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, directory, name, &how, sizeof how);
    if (fd >= 0 || !openat2_is_missing(errno))
        return (int)fd;
    return openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
}

/* openat() that follows no link in any component and does not leave `directory`. EAGAIN: a writer holds a lease for the
 * moment, or a rename went by. */
static int open_beneath(int directory, const char *name, int flags, mode_t mode)
{
    int64_t deadline = -1;
    long pause = LEASE_POLL_NS;
    for (;;) {
        int fd = open_once(directory, name, flags, mode);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            return fd;
        if (errno == EINTR)
            continue;
        int64_t now = io_monotonic_ms();
        if (deadline < 0)
            deadline = now + LEASE_WAIT_MS;
        if (now >= deadline) {
            errno = EAGAIN;
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
        pause = 2 * pause < LEASE_POLL_MOST_NS ? 2 * pause : LEASE_POLL_MOST_NS;
    }
}

enum status io_open_directory(const char *path, int *ret_fd, struct error *err)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        enum status status = errno == ENOENT ? STATUS_ABSENT : STATUS_IO;
        error_set_errno(err, errno, "%s", path);
        return status;
    }
    *ret_fd = fd;
    return STATUS_OK;
}

enum status io_open_system(const char *path, int *ret_fd)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return STATUS_IO;
    *ret_fd = fd;
    return STATUS_OK;
}

enum status io_open_directory_below(int directory, const char *name, bool create, const char *label, int *ret_fd,
                                    struct error *err)
{
    int fd = open_beneath(directory, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT && create) {
        if (mkdirat(directory, name, 0777) != 0 && errno != EEXIST)
            return error_set_errno(err, errno, "%s", label);
        enum status status = io_sync_directory(directory, label, err);
        if (status != STATUS_OK)
            return status;
        fd = open_beneath(directory, name, O_RDONLY | O_DIRECTORY, 0);
    }
    if (fd < 0) {
        int error = errno;
        if (io_check_type(directory, name, S_IFDIR, label, err) != STATUS_OK)
            return STATUS_IO;
        error_set_errno(err, error, "%s", label);
        return error == ENOENT ? STATUS_ABSENT : STATUS_IO;
    }
    *ret_fd = fd;
    return STATUS_OK;
}

static int open_flags(enum io_open how)
{
    return how == IO_READ ? O_RDONLY : how == IO_APPEND ? O_RDWR | O_APPEND : O_RDWR;
}

/* Creates the file where it is missing; tells the winner of a race from the loser. */
static int open_or_create(int directory, const char *name, int flags, bool *created)
{
    for (int turn = 0; turn < 100; turn++) {
        int fd = open_beneath(directory, name, flags, 0);
        if (fd >= 0 || errno != ENOENT)
            return fd;
        fd = open_beneath(directory, name, flags | O_CREAT | O_EXCL, 0666);
        if (fd >= 0)
            *created = true;
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

enum status io_open_below(int directory, const char *name, enum io_open how, bool create, const char *label,
                          int *ret_fd, bool *ret_created, struct error *err)
{
    bool created = false;
    int flags = open_flags(how) | O_NONBLOCK | O_NOCTTY;
    int fd = create ? open_or_create(directory, name, flags, &created) : open_beneath(directory, name, flags, 0);
    if (fd < 0) {
        int error = errno;
        if (error == ELOOP)
            return error_set(err, STATUS_IO, "%s: is a symbolic link", label);
        if (error == ENXIO)
            return error_set(err, STATUS_IO, "%s: is not a regular file", label);
        if (error == EAGAIN)
            return error_set(err, STATUS_IO, "%s: another program holds the file (a lease on it)", label);
        error_set_errno(err, error, "%s", label);
        return error == ENOENT ? STATUS_ABSENT : STATUS_IO;
    }
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int error = errno;
        close(fd);
        return error_set_errno(err, error, "%s", label);
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(err, STATUS_IO, "%s: is not a regular file", label);
    }
    *ret_fd = fd;
    if (ret_created)
        *ret_created = created;
    return STATUS_OK;
}

enum status io_truncate(int fd, uint64_t length, const char *label, struct error *err)
{
    int result;
    do
        result = ftruncate(fd, (off_t)length);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return STATUS_OK;
    bool forbidden = errno == EPERM;
    enum status status = error_set_errno(err, errno, "%s: cannot cut to %llu bytes", label, (unsigned long long)length);
    return forbidden ? STATUS_ABSENT : status;
}

void io_start_sync(int fd)
{
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

enum status io_sync(int fd, const char *label, struct error *err)
{
    return MUTANT(NO_FDATASYNC) || fdatasync(fd) == 0 ? STATUS_OK
                                                      : error_set_errno(err, errno, "%s: cannot sync", label);
}

enum status io_sync_directory(int fd, const char *label, struct error *err)
{
    if (MUTANT(NO_DIRECTORY_FSYNC) || fsync(fd) == 0 || errno == EINVAL || errno == EROFS)
        return STATUS_OK;
    return error_set_errno(err, errno, "%s: cannot sync the directory", label);
}

enum status io_sync_parent(int fd, const char *label, struct error *err)
{
    int parent;
    do
        parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (parent < 0 && errno == EINTR);
    if (parent < 0)
        return errno == EACCES || errno == EPERM
                   ? STATUS_OK
                   : error_set_errno(err, errno, "%s: cannot open the directory above", label);
    enum status status = io_sync_directory(parent, label, err);
    close(parent);
    return status;
}

enum status io_close(int fd, const char *label, struct error *err)
{
    if (fd < 0 || close(fd) == 0 || errno == EINTR)
        return STATUS_OK;
    return error_set_errno(err, errno, "%s: cannot close", label);
}

/* A new file beside the one to be replaced, under a name that nobody else uses. */
static int create_temporary(int directory, char *name, size_t size)
{
    for (int turn = 0; turn < 100; turn++) {
        uint64_t random = 0;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            random = (uint64_t)getpid() << 32 | (uint64_t)turn;
        snprintf(name, size, IO_TEMPORARY_PREFIX "%016llx", (unsigned long long)random);
        int fd = open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

bool io_is_owner(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_uid == geteuid();
}

enum status io_check_type(int directory, const char *name, mode_t type, const char *label, struct error *err)
{
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? STATUS_OK : error_set_errno(err, errno, "%s", label);
    if (S_ISLNK(st.st_mode))
        return error_set(err, STATUS_IO, "%s: is a symbolic link", label);
    if ((st.st_mode & S_IFMT) != type)
        return error_set(err, STATUS_IO, "%s: is not a %s", label, type == S_IFDIR ? "directory" : "regular file");
    return STATUS_OK;
}

bool io_is_same_file(int fd, int directory, const char *name, bool follow)
{
    struct stat open, there;
    if (fstat(fd, &open) != 0)
        return true;
    if (fstatat(directory, name, &there, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
        return errno != ENOENT && errno != ENOTDIR;
    return open.st_dev == there.st_dev && open.st_ino == there.st_ino;
}

static enum status write_temporary(int fd, const void *data, size_t length, bool durable, const char *label,
                                   struct error *err)
{
    enum status status = io_write(fd, data, length, label, NULL, err);
    if (status == STATUS_OK && durable && !MUTANT(NO_FSYNC_BEFORE_RENAME) && fsync(fd) != 0)
        status = error_set_errno(err, errno, "%s: cannot sync", label);
    enum status closed = io_close(fd, label, status == STATUS_OK ? err : NULL);
    return status == STATUS_OK ? closed : status;
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
    status = write_temporary(fd, data, length, durable, label, err);
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

enum status io_remove(int directory, const char *name, bool durable, const char *label, struct error *err)
{
    if (unlinkat(directory, name, 0) != 0) {
        enum status status = errno == ENOENT ? STATUS_ABSENT : STATUS_IO;
        error_set_errno(err, errno, "%s", label);
        return status;
    }
    return durable ? io_sync_directory(directory, label, err) : STATUS_OK;
}

enum status io_list(int directory, const char *label, io_visit *visit, void *context, struct error *err)
{
    int fd = open_beneath(directory, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return error_set_errno(err, error, "%s: cannot list", label);
    }
    bool more = true;
    errno = 0;
    for (struct dirent *entry; more && (entry = readdir(stream)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            more = visit(context, entry->d_name, entry->d_type);
    enum status status = more && errno != 0 ? error_set_errno(err, errno, "%s: cannot list", label) : STATUS_OK;
    closedir(stream);
    return status;
}

int64_t io_monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int try_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return MUTANT(NO_LOCK) ? 0 : fcntl(fd, F_OFD_SETLK, &lock);
}

enum status io_lock(int fd, int timeout_ms, const volatile int *interrupted, const char *label, struct error *err)
{
    int64_t deadline = io_monotonic_ms() + timeout_ms;
    for (;;) {
        if (try_lock(fd, F_WRLCK) == 0)
            return STATUS_OK;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return error_set_errno(err, errno, "%s: cannot lock", label);
        if (interrupted && *interrupted)
            return error_set(err, STATUS_ABSENT, "%s: interrupted while waiting for the lock", label);
        if (timeout_ms >= 0 && io_monotonic_ms() >= deadline)
            return error_set(err, STATUS_ABSENT, "%s: the lock is held by another process", label);
        nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_NS}, NULL);
    }
}

enum status io_unlock(int fd, const char *label, struct error *err)
{
    return try_lock(fd, F_UNLCK) == 0 ? STATUS_OK : error_set_errno(err, errno, "%s: cannot unlock", label);
}

bool io_lease_acquire(int fd)
{
    return MUTANT(UNGUARDED_FTRUNCATE) || fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
}

bool io_lease_holds(int fd)
{
    return MUTANT(UNGUARDED_FTRUNCATE) || fcntl(fd, F_GETLEASE) == F_WRLCK;
}

void io_lease_release(int fd)
{
    fcntl(fd, F_SETLEASE, F_UNLCK);
}

bool io_is_written(int fd)
{
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        return true;
    io_lease_release(fd);
    return false;
}
