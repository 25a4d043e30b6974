#include "io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

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

int main(void)
{
    test_read_all_of_a_pipe();
    return done();
}
