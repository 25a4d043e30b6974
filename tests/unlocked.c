/*
 * A writer without lock that always comes at the worst moment: preloaded into a command, it appends $UNLOCKED_BEFORE to
 * the file $UNLOCKED_FILE just before the command's first write to that file, and $UNLOCKED_AFTER just behind it; and
 * $UNLOCKED_FIRST each time that the command, having looked, wants a lease, $UNLOCKED_TIMES times. It has the file open
 * from the start, so that nobody gets a lease on it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fcntl)(int, int, ...);
static int file = -1;
static int times;
static bool over;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("UNLOCKED_FILE");
    *(void **)&real_write = dlsym(RTLD_NEXT, "write");
    *(void **)&real_fcntl = dlsym(RTLD_NEXT, "fcntl64");
    if (getenv("UNLOCKED_TIMES"))
        times = atoi(getenv("UNLOCKED_TIMES"));
    if (path)
        file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

static bool is_the_file(int fd)
{
    struct stat a, b;
    return file >= 0 && fstat(fd, &a) == 0 && fstat(file, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static void put(const char *name)
{
    const char *text = getenv(name);
    if (text && real_write(file, text, strlen(text)) < 0)
        abort();
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (over || !is_the_file(fd))
        return real_write(fd, data, length);
    over = true;
    put("UNLOCKED_BEFORE");
    ssize_t n = real_write(fd, data, length);
    put("UNLOCKED_AFTER");
    return n;
}

int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (command == F_SETLEASE && times > 0 && is_the_file(fd)) {
        times--;
        put("UNLOCKED_FIRST");
    }
    return real_fcntl(fd, command, argument);
}
