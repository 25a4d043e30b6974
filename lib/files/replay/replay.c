#include "files/replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "files/replay/state.h"

struct replay {
    struct catalog *store;
    struct replay_options options;
    struct stream_plan plans[EVENT_KINDS];
    const struct catalog_partition *rows;
    size_t count, next; /* forward the rows before `next` are done, backward those behind */
    uint64_t left;      /* of the limit */
    struct stream streams[EVENT_KINDS];
    struct scan_item heads[EVENT_KINDS]; /* where two streams are merged: their next events */
    bool has_head[EVENT_KINDS];
    bool merges;
    struct tail *tail; /* hands out instead, where there is one */
};

void replay_plan(struct stream_plan *plan, struct catalog *store, const struct replay_options *options,
                 enum event_kind kind)
{
    *plan = (struct stream_plan){
        .store = store,
        .by_time = options->order == REPLAY_BY_TIME,
        .limited = options->limited,
        .scan = {.window = options->window,
                 .filter = options->filter,
                 .backward = options->reverse,
                 .need_events = options->need_events,
                 .need_lines = options->limited,
                 .report = options->report,
                 .report_context = options->report_context},
    };
    candidates_init(&plan->candidates, options, kind, store);
}

enum status replay_open(struct catalog *store, const struct replay_options *options, struct replay **ret_replay,
                        struct error *err)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return error_set_memory(err);
    replay->store = store;
    replay->options = *options;
    replay->left = options->limited ? options->limit : UINT64_MAX;
    replay->rows = catalog_partitions(store, &replay->count);
    replay->next = options->reverse ? replay->count : 0;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
        if (options->kinds & KIND_BIT(kind))
            replay_plan(&replay->plans[kind], store, options, kind);
    enum status status = options->tailed ? tail_open(store, options, &replay->tail, err) : STATUS_OK;
    if (status != STATUS_OK) {
        replay_close(replay);
        return status;
    }
    *ret_replay = replay;
    return STATUS_OK;
}

void replay_close(struct replay *replay)
{
    if (!replay)
        return;
    tail_close(replay->tail);
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        stream_close(&replay->streams[kind]);
        candidates_release(&replay->plans[kind].candidates);
    }
    free(replay);
}

static bool is_due(const struct replay *replay, const struct catalog_partition *row)
{
    return replay->options.kinds & KIND_BIT(row->kind) && stream_is_due(&replay->plans[row->kind], row);
}

/* The next partition that is due; NULL: there is none. */
static const struct catalog_partition *peek_row(struct replay *replay)
{
    bool reverse = replay->options.reverse;
    while (reverse ? replay->next > 0 : replay->next < replay->count) {
        const struct catalog_partition *row = &replay->rows[reverse ? replay->next - 1 : replay->next];
        if (is_due(replay, row))
            return row;
        replay->next = reverse ? replay->next - 1 : replay->next + 1;
    }
    return NULL;
}

static void skip_row(struct replay *replay)
{
    replay->next = replay->options.reverse ? replay->next - 1 : replay->next + 1;
}

/* Opens the streams of the next day; by time, both kinds of a day at once. STATUS_ABSENT: there is none. */
static enum status open_day(struct replay *replay, struct error *err)
{
    const struct catalog_partition *row = peek_row(replay), *other = NULL;
    if (!row)
        return error_set(err, STATUS_ABSENT, "no more events");
    skip_row(replay);
    if (replay->options.order == REPLAY_BY_TIME)
        other = peek_row(replay);
    if (other && other->day != row->day)
        other = NULL;
    replay->merges = other != NULL;
    enum status status = stream_open(&replay->streams[row->kind], &replay->plans[row->kind], row, replay->merges, err);
    if (status == STATUS_OK && other) {
        skip_row(replay);
        status = stream_open(&replay->streams[other->kind], &replay->plans[other->kind], other, true, err);
    }
    return status;
}

static enum status next_of_one(struct replay *replay, struct scan_item *ret_item, struct error *err)
{
    enum status status = STATUS_ABSENT;
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        if (!replay->streams[kind].plan)
            continue;
        status = stream_next(&replay->streams[kind], ret_item, err);
        if (status == STATUS_ABSENT)
            stream_close(&replay->streams[kind]);
    }
    return status;
}

/* Whether the signal comes before the emission. */
static bool signal_is_next(const struct replay *replay)
{
    if (!replay->has_head[EVENT_SIGNAL] || !replay->has_head[EVENT_EMISSION])
        return replay->has_head[EVENT_SIGNAL];
    bool signal_is_first = replay->heads[EVENT_SIGNAL].event.timestamp <= replay->heads[EVENT_EMISSION].event.timestamp;
    return signal_is_first != replay->options.reverse;
}

static enum status next_of_two(struct replay *replay, struct scan_item *ret_item, struct error *err)
{
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        if (replay->has_head[kind] || !replay->streams[kind].plan)
            continue;
        enum status status = stream_next(&replay->streams[kind], &replay->heads[kind], err);
        if (status == STATUS_ABSENT)
            stream_close(&replay->streams[kind]);
        else if (status != STATUS_OK)
            return status;
        replay->has_head[kind] = status == STATUS_OK;
    }
    enum event_kind kind = signal_is_next(replay) ? EVENT_SIGNAL : EVENT_EMISSION;
    if (!replay->has_head[kind])
        return error_set(err, STATUS_ABSENT, "no more events");
    replay->has_head[kind] = false;
    *ret_item = replay->heads[kind];
    return STATUS_OK;
}

/* Cuts an item of many lines after the first ones. */
static void cut_item(struct scan_item *item, uint64_t lines)
{
    const char *at = item->data, *end = item->data + item->length;
    for (uint64_t i = 0; i < lines; i++)
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    if (at < end)
        item->end = item->offset + (uint64_t)(at - item->data);
    item->length = (size_t)(at - item->data);
    item->lines = lines;
}

enum status replay_next(struct replay *replay, struct scan_item *ret_item, struct error *err)
{
    if (replay->tail)
        return tail_next(replay->tail, ret_item, err);
    if (replay->left == 0)
        return error_set(err, STATUS_ABSENT, "the limit is reached");
    enum status status = STATUS_ABSENT;
    bool more = true;
    while (status == STATUS_ABSENT && more) {
        status = replay->merges ? next_of_two(replay, ret_item, err) : next_of_one(replay, ret_item, err);
        if (status != STATUS_ABSENT)
            break;
        status = open_day(replay, err);
        more = status == STATUS_OK;
        if (more)
            status = STATUS_ABSENT;
    }
    if (status == STATUS_OK && replay->options.limited) {
        if (ret_item->lines > replay->left)
            cut_item(ret_item, replay->left);
        replay->left -= ret_item->lines;
    }
    return status;
}
