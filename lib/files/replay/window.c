#include "files/replay/state.h"

/* The first event in the lines [at, to): its time, and where it starts and ends. STATUS_ABSENT: there is none. */
static enum status first_event(const struct partition *partition, enum event_kind kind, uint64_t at, uint64_t to,
                               struct bytes *buffer, int64_t *ret_time, uint64_t *ret_end, struct error *err)
{
    while (at < to) {
        struct event event;
        uint64_t end;
        enum status status = partition_read_line(partition, at, to, buffer, &end, err);
        if (status != STATUS_OK)
            return status;
        switch (event_read(buffer->data, buffer->length, kind, false, &event, NULL)) {
        case EVENT_GOOD:
            *ret_time = event.timestamp;
            *ret_end = end;
            return STATUS_OK;
        case EVENT_NO_MEMORY:
            return error_set_memory(err);
        case EVENT_BLANK:
        case EVENT_DAMAGED:
            break;
        }
        if (end == at)
            break;
        at = end;
    }
    return error_set(err, STATUS_ABSENT, "no event");
}

/* The start of the first line in [low, high) whose event is not before `time`; `high` where there is none. */
static enum status bisect(const struct partition *partition, enum event_kind kind, uint64_t low, uint64_t high,
                          int64_t time, uint64_t *ret_offset, struct error *err)
{
    struct bytes buffer = {0};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && low < high) {
        uint64_t middle, end = 0;
        int64_t found = 0;
        status = partition_line_start(partition, low + (high - low) / 2, low, &middle, err);
        if (status == STATUS_OK)
            status = first_event(partition, kind, middle, high, &buffer, &found, &end, err);
        if (status == STATUS_OK && found < time) {
            low = end;
        } else if (status == STATUS_OK || status == STATUS_ABSENT) {
            high = middle;
            status = STATUS_OK;
        }
    }
    bytes_release(&buffer);
    *ret_offset = low;
    return status;
}

enum status bisect_window(struct catalog *store, const struct catalog_partition *row, struct window window,
                          uint64_t *ret_from, uint64_t *ret_to, struct error *err)
{
    struct partition *partition;
    uint64_t from = 0, to = row->facts.known;
    enum status status = catalog_open_seen(store, row, &partition, err);
    if (status != STATUS_OK)
        return status;
    if (row->facts.least < window.since)
        status = bisect(partition, row->kind, from, to, window.since, &from, err);
    if (status == STATUS_OK && row->facts.greatest > window.until)
        status = bisect(partition, row->kind, from, to, window.until + 1, &to, err);
    partition_close(partition);
    if (status == STATUS_OK) {
        *ret_from = from;
        *ret_to = to;
    }
    return status;
}
