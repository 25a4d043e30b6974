/*
 * Times of input, of stored events and of file names: what the strict reader takes, the wide one takes alike; what is
 * written is read again as the same time.
 */
#include "base/timestamp.h"
#include "fuzz.h"

static void check_written(int64_t time)
{
    char text[TIMESTAMP_TEXT_SIZE];
    int64_t again;
    size_t length = timestamp_format(time, text);
    require(timestamp_parse(text, length, &again) && again == time);
    require(timestamp_parse_stored(text, length, &again) && again == time);
    length = timestamp_format_compact(time, text);
    require(timestamp_parse_compact(text, length, &again));
    require(again <= time && time - again < MICROSECONDS_A_SECOND);
}

static void check_day(int32_t day)
{
    char text[DAY_TEXT_SIZE];
    int32_t again;
    day_format(day, text);
    require(day_parse(text, strlen(text), &again) && again == day);
    require(timestamp_day(day_first(day)) == day && timestamp_day(day_last(day)) == day);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    int64_t strict = 0, any = 0, stored = 0, compact;
    int32_t day;
    bool is_strict = timestamp_parse(text, size, &strict), is_any = timestamp_parse_any_year(text, size, &any);
    bool is_stored = timestamp_parse_stored(text, size, &stored);
    require(is_strict == (is_any && timestamp_is_valid(any)));
    require(!is_strict || (is_stored && strict == any && strict == stored));
    require(!is_any || (any > TIMESTAMP_MIN - MICROSECONDS_A_DAY && any < TIMESTAMP_MAX + MICROSECONDS_A_DAY));
    if (is_stored) {
        require(timestamp_is_valid(stored));
        check_written(stored);
        check_day(timestamp_day(stored));
    }
    if (timestamp_parse_compact(text, size, &compact)) {
        char again[TIMESTAMP_TEXT_SIZE];
        require(timestamp_format_compact(compact, again) == size && memcmp(again, text, size) == 0);
    }
    if (day_parse(text, size, &day))
        check_day(day);
    return 0;
}
