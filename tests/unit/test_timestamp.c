#include "base/timestamp.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define REFUSED   INT64_MIN
#define UNTOUCHED INT64_C(-42)
#define CANONICAL "2026-02-05T10:30:15Z"
#define SECOND    INT64_C(1770287415000000) /* CANONICAL */

typedef bool parse(const char *text, size_t length, int64_t *ret_time);

/* What `parser` makes of the text, given to it in memory that ends where the text does. */
static int64_t parsed(parse *parser, const char *text, size_t length)
{
    int64_t time = UNTOUCHED;
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    bool good = parser(exact, length, &time);
    free(exact);
    if (!good && time != UNTOUCHED)
        ok(false, "a refused text leaves the result alone");
    return good ? time : REFUSED;
}

static int64_t strict(const char *text)
{
    return parsed(timestamp_parse, text, strlen(text));
}

struct strict_case {
    const char *text;
    int64_t time;
};

static void test_accepted(void)
{
    static const struct strict_case cases[] = {
        {CANONICAL, SECOND},
        {"2026-02-05t10:30:15z", SECOND},
        {"2026-02-05 10:30:15", SECOND},
        {"2026-02-05 10:30:15+00:00", SECOND},
        {"2026-02-05T10:30:15-00:00", SECOND},
        {"2026-02-05T10:30:15-0000", SECOND},
        {"2026-02-05T12:00:15+01:30", SECOND},
        {"2026-02-05T12:00:15+0130", SECOND},
        {"2026-02-05T09:00:15-01:30", SECOND},
        {"2026-02-06T10:29:15+23:59", SECOND},
        {"2026-02-04T10:31:15-23:59", SECOND},
        {"2026-02-05T10:30:15.1Z", SECOND + 100000},
        {"2026-02-05T10:30:15.12", SECOND + 120000},
        {"2026-02-05T10:30:15.000001Z", SECOND + 1},
        {"2026-02-05T10:30:15.0000009Z", SECOND},
        {"2026-02-05T10:30:15.123456Z", SECOND + 123456},
        {"2026-02-05T10:30:15.1234569Z", SECOND + 123456},
        {"2026-02-05T10:30:15.999999999999999999999999999999999999999999Z", SECOND + 999999},
        {"2026-02-05T12:00:15.5+01:30", SECOND + 500000},
        {"2026-02-05T12:00:15.1234569+0130", SECOND + 123456},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"1969-12-31T23:59:59Z", -1000000},
        {"2026-02-05T23:59:59Z", INT64_C(1770335999000000)},
        {"2026-02-05T00:00:00Z", INT64_C(1770249600000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        is_int(strict(text), cases[i].time, "reads %s", text);
        is_int(parsed(timestamp_parse_stored, text, strlen(text)), cases[i].time, "and alike in the store");
    }
}

static void test_calendar(void)
{
    static const struct strict_case cases[] = {
        {"1900-02-28T00:00:00Z", INT64_C(-2203977600000000)},
        {"1900-02-29T00:00:00Z", REFUSED},
        {"1900-03-01T00:00:00Z", INT64_C(-2203891200000000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
        {"2000-03-01T00:00:00Z", INT64_C(951868800000000)},
        {"2024-02-29T12:00:00Z", INT64_C(1709208000000000)},
        {"2024-02-30T12:00:00Z", REFUSED},
        {"2025-02-29T12:00:00Z", REFUSED},
        {"2024-12-31T12:00:00Z", INT64_C(1735646400000000)},
        {"2024-12-32T12:00:00Z", REFUSED},
        {"2100-02-29T00:00:00Z", REFUSED},
        {"2100-03-01T00:00:00Z", INT64_C(4107542400000000)},
        {"2026-01-31T00:00:00Z", INT64_C(1769817600000000)},
        {"2026-01-32T00:00:00Z", REFUSED},
        {"2026-04-30T00:00:00Z", INT64_C(1777507200000000)},
        {"2026-04-31T00:00:00Z", REFUSED},
        {"2026-12-31T00:00:00Z", INT64_C(1798675200000000)},
        {"2026-12-32T00:00:00Z", REFUSED},
        {"2026-00-05T00:00:00Z", REFUSED},
        {"2026-13-05T00:00:00Z", REFUSED},
        {"2026-02-00T00:00:00Z", REFUSED},
        {"0000-12-31T23:59:59Z", REFUSED},
        {"0001-01-01T00:00:00Z", TIMESTAMP_MIN},
        {"9999-12-31T23:59:59.999999Z", TIMESTAMP_MAX},
        {"0004-02-29T00:00:00Z", INT64_C(-62035891200000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_int(strict(cases[i].text), cases[i].time, "calendar: %s", cases[i].text);
}

static void test_shifts(void)
{
    static const struct strict_case cases[] = {
        {"0001-01-01T00:00:00+00:01", REFUSED},
        {"0001-01-01T00:00:59.999999+00:01", REFUSED},
        {"0001-01-01T00:01:00+00:01", TIMESTAMP_MIN},
        {"0001-01-01T00:00:00-00:01", TIMESTAMP_MIN + 60000000},
        {"9999-12-31T23:59:59-00:01", REFUSED},
        {"9999-12-31T23:59:00-00:01", REFUSED},
        {"9999-12-31T23:58:59.999999-00:01", TIMESTAMP_MAX},
        {"9999-12-31T23:59:59.999999+23:59", TIMESTAMP_MAX - INT64_C(86340000000)},
        {"2024-02-29T23:30:00-00:30", INT64_C(1709251200000000)}, /* March 1 */
        {"2024-03-01T00:29:59+00:30", INT64_C(1709251199000000)}, /* February 29 */
        {"2023-03-01T00:29:59+00:30", INT64_C(1677628799000000)}, /* February 28 */
        {"2026-01-01T00:00:00+14:00", INT64_C(1767175200000000)}, /* 2025 */
        {"2025-12-31T12:00:00-12:00", INT64_C(1767225600000000)}, /* 2026 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_int(strict(cases[i].text), cases[i].time, "shift: %s", cases[i].text);

    int64_t time;
    ok(timestamp_parse_any_year("0001-01-01T00:00:00+23:59", 25, &time) && time == TIMESTAMP_MIN - INT64_C(86340000000),
       "any_year reads what lies before year 1");
    ok(timestamp_parse_any_year("9999-12-31T23:59:59-23:59", 25, &time) && time > TIMESTAMP_MAX,
       "any_year reads what lies behind year 9999");
    ok(!timestamp_parse_any_year("0000-01-01T00:00:00-23:59", 25, &time), "any_year: no year 0");
}

static void test_refused(void)
{
    static const char *const texts[] = {
        "",
        "2026-02-05",
        "2026-02-05T",
        "2026-02-05T10",
        "2026-02-05T10:30",
        "2026-02-05T10:30Z",
        "20260205T103015Z",
        "2026-02-05T103015Z",
        "20260205T10:30:15Z",
        "2026-02-05T24:00:00Z",
        "2026-02-05T23:60:00Z",
        "2026-02-05T23:59:60Z",
        "2016-12-31T23:59:60Z",
        "2026-02-05T10:30:15.Z",
        "2026-02-05T10:30:15.",
        "2026-02-05T10:30:15.+01:00",
        "2026-02-05T10:30:15,5Z",
        "2026-02-05T10:30:15.5.5Z",
        "2026-02-05T10:30:15.-5Z",
        "2026-02-05T10:30:15.5xZ",
        "2026-02-05T10:30:15 Z",
        "2026-02-05T10:30:15 +01:00",
        "2026-02-05T10:30:15ZZ",
        "2026-02-05T10:30:15Z+01:00",
        "2026-02-05T10:30:15+01:00Z",
        "2026-02-05T10:30:15Z ",
        " 2026-02-05T10:30:15Z",
        "2026-02-05  10:30:15Z",
        "2026-02-05_10:30:15Z",
        "2026-02-05T10:30:15+",
        "2026-02-05T10:30:15+1",
        "2026-02-05T10:30:15+01",
        "2026-02-05T10:30:15+010",
        "2026-02-05T10:30:15+1:00",
        "2026-02-05T10:30:15+01:0",
        "2026-02-05T10:30:15+01-00",
        "2026-02-05T10:30:15+01000",
        "2026-02-05T10:30:15+01:000",
        "2026-02-05T10:30:15+01:00:00",
        "2026-02-05T10:30:15+24:00",
        "2026-02-05T10:30:15-2400",
        "2026-02-05T10:30:15+23:60",
        "2026-02-05T10:30:15\xe2\x88\x92"
        "01:00",
        "2026-02-05T10:30:15--01:00",
        "2026-02-05T10:30:15UTC",
        "2026-02-05T10:30:15+ 1:00",
        "2026-2-5T10:30:15Z",
        "+2026-02-05T10:30:15Z",
        "-2026-02-05T10:30:15Z",
        "12026-02-05T10:30:15Z",
        "2026-02-05T10:30:15\xd9\xa1Z",
        "2026-W06-4T10:30:15Z",
        "2026-036T10:30:15Z",
        "now",
        "1770287415",
        "null",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        is_int(strict(texts[i]), REFUSED, "refuses \"%s\"", texts[i]);
    is_int(parsed(timestamp_parse, CANONICAL "\0", sizeof CANONICAL), REFUSED, "refuses a NUL behind it");
}

/* The whole neighbourhood of one text: cut anywhere, any character left out, doubled or made another. */
static void test_neighbours(void)
{
    static const char text[] = "2026-02-05T10:30:15.25+01:30";
    static const char others[] = "x/;-+ :.\x80\xff";
    size_t length = sizeof text - 1;
    int cut = 0, missing = 0, changed = 0;
    for (size_t i = 0; i < length; i++) {
        char copy[sizeof text];
        cut += parsed(timestamp_parse, text, i) != REFUSED;
        memcpy(copy, text, i);
        memcpy(copy + i, text + i + 1, length - i);
        missing += parsed(timestamp_parse, copy, length - 1) != REFUSED;
        for (size_t k = 0; k < sizeof others; k++) {
            memcpy(copy, text, sizeof text);
            copy[i] = others[k];
            changed += others[k] != text[i] && parsed(timestamp_parse, copy, length) != REFUSED;
        }
    }
    is_int(cut, 3, "cut: only before the fraction's second digit, the offset and the fraction");
    is_int(missing, 3, "left out: only one of two fraction digits, or the offset's colon");
    is_int(changed, 2, "changed: only T to a space and + to -");
}

static void test_format(void)
{
    static const struct strict_case cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2026-02-05T10:30:15Z", SECOND},
        {"2026-02-05T10:30:15.000001Z", SECOND + 1},
        {"2026-02-05T10:30:15.100000Z", SECOND + 100000},
        {"0001-01-01T00:00:00Z", TIMESTAMP_MIN},
        {"0001-01-01T00:00:00.000001Z", TIMESTAMP_MIN + 1},
        {"9999-12-31T23:59:59.999999Z", TIMESTAMP_MAX},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
        {"1900-03-01T00:00:00Z", INT64_C(-2203891200000000)},
    };
    char buffer[TIMESTAMP_TEXT_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = timestamp_format(cases[i].time, buffer);
        is_text(buffer, cases[i].text, "writes %s", cases[i].text);
        is_int(length, strlen(cases[i].text), "and its length");
    }
}

static void test_compact(void)
{
    static const char *const refused[] = {
        "",
        "2026-02-05T103015",
        "2026-02-05T103015z",
        "2026-02-05t103015Z",
        "2026-02-05 103015Z",
        "2026-02-05T10:30:15Z",
        "2026-02-05T103015ZZ",
        "2026-02-05T1030150",
        "2026-02-05T240000Z",
        "2026-02-05T106000Z",
        "2026-02-05T103060Z",
        "2026-02-30T103015Z",
        "2026-02-05T10301xZ",
        "20260205T103015Z",
        "20260205T10301500Z",
    };
    char buffer[TIMESTAMP_TEXT_SIZE];
    is_int(timestamp_format_compact(SECOND, buffer), 18, "compact text has 18 bytes");
    is_text(buffer, "2026-02-05T103015Z", "compact text");
    timestamp_format_compact(-1, buffer);
    is_text(buffer, "1969-12-31T235959Z", "rounded down before 1970 too");
    is_int(parsed(timestamp_parse_compact, "2026-02-05T103015Z", 18), SECOND, "and read again");
    is_int(parsed(timestamp_parse_compact, "0001-01-01T000000Z", 18), TIMESTAMP_MIN, "from year 1");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        is_int(parsed(timestamp_parse_compact, refused[i], strlen(refused[i])), REFUSED, "compact: refuses \"%s\"",
               refused[i]);
}

/* A calendar that counts: the next day's date, by the rule that children learn. */
struct counted {
    int year, month, day;
};

static void count_on(struct counted *c)
{
    bool leap = c->year % 400 == 0 || (c->year % 4 == 0 && c->year % 100 != 0);
    bool short_month = c->month == 4 || c->month == 6 || c->month == 9 || c->month == 11;
    if (++c->day <= (c->month == 2 ? 28 + leap : 31 - short_month))
        return;
    c->day = 1;
    c->month = c->month % 12 + 1;
    c->year += c->month == 1;
}

static void test_every_day(void)
{
    int32_t wrong = 0;
    struct counted date = {1, 1, 1};
    for (int32_t day = DAY_MIN; day <= DAY_MAX; day++, count_on(&date)) {
        char text[DAY_TEXT_SIZE], want[40];
        int32_t again = 0;
        day_format(day, text);
        snprintf(want, sizeof want, "%04d-%02d-%02d", date.year, date.month, date.day);
        wrong += strcmp(text, want) != 0;
        wrong += !day_parse(text, 10, &again) || again != day;
        wrong += timestamp_day(day_first(day)) != day || timestamp_day(day_last(day)) != day;
        wrong += day_last(day) + 1 != day_first(day + 1);
    }
    is_int(wrong, 0, "every day of 9999 years is written as counted, and read");
    is_int(date.year, 10000, "and there are no more");
    is_int(day_first(DAY_MIN), TIMESTAMP_MIN, "the first day begins with the first time");
    is_int(day_last(DAY_MAX), TIMESTAMP_MAX, "the last day ends with the last time");
}

static void test_every_second(void)
{
    int wrong = 0;
    for (int second = 0; second < 86400; second++) {
        char text[TIMESTAMP_TEXT_SIZE], want[60];
        int64_t time = second * MICROSECONDS_A_SECOND - MICROSECONDS_A_DAY;
        size_t length = timestamp_format(time, text);
        snprintf(want, sizeof want, "1969-12-31T%02d:%02d:%02dZ", second / 3600, second / 60 % 60, second % 60);
        wrong += strcmp(text, want) != 0 || parsed(timestamp_parse, text, length) != time;
        length = timestamp_format_compact(time, text);
        wrong += parsed(timestamp_parse_compact, text, length) != time;
    }
    is_int(wrong, 0, "every second of a day is written and read");
}

static void test_day(void)
{
    static const char *const refused[] = {"",           "2026-02-5", "2026-02-050", "2026-02-30",  "2026/02/05",
                                          "0000-01-01", "20260205",  "2026-02-05Z", " 2026-02-05", "2026-0a-05"};
    int32_t day = -42;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ok(!day_parse(refused[i], strlen(refused[i]), &day) && day == -42, "no day: \"%s\"", refused[i]);
    ok(day_parse("2026-02-05T10", 10, &day) && day == 20489, "only as many bytes as it is given");
    ok(day_from_date(1970, 1, 1, &day) && day == 0, "the epoch is day 0");
    ok(!day_from_date(10000, 1, 1, &day) && !day_from_date(0, 12, 31, &day), "no year 10000, no year 0");
    ok(!day_from_date(2026, 0, 1, &day) && !day_from_date(2026, 13, 1, &day), "no month 0, no month 13");
    ok(!day_from_date(2026, 1, 0, &day) && !day_from_date(2026, 11, 31, &day), "no day 0, no November 31");
    is_int(timestamp_day(-1), -1, "the microsecond before 1970 lies in the day before");
    is_int(timestamp_day(MICROSECONDS_A_DAY - 1), 0, "a day's last microsecond");
    is_int(timestamp_day(MICROSECONDS_A_DAY), 1, "and the next one");
}

static void test_window(void)
{
    struct window w = {10, 20};
    ok(window_holds(w, 10) && window_holds(w, 20), "a window holds both its ends");
    ok(!window_holds(w, 9) && !window_holds(w, 21), "and nothing outside");
    ok(window_holds(WINDOW_ALL, TIMESTAMP_MIN) && window_holds(WINDOW_ALL, TIMESTAMP_MAX), "WINDOW_ALL holds all");
}

int main(void)
{
    test_accepted();
    test_calendar();
    test_shifts();
    test_refused();
    test_neighbours();
    test_format();
    test_compact();
    test_every_day();
    test_every_second();
    test_day();
    test_window();
    return done();
}
