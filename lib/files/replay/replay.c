#include "files/replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "files/replay/state.h"

#define OFFSET_BITS 41 /* where a line starts: a day's number has 23 bits */
#define DAYS_KEPT   16 /* days that stay open from the search to the reading */

struct replay {
    struct catalog *catalog;
    struct store_query query;
    struct days *days; /* where there is no tail; else: */
    uint64_t *places;  /* owned: a ring */
    size_t count, capacity;
    size_t first;                /* in the ring */
    size_t out;                  /* so many have been handed out */
    bool turned;                 /* they were found in the reverse order */
    struct day *kept[DAYS_KEPT]; /* held; a ring: the days that lines were found in last */
    size_t kept_count;
    struct line_reader readers[EVENT_KINDS];
    uint32_t lost[EVENT_KINDS]; /* a day that is no longer there */
};

static void keep_day(struct replay *replay, struct day *day)
{
    for (size_t i = 0; i < DAYS_KEPT; i++)
        if (replay->kept[i] == day)
            return;
    struct day **slot = &replay->kept[replay->kept_count++ % DAYS_KEPT];
    day_close(*slot);
    *slot = day_hold(day);
}

/* Adds the places of an item's lines; where there are `tail` of them already, the oldest go. */
static bool add_item(struct replay *replay, const struct scan_item *item)
{
    uint64_t day = (uint64_t)item->day->number << OFFSET_BITS;
    for (const char *at = item->data, *end = at + item->length; at < end;) {
        uint64_t place = day | (item->offset + (uint64_t)(at - item->data));
        if (replay->count == replay->query.tail) {
            replay->places[replay->first] = place;
            replay->first = (replay->first + 1) % replay->count;
        } else {
            if (!ARRAY_RESERVE(replay->places, replay->count, replay->capacity, 1))
                return false;
            replay->places[replay->count++] = place;
        }
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    }
    return true;
}

/* Without a limit the end is found from the end; with one, its last events are known when the limit is reached. */
static enum status collect(struct replay *replay, struct error *err)
{
    struct store_query inner = replay->query;
    struct days *days;
    struct scan_item item;
    enum store_step step;
    inner.tailed = inner.parsed = false;
    replay->turned = !inner.limited;
    if (replay->turned) {
        inner.limited = true;
        inner.limit = inner.tail;
        inner.reverse = !inner.reverse;
    }
    enum status status = days_open(replay->catalog, &inner, &days, err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && (step = days_next(days, &item, err)) != STORE_NONE) {
        if (step == STORE_FAILED)
            status = STATUS_IO;
        else if (!add_item(replay, &item))
            status = error_set_memory(err);
        else
            keep_day(replay, item.day);
    }
    days_close(days);
    return status;
}

enum status replay_open(struct catalog *catalog, const struct store_query *query, struct replay **ret_replay,
                        struct error *err)
{
    struct scan_options options = {
        .backward = query->reverse,
        .report = query->report,
        .report_context = query->report_context,
    };
    enum status status = STATUS_OK;
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return error_set_memory(err);
    replay->catalog = catalog;
    replay->query = *query;
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        line_reader_init(&replay->readers[kind], catalog, &options);
        replay->lost[kind] = UINT32_MAX;
    }
    if (!query->tailed)
        status = days_open(catalog, query, &replay->days, err);
    else if (query->tail > 0)
        status = collect(replay, err);
    if (status != STATUS_OK)
        replay_close(replay);
    else
        *ret_replay = replay;
    return status;
}

void replay_close(struct replay *replay)
{
    if (!replay)
        return;
    days_close(replay->days);
    for (size_t i = 0; i < EVENT_KINDS; i++)
        line_reader_release(&replay->readers[i]);
    for (size_t i = 0; i < DAYS_KEPT; i++)
        day_close(replay->kept[i]);
    free(replay->places);
    free(replay);
}

/* The lines that were found in the day are not there any more. */
static enum store_step lose(struct replay *replay, uint32_t number, struct error *err)
{
    const struct store_query *query = &replay->query;
    struct bytes path = {0};
    replay->lost[partition_number_kind(number)] = number;
    catalog_note_unread(replay->catalog, number);
    if (!catalog_partition_path(replay->catalog, number, &path)) {
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
static enum store_step turn_to(struct replay *replay, struct line_reader *reader, uint32_t number, struct error *err)
{
    struct day *day;
    if (reader->day && reader->day->number == number)
        return STORE_LINES;
    if (replay->lost[partition_number_kind(number)] == number)
        return STORE_NONE;
    for (size_t i = 0; i < DAYS_KEPT; i++)
        if (replay->kept[i] && replay->kept[i]->number == number) {
            line_reader_turn(reader, replay->kept[i]);
            return STORE_LINES;
        }
    enum status status = catalog_open_day(replay->catalog, number, &day, err);
    if (status == STATUS_ABSENT)
        return lose(replay, number, err);
    if (status != STATUS_OK)
        return STORE_FAILED;
    bool is_other = day->is_other;
    if (!is_other)
        line_reader_turn(reader, day);
    day_close(day);
    return is_other ? lose(replay, number, err) : STORE_LINES;
}

enum store_step replay_next(struct replay *replay, struct scan_item *ret_item, struct error *err)
{
    if (replay->days)
        return days_next(replay->days, ret_item, err);
    while (replay->out < replay->count) {
        size_t i = replay->turned ? replay->count - 1 - replay->out : (replay->first + replay->out) % replay->count;
        uint32_t number = (uint32_t)(replay->places[i] >> OFFSET_BITS);
        uint64_t offset = replay->places[i] & ((UINT64_C(1) << OFFSET_BITS) - 1);
        struct line_reader *reader = &replay->readers[partition_number_kind(number)];
        replay->out++;
        enum store_step step = turn_to(replay, reader, number, err);
        if (step == STORE_LINES)
            step = line_reader_read(reader, offset, replay->query.parsed, ret_item, err);
        if (step != STORE_NONE)
            return step;
    }
    return STORE_NONE;
}
