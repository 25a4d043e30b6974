/*
 * Times of the command line: every result is a time of the years 1 to 9999, a message begins with the option, a day
 * word stands for one day whichever way it is asked, and a timestamp means what it means in an event.
 */
#include "base/timestamp.h"
#include "event/time_spec.h"
#include "fuzz.h"

#define NOW INT64_C(1770287415250000)

static void check_message(enum status status, const struct error *err)
{
    require(status == STATUS_OK || status == STATUS_USAGE);
    require(status == STATUS_OK || strncmp(err->text, "--since", strlen("--since")) == 0);
    require(strlen(err->text) < sizeof err->text && !strchr(err->text, '\n'));
}

static void check_at(const char *text, int64_t now)
{
    struct error err = {.text = ""};
    int64_t first = 0, last = 0, plain;
    int32_t day;
    enum status is_first = time_spec_parse("--since", text, now, DAY_EDGE_FIRST, &first, &err);
    check_message(is_first, &err);
    enum status is_last = time_spec_parse("--since", text, now, DAY_EDGE_LAST, &last, &err);
    check_message(is_last, &err);
    require(is_first == is_last);
    if (is_first == STATUS_OK) {
        require(timestamp_is_valid(first) && timestamp_is_valid(last));
        require(first == last || last - first == MICROSECONDS_A_DAY - 1);
    }
    if (timestamp_parse(text, strlen(text), &plain))
        require(is_first == STATUS_OK && first == plain && last == plain);
    enum status is_day = day_spec_parse("--since", text, now, &day, &err);
    check_message(is_day, &err);
    if (is_day == STATUS_OK)
        require(is_first == STATUS_OK && first == day_first(day) && last == day_last(day));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    require(text);
    memcpy(text, data, size);
    text[size] = '\0';
    check_at(text, NOW);
    check_at(text, TIMESTAMP_MIN);
    check_at(text, TIMESTAMP_MAX);
    free(text);
    return 0;
}
