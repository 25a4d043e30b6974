#include "base/timestamp.h"

#include <string.h>

/*
 * The forms of Python 3.11's datetime.fromisoformat, its oddities included: any one character stands between date
 * and time, a part of the time may be followed by one stray byte if an offset comes next, and so on. A store that
 * others wrote holds whatever their reader let pass; tests/data/timestamps.inc holds its answers.
 */

#define FRACTION_DIGITS 6
#define NO_VALUE        UINT32_MAX

static const char utc_offset[] = "+00:00";

/* A text whose last 'Z' reads as "+00:00", as the original has it before it parses. */
struct iso_text {
    const char *data;
    size_t own;    /* bytes of data that count */
    size_t length; /* with the offset in the place of 'Z' */
};

/* NUL at the end and past it. */
static char iso_char(const struct iso_text *t, size_t at)
{
    if (at < t->own)
        return t->data[at];
    return at < t->length ? utc_offset[at - t->own] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint32_t iso_digits(const struct iso_text *t, size_t at, size_t count)
{
    uint32_t value = 0;
    for (; count > 0; at++, count--) {
        char c = iso_char(t, at);
        if (!is_digit(c))
            return NO_VALUE;
        value = value * 10 + (uint32_t)(c - '0');
    }
    return value;
}

/* "YYYY-MM-DD" or "YYYYMMDD"; returns where it ends, 0 where there is no such date. */
static size_t iso_date(const struct iso_text *t, int32_t *ret_day)
{
    bool extended = iso_char(t, 4) == '-';
    if (extended && iso_char(t, 7) != '-')
        return 0;
    uint32_t year = iso_digits(t, 0, 4);
    uint32_t month = iso_digits(t, extended ? 5 : 4, 2);
    uint32_t day_of_month = iso_digits(t, extended ? 8 : 6, 2);
    if (!day_from_date(year, month, day_of_month, ret_day))
        return 0;
    return extended ? 10 : 8;
}

/* A lone surrogate is no text to Python, except as the separator. */
static bool has_surrogate(const struct iso_text *t, size_t from)
{
    for (size_t at = from; at + 1 < t->own; at++)
        if ((unsigned char)t->data[at] == 0xed && (unsigned char)t->data[at + 1] >= 0xa0)
            return true;
    return false;
}

struct iso_clock {
    uint32_t hour, minute, second, microsecond;
    bool rest; /* bytes follow that are no part of it */
};

/* HH, HH:MM, HH:MM:SS, or without the colons, each perhaps with a fraction of a second. What follows the digits of a
 * microsecond is not looked at, except that there is something. */
static bool iso_clock(const struct iso_text *t, size_t at, size_t end, struct iso_clock *ret_clock)
{
    struct iso_clock clock = {0};
    uint32_t *parts[] = {&clock.hour, &clock.minute, &clock.second};
    bool colons = iso_char(t, at + 2) == ':', done = false;
    for (size_t i = 0; i < 3 && !done; i++) {
        *parts[i] = iso_digits(t, at, 2);
        if (*parts[i] == NO_VALUE)
            return false;
        at += 2;
        char next = iso_char(t, at);
        done = at + 1 >= end;
        if (done)
            break;
        if (next == '.' || next == ',') {
            at++;
            break;
        }
        if (colons && next != ':')
            return false;
        at += colons;
    }
    if (!done) {
        size_t digits = end - at < FRACTION_DIGITS ? end - at : FRACTION_DIGITS;
        clock.microsecond = iso_digits(t, at, digits);
        if (clock.microsecond == NO_VALUE)
            return false;
        for (at += digits; at < end && is_digit(iso_char(t, at)); at++)
            ;
        for (; digits < FRACTION_DIGITS; digits++)
            clock.microsecond *= 10;
    }
    clock.rest = at < end && iso_char(t, at) != '\0';
    *ret_clock = clock;
    return true;
}

static int64_t iso_clock_microseconds(const struct iso_clock *c)
{
    return (c->hour * INT64_C(3600) + c->minute * INT64_C(60) + c->second) * MICROSECONDS_A_SECOND + c->microsecond;
}

/* The time of the day and its offset, both in microseconds. An offset of less than a second is none. */
static bool iso_time(const struct iso_text *t, size_t at, int64_t *ret_clock, int64_t *ret_offset)
{
    size_t end = at;
    while (end < t->length && !memchr("+-Z", iso_char(t, end), 3))
        end++;
    struct iso_clock clock;
    if (!iso_clock(t, at, end, &clock) || clock.hour > 23 || clock.minute > 59 || clock.second > 59)
        return false;
    *ret_clock = iso_clock_microseconds(&clock);
    *ret_offset = 0;
    if (end == t->length)
        return !clock.rest;
    char sign = iso_char(t, end);
    if (sign == 'Z')
        return iso_char(t, end + 1) == '\0';
    if (!iso_clock(t, end + 1, t->length, &clock) || clock.rest)
        return false;
    int64_t offset = iso_clock_microseconds(&clock);
    if (offset >= MICROSECONDS_A_SECOND)
        *ret_offset = sign == '-' ? -offset : offset;
    return offset < MICROSECONDS_A_DAY;
}

bool timestamp_parse_stored(const char *text, size_t length, int64_t *ret_time)
{
    if (timestamp_parse(text, length, ret_time))
        return true;
    struct iso_text t = {text, length, length};
    if (length > 0 && text[length - 1] == 'Z')
        t = (struct iso_text){text, length - 1, length - 1 + strlen(utc_offset)};
    int32_t day;
    int64_t clock = 0, offset = 0;
    size_t at = iso_date(&t, &day);
    if (at == 0)
        return false;
    if (at < t.length) {
        unsigned char c = (unsigned char)iso_char(&t, at); /* any one character between date and time */
        at += c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (has_surrogate(&t, at) || !iso_time(&t, at, &clock, &offset))
            return false;
    }
    int64_t time = day_first(day) + clock - offset;
    if (!timestamp_is_valid(time))
        return false;
    *ret_time = time;
    return true;
}
