#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/mutant.h"

#define IO_BLOCK           65536
#define LEASE_WAIT_MS      60000    /* longer than the kernel lets a lease stand that somebody waits for */
#define LEASE_POLL_NS      200000   /* between the first two tries to open a file that is leased */
#define LEASE_POLL_MOST_NS 10000000 /* between the last ones */

static int open_once(int directory, const char *name, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, directory, name, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != E2BIG))
        return (int)fd;
    return openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
}

int io_open_beneath(int directory, const char *name, int flags, mode_t mode)
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
    int fd = io_open_beneath(directory, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT && create) {
        if (mkdirat(directory, name, 0777) != 0 && errno != EEXIST)
            return error_set_errno(err, errno, "%s", label);
        enum status status = io_sync_directory(directory, label, err);
        if (status != STATUS_OK)
            return status;
        fd = io_open_beneath(directory, name, O_RDONLY | O_DIRECTORY, 0);
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

/* Creates the file where it is missing; tells the winner of a race from the loser. */
static int open_or_create(int directory, const char *name, int flags, bool *created)
{
    for (int turn = 0; turn < 100; turn++) {
        int fd = io_open_beneath(directory, name, flags, 0);
        if (fd >= 0 || errno != ENOENT)
            return fd;
        fd = io_open_beneath(directory, name, flags | O_CREAT | O_EXCL, 0666);
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
    int flags = (how == IO_READ ? O_RDONLY : how == IO_APPEND ? O_RDWR | O_APPEND : O_RDWR) | O_NONBLOCK | O_NOCTTY;
    int fd = create ? open_or_create(directory, name, flags, &created) : io_open_beneath(directory, name, flags, 0);
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

enum status io_read_at(int fd, void *buffer, size_t length, uint64_t offset, const char *label, size_t *ret_length,
                       struct error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pread(fd, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, errno, "%s: cannot read", label);
        done += (size_t)n;
    }
    *ret_length = done;
    return STATUS_OK;
}

enum status io_read_from(int fd, uint64_t offset, const char *label, struct bytes *out, struct error *err)
{
    size_t room, n;
    do {
        if (!bytes_reserve(out, IO_BLOCK))
            return error_set_memory(err);
        room = out->capacity - out->length;
        enum status status = io_read_at(fd, out->data + out->length, room, offset, label, &n, err);
        if (status != STATUS_OK)
            return status;
        out->length += n;
        offset += n;
    } while (n == room);
    return STATUS_OK;
}

/* Appends what comes to its end, or a little more than the limit. */
static enum status read_stream(int fd, size_t limit, const char *label, struct bytes *out, struct error *err)
{
    while (out->length <= limit) {
        if (!bytes_reserve(out, IO_BLOCK))
            return error_set_memory(err);
        ssize_t n = read(fd, out->data + out->length, IO_BLOCK);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, errno, "%s: cannot read", label);
        out->length += (size_t)n;
    }
    return STATUS_OK;
}

static enum status refuse_size(size_t limit, const char *label, struct error *err)
{
    return error_set(err, STATUS_INVALID, "%s: is larger than %zu bytes", label, limit);
}

enum status io_read_all(int fd, size_t limit, const char *label, struct bytes *out, struct error *err)
{
    struct stat st;
    bytes_clear(out);
    if (fstat(fd, &st) != 0)
        return error_set_errno(err, errno, "%s", label);
    enum status status;
    if (S_ISREG(st.st_mode)) {
        if ((uint64_t)st.st_size > limit)
            return refuse_size(limit, label, err);
        if (!bytes_reserve(out, (size_t)st.st_size + IO_BLOCK)) /* the end is found without growing once more */
            return error_set_memory(err);
        memory_populate(out->data, (size_t)st.st_size);
        status = io_read_from(fd, 0, label, out, err);
    } else {
        status = read_stream(fd, limit, label, out, err);
    }
    return status == STATUS_OK && out->length > limit ? refuse_size(limit, label, err) : status;
}

enum status io_write(int fd, const void *data, size_t length, const char *label, size_t *ret_written, struct error *err)
{
    size_t done = 0;
    enum status status = STATUS_OK;
    while (done < length) {
        ssize_t n = write(fd, (const char *)data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status = error_set_errno(err, n < 0 ? errno : ENOSPC, "%s: cannot write", label);
            break;
        }
        done += (size_t)n;
    }
    if (ret_written)
        *ret_written = done;
    return status;
}

enum status io_write_at(int fd, const void *data, size_t length, uint64_t offset, const char *label, struct error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pwrite(fd, (const char *)data + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set_errno(err, n < 0 ? errno : ENOSPC, "%s: cannot write", label);
        done += (size_t)n;
    }
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
    int fd = io_open_beneath(directory, ".", O_RDONLY | O_DIRECTORY, 0);
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
