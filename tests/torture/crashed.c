/*
 * crashed.so - preloaded by crashes.py, so that a store that was put together from a trace looks to the commands as it
 * would after a power cut: another boot (the boot id is read from the file $TORTURE_BOOT), and partitions whose inode
 * and times are those that were there before (all regular files have the same ones).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ALWAYS 1770314400 /* 2026-02-05T18:00:00Z */

static int level(int result, struct stat *st)
{
    if (result == 0 && S_ISREG(st->st_mode)) {
        st->st_dev = st->st_ino = 1;
        st->st_atim = st->st_mtim = st->st_ctim = (struct timespec){.tv_sec = ALWAYS};
    }
    return result;
}

int fstat(int fd, struct stat *st)
{
    int (*next)(int, struct stat *) = (int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat");
    return level(next(fd, st), st);
}

int fstat64(int fd, struct stat64 *st)
{
    return fstat(fd, (struct stat *)st);
}

int fstatat(int directory, const char *name, struct stat *st, int flags)
{
    int (*next)(int, const char *, struct stat *, int) =
        (int (*)(int, const char *, struct stat *, int))dlsym(RTLD_NEXT, "fstatat");
    return level(next(directory, name, st, flags), st);
}

int fstatat64(int directory, const char *name, struct stat64 *st, int flags)
{
    return fstatat(directory, name, (struct stat *)st, flags);
}

int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    const char *boot = getenv("TORTURE_BOOT");
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return next(boot && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 ? boot : path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open(path, flags, mode);
}
