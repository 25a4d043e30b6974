/*
 * A writer without lock that always comes at the worst moment: preloaded into a command, it appends $UNLOCKED_BEFORE to
 * the file $UNLOCKED_FILE just before the command's first write to that file, and $UNLOCKED_AFTER just after it; and
 * $UNLOCKED_FIRST each time that the command, having looked, has opened the file to append to it and asks how it is
 * now, $UNLOCKED_TIMES times. It has the file open from the start, so that nobody gets a lease on it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fstat)(int, struct stat64 *);
static int file = -1;
static int times;
static bool over;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("UNLOCKED_FILE");
    *(void **)&real_write = dlsym(RTLD_NEXT, "write");
    *(void **)&real_fstat = dlsym(RTLD_NEXT, "fstat64");
    if (getenv("UNLOCKED_TIMES"))
        times = atoi(getenv("UNLOCKED_TIMES"));
    if (path)
        file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

static bool is_the_file(int fd)
{
    struct stat64 a, b;
    return file >= 0 && real_fstat(fd, &a) == 0 && real_fstat(file, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
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

int fstat64(int fd, struct stat64 *st)
{
    if (!over && times > 0 && is_the_file(fd) && fcntl(fd, F_GETFL) & O_APPEND) {
        times--;
        put("UNLOCKED_FIRST");
    }
    return real_fstat(fd, st);
}
