#include "event/time_spec.h"

#include <string.h>

#include "base/timestamp.h"
#include "tap.h"

#define NOW       INT64_C(1770287415250000) /* 2026-02-05T10:30:15.25Z */
#define NONE      INT64_MIN
#define UNTOUCHED INT64_C(-42)
#define SECOND    MICROSECONDS_A_SECOND
#define DAY       MICROSECONDS_A_DAY

struct spec_case {
    const char *text;
    int64_t time;
};

static int64_t spec_at(const char *text, int64_t now, enum day_edge edge)
{
    int64_t time = UNTOUCHED;
    enum status status = time_spec_parse("--since", text, now, edge, &time, NULL);
    if (status != STATUS_OK && (status != STATUS_USAGE || time != UNTOUCHED))
        ok(false, "\"%s\" is a usage error and leaves the result alone", text);
    return status == STATUS_OK ? time : NONE;
}

static int64_t spec(const char *text)
{
    return spec_at(text, NOW, DAY_EDGE_FIRST);
}

static void test_times(void)
{
    static const struct spec_case cases[] = {
        {"now", NOW},
        {"2026-02-05T10:30:15Z", INT64_C(1770287415000000)},
        {"2026-02-05 12:00:15.5+0130", INT64_C(1770287415500000)},
        {"-90s", NOW - 90 * SECOND},
        {"-15m", NOW - 15 * 60 * SECOND},
        {"-2h", NOW - 2 * 3600 * SECOND},
        {"-7d", NOW - 7 * DAY},
        {"-4w", NOW - 28 * DAY},
        {"+90s", NOW + 90 * SECOND},
        {"+15m", NOW + 15 * 60 * SECOND},
        {"+2h", NOW + 2 * 3600 * SECOND},
        {"+7d", NOW + 7 * DAY},
        {"+4w", NOW + 28 * DAY},
        {"-0s", NOW},
        {"+0w", NOW},
        {"-000000000000000000000000000001d", NOW - DAY},
        {"@0", 0},
        {"@-0", 0},
        {"@1770285600", INT64_C(1770285600000000)},
        {"@1770285600.5", INT64_C(1770285600500000)},
        {"@1770285600.000001", INT64_C(1770285600000001)},
        {"@1770285600.1234569", INT64_C(1770285600123456)},
        {"@0000000000000000000000000001.25", INT64_C(1250000)},
        {"@-1", -SECOND},
        {"@-1.5", INT64_C(-1500000)},
        {"@-0.25", INT64_C(-250000)},
        {"@-62135596800", TIMESTAMP_MIN},
        {"@253402300799.999999", TIMESTAMP_MAX},
        {"@253402300799.9999999", TIMESTAMP_MAX},
        {"9999-12-31T23:59:59.999999Z", TIMESTAMP_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_int(spec(cases[i].text), cases[i].time, "reads %s", cases[i].text);
        is_int(spec_at(cases[i].text, NOW, DAY_EDGE_LAST), cases[i].time, "and it has no ends");
    }
}

static void test_days(void)
{
    static const struct spec_case cases[] = {
        {"2026-02-05", INT64_C(1770249600000000)},
        {"today", INT64_C(1770249600000000)},
        {"yesterday", INT64_C(1770163200000000)},
        {"tomorrow", INT64_C(1770336000000000)},
        {"1969-12-31", -DAY},
        {"0001-01-01", TIMESTAMP_MIN},
        {"9999-12-31", TIMESTAMP_MAX - DAY + 1},
        {"2024-02-29", INT64_C(1709164800000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_int(spec(cases[i].text), cases[i].time, "%s begins", cases[i].text);
        is_int(spec_at(cases[i].text, NOW, DAY_EDGE_LAST), cases[i].time + DAY - 1, "%s ends", cases[i].text);
    }
    is_int(spec_at("today", -1, DAY_EDGE_FIRST), -DAY, "a microsecond before 1970, today is 1969-12-31");
    is_int(spec_at("today", 0, DAY_EDGE_LAST), DAY - 1, "at midnight today is the day that begins");
    is_int(spec_at("tomorrow", INT64_C(1709164799999999), DAY_EDGE_FIRST), INT64_C(1709164800000000),
           "tomorrow may be a leap day");
}

static void test_nonsense(void)
{
    static const char *const texts[] = {
        "",
        "foo",
        "Now",
        "NOW",
        " now",
        "now ",
        "noon",
        "todayy",
        "toda",
        "-",
        "+",
        "-s",
        "-90",
        "90s",
        "-90S",
        "-90ss",
        "-90 s",
        "- 90s",
        "--90s",
        "-+90s",
        "-1.5h",
        "-1y",
        "-1M",
        "-1h30m",
        "+1w ",
        "@",
        "@-",
        "@+1",
        "@--1",
        "@1.",
        "@.5",
        "@1.x",
        "@1.5x",
        "@1 ",
        "@ 1",
        "@1e9",
        "@0x10",
        "@1,5",
        "@1.5.5",
        "@now",
        "1770285600",
        "2026",
        "2026-02",
        "20260205",
        "2026-02-30",
        "2026-02-5",
        "2026-02-05T",
        "2026-02-05T10:30",
        "2026-02-05T10:30:15+01",
        "2026-02-05T24:00:00Z",
        "10:30",
        "0000-01-01",
        "-99999999999999999999999x",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char want[128];
        struct error err;
        snprintf(want, sizeof want, "--since: not a time: \"%s\"", texts[i]);
        is_int(time_spec_parse("--since", texts[i], NOW, DAY_EDGE_FIRST, &(int64_t){0}, &err), STATUS_USAGE,
               "no time: \"%s\"", texts[i]);
        is_text(err.text, want, "and the message says so");
        is_int(spec(texts[i]), NONE, "nothing is handed out");
    }
}

static void test_beyond(void)
{
    static const struct {
        const char *text;
        int64_t now;
    } cases[] = {
        {"0001-01-01T00:00:00+00:01", NOW},
        {"9999-12-31T23:59:59-00:01", NOW},
        {"@-62135596801", NOW},
        {"@-62135596800.000001", NOW},
        {"@253402300800", NOW},
        {"@9223372036854775807", NOW},
        {"@9223372036854775808", NOW},
        {"@-9223372036854775809", NOW},
        {"@18446744073709551616", NOW},
        {"@99999999999999999999999999999999999999999", NOW},
        {"-800000d", NOW},
        {"+3000000d", NOW},
        {"-106000w", NOW},
        {"+9223372036854775807s", NOW},
        {"-9223372036854775808s", NOW},
        {"+18446744073709551616w", NOW},
        {"-30500568904943w", NOW}, /* its seconds pass 2^64 */
        {"-15250284452472w", NOW}, /* and these 2^63 */
        {"+99999999999999999999999999999999999999w", NOW},
        {"-1s", TIMESTAMP_MIN},
        {"+1s", TIMESTAMP_MAX},
        {"+315537897600s", TIMESTAMP_MIN},
        {"yesterday", TIMESTAMP_MIN},
        {"tomorrow", TIMESTAMP_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[128];
        struct error err;
        int64_t time = UNTOUCHED;
        snprintf(want, sizeof want, "--until: outside the years 0001 to 9999: \"%s\"", cases[i].text);
        is_int(time_spec_parse("--until", cases[i].text, cases[i].now, DAY_EDGE_LAST, &time, &err), STATUS_USAGE,
               "too far: %s", cases[i].text);
        is_text(err.text, want, "and the message says so");
        is_int(time, UNTOUCHED, "nothing is handed out");
    }
    is_int(spec_at("+315537897599s", TIMESTAMP_MIN, DAY_EDGE_FIRST), TIMESTAMP_MAX - 999999,
           "from the first second to the last");
    is_int(spec_at("-3652058d", TIMESTAMP_MAX, DAY_EDGE_FIRST), TIMESTAMP_MIN + DAY - 1,
           "from the last day to the first");
    is_int(spec_at("yesterday", TIMESTAMP_MIN + DAY, DAY_EDGE_FIRST), TIMESTAMP_MIN, "yesterday may be the first day");
    is_int(spec_at("tomorrow", TIMESTAMP_MAX - DAY, DAY_EDGE_LAST), TIMESTAMP_MAX, "tomorrow may be the last day");
}

static int32_t day_of(const char *text, int64_t now)
{
    int32_t day = -42;
    enum status status = day_spec_parse("--day", text, now, &day, NULL);
    if (status != STATUS_OK && (status != STATUS_USAGE || day != -42))
        ok(false, "\"%s\" is a usage error and leaves the result alone", text);
    return status == STATUS_OK ? day : INT32_MIN;
}

static void test_day_spec(void)
{
    static const char *const refused[] = {"",    "now",  "-1d", "@0",         "2026-02-05T10:30:15Z",
                                          "Foo", "2026", "+0d", "2025-02-29", "Today"};
    struct error err;
    int32_t day;
    is_int(day_of("2026-02-05", NOW), 20489, "a day");
    is_int(day_of("today", NOW), 20489, "today");
    is_int(day_of("yesterday", NOW), 20488, "yesterday");
    is_int(day_of("tomorrow", NOW), 20490, "tomorrow");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        is_int(day_of(refused[i], NOW), INT32_MIN, "no day: \"%s\"", refused[i]);
    is_int(day_of("tomorrow", TIMESTAMP_MAX), INT32_MIN, "no tomorrow");
    is_int(day_of("yesterday", TIMESTAMP_MIN), INT32_MIN, "no yesterday");

    day_spec_parse("--day", "now", NOW, &day, &err);
    is_text(err.text, "--day: not a day: \"now\"", "its message");
    day_spec_parse("--day", "tomorrow", TIMESTAMP_MAX, &day, &err);
    is_text(err.text, "--day: outside the years 0001 to 9999: \"tomorrow\"", "and the other one");
}

static void test_message_is_printable(void)
{
    struct error err;
    time_spec_parse("--now", "\x1b[31mred\n", NOW, DAY_EDGE_FIRST, &(int64_t){0}, &err);
    is_text(err.text, "--now: not a time: \"\\x1b[31mred\\x0a\"", "no escape reaches the terminal");
}

int main(void)
{
    test_times();
    test_days();
    test_nonsense();
    test_beyond();
    test_day_spec();
    test_message_is_printable();
    return done();
}
