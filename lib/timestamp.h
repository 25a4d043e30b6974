/*
 * timestamp - RFC 3339 times as microseconds since the epoch, UTC days, and the times of the command line.
 *
 * A time is an int64_t: microseconds since 1970-01-01T00:00:00Z, between TIMESTAMP_MIN (year 1) and TIMESTAMP_MAX
 * (the last microsecond of year 9999). A day is an int32_t: days since 1970-01-01. Everything is UTC; nothing here
 * reads the clock, TZ or the locale.
 */
#ifndef METASPN_TIMESTAMP_H
#define METASPN_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define TIMESTAMP_MIN INT64_C(-62135596800000000)  /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX INT64_C(253402300799999999)  /* 9999-12-31T23:59:59.999999Z */
#define DAY_MIN (-719162)                          /* 0001-01-01 */
#define DAY_MAX 2932896                            /* 9999-12-31 */

#define TIMESTAMP_TEXT_SIZE 28 /* "2026-02-05T10:00:00.123456Z" and NUL */
#define DAY_TEXT_SIZE 11       /* "2026-02-05" and NUL */

/* A time of an input event, by the letter of SPEC section 3 (`timestamp` on input). False: not such a time. */
bool timestamp_parse(const char *text, size_t length, int64_t *ret_time);

/*
 * A time that stands in the store: whatever Python 3.11's datetime.fromisoformat reads in an extended or basic
 * calendar date (no week dates), with no offset taken as UTC, and results outside TIMESTAMP_MIN..MAX refused.
 * Everything timestamp_parse reads, it reads alike.
 */
bool timestamp_parse_stored(const char *text, size_t length, int64_t *ret_time);

/* Canonical text: no fraction where the microseconds are zero, else six digits; returns its length. */
size_t timestamp_format(int64_t time, char buffer[static TIMESTAMP_TEXT_SIZE]);

/* "2026-02-05T120000Z", the time in a snapshot's file name (seconds, rounded down); returns its length. */
size_t timestamp_format_compact(int64_t time, char buffer[static TIMESTAMP_TEXT_SIZE]);
bool timestamp_parse_compact(const char *text, size_t length, int64_t *ret_time);

int32_t timestamp_day(int64_t time);  /* the UTC day a time lies in */
int64_t day_first(int32_t day);       /* its first microsecond */
int64_t day_last(int32_t day);        /* its last microsecond */

/* "YYYY-MM-DD", exactly, with a valid date. */
bool day_parse(const char *text, size_t length, int32_t *ret_day);
void day_format(int32_t day, char buffer[static DAY_TEXT_SIZE]);

/* Which end a day word or a day stands for (SPEC section 4). */
enum day_edge { DAY_EDGE_FIRST, DAY_EDGE_LAST };

/*
 * A time of the command line (SPEC section 4): a timestamp, a day, a word (now, today, yesterday, tomorrow), an
 * offset from `now` (-90s ... +4w), or @SECONDS. `option` names the option in the message ("--since").
 * STATUS_USAGE with a message where it is none of these or leaves years 1-9999.
 */
enum status time_spec_parse(const char *option, const char *text, int64_t now, enum day_edge edge, int64_t *ret_time,
                            struct error *err);

/* The value of --day: a day or a day word (today, yesterday, tomorrow). */
enum status day_spec_parse(const char *option, const char *text, int64_t now, int32_t *ret_day, struct error *err);

/* A window of time, both ends included. */
struct window {
    int64_t since, until;
};
#define WINDOW_ALL ((struct window){TIMESTAMP_MIN, TIMESTAMP_MAX})

static inline bool window_holds(struct window w, int64_t time)
{
    return w.since <= time && time <= w.until;
}

#endif
