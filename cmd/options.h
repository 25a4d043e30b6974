/*
 * options - the command line: what all commands share, messages for what is wrong, and the reading of values.
 *
 * A command joins the shared tables to its own, and its loop sees only its own options:
 *
 *     enum { OPTION_FORMAT = OPTION_OWN, ... };
 *     static const char short_options[] = COMMON_SHORT "n:";
 *     static const struct option long_options[] = {
 *         COMMON_LONG,
 *         {"format", required_argument, NULL, OPTION_FORMAT},
 *         {"limit", required_argument, NULL, 'n'},
 *         {0},
 *     };
 *     struct options options = {0};
 *     for (int c; (c = options_next(&cli, &options, argc, argv, short_options, long_options)) != -1;)
 *         switch (c) { case 'n': limit = options_count(&cli, "--limit", optarg); break; ... }
 *     options_finish(&cli, &options);
 *     ... operands are argv[optind] .. argv[argc - 1] ...
 *
 * Whatever is wrong with the command line ends the process with exit 2 and one message (cli_usage()). Long options may
 * be shortened and options may follow operands, as getopt_long() has it.
 */
#ifndef METASPN_OPTIONS_H
#define METASPN_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "store/store.h"

/* Codes of long options without a letter. Those of the selection (selection.h) stand before the commands' own. */
enum { OPTION_NOW = 0x100, OPTION_SELECTION = 0x110, OPTION_OWN = 0x200 };

#define COMMON_SHORT ":C:qhV"
/* clang-format off */
#define COMMON_LONG                                     \
    {"workspace", required_argument, NULL, 'C'},        \
    {"quiet",     no_argument,       NULL, 'q'},        \
    {"now",       required_argument, NULL, OPTION_NOW}, \
    {"help",      no_argument,       NULL, 'h'},        \
    {"version",   no_argument,       NULL, 'V'}
/* clang-format on */

/* Their lines in a help text. */
#define COMMON_HELP                                                                                                    \
    "  -C, --workspace=DIR   the directory that contains store/; else\n"                                               \
    "                        $METASPN_WORKSPACE, else the current directory\n"                                         \
    "      --now=T           what times count from; else $METASPN_NOW, else the clock\n"                               \
    "  -q, --quiet           no notes and no warnings\n"                                                               \
    "  -h, --help            print this help and exit\n"                                                               \
    "  -V, --version         print the version and exit\n"

struct options {
    const char *workspace; /* for store_open(); NULL: none was named */
    int64_t now;           /* what times count from, microseconds */
    int64_t clock;         /* the clock, read once: for the age of temporary files */

    const char *now_text; /* --now as it was given */
};

/*
 * The next option of the command's own, as getopt_long() gives it, with its value in optarg; -1: no more. Takes the
 * common ones itself; --help and --version print and exit.
 */
int options_next(struct cli *cli, struct options *options, int argc, char **argv, const char *short_options,
                 const struct option *long_options);

/* After the last option, in commands that take no operands: refuses the first one. */
void options_no_operands(const struct cli *cli, int argc, char **argv);

/* After the last option: the workspace and the time, from options, environment and clock. */
void options_finish(const struct cli *cli, struct options *options);

/* How a command opens a store to read it; those that do more change it. */
#define LOCK_TIMEOUT_MS 60000
struct store_options options_store(struct cli *cli, const struct options *options);

/* When something happens: what was said to be the present, else the clock as it is by now. */
int64_t options_moment(const struct options *options);

/* The values of options; `option` is its name for messages, "--limit". */

/* The name of a file, which is not empty. */
const char *options_file(const struct cli *cli, const char *option, const char *text);
/* A decimal number from 0. */
uint64_t options_count(const struct cli *cli, const char *option, const char *text);
/* The same with K, M or G (1024) after it, and not 0. */
size_t options_size(const struct cli *cli, const char *option, const char *text);
/* Seconds, with a fraction or without, as milliseconds (rounded up). */
int options_seconds(const struct cli *cli, const char *option, const char *text);
/* One of the words (the last one NULL): which. */
int options_choice(const struct cli *cli, const char *option, const char *text, const char *const *words);
/* A time (time_spec.h), and the first or last microsecond of a day where it is one. */
int64_t options_time(const struct cli *cli, const char *option, const char *text, int64_t now, bool last_of_day);
int32_t options_day(const struct cli *cli, const char *option, const char *text, int64_t now);

#endif
