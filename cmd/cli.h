/*
 * cli - what every command does alike: start, speak, end (SPEC section 5).
 *
 *     struct cli cli = cli_start("metaspn-top", help_text);
 *     ... options_next(), options_finish() (options.h) ...
 *     struct output out;
 *     output_start(&out);
 *     ... work: what fails is said by cli_fail(), which notes the exit status ...
 *     return cli_finish(&cli, &out);
 *
 * Messages are one line each on stderr, written by one write(2), with whatever is unprintable in them escaped, so that
 * file names and offending values may be put into them as they are.
 */
#ifndef METASPN_CLI_H
#define METASPN_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/notices.h"
#include "base/status.h"
#include "output.h"
#include "progress.h"

struct cli {
    const char *name;          /* "metaspn-top" */
    const char *help;          /* what --help prints */
    bool quiet;                /* no notes and no warnings */
    enum status status;        /* the exit status so far: the greatest that was noted */
    struct progress *progress; /* what each message removes first; NULL: none is shown */
    struct notices reported;   /* what is reported once */
};

/*
 * To be called before anything else. Gives closed descriptors 0-2 a /dev/null which they can be neither read from nor
 * written to with success, so that no file of ours gets such a number and no lost output goes unnoticed. Ignores
 * SIGXFSZ (a file size limit is then the error EFBIG) and SIGIO (somebody opens a file on which we hold a lease) and
 * gives SIGPIPE its default.
 */
struct cli cli_start(const char *name, const char *help);

/* "metaspn-top: TEXT", "metaspn-top: warning: TEXT", "metaspn-top: note: TEXT"; warnings and notes not where the
 * command is quiet. No status is noted. */
enum severity { CLI_ERROR, CLI_WARNING, CLI_NOTE };
void cli_say(const struct cli *cli, enum severity severity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define cli_error(cli, ...)   cli_say(cli, CLI_ERROR, __VA_ARGS__)
#define cli_warning(cli, ...) cli_say(cli, CLI_WARNING, __VA_ARGS__)
#define cli_note(cli, ...)    cli_say(cli, CLI_NOTE, __VA_ARGS__)

/* A notice_say; the context is the struct cli. */
void cli_notice(void *context, enum notice notice, const char *text);
/* True the first time that this is named: for what is reported once. */
bool cli_first(struct cli *cli, const char *what);

/* A line that sums up what was done, by the name of the command too: unless it is quiet. */
void cli_sum(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of figures that was asked for (--stats), short and printable: written even if quiet, as it is. */
void cli_figures(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Notes a status: the greatest one wins. */
void cli_note_status(struct cli *cli, enum status status);
/* Says an error that came up from the library, and notes its status. STATUS_OK: does nothing. Returns `status`. */
enum status cli_fail(struct cli *cli, enum status status, const struct error *err);

/* The command line is wrong: says so, and "Try 'metaspn-top --help'.", and exits with 2. */
_Noreturn void cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says an error and exits with its status; with the Try line where that is STATUS_USAGE. For before the work begins. */
_Noreturn void cli_die(const struct cli *cli, enum status status, const struct error *err);

/*
 * The last call: flushes and closes stdout and returns the exit code: what was noted, or 5 with a message where stdout
 * could not be written in full. Ends the process by SIGPIPE where stdout's reader was gone, and by the signal that
 * interrupt_catch() has noted. `out` NULL: nothing was to be printed.
 */
int cli_finish(struct cli *cli, struct output *out);

/* Print to stdout and exit with 0, or 5. */
_Noreturn void cli_help(struct cli *cli);
_Noreturn void cli_version(struct cli *cli);

/* The wall clock, microseconds since the epoch. */
int64_t cli_clock(void);

#endif
