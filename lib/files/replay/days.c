#include <stdlib.h>
#include <string.h>

#include "files/replay/state.h"

struct days {
    struct store_query query;
    struct stream_plan plans[EVENT_KINDS];
    const struct catalog_partition *rows;
    size_t count, next; /* forward the rows before `next` are done, in reverse the others */
    uint64_t left;      /* of the limit */
    struct stream streams[EVENT_KINDS];
    struct scan_item heads[EVENT_KINDS]; /* where two streams are merged: their next events */
    bool has_head[EVENT_KINDS];
    bool merges;
};

enum status days_open(struct catalog *catalog, const struct store_query *query, struct days **ret_days,
                      struct error *err)
{
    struct days *days = calloc(1, sizeof *days);
    if (!days)
        return error_set_memory(err);
    days->query = *query;
    days->left = query->limited ? query->limit : UINT64_MAX;
    days->rows = catalog_partitions(catalog, &days->count);
    days->next = query->reverse ? days->count : 0;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
        stream_plan(&days->plans[kind], catalog, query, kind);
    *ret_days = days;
    return STATUS_OK;
}

void days_close(struct days *days)
{
    if (!days)
        return;
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        stream_close(&days->streams[kind]);
        candidates_release(&days->plans[kind].candidates);
    }
    free(days);
}

static void skip_row(struct days *days)
{
    days->next = days->query.reverse ? days->next - 1 : days->next + 1;
}

/* The next row that is due; NULL: there is none. */
static const struct catalog_partition *peek_row(struct days *days)
{
    bool reverse = days->query.reverse;
    for (; reverse ? days->next > 0 : days->next < days->count; skip_row(days)) {
        const struct catalog_partition *row = &days->rows[reverse ? days->next - 1 : days->next];
        if (days->query.kinds & KIND_BIT(row->kind) && stream_is_due(&days->plans[row->kind], row))
            return row;
    }
    return NULL;
}

/* Opens the streams of the next day; by time, both kinds of a day at once. STORE_NONE: there is no day. */
static enum store_step open_day(struct days *days, struct error *err)
{
    const struct catalog_partition *row = peek_row(days), *other = NULL;
    if (!row)
        return STORE_NONE;
    skip_row(days);
    if (days->query.order == STORE_BY_TIME)
        other = peek_row(days);
    if (other && other->day != row->day)
        other = NULL;
    if (other)
        skip_row(days);
    days->merges = other != NULL;
    for (; row; row = row == other ? NULL : other)
        if (stream_open(&days->streams[row->kind], &days->plans[row->kind], row->number, days->merges, err) !=
            STATUS_OK)
            return STORE_FAILED;
    return STORE_LINES;
}

/* The next of a stream, which is closed at its end. */
static enum store_step next_of(struct days *days, enum event_kind kind, struct scan_item *ret_item, struct error *err)
{
    if (!days->streams[kind].plan)
        return STORE_NONE;
    enum store_step step = stream_next(&days->streams[kind], ret_item, err);
    if (step == STORE_NONE)
        stream_close(&days->streams[kind]);
    return step;
}

/* Whether the signal comes before the emission. */
static bool signal_is_next(const struct days *days)
{
    if (!days->has_head[EVENT_SIGNAL] || !days->has_head[EVENT_EMISSION])
        return days->has_head[EVENT_SIGNAL];
    bool signal_is_first = days->heads[EVENT_SIGNAL].event.timestamp <= days->heads[EVENT_EMISSION].event.timestamp;
    return signal_is_first != days->query.reverse;
}

static enum store_step next_of_two(struct days *days, struct scan_item *ret_item, struct error *err)
{
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
        enum store_step step = days->has_head[kind] ? STORE_LINES : next_of(days, kind, &days->heads[kind], err);
        if (step == STORE_FAILED)
            return step;
        days->has_head[kind] = step == STORE_LINES;
    }
    enum event_kind kind = signal_is_next(days) ? EVENT_SIGNAL : EVENT_EMISSION;
    if (!days->has_head[kind])
        return STORE_NONE;
    days->has_head[kind] = false;
    *ret_item = days->heads[kind];
    return STORE_LINES;
}

enum store_step days_next(struct days *days, struct scan_item *ret_item, struct error *err)
{
    enum store_step step = STORE_NONE;
    if (days->left == 0)
        return STORE_NONE;
    while (step == STORE_NONE) {
        if (days->merges)
            step = next_of_two(days, ret_item, err);
        for (enum event_kind kind = 0; step == STORE_NONE && kind < EVENT_KINDS; kind++)
            step = next_of(days, kind, ret_item, err);
        if (step != STORE_NONE)
            break;
        step = open_day(days, err);
        if (step != STORE_LINES)
            return step;
        step = STORE_NONE;
    }
    if (step == STORE_LINES && days->query.limited) {
        if (ret_item->lines > days->left)
            scan_item_cut(ret_item, days->left);
        days->left -= ret_item->lines;
    }
    return step;
}
