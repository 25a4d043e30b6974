/*
 * tap - what a unit test prints: TAP, one line a check, the plan last. Each test is one program; main() ends with
 * `return done();`.
 */
#ifndef METASPN_TAP_H
#define METASPN_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_checks, tap_failures;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool good, const char *format, ...)
{
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    for (char *newline; (newline = strchr(name, '\n'));)
        *newline = ' ';
    tap_checks++;
    if (!good)
        tap_failures++;
    printf("%sok %d - %s\n", good ? "" : "not ", tap_checks, name);
    return good;
}

#define is_text(got, want, ...) tap_is_text((got), (want), __VA_ARGS__)
#define is_int(got, want, ...)  tap_is_int((int64_t)(got), (int64_t)(want), __VA_ARGS__)

__attribute__((format(printf, 3, 4), unused)) static bool tap_is_text(const char *got, const char *want,
                                                                      const char *format, ...)
{
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    bool good = ok(got && want && strcmp(got, want) == 0, "%s", name);
    if (!good)
        printf("#  got: %s\n# want: %s\n", got ? got : "(null)", want ? want : "(null)");
    return good;
}

__attribute__((format(printf, 3, 4), unused)) static bool tap_is_int(int64_t got, int64_t want, const char *format, ...)
{
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    bool good = ok(got == want, "%s", name);
    if (!good)
        printf("#  got: %" PRId64 "\n# want: %" PRId64 "\n", got, want);
    return good;
}

__attribute__((unused)) static int done(void)
{
    printf("1..%d\n", tap_checks);
    return tap_failures ? 1 : 0;
}

#endif
