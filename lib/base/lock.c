#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mutant.h"

#define LOCK_POLL_NS 2000000 /* between two tries of a lock that somebody holds */

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
