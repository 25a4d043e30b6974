#include "event/time_spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/timestamp.h"

#define SECONDS_AT_MOST INT64_C(400000000000) /* more than all the years from 1 to 9999 have */

/* What one way of saying a time makes of a text. */
enum reading {
    READING_OTHER,  /* it is not said this way */
    READING_BEYOND, /* it is, and lies outside the years 1 to 9999 */
    READING_DONE,
};

static enum reading time_reading(int64_t time, int64_t *ret_time)
{
    if (!timestamp_is_valid(time))
        return READING_BEYOND;
    *ret_time = time;
    return READING_DONE;
}

/* Leading digits, or NULL where there are none; numbers above SECONDS_AT_MOST come out as some number above it. */
static const char *read_number(const char *text, int64_t *ret_number)
{
    const char *at = text;
    int64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (number <= SECONDS_AT_MOST)
            number = number * 10 + (*at - '0');
    *ret_number = number;
    return at > text ? at : NULL;
}

/* @SECONDS, perhaps with a fraction, of which digits past the microsecond are cut off. */
static enum reading read_unix(const char *text, int64_t *ret_time)
{
    int64_t seconds, fraction = 0, unit = MICROSECONDS_A_SECOND;
    if (text[0] != '@')
        return READING_OTHER;
    bool negative = text[1] == '-';
    const char *at = read_number(text + 1 + negative, &seconds);
    if (!at)
        return READING_OTHER;
    if (at[0] == '.' && at[1] != '\0')
        for (at++; *at >= '0' && *at <= '9'; at++)
            fraction += (*at - '0') * (unit /= 10);
    if (*at)
        return READING_OTHER;
    if (seconds > SECONDS_AT_MOST)
        return READING_BEYOND;
    int64_t time = seconds * MICROSECONDS_A_SECOND + fraction;
    return time_reading(negative ? -time : time, ret_time);
}

static enum reading read_offset(const char *text, int64_t now, int64_t *ret_time)
{
    int64_t count;
    if (text[0] != '-' && text[0] != '+')
        return READING_OTHER;
    const char *end = read_number(text + 1, &count);
    if (!end || end[0] == '\0' || end[1] != '\0')
        return READING_OTHER;
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    int64_t unit = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == end[0])
            unit = units[i].seconds;
    if (unit == 0)
        return READING_OTHER;
    if (count > SECONDS_AT_MOST / unit)
        return READING_BEYOND;
    int64_t distance = count * unit * MICROSECONDS_A_SECOND;
    return time_reading(text[0] == '-' ? now - distance : now + distance, ret_time);
}

static enum reading read_day(const char *text, int64_t now, int32_t *ret_day)
{
    static const char *const words[] = {"yesterday", "today", "tomorrow"};
    if (day_parse(text, strlen(text), ret_day))
        return READING_DONE;
    for (int32_t i = 0; i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            int32_t day = timestamp_day(now) + i - 1;
            if (day < DAY_MIN || day > DAY_MAX)
                return READING_BEYOND;
            *ret_day = day;
            return READING_DONE;
        }
    return READING_OTHER;
}

static enum status reading_status(enum reading reading, const char *option, const char *noun, const char *text,
                                  struct error *err)
{
    char quoted[QUOTED_SIZE];
    if (reading == READING_OTHER)
        return error_set(err, STATUS_USAGE, "%s: not a %s: %s", option, noun, quote_string(quoted, text));
    if (reading == READING_BEYOND)
        return error_set(err, STATUS_USAGE, "%s: outside the years 0001 to 9999: %s", option,
                         quote_string(quoted, text));
    return STATUS_OK;
}

enum status time_spec_parse(const char *option, const char *text, int64_t now, enum day_edge edge, int64_t *ret_time,
                            struct error *err)
{
    int64_t time;
    int32_t day;
    enum reading reading = read_day(text, now, &day);
    if (reading == READING_DONE)
        *ret_time = edge == DAY_EDGE_LAST ? day_last(day) : day_first(day);
    else if (strcmp(text, "now") == 0)
        reading = time_reading(now, ret_time);
    else if (timestamp_parse_any_year(text, strlen(text), &time))
        reading = time_reading(time, ret_time);
    if (reading == READING_OTHER)
        reading = read_offset(text, now, ret_time);
    if (reading == READING_OTHER)
        reading = read_unix(text, ret_time);
    return reading_status(reading, option, "time", text, err);
}

enum status day_spec_parse(const char *option, const char *text, int64_t now, int32_t *ret_day, struct error *err)
{
    return reading_status(read_day(text, now, ret_day), option, "day", text, err);
}
