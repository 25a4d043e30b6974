/*
 * timestamp - RFC 3339 times as microseconds since the epoch, and UTC days.
 *
 * A time is an int64_t: microseconds since 1970-01-01T00:00:00Z, between TIMESTAMP_MIN (year 1) and TIMESTAMP_MAX
 * (the last microsecond of year 9999). A day is an int32_t: days since 1970-01-01. Everything is UTC; nothing here
 * reads the clock, TZ or the locale.
 */
#ifndef METASPN_BASE_TIMESTAMP_H
#define METASPN_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMESTAMP_MIN         INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX         INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define MICROSECONDS_A_SECOND INT64_C(1000000)
#define MICROSECONDS_A_DAY    INT64_C(86400000000)

#define DAY_MIN (-719162) /* 0001-01-01 */
#define DAY_MAX 2932896   /* 9999-12-31 */

#define TIMESTAMP_TEXT_SIZE 28 /* "2026-02-05T10:00:00.123456Z" and NUL */
#define DAY_TEXT_SIZE       11 /* "2026-02-05" and NUL */

/* A time of an input event, by the letter of SPEC section 3 (`timestamp` on input). False: not such a time. */
bool timestamp_parse(const char *text, size_t length, int64_t *ret_time);

/*
 * As timestamp_parse, but a time that its offset shifts out of the years 1-9999 is read too: for callers that tell
 * this fault from others. *ret_time then lies less than a day outside TIMESTAMP_MIN..MAX.
 */
bool timestamp_parse_any_year(const char *text, size_t length, int64_t *ret_time);

static inline bool timestamp_is_valid(int64_t time)
{
    return TIMESTAMP_MIN <= time && time <= TIMESTAMP_MAX;
}

/*
 * A time in a stored line: whatever Python 3.11's datetime.fromisoformat reads in an extended or basic
 * calendar date (no week dates), with no offset taken as UTC, and results outside TIMESTAMP_MIN..MAX refused.
 * Everything timestamp_parse reads, it reads alike. The text is UTF-8; a lone surrogate in it takes three bytes,
 * a NUL is a byte like others.
 */
bool timestamp_parse_stored(const char *text, size_t length, int64_t *ret_time);

/* Canonical text: no fraction where the microseconds are zero, else six digits; returns its length. */
size_t timestamp_format(int64_t time, char buffer[static TIMESTAMP_TEXT_SIZE]);

/* "2026-02-05T120000Z", the time in a snapshot's file name (seconds, rounded down); returns its length. */
size_t timestamp_format_compact(int64_t time, char buffer[static TIMESTAMP_TEXT_SIZE]);
bool timestamp_parse_compact(const char *text, size_t length, int64_t *ret_time);

int32_t timestamp_day(int64_t time); /* the UTC day a time lies in */
int64_t day_first(int32_t day);      /* its first microsecond */
int64_t day_last(int32_t day);       /* its last microsecond */

/* "YYYY-MM-DD", exactly, with a valid date. */
bool day_parse(const char *text, size_t length, int32_t *ret_day);
void day_format(int32_t day, char buffer[static DAY_TEXT_SIZE]);

/* The day of a date in the proleptic Gregorian calendar. False: no such date in the years 1-9999. */
bool day_from_date(unsigned year, unsigned month, unsigned day_of_month, int32_t *ret_day);

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
