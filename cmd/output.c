#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "interrupt.h"

#define USUAL_COLUMNS 80
#define PATIENCE_MS   1000 /* how long a reader that does not read is waited for once a signal has come */
#define PIECE         4096 /* bytes that a pipe takes without blocking when it takes any */

void output_start(struct output *out)
{
    *out = (struct output){.fd = STDOUT_FILENO, .is_terminal = isatty(STDOUT_FILENO) == 1, .may_block = true};
}

/* Looked at through a descriptor of its own: the one that appends only writes. What cannot be read is taken for whole.
 */
static bool is_torn(const struct stat *st, const char *path)
{
    char last = '\n';
    if (!S_ISREG(st->st_mode) || st->st_size == 0)
        return false;
    int reading = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (reading < 0)
        return false;
    bool torn = pread(reading, &last, 1, st->st_size - 1) == 1 && last != '\n';
    close(reading);
    return torn;
}

enum status output_append_to(struct output *out, const char *path, struct error *err)
{
    struct stat st = {0};
    int fd;
    interrupt_at_once(true); /* it may be a FIFO that nobody ever opens */
    do
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    while (fd < 0 && errno == EINTR);
    int error = errno;
    interrupt_at_once(false);
    if (fd < 0)
        return error_set_errno(err, error, "%s: cannot open", path[0] ? path : "\"\"");
    fstat(fd, &st);
    *out = (struct output){.fd = fd, .may_block = !S_ISREG(st.st_mode), .is_torn = is_torn(&st, path)};
    return STATUS_OK;
}

static bool fail(struct output *out, int error)
{
    out->error = error;
    bytes_clear(&out->buffer);
    return false;
}

/* Once a signal has come, what is in hand is still written, as long as there is a reader who reads. */
static ssize_t write_some(const struct output *out, const char *data, size_t length)
{
    struct pollfd pollfd = {.fd = out->fd, .events = POLLOUT};
    if (!out->may_block)
        return write(out->fd, data, length);
    if (interrupt_caught() || out->fd != STDOUT_FILENO) {
        int ready = interrupt_caught() ? poll(&pollfd, 1, PATIENCE_MS) : interrupt_poll(&pollfd, 1, -1);
        if (ready == 0)
            interrupt_die(interrupt_caught());
        return ready < 0 ? -1 : write(out->fd, data, length < PIECE ? length : PIECE);
    }
    interrupt_at_once(true);
    ssize_t n = write(out->fd, data, length);
    if (n < 0 && errno == EAGAIN) /* somebody has set it to non-blocking */
        poll(&pollfd, 1, -1);
    interrupt_at_once(false);
    return n;
}

static bool write_all(struct output *out, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write_some(out, data, length);
        if (n > 0) {
            data += n;
            length -= (size_t)n;
        } else if (n == 0) {
            return fail(out, ENOSPC);
        } else if (errno != EAGAIN && errno != EINTR) {
            return fail(out, errno);
        }
    }
    return true;
}

bool output_flush(struct output *out)
{
    if (out->error)
        return false;
    bool good = write_all(out, out->buffer.data, out->buffer.length);
    bytes_clear(&out->buffer);
    return good;
}

bool output_write(struct output *out, const char *data, size_t length)
{
    if (out->error)
        return false;
    if (out->buffer.capacity == 0 && !bytes_reserve(&out->buffer, OUTPUT_BUFFER))
        return write_all(out, data, length);
    if (length <= OUTPUT_BUFFER - out->buffer.length)
        return bytes_append(&out->buffer, data, length);
    /* Much is coming: through a pipe of the usual 64 KiB writer and reader would wait for each other at every step,
     * which takes twice as long. Where it may not be widened it stays as it is. */
    int size = out->is_wide ? -1 : fcntl(out->fd, F_GETPIPE_SZ);
    if (size >= 0 && (size_t)size < OUTPUT_BUFFER)
        (void)fcntl(out->fd, F_SETPIPE_SZ, (int)OUTPUT_BUFFER);
    out->is_wide = true;
    if (!output_flush(out))
        return false;
    return length < OUTPUT_BUFFER ? bytes_append(&out->buffer, data, length) : write_all(out, data, length);
}

bool output_line(struct output *out, const char *data, size_t length)
{
    if (out->is_torn)
        output_write(out, "\n", 1);
    out->is_torn = false;
    bool good = output_write(out, data, length) && output_write(out, "\n", 1);
    return good && out->is_terminal ? output_flush(out) : good;
}

static bool output_escaped(struct output *out, const char *text, size_t length, enum escape_style style)
{
    if (!out->is_terminal)
        return output_line(out, text, length);
    struct bytes escaped = {0};
    bool good = escape_append(&escaped, text, length, style) ? output_line(out, escaped.data, escaped.length)
                                                             : fail(out, ENOMEM);
    bytes_release(&escaped);
    return good;
}

bool output_jsonl(struct output *out, const char *line, size_t length)
{
    return output_escaped(out, line, length, ESCAPE_JSON);
}

bool output_lines(struct output *out, const char *lines, size_t length)
{
    if (!out->is_terminal)
        return output_write(out, lines, length);
    bool good = true;
    for (const char *at = lines, *end = lines + length, *newline; good && at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        good = output_jsonl(out, at, (size_t)(newline - at));
    }
    return good;
}

bool output_name(struct output *out, const char *name)
{
    return output_escaped(out, name, strlen(name), ESCAPE_MESSAGE);
}

size_t output_columns(const struct output *out)
{
    struct winsize size;
    if (!out->is_terminal)
        return 0;
    return ioctl(out->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
}

int output_close(struct output *out)
{
    if (out->fd >= 0) {
        output_flush(out);
        if (close(out->fd) != 0 && errno != EINTR && !out->error)
            out->error = errno;
    }
    out->fd = -1;
    bytes_release(&out->buffer);
    return out->error;
}
