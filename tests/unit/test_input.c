#include "input.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "interrupt.h"
#include "tap.h"

static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

/* Makes stdin a pipe into which a child writes `text`, in pieces of up to `piece` bytes. */
static pid_t feed_stdin(const struct bytes *text, size_t piece)
{
    int ends[2];
    if (pipe(ends) != 0)
        exit(1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        for (size_t at = 0; at < text->length;) {
            size_t n = 1 + random_below(piece);
            if (n > text->length - at)
                n = text->length - at;
            if (write(ends[1], text->data + at, n) != (ssize_t)n)
                _exit(1);
            at += n;
        }
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    return child;
}

/* What the next line of `text` at *at is: the way a reader without limits sees it. */
static size_t expected_line(const struct bytes *text, size_t at)
{
    const char *newline = memchr(text->data + at, '\n', text->length - at);
    return newline ? (size_t)(newline - (text->data + at)) : text->length - at;
}

static bool is_expected(const struct input_line *line, const struct bytes *text, size_t at, size_t max_line)
{
    size_t length = expected_line(text, at);
    bool too_long = length > max_line;
    size_t kept = too_long && length > INPUT_KEPT ? INPUT_KEPT : length;
    return line->too_long == too_long && line->length == kept && memcmp(line->data, text->data + at, kept) == 0;
}

#define HELD_LINES 5000

/* Reads all of stdin, looking at the lines of a batch only when the batch is full: they must have stayed. */
static void check_batches(const struct bytes *text, size_t max_line, size_t batch, const char *name)
{
    static struct input_line held[HELD_LINES];
    static size_t where[HELD_LINES];
    struct cli cli = {.name = "test", .quiet = true};
    struct input *input = input_open(&cli, NULL, 0, max_line);
    size_t at = 0, count = 0, wrong = 0;
    uint64_t number = 0;
    enum input_result result;
    do {
        result = input_next(input, INPUT_FOR_EVER, &held[count]);
        if (result == INPUT_LINE) {
            wrong += held[count].number != ++number || at >= text->length;
            where[count++] = at;
            at += expected_line(text, at) + 1;
        }
        if (count == batch || result != INPUT_LINE) {
            for (size_t i = 0; i < count; i++)
                wrong += !is_expected(&held[i], text, where[i], max_line);
            count = 0;
            input_release(input);
        }
    } while (result == INPUT_LINE);
    is_int(wrong, 0, "%s: no line is wrong", name);
    ok(at >= text->length, "%s: no line is missing", name);
    is_int(result, INPUT_END, "%s: then comes the end", name);
    input_close(input);
}

static void append_random_line(struct bytes *text, size_t longest)
{
    size_t length = random_below(longest + 1);
    bytes_reserve(text, length + 1);
    for (size_t i = 0; i < length; i++) {
        char c = (char)random_below(256);
        text->data[text->length++] = c == '\n' ? '\0' : c;
    }
    text->data[text->length++] = '\n';
}

static void test_random_lines(size_t longest, size_t total, size_t piece, size_t max_line, size_t batch)
{
    char name[128];
    struct bytes text = {0};
    while (text.length < total)
        append_random_line(&text, random_below(8) ? longest / 100 + 1 : longest);
    if (random_below(2))
        text.length--;
    snprintf(name, sizeof name, "lines to %zu, pieces to %zu, limit %zu, batch %zu", longest, piece, max_line, batch);
    pid_t child = feed_stdin(&text, piece);
    check_batches(&text, max_line, batch, name);
    waitpid(child, NULL, 0);
    bytes_release(&text);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0)
        exit(1);
}

