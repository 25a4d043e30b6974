#include <stdlib.h>
#include <string.h>

#include "files/replay/state.h"

/* Where a line starts: a partition's number has 23 bits. */
#define OFFSET_BITS 41

struct tail {
    uint64_t *places; /* owned: a ring */
    size_t count, capacity;
    size_t first; /* in the ring */
    size_t out;   /* so many have been handed out */
    bool turned;  /* they were found in the reverse order */
    bool need_events;
    struct reader reader;
};

static bool grow(struct tail *tail)
{
    size_t capacity = tail->capacity + tail->capacity / 2 + 64;
    uint64_t *places = reallocarray(tail->places, capacity, sizeof *places);
    if (!places)
        return false;
    tail->places = places;
    tail->capacity = capacity;
    return true;
}

/* Adds a place; where there are `most` already, the oldest goes. */
static bool add_place(struct tail *tail, uint64_t place, uint64_t most)
{
    if (tail->count == most) {
        tail->places[tail->first] = place;
        tail->first = (tail->first + 1) % tail->count;
        return true;
    }
    if (tail->count == tail->capacity && !grow(tail))
        return false;
    tail->places[tail->count++] = place;
    return true;
}

static bool add_item(struct tail *tail, const struct scan_item *item, uint64_t most)
{
    uint64_t partition = (uint64_t)item->partition << OFFSET_BITS;
    for (const char *at = item->data, *end = at + item->length; at < end;) {
        if (!add_place(tail, partition | (item->offset + (uint64_t)(at - item->data)), most))
            return false;
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    }
    return true;
}

/* Without a limit the end is found from behind; with one, its last events are known when the limit is reached. */
static enum status collect(struct tail *tail, struct catalog *store, const struct replay_options *options,
                           struct error *err)
{
    struct replay_options inner = *options;
    inner.tailed = inner.need_events = false;
    tail->turned = !options->limited;
    if (tail->turned) {
        inner.limited = true;
        inner.limit = options->tail;
        inner.reverse = !options->reverse;
    }
    struct replay *replay;
    struct scan_item item;
    enum status status = replay_open(store, &inner, &replay, err);
    if (status != STATUS_OK)
        return status;
    while ((status = replay_next(replay, &item, err)) == STATUS_OK)
        if (!add_item(tail, &item, options->tail)) {
            status = error_set_memory(err);
            break;
        }
    replay_close(replay);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status tail_open(struct catalog *store, const struct replay_options *options, struct tail **ret_tail,
                      struct error *err)
{
    struct tail *tail = calloc(1, sizeof *tail);
    if (!tail)
        return error_set_memory(err);
    tail->need_events = options->need_events;
    reader_init(&tail->reader, store, options->reverse);
    tail->reader.report = options->report;
    tail->reader.report_context = options->report_context;
    enum status status = options->tail > 0 ? collect(tail, store, options, err) : STATUS_OK;
    if (status != STATUS_OK) {
        tail_close(tail);
        return status;
    }
    *ret_tail = tail;
    return STATUS_OK;
}

void tail_close(struct tail *tail)
{
    if (!tail)
        return;
    reader_release(&tail->reader);
    free(tail->places);
    free(tail);
}

enum status tail_next(struct tail *tail, struct scan_item *ret_item, struct error *err)
{
    enum status status = STATUS_ABSENT;
    while (status == STATUS_ABSENT) {
        if (tail->out == tail->count)
            return error_set(err, STATUS_ABSENT, "no more events");
        size_t i = tail->turned ? tail->count - 1 - tail->out : (tail->first + tail->out) % tail->count;
        uint64_t place = tail->places[i];
        struct store_place position = {(uint32_t)(place >> OFFSET_BITS), place & ((UINT64_C(1) << OFFSET_BITS) - 1)};
        status = reader_read(&tail->reader, position, tail->need_events, ret_item, err);
        tail->out++;
    }
    return status;
}
