#include "base/io.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

/* The time of this program goes on while it sleeps only, and at once. */
static int64_t now_ns, shortest_ns, longest_ns;
static unsigned sleeps;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    (void)clock;
    *ret = (struct timespec){.tv_sec = now_ns / 1000000000, .tv_nsec = now_ns % 1000000000};
    return 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)left;
    int64_t ns = (int64_t)wanted->tv_sec * 1000000000 + wanted->tv_nsec;
    now_ns += ns;
    shortest_ns = sleeps == 0 || ns < shortest_ns ? ns : shortest_ns;
    longest_ns = ns > longest_ns ? ns : longest_ns;
    sleeps++;
    return 0;
}

enum { PIPE = 1 << 20 };

/* A pipe that holds so many bytes and nothing more. */
static int full_pipe(size_t length)
{
    static char bytes[PIPE];
    int ends[2];
    memset(bytes, 'x', sizeof bytes);
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETPIPE_SZ, PIPE) < 0 || write(ends[1], bytes, length) != (ssize_t)length)
        abort();
    close(ends[1]);
    return ends[0];
}

static void reads_pipe(size_t length, size_t limit, enum status want)
{
    struct bytes out = {0};
    struct error err = {.text = ""};
    int fd = full_pipe(length);
    is_int(io_read_all(fd, limit, "pipe", &out, &err), want, "%zu bytes from a pipe, at most %zu", length, limit);
    if (want == STATUS_OK)
        is_int(out.length, length, "all of them");
    else
        is_text(err.text, "pipe: is larger than 70000 bytes", "which is told");
    ok(out.length < PIPE / 2, "and not many more are read");
    close(fd);
    bytes_release(&out);
}

static void test_read_all_of_a_pipe(void)
{
    reads_pipe(0, 70000, STATUS_OK);
    reads_pipe(70000, 70000, STATUS_OK);
    reads_pipe(70001, 70000, STATUS_INVALID);
    reads_pipe(PIPE, 70000, STATUS_INVALID);
}

static void test_read_all_of_a_file(void)
{
    char path[] = "/tmp/test_io_XXXXXX", text[100] = "";
    struct bytes out = {0};
    struct error err;
    int fd = mkstemp(path);
    ok(write(fd, text, sizeof text) == sizeof text, "a file of 100 bytes");
    is_int(io_read_all(fd, 100, path, &out, &err), STATUS_OK, "is not larger than 100 bytes");
    is_int(out.length, 100, "all of them");
    is_int(io_read_all(fd, 99, path, &out, &err), STATUS_INVALID, "but larger than 99");
    unlink(path);
    close(fd);
    bytes_release(&out);
}

static void test_read_from(void)
{
    static char text[200000];
    char path[] = "/tmp/test_io_XXXXXX";
    struct bytes out = {0};
    struct error err;
    int fd = mkstemp(path);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i / 7 % 26);
    ok(write(fd, text, sizeof text) == sizeof text, "a file of several blocks");
    bytes_append_string(&out, "before");
    is_int(io_read_from(fd, 100, path, &out, &err), STATUS_OK, "is read from a byte on");
    ok(out.length == sizeof text - 94 && memcmp(out.data, "before", 6) == 0 &&
           memcmp(out.data + 6, text + 100, sizeof text - 100) == 0,
       "to its end, behind what was there");
    unlink(path);
    close(fd);
    bytes_release(&out);
}

static void test_lease(void)
{
    char path[] = "/tmp/test_io_XXXXXX";
    struct error err;
    int fd = -1, directory = open("/tmp", O_RDONLY | O_DIRECTORY), held = mkstemp(path);
    signal(SIGIO, SIG_IGN);
    if (!io_lease_acquire(held)) {
        ok(true, "# SKIP no leases are to be had");
    } else {
        is_int(io_open_below(directory, path + 5, IO_READ, false, "leased", &fd, NULL, &err), STATUS_IO,
               "a lease that is not given up is not waited for for ever");
        is_text(err.text, "leased: another program holds the file (a lease on it)", "and told");
        ok(now_ns > INT64_C(50000000000) && now_ns < INT64_C(70000000000), "but longer than the kernel lets it stand");
        ok(shortest_ns <= 200000 && longest_ns == 10000000, "looking at short intervals first, then at longer ones");
        io_lease_release(held);
        is_int(io_open_below(directory, path + 5, IO_READ, false, "leased", &fd, NULL, &err), STATUS_OK,
               "then it is opened");
        close(fd);
    }
    unlink(path);
    close(held);
    close(directory);
}

int main(void)
{
    test_lease();
    test_read_all_of_a_pipe();
    test_read_all_of_a_file();
    test_read_from();
    return done();
}