static void test_operands(void)
{
    char directory[] = "/tmp/test_input.XXXXXX", got[512] = "";
    if (!mkdtemp(directory) || chdir(directory) != 0)
        exit(1);
    write_file("a", "one\n\ntwo");
    write_file("b", "");
    write_file("c", "three\r\n");
    struct bytes text = {0};
    bytes_append_string(&text, "four\nfive");
    pid_t child = feed_stdin(&text, 3);
    char *files[] = {(char[]){"a"}, (char[]){"missing"}, (char[]){"b"}, (char[]){"."}, (char[]){"c"}, (char[]){"-"}};
    struct cli cli = {.name = "test", .quiet = true};
    struct input *input = input_open(&cli, files, 6, 100);
    struct input_line line;
    while (input_next(input, INPUT_FOR_EVER, &line) == INPUT_LINE) {
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s:%d:%.*s|", line.file, (int)line.number, (int)line.length,
                 line.data);
    }
    is_text(got, "a:1:one|a:2:|a:3:two|c:1:three\r|-:1:four|-:2:five|", "lines of several files, each counted from 1");
    is_int(cli.status, STATUS_IO, "a missing file and a directory are noted, the others read");
    is_int(input_next(input, INPUT_FOR_EVER, &line), INPUT_END, "the end stays the end");
    input_close(input);
    waitpid(child, NULL, 0);
    bytes_release(&text);
    for (const char *name = "abc"; *name; name++)
        unlink((char[]){*name, '\0'});
    rmdir(directory);
}

static void test_deadline(void)
{
    int ends[2];
    struct cli cli = {.name = "test", .quiet = true};
    struct input_line line;
    if (pipe(ends) != 0)
        exit(1);
    dup2(ends[0], STDIN_FILENO);
    struct input *input = input_open(&cli, NULL, 0, 100);
    is_int(input_next(input, io_monotonic_ms() + 1, &line), INPUT_PENDING, "nothing has come by the deadline");
    bool good = write(ends[1], "one\ntw", 6) == 6;
    is_int(input_next(input, io_monotonic_ms() - 1, &line), INPUT_PENDING,
           "a passed deadline holds though there is more");
    is_int(input_next(input, INPUT_FOR_EVER, &line), INPUT_LINE, "a whole line");
    is_int(input_next(input, io_monotonic_ms() + 1, &line), INPUT_PENDING, "half a line is none");
    good = good && write(ends[1], "o\nthree\n", 8) == 8;
    is_int(input_next(input, INPUT_FOR_EVER, &line), INPUT_LINE, "its other half");
    ok(good && line.length == 3 && memcmp(line.data, "two", 3) == 0, "the two halves are one line");
    is_int(input_next(input, io_monotonic_ms() - 1, &line), INPUT_LINE, "what is buffered comes past any deadline");

    interrupt_catch();
    raise(SIGTERM);
    is_int(input_next(input, INPUT_FOR_EVER, &line), INPUT_INTERRUPTED, "a signal ends the waiting");
    is_int(interrupt_caught(), SIGTERM, "and is told");
    input_close(input);
    close(ends[0]);
    close(ends[1]);
}

static void test_document(void)
{
    struct bytes text = {0}, out = {0};
    struct cli cli = {.name = "test"};
    struct error err;
    bytes_append_string(&text, "0123456789");
    for (size_t limit = 10; limit >= 9; limit--) {
        pid_t child = feed_stdin(&text, 3);
        is_int(input_read_document(&cli, limit, &out, &err), limit < 10 ? STATUS_INVALID : STATUS_OK,
               "10 bytes, at most %zu", limit);
        waitpid(child, NULL, 0);
    }
    is_text(err.text, "-: is longer than 9 bytes", "which is told");
    bytes_release(&text);
    bytes_release(&out);
}

int main(void)
{
    test_random_lines(100, 100000, 50, 1000, 1);
    test_random_lines(100, 100000, 5000, 1000, 300);
    test_random_lines(100, 4000000, 100000, 60, 5000);
    test_random_lines(300000, 8000000, 65536, 200000, 20);
    test_random_lines(300000, 8000000, 300000, 200, 20);
    test_random_lines(4000000, 12000000, 1000000, 3000000, 10);
    test_random_lines(4000000, 12000000, 65536, 70000, 3);
    test_operands();
    test_deadline();
    test_document();
    return done();
}
