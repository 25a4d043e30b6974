#include "files/replay/state.h"

/* The first event in the lines [at, to): *ret_found, its time, and where its line ends. */
static enum status first_event(const struct day *day, uint64_t at, uint64_t to, struct bytes *buffer, bool *ret_found,
                               int64_t *ret_time, uint64_t *ret_end, struct error *err)
{
    struct event event;
    uint64_t end;
    *ret_found = false;
    for (; at < to; at = end) {
        enum status status = partition_read_line(day->file, at, to, buffer, &end, err);
        if (status != STATUS_OK || end == at)
            return status;
        switch (event_read(buffer->data, buffer->length, partition_number_kind(day->number), false, &event, NULL)) {
        case EVENT_GOOD:
            *ret_found = true;
            *ret_time = event.timestamp;
            *ret_end = end;
            return STATUS_OK;
        case EVENT_NO_MEMORY:
            return error_set_memory(err);
        case EVENT_BLANK:
        case EVENT_DAMAGED:
            break;
        }
    }
    return STATUS_OK;
}

/* The start of the first line in [low, high) whose event is not before `time`; `high` where there is none. */
static enum status bisect(const struct day *day, uint64_t low, uint64_t high, int64_t time, uint64_t *ret_offset,
                          struct error *err)
{
    struct bytes buffer = {0};
    enum status status = STATUS_OK;
    while (low < high) {
        uint64_t middle, end = 0;
        int64_t at = 0;
        bool found;
        status = partition_line_start(day->file, low + (high - low) / 2, low, &middle, err);
        if (status == STATUS_OK)
            status = first_event(day, middle, high, &buffer, &found, &at, &end, err);
        if (status != STATUS_OK)
            break;
        if (found && at < time)
            low = end;
        else
            high = middle;
    }
    bytes_release(&buffer);
    *ret_offset = low;
    return status;
}

enum status bisect_window(const struct day *day, struct window window, uint64_t *ret_from, uint64_t *ret_to,
                          struct error *err)
{
    enum status status = STATUS_OK;
    *ret_from = 0;
    *ret_to = day->facts.known;
    if (day->facts.least < window.since)
        status = bisect(day, 0, *ret_to, window.since, ret_from, err);
    if (status != STATUS_OK)
        return status;
    if (day->facts.greatest > window.until)
        status = bisect(day, *ret_from, *ret_to, window.until + 1, ret_to, err);
    return status;
}
