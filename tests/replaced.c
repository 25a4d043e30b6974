/*
 * A program that puts another file in the place of a partition at the worst moment: preloaded into a command, it
 * renames $REPLACED_BY to $REPLACED just before the command opens that to append to it, with $REPLACED_READ just before
 * it does so to read it, for that many a time (each time: they change places), or with $REPLACED_AT=sync when the
 * command syncs it, which fails.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void replace(void)
{
    if (rename(getenv("REPLACED_BY"), getenv("REPLACED")) != 0 && errno != ENOENT)
        abort();
}

static bool is_at(const char *what)
{
    return strcmp(getenv("REPLACED_AT"), what) == 0;
}

static void exchange(void)
{
    if (renameat2(AT_FDCWD, getenv("REPLACED_BY"), AT_FDCWD, getenv("REPLACED"), RENAME_EXCHANGE) != 0)
        abort();
}

static bool is_turn(bool appends)
{
    static long reads;
    const char *read = getenv("REPLACED_READ");
    if (read && strcmp(read, "each") == 0 && !appends)
        exchange();
    return read ? !appends && ++reads == strtol(read, NULL, 10) : appends;
}

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    if (number == SYS_openat2 && is_at((const char *)a[1]) &&
        is_turn(((const struct open_how *)a[2])->flags & O_APPEND))
        replace();
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    if (!is_at("sync"))
        return real(fd);
    replace();
    errno = EIO;
    return -1;
}
