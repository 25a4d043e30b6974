#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "files/replay/state.h"

#define OFFSET_BITS 41 /* where a line starts: a day's number has 23 bits */
#define DAYS_KEPT   16 /* days that stay open from the search to the reading */

struct tail {
    struct catalog *catalog;
    struct store_query query;
    uint64_t *places; /* owned: a ring */
    size_t count, capacity;
    size_t first;                /* in the ring */
    size_t out;                  /* so many have been handed out */
    bool turned;                 /* they were found in the reverse order */
    struct day *kept[DAYS_KEPT]; /* held; a ring: the days that lines were found in last */
    size_t kept_count;
    struct line_reader readers[EVENT_KINDS];
    uint32_t lost[EVENT_KINDS]; /* a day that is no longer there */
};

static void keep_day(struct tail *tail, struct day *day)
{
    for (size_t i = 0; i < DAYS_KEPT; i++)
        if (tail->kept[i] == day)
            return;
    struct day **slot = &tail->kept[tail->kept_count++ % DAYS_KEPT];
    day_close(*slot);
    *slot = day_hold(day);
}

/* Adds the places of an item's lines; where there are `tail` of them already, the oldest go. */
static bool add_item(struct tail *tail, const struct scan_item *item)
{
    uint64_t day = (uint64_t)item->day->number << OFFSET_BITS;
    for (const char *at = item->data, *end = at + item->length; at < end;) {
        uint64_t place = day | (item->offset + (uint64_t)(at - item->data));
        if (tail->count == tail->query.tail) {
            tail->places[tail->first] = place;
            tail->first = (tail->first + 1) % tail->count;
        } else {
            if (!ARRAY_RESERVE(tail->places, tail->count, tail->capacity, 1))
                return false;
            tail->places[tail->count++] = place;
        }
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    }
    return true;
}

/* Without a limit the end is found from the end; with one, its last events are known when the limit is reached. */
static enum status collect(struct tail *tail, struct error *err)
{
    struct store_query inner = tail->query;
    struct days *days;
    struct scan_item item;
    enum store_step step;
    inner.tailed = inner.parsed = false;
    tail->turned = !inner.limited;
    if (tail->turned) {
        inner.limited = true;
        inner.limit = inner.tail;
        inner.reverse = !inner.reverse;
    }
    enum status status = days_open(tail->catalog, &inner, &days, err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && (step = days_next(days, &item, err)) != STORE_NONE) {
        if (step == STORE_FAILED)
            status = STATUS_IO;
        else if (!add_item(tail, &item))
            status = error_set_memory(err);
        else
            keep_day(tail, item.day);
    }
    days_close(days);
    return status;
}

enum status tail_open(struct catalog *catalog, const struct store_query *query, struct tail **ret_tail,
                      struct error *err)
{
    struct scan_options options = {
        .backward = query->reverse,
        .report = query->report,
        .report_context = query->report_context,
    };
    struct tail *tail = calloc(1, sizeof *tail);
    if (!tail)
        return error_set_memory(err);
    tail->catalog = catalog;
    tail->query = *query;
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        line_reader_init(&tail->readers[kind], catalog, &options);
        tail->lost[kind] = UINT32_MAX;
    }
    enum status status = query->tail > 0 ? collect(tail, err) : STATUS_OK;
    if (status != STATUS_OK)
        tail_close(tail);
    else
        *ret_tail = tail;
    return status;
}

void tail_close(struct tail *tail)
{
    if (!tail)
        return;
    for (size_t i = 0; i < EVENT_KINDS; i++)
        line_reader_release(&tail->readers[i]);
    for (size_t i = 0; i < DAYS_KEPT; i++)
        day_close(tail->kept[i]);
    free(tail->places);
    free(tail);
}

/* The lines that were found in the day are not there any more. */
static enum store_step lose(struct tail *tail, uint32_t number, struct error *err)
{
    const struct store_query *query = &tail->query;
    struct bytes path = {0};
    tail->lost[partition_number_kind(number)] = number;
    catalog_note_unread(tail->catalog, number);
    if (!catalog_partition_path(tail->catalog, number, &path)) {
        error_set_memory(err);
        return STORE_FAILED;
    }
    struct store_report found = {
        .finding = STORE_CUT,
        .file = path.data,
        .what = "was replaced, or has gone, while it was read",
    };
    if (query->report)
        query->report(query->report_context, &found);
    bytes_release(&path);
    return STORE_NONE;
}

/* Turns a line reader to the day, as it was when its lines were found. STORE_NONE: it is another one by now. */
static enum store_step turn_to(struct tail *tail, struct line_reader *reader, uint32_t number, struct error *err)
{
    struct day *day;
    if (reader->day && reader->day->number == number)
        return STORE_LINES;
    if (tail->lost[partition_number_kind(number)] == number)
        return STORE_NONE;
    for (size_t i = 0; i < DAYS_KEPT; i++)
        if (tail->kept[i] && tail->kept[i]->number == number) {
            line_reader_turn(reader, tail->kept[i]);
            return STORE_LINES;
        }
    enum status status = catalog_open_day(tail->catalog, number, &day, err);
    if (status == STATUS_ABSENT)
        return lose(tail, number, err);
    if (status != STATUS_OK)
        return STORE_FAILED;
    bool is_other = day->is_other;
    if (!is_other)
        line_reader_turn(reader, day);
    day_close(day);
    return is_other ? lose(tail, number, err) : STORE_LINES;
}

enum store_step tail_next(struct tail *tail, struct scan_item *ret_item, struct error *err)
{
    while (tail->out < tail->count) {
        size_t i = tail->turned ? tail->count - 1 - tail->out : (tail->first + tail->out) % tail->count;
        uint32_t number = (uint32_t)(tail->places[i] >> OFFSET_BITS);
        uint64_t offset = tail->places[i] & ((UINT64_C(1) << OFFSET_BITS) - 1);
        struct line_reader *reader = &tail->readers[partition_number_kind(number)];
        tail->out++;
        enum store_step step = turn_to(tail, reader, number, err);
        if (step == STORE_LINES)
            step = line_reader_read(reader, offset, tail->query.parsed, ret_item, err);
        if (step != STORE_NONE)
            return step;
    }
    return STORE_NONE;
}
