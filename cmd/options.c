#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "event/time_spec.h"
#include "interrupt.h"
#include "open.h"

static const struct option *find_code(const struct option *long_options, int code)
{
    for (const struct option *o = long_options; o->name; o++)
        if (o->val == code)
            return o;
    return NULL;
}

/* getopt_long() has answered '?': optopt tells a letter or a code, 0 a long name, which may be a shortened one. */
_Noreturn static void refuse_option(const struct cli *cli, const char *argument, const struct option *long_options)
{
    char candidates[256] = "", quoted[QUOTED_SIZE];
    int length = (int)strcspn(argument, "="), count = 0;
    size_t used = 0;
    if (optopt == 0) {
        for (const struct option *o = long_options; o->name; o++) {
            if (strncmp(o->name, argument + 2, (size_t)length - 2) != 0)
                continue;
            int n = snprintf(candidates + used, sizeof candidates - used, "%s--%s", count ? ", " : "", o->name);
            used = n > 0 && used + (size_t)n < sizeof candidates ? used + (size_t)n : sizeof candidates - 1;
            count++;
        }
        if (count > 1)
            cli_usage(cli, "option '%.*s' may mean %s", length, argument, candidates);
        cli_usage(cli, "unknown option %s", quote_bytes(quoted, argument, (size_t)length));
    }
    const struct option *o = find_code(long_options, optopt);
    if (o)
        cli_usage(cli, "option '--%s' takes no value", o->name);
    cli_usage(cli, "unknown option '-%c'", optopt);
}

_Noreturn static void miss_value(const struct cli *cli, const char *argument, const struct option *long_options)
{
    const struct option *o = find_code(long_options, optopt);
    if (strncmp(argument, "--", 2) == 0 && o)
        cli_usage(cli, "option '--%s' needs a value", o->name);
    cli_usage(cli, "option '-%c' needs a value", optopt);
}

int options_next(struct cli *cli, struct options *options, int argc, char **argv, const char *short_options,
                 const struct option *long_options)
{
    opterr = 0;
    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);
        switch (c) {
        case '?':
            refuse_option(cli, argv[optind - 1], long_options);
        case ':':
            miss_value(cli, argv[optind - 1], long_options);
        case 'C':
            if (optarg[0] == '\0')
                cli_usage(cli, "option '--workspace' needs the name of a directory");
            if (store_shows_password(optarg))
                cli_usage(cli, "-C: no password on the command line, where others can read it; "
                               "use PGPASSFILE, a service or METASPN_WORKSPACE");
            options->workspace = optarg;
            break;
        case 'q':
            cli->quiet = true;
            break;
        case OPTION_NOW:
            options->now_text = optarg;
            break;
        case 'h':
            cli_help(cli);
        case 'V':
            cli_version(cli);
        default:
            return c;
        }
    }
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

void options_no_operands(const struct cli *cli, int argc, char **argv)
{
    char quoted[QUOTED_SIZE];
    if (optind < argc)
        cli_usage(cli, "there are no operands: %s", quote_string(quoted, argv[optind]));
}

void options_finish(const struct cli *cli, struct options *options)
{
    if (!options->workspace)
        options->workspace = environment("METASPN_WORKSPACE");
    options->now = options->clock = cli_clock();
    const char *text = environment("METASPN_NOW");
    struct error err;
    enum status status = STATUS_OK;
    if (text)
        status = time_spec_parse("METASPN_NOW", text, options->clock, DAY_EDGE_FIRST, &options->now, &err);
    if (status != STATUS_OK && !options->now_text)
        cli_die(cli, status, &err);
    if (options->now_text)
        options->now = options_time(cli, "--now", options->now_text, options->now, false);
}

struct store_options options_store(struct cli *cli, const struct options *options)
{
    return (struct store_options){
        .lock_timeout_ms = LOCK_TIMEOUT_MS,
        .now_seconds = options->clock / MICROSECONDS_A_SECOND,
        .interrupted = interrupt_flag(),
        .notice = cli_notice,
        .notice_context = cli,
    };
}

int64_t options_moment(const struct options *options)
{
    return options->now == options->clock ? cli_clock() : options->now;
}

const char *options_file(const struct cli *cli, const char *option, const char *text)
{
    if (text[0] == '\0')
        cli_usage(cli, "option '%s' needs the name of a file", option);
    return text;
}

/* Digits that fill the number; *ret_end is after them. False: none, or too many. */
static bool read_digits(const char *text, uint64_t *ret_number, const char **ret_end)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    *ret_end = end;
    return errno == 0;
}

uint64_t options_count(const struct cli *cli, const char *option, const char *text)
{
    uint64_t number;
    const char *end;
    char quoted[QUOTED_SIZE];
    if (!read_digits(text, &number, &end) || *end != '\0')
        cli_usage(cli, "%s: not a number from 0: %s", option, quote_string(quoted, text));
    return number;
}

size_t options_size(const struct cli *cli, const char *option, const char *text)
{
    uint64_t number;
    const char *end;
    char quoted[QUOTED_SIZE];
    if (read_digits(text, &number, &end) && number > 0) {
        unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
        if (end[shift ? 1 : 0] == '\0' && number <= SIZE_MAX >> 1 >> shift)
            return (size_t)number << shift;
    }
    cli_usage(cli, "%s: not a number of bytes (with K, M or G): %s", option, quote_string(quoted, text));
}

int options_seconds(const struct cli *cli, const char *option, const char *text)
{
    uint64_t seconds = 0;
    const char *at = text;
    char quoted[QUOTED_SIZE];
    bool good = read_digits(text, &seconds, &at) && seconds < INT_MAX / 1000;
    uint64_t milliseconds = good ? seconds * 1000 : 0;
    if (good && *at == '.') {
        good = isdigit((unsigned char)*++at);
        bool more = false;
        for (uint64_t unit = 100; isdigit((unsigned char)*at); at++, unit /= 10) {
            milliseconds += (uint64_t)(*at - '0') * unit;
            more |= unit == 0 && *at != '0';
        }
        milliseconds += more;
    }
    if (!good || *at != '\0')
        cli_usage(cli, "%s: not a number of seconds: %s", option, quote_string(quoted, text));
    return (int)milliseconds;
}

int options_choice(const struct cli *cli, const char *option, const char *text, const char *const *words)
{
    char list[256] = "", quoted[QUOTED_SIZE];
    size_t used = 0;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", words[i]);
    }
    cli_usage(cli, "%s: not one of %s: %s", option, list, quote_string(quoted, text));
}

int64_t options_time(const struct cli *cli, const char *option, const char *text, int64_t now, bool last_of_day)
{
    struct error err;
    int64_t time = 0;
    enum status status = time_spec_parse(option, text, now, last_of_day ? DAY_EDGE_LAST : DAY_EDGE_FIRST, &time, &err);
    if (status != STATUS_OK)
        cli_die(cli, status, &err);
    return time;
}

int32_t options_day(const struct cli *cli, const char *option, const char *text, int64_t now)
{
    struct error err;
    int32_t day = 0;
    enum status status = day_spec_parse(option, text, now, &day, &err);
    if (status != STATUS_OK)
        cli_die(cli, status, &err);
    return day;
}
