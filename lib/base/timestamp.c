#include "base/timestamp.h"

#define SECONDS_A_DAY   INT64_C(86400)
#define FRACTION_DIGITS 6
#define NOT_DIGITS      100u /* more than any part of a date or a clock may be */

static const uint16_t days_before_month[2][13] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
};

static unsigned is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days in the first `years` years of the calendar. */
static uint32_t days_in_years(uint32_t years)
{
    return years * 365 + years / 4 - years / 100 + years / 400;
}

bool day_from_date(unsigned year, unsigned month, unsigned day_of_month, int32_t *ret_day)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12)
        return false;
    const uint16_t *before = days_before_month[is_leap(year)] + month - 1;
    if (day_of_month < 1 || day_of_month > (unsigned)(before[1] - before[0]))
        return false;
    *ret_day = DAY_MIN + (int32_t)(days_in_years(year - 1) + before[0] + day_of_month - 1);
    return true;
}

static unsigned digit(char c)
{
    return (unsigned)(unsigned char)c - '0';
}

static unsigned parse_pair(const char *at)
{
    unsigned tens = digit(at[0]), ones = digit(at[1]);
    return tens <= 9 && ones <= 9 ? tens * 10 + ones : NOT_DIGITS;
}

/* "YYYY-MM-DD" */
static bool parse_date(const char *at, int32_t *ret_day)
{
    unsigned century = parse_pair(at), year = parse_pair(at + 2);
    if (century == NOT_DIGITS || year == NOT_DIGITS || at[4] != '-' || at[7] != '-')
        return false;
    return day_from_date(century * 100 + year, parse_pair(at + 5), parse_pair(at + 8), ret_day);
}

static bool clock_seconds(unsigned hour, unsigned minute, unsigned second, int64_t *ret_seconds)
{
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* "Z", "z", "+HH:MM" or "+HHMM", up to `end`. */
static bool parse_offset(const char *at, const char *end, int64_t *ret_seconds)
{
    ptrdiff_t length = end - at;
    if (length == 1 && (at[0] == 'Z' || at[0] == 'z')) {
        *ret_seconds = 0;
        return true;
    }
    bool extended = length == 6 && at[3] == ':';
    if ((at[0] != '+' && at[0] != '-') || (length != 5 && !extended))
        return false;
    int64_t seconds;
    if (!clock_seconds(parse_pair(at + 1), parse_pair(end - 2), 0, &seconds))
        return false;
    *ret_seconds = at[0] == '-' ? -seconds : seconds;
    return true;
}

bool timestamp_parse_any_year(const char *text, size_t length, int64_t *ret_time)
{
    int32_t day;
    int64_t seconds, offset = 0, microseconds = 0;
    if (length < 19 || !parse_date(text, &day) || text[13] != ':' || text[16] != ':' ||
        !clock_seconds(parse_pair(text + 11), parse_pair(text + 14), parse_pair(text + 17), &seconds))
        return false;
    if (text[10] != 'T' && text[10] != 't' && text[10] != ' ')
        return false;
    const char *at = text + 19, *end = text + length;
    if (at < end && *at == '.') {
        const char *start = ++at;
        for (; at < end && digit(*at) <= 9; at++)
            if (at - start < FRACTION_DIGITS)
                microseconds = microseconds * 10 + digit(*at);
        if (at == start)
            return false;
        for (ptrdiff_t digits = at - start; digits < FRACTION_DIGITS; digits++)
            microseconds *= 10;
    }
    if (at < end && !parse_offset(at, end, &offset))
        return false;
    *ret_time = (day * SECONDS_A_DAY + seconds - offset) * MICROSECONDS_A_SECOND + microseconds;
    return true;
}

bool timestamp_parse(const char *text, size_t length, int64_t *ret_time)
{
    int64_t time;
    if (!timestamp_parse_any_year(text, length, &time) || !timestamp_is_valid(time))
        return false;
    *ret_time = time;
    return true;
}

bool timestamp_parse_compact(const char *text, size_t length, int64_t *ret_time)
{
    int32_t day;
    int64_t seconds;
    if (length != 18 || !parse_date(text, &day) || text[10] != 'T' || text[17] != 'Z')
        return false;
    if (!clock_seconds(parse_pair(text + 11), parse_pair(text + 13), parse_pair(text + 15), &seconds))
        return false;
    *ret_time = (day * SECONDS_A_DAY + seconds) * MICROSECONDS_A_SECOND;
    return true;
}

static char *put_digits(char *out, uint32_t value, size_t digits)
{
    for (size_t i = digits; i > 0; i--, value /= 10)
        out[i - 1] = (char)('0' + value % 10);
    return out + digits;
}

static char *put_date(char *out, int32_t day)
{
    uint32_t days = (uint32_t)(day - DAY_MIN);
    uint32_t years = days * 400 / 146097; /* by the mean year: never too many, at most one too few */
    if (days_in_years(years + 1) <= days)
        years++;
    days -= days_in_years(years);
    const uint16_t *before = days_before_month[is_leap(years + 1)];
    uint32_t month = days / 32; /* at most one too few */
    if (before[month + 1] <= days)
        month++;
    out = put_digits(out, years + 1, 4);
    *out++ = '-';
    out = put_digits(out, month + 1, 2);
    *out++ = '-';
    return put_digits(out, days - before[month] + 1, 2);
}

/* "2026-02-05T10:00:00", or with colons 0 "2026-02-05T100000". */
static char *put_seconds(char *out, int64_t time, size_t colons, uint32_t *ret_microseconds)
{
    int32_t day = timestamp_day(time);
    uint64_t within = (uint64_t)(time - day_first(day));
    uint32_t seconds = (uint32_t)(within / MICROSECONDS_A_SECOND);
    *ret_microseconds = (uint32_t)(within % MICROSECONDS_A_SECOND);
    out = put_date(out, day);
    *out++ = 'T';
    out = put_digits(out, seconds / 3600, 2);
    *out = ':';
    out = put_digits(out + colons, seconds / 60 % 60, 2);
    *out = ':';
    return put_digits(out + colons, seconds % 60, 2);
}

size_t timestamp_format(int64_t time, char buffer[static TIMESTAMP_TEXT_SIZE])
{
    uint32_t microseconds;
    char *out = put_seconds(buffer, time, 1, &microseconds);
    if (microseconds > 0) {
        *out++ = '.';
        out = put_digits(out, microseconds, FRACTION_DIGITS);
    }
    *out++ = 'Z';
    *out = '\0';
    return (size_t)(out - buffer);
}

size_t timestamp_format_compact(int64_t time, char buffer[static TIMESTAMP_TEXT_SIZE])
{
    uint32_t microseconds;
    char *out = put_seconds(buffer, time, 0, &microseconds);
    *out++ = 'Z';
    *out = '\0';
    return (size_t)(out - buffer);
}

int32_t timestamp_day(int64_t time)
{
    return (int32_t)(time / MICROSECONDS_A_DAY - (time % MICROSECONDS_A_DAY < 0));
}

int64_t day_first(int32_t day)
{
    return day * MICROSECONDS_A_DAY;
}

int64_t day_last(int32_t day)
{
    return day_first(day) + MICROSECONDS_A_DAY - 1;
}

bool day_parse(const char *text, size_t length, int32_t *ret_day)
{
    return length == 10 && parse_date(text, ret_day);
}

void day_format(int32_t day, char buffer[static DAY_TEXT_SIZE])
{
    *put_date(buffer, day) = '\0';
}
