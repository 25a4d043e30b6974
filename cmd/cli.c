#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "interrupt.h"

#define MESSAGE_SIZE (2 * ERROR_TEXT_SIZE)

/* Bytes of freed memory that are kept: what one batch gives back the next one takes, without a fault for each page. */
#define KEPT_MEMORY (32 << 20)

struct cli cli_start(const char *name, const char *help)
{
    /* A descriptor that can only be read stands for a closed stdout, and the other way round: using it fails. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(STATUS_IO);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGIO, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    interrupt_mend_mappings();
    mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
    mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
    return (struct cli){.name = name, .help = help};
}

static void write_to_stderr(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDERR_FILENO, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        length -= (size_t)n;
    }
}

__attribute__((format(printf, 3, 0))) static void say(const struct cli *cli, const char *severity, const char *format,
                                                      va_list arguments)
{
    char text[MESSAGE_SIZE], line[MESSAGE_SIZE];
    if (cli->progress)
        progress_clear(cli->progress);
    vsnprintf(text, sizeof text, format, arguments);
    size_t length = (size_t)snprintf(line, sizeof line, "%s: %s", cli->name, severity);
    length += escape_buffer(line + length, sizeof line - length - 1, text, strlen(text), ESCAPE_MESSAGE);
    line[length++] = '\n';
    write_to_stderr(line, length);
}

void cli_say(const struct cli *cli, enum severity severity, const char *format, ...)
{
    static const char *const words[] = {"", "warning: ", "note: "};
    va_list arguments;
    va_start(arguments, format);
    if (severity == CLI_ERROR || !cli->quiet)
        say(cli, words[severity], format, arguments);
    va_end(arguments);
}

void cli_sum(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!cli->quiet)
        say(cli, "", format, arguments);
    va_end(arguments);
}

void cli_figures(const char *format, ...)
{
    char line[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    write_to_stderr(line, (size_t)length);
}

void cli_notice(void *context, enum notice notice, const char *text)
{
    cli_say(context, notice == NOTICE_WARNING ? CLI_WARNING : CLI_NOTE, "%s", text);
}

bool cli_first(struct cli *cli, const char *what)
{
    return notices_first(&cli->reported, what, strlen(what));
}

void cli_note_status(struct cli *cli, enum status status)
{
    if (status > cli->status)
        cli->status = status;
}

enum status cli_fail(struct cli *cli, enum status status, const struct error *err)
{
    if (status != STATUS_OK)
        cli_error(cli, "%s", err->text);
    cli_note_status(cli, status);
    return status;
}

static void say_try(const struct cli *cli)
{
    char line[128];
    int length = snprintf(line, sizeof line, "Try '%s --help'.\n", cli->name);
    write_to_stderr(line, (size_t)length);
}

_Noreturn void cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(cli, "", format, arguments);
    va_end(arguments);
    say_try(cli);
    exit(STATUS_USAGE);
}

_Noreturn void cli_die(const struct cli *cli, enum status status, const struct error *err)
{
    cli_error(cli, "%s", err->text);
    if (status == STATUS_USAGE)
        say_try(cli);
    exit((int)status);
}

int cli_finish(struct cli *cli, struct output *out)
{
    int error = out ? output_close(out) : 0;
    if (error == EPIPE)
        interrupt_die(SIGPIPE);
    if (error) {
        struct error err;
        cli_fail(cli, error_set_errno(&err, error, "cannot write to standard output"), &err);
    }
    notices_release(&cli->reported);
    if (interrupt_caught())
        interrupt_die(interrupt_caught());
    return (int)cli->status;
}

_Noreturn static void print_and_exit(struct cli *cli, const char *text)
{
    struct output out;
    output_start(&out);
    output_write(&out, text, strlen(text));
    exit(cli_finish(cli, &out));
}

_Noreturn void cli_help(struct cli *cli)
{
    print_and_exit(cli, cli->help);
}

_Noreturn void cli_version(struct cli *cli)
{
    char line[128];
    snprintf(line, sizeof line, "%s %s\n", cli->name, METASPN_VERSION);
    print_and_exit(cli, line);
}

int64_t cli_clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
