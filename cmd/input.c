#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "interrupt.h"

#define READ_LEAST ((size_t)16 << 10) /* not worth a read() below this */

struct block {
    struct block *next;
    size_t capacity;
    char data[];
};

struct input {
    struct cli *cli;
    char *const *files;
    size_t file_count, next_file;
    size_t max_line;

    const char *file; /* the operand that is being read */
    int fd;           /* -1: none is */
    bool waits;       /* it may have nothing to read for a while */
    bool ended;       /* it has been read to its end */
    uint64_t number;  /* of the last line that was handed out */
    int error;        /* why `file` cannot be read, not reported yet; 0 */
    const char *what; /* could not be done with it */
    bool stops;       /* at such a file */
    bool hurries;     /* does not wait for the end of a line that is too long */

    struct block *current; /* NULL until something is read */
    size_t start;          /* of the line that has not been handed out yet */
    size_t scanned;        /* no newline in start..scanned */
    size_t end;            /* of what was read */
    bool lends;            /* lines that are not released lie in it */
    bool skipping;         /* the line at `start` is too long: INPUT_KEPT bytes of it are kept there */
    struct block *held;    /* earlier blocks with lines that are not released */
    struct block *spare;
};

static char *stdin_only[] = {(char[]){"-"}};

struct input *input_open(struct cli *cli, char *const *files, size_t count, size_t max_line)
{
    struct input *input = calloc(1, sizeof *input);
    if (!input)
        return NULL;
    input->cli = cli;
    input->files = count ? files : stdin_only;
    input->file_count = count ? count : 1;
    input->max_line = max_line;
    input->fd = -1;
    return input;
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

static void close_file(struct input *input)
{
    if (input->fd > STDERR_FILENO)
        close(input->fd);
    input->fd = -1;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    close_file(input);
    free_blocks(input->current);
    free_blocks(input->held);
    free_blocks(input->spare);
    free(input);
}

static void fail(struct input *input, int error, const char *what)
{
    input->error = error;
    input->what = what;
}

void input_stop_at_failure(struct input *input)
{
    input->stops = true;
}

void input_hand_out_excess(struct input *input)
{
    input->hurries = true;
}

enum status input_failure(const struct input *input, struct error *err)
{
    if (input->error == 0)
        return STATUS_OK;
    const char *file = input->file[0] == '\0' ? "\"\"" : input->file;
    return error_set_errno(err, input->error, "%s: cannot %s", file, input->what);
}

static void report_failure(struct input *input)
{
    struct error err;
    if (!input->stops) {
        cli_fail(input->cli, input_failure(input, &err), &err);
        input->error = 0;
    }
}

static void note_terminal(const struct cli *cli)
{
    if (isatty(STDIN_FILENO))
        cli_note(cli, "reading standard input from the terminal; end it with Ctrl-D");
}

/* Begins with the next operand, of which there is one. It is opened without blocking, so that a FIFO that nobody has
 * opened for writing yet is waited for like a silent one. */
static void open_next_file(struct input *input)
{
    struct stat st;
    input->file = input->files[input->next_file++];
    input->ended = false;
    input->number = 0;
    if (strcmp(input->file, "-") == 0) {
        input->fd = STDIN_FILENO;
        note_terminal(input->cli);
    } else {
        do
            input->fd = open(input->file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        while (input->fd < 0 && errno == EINTR);
    }
    int error = input->fd < 0 || fstat(input->fd, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (error != 0) {
        fail(input, error, "open");
        close_file(input);
        return;
    }
    input->waits = !S_ISREG(st.st_mode);
}

static void hand_out(struct input *input, size_t end, struct input_line *ret_line)
{
    size_t length = end - input->start;
    bool too_long = input->skipping || length > input->max_line;
    if (too_long && length > INPUT_KEPT)
        length = INPUT_KEPT;
    *ret_line = (struct input_line){
        .data = input->current->data + input->start,
        .length = length,
        .file = input->file,
        .number = ++input->number,
        .too_long = too_long,
    };
    input->skipping = false;
    input->lends = true;
}

/* Hands out the next line if all of it has been read. */
static bool take_line(struct input *input, struct input_line *ret_line)
{
    if (input->scanned < input->end) {
        const char *from = input->current->data + input->scanned;
        const char *newline = memchr(from, '\n', input->end - input->scanned);
        if (newline) {
            size_t end = (size_t)(newline - input->current->data);
            hand_out(input, end, ret_line);
            input->start = input->scanned = end + 1;
            return true;
        }
        input->scanned = input->end;
    }
    if (!input->ended || input->start == input->end)
        return false;
    hand_out(input, input->end, ret_line);
    input->start = input->scanned = input->end;
    return true;
}

/* Makes room for a read after what has been read, in the current block or in another; the unfinished line may move.
 * False: no memory. */
static bool make_room(struct input *input)
{
    struct block *old = input->current;
    size_t length = input->end - input->start;
    size_t capacity = old ? old->capacity : 0;
    if (capacity >= input->end + READ_LEAST)
        return true;
    if (!input->lends && capacity >= 2 * length + READ_LEAST) {
        memmove(old->data, old->data + input->start, length);
    } else {
        size_t wanted = length < INPUT_BLOCK / 2 ? INPUT_BLOCK : 2 * length;
        struct block *block = input->spare;
        if (block && block->capacity >= wanted)
            input->spare = block->next;
        else if ((block = malloc(sizeof *block + wanted)))
            block->capacity = wanted;
        else
            return false;
        if (length > 0)
            memcpy(block->data, old->data + input->start, length);
        block->next = NULL;
        if (old && input->lends) {
            old->next = input->held;
            input->held = old;
        } else {
            free(old);
        }
        input->current = block;
        input->lends = false;
    }
    input->start = 0;
    input->end = input->scanned = length;
    return true;
}

/* Waits until there is something to read: INPUT_LINE; or says what came first. */
static enum input_result wait_for_input(struct input *input, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline == INPUT_FOR_EVER ? -1 : deadline - io_monotonic_ms();
        if (interrupt_caught())
            return INPUT_INTERRUPTED;
        if (deadline != INPUT_FOR_EVER && left <= 0)
            return INPUT_PENDING;
        if (!input->waits)
            return INPUT_LINE;
        struct pollfd pollfd = {.fd = input->fd, .events = POLLIN};
        int ready = interrupt_poll(&pollfd, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return INPUT_LINE;
    }
}

static void read_more(struct input *input)
{
    char *which = input->current->data + input->end;
    ssize_t n = read(input->fd, which, input->current->capacity - input->end);
    if (n > 0) {
        input->end += (size_t)n;
    } else if (n == 0) {
        input->ended = true;
    } else if (errno != EINTR && errno != EAGAIN) {
        fail(input, errno, "read");
        input->start = input->scanned = input->end;
        input->skipping = false;
        input->ended = true;
    }
}

enum input_result input_next(struct input *input, int64_t deadline, struct input_line *ret_line)
{
    report_failure(input);
    for (;;) {
        if (input->error != 0 && input->stops)
            return INPUT_END;
        if (input->error != 0 && deadline != INPUT_FOR_EVER)
            return INPUT_PENDING;
        report_failure(input);
        if (input->fd < 0) {
            if (input->next_file == input->file_count)
                return INPUT_END;
            open_next_file(input);
            continue;
        }
        if (take_line(input, ret_line))
            return INPUT_LINE;
        if (input->ended) {
            close_file(input);
            continue;
        }
        size_t length = input->end - input->start;
        if (length > INPUT_KEPT && (input->skipping || length > input->max_line)) {
            input->skipping = true;
            input->end = input->scanned = input->start + INPUT_KEPT;
            if (input->hurries) {
                hand_out(input, input->end, ret_line);
                input->start = input->scanned = input->end;
                return INPUT_LINE;
            }
        }
        enum input_result result = wait_for_input(input, deadline);
        if (result != INPUT_LINE)
            return result;
        if (!make_room(input)) {
            struct error err;
            cli_fail(input->cli, error_set_memory(&err), &err);
            close_file(input);
            input->next_file = input->file_count;
            return INPUT_END;
        }
        read_more(input);
    }
}

void input_release(struct input *input)
{
    while (input->held) {
        struct block *block = input->held;
        input->held = block->next;
        if (block->capacity == INPUT_BLOCK) {
            block->next = input->spare;
            input->spare = block;
        } else {
            free(block);
        }
    }
    input->lends = false;
    if (input->start == input->end)
        input->start = input->scanned = input->end = 0;
}

enum status input_read_document(const struct cli *cli, size_t limit, struct bytes *out, struct error *err)
{
    note_terminal(cli);
    bytes_clear(out);
    for (;;) {
        if (!bytes_reserve(out, READ_LEAST))
            return error_set_memory(err);
        ssize_t n = read(STDIN_FILENO, out->data + out->length, out->capacity - out->length);
        if (n == 0)
            return STATUS_OK;
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = STDIN_FILENO, .events = POLLIN}, 1, -1);
        else if (n < 0 && errno != EINTR)
            return error_set_errno(err, errno, "-: cannot read");
        if (n > 0)
            out->length += (size_t)n;
        if (out->length > limit)
            return error_set(err, STATUS_INVALID, "-: is longer than %zu bytes", limit);
    }
}
