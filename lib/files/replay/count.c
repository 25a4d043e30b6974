#include <stdlib.h>

#include "files/replay/state.h"

/* The facts alone say how many events there are below facts.known, repeats included. */
static bool is_known(const struct stream_plan *plan, const struct partition_facts *facts)
{
    bool filters = plan->scan.filter && !filter_is_empty(plan->scan.filter);
    return !filters && facts->damaged == 0 && facts->misfiled == 0 && facts->known > 0 &&
           day_is_inside(facts, plan->scan.window);
}

/* Counts what a scan with these options hands out, or of that the repeats. */
static enum status count_scan(struct catalog *catalog, struct day *day, const struct scan_options *options,
                              bool repeats, uint64_t *ret_count, struct error *err)
{
    struct scan *scan;
    struct scan_item item;
    enum store_step step;
    uint64_t count = 0;
    enum status status = scan_open(catalog, day, options, &scan, err);
    if (status != STATUS_OK)
        return status;
    while ((step = scan_next(scan, &item, err)) == STORE_LINES)
        count += repeats ? item.repeat : item.lines;
    scan_close(scan);
    *ret_count = count;
    return step == STORE_FAILED ? STATUS_IO : STATUS_OK;
}

/* How many lines below facts.known are no first records. */
static enum status count_repeats(struct catalog *catalog, struct day *day, uint64_t *ret_count, struct error *err)
{
    uint64_t *offsets;
    size_t count;
    *ret_count = 0;
    enum status status = catalog_suspects(catalog, day->number, &offsets, &count, err);
    if (status != STATUS_OK || count == 0)
        return status;
    struct entry *entries = reallocarray(NULL, count, sizeof *entries);
    for (size_t i = 0; i < count && entries; i++)
        entries[i] = (struct entry){.value = index_value(day->number, 0, offsets[i])};
    struct scan_options scan = {
        .to = day->facts.known,
        .window = WINDOW_ALL,
        .need_events = true,
        .need_repeats = true,
        .candidates = entries,
        .candidate_count = count,
        .candidate_span = 1,
    };
    status = entries ? count_scan(catalog, day, &scan, true, ret_count, err) : error_set_memory(err);
    free(entries);
    free(offsets);
    return status;
}

static enum status count_by_facts(const struct stream_plan *plan, struct day *day, uint64_t *ret_count,
                                  struct error *err)
{
    uint64_t repeats = 0, rest = 0;
    struct scan_options scan = plan->scan;
    scan.from = day->facts.known;
    scan.to = day->end;
    enum status status = count_repeats(plan->catalog, day, &repeats, err);
    if (status == STATUS_OK && scan.from < scan.to)
        status = count_scan(plan->catalog, day, &scan, false, &rest, err);
    *ret_count = day->facts.records - repeats + rest;
    return status;
}

static enum status count_stream(struct stream_plan *plan, struct day *day, uint64_t most, uint64_t *ret_count,
                                struct error *err)
{
    struct stream stream;
    struct scan_item item;
    enum store_step step = STORE_NONE;
    *ret_count = 0;
    enum status status = stream_open_day(&stream, plan, day_hold(day), false, err);
    while (status == STATUS_OK && *ret_count < most && (step = stream_next(&stream, &item, err)) == STORE_LINES)
        *ret_count += item.lines;
    stream_close(&stream);
    return step == STORE_FAILED ? STATUS_IO : status;
}

/* Counts at least `most` events of a day, or all. It is not opened where the facts say everything. */
static enum status count_day(struct stream_plan *plan, const struct catalog_partition *row, uint64_t most,
                             uint64_t *ret_count, struct error *err)
{
    struct day *day;
    uint64_t *suspects;
    size_t count;
    *ret_count = 0;
    enum status status = catalog_suspects(plan->catalog, row->number, &suspects, &count, err);
    if (status != STATUS_OK)
        return status;
    free(suspects);
    if (count == 0 && row->facts.known == row->end && is_known(plan, &row->facts)) {
        *ret_count = row->facts.records;
        return STATUS_OK;
    }
    status = catalog_open_day(plan->catalog, row->number, &day, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = is_known(plan, &day->facts) ? count_by_facts(plan, day, ret_count, err)
                                         : count_stream(plan, day, most, ret_count, err);
    day_close(day);
    return status;
}

enum status replay_count(struct catalog *catalog, const struct store_query *query, uint64_t *ret_count,
                         struct error *err)
{
    struct stream_plan plans[EVENT_KINDS];
    struct store_query any_order = *query;
    any_order.order = STORE_AS_APPENDED;
    any_order.parsed = false;
    any_order.counted = true;
    any_order.reverse = query->reverse != (query->tailed && !query->limited);
    any_order.limited = query->limited || query->tailed;
    uint64_t most = query->limited ? query->limit : UINT64_MAX, total = 0;
    if (query->tailed && query->tail < most)
        most = query->tail;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
        stream_plan(&plans[kind], catalog, &any_order, kind);
    size_t rows;
    const struct catalog_partition *all = catalog_partitions(catalog, &rows);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && total < most && i < rows; i++) {
        const struct catalog_partition *row = &all[any_order.reverse ? rows - 1 - i : i];
        uint64_t count = 0;
        if (query->kinds & KIND_BIT(row->kind) && stream_is_due(&plans[row->kind], row))
            status = count_day(&plans[row->kind], row, most - total, &count, err);
        total += count;
    }
    for (size_t kind = 0; kind < EVENT_KINDS; kind++)
        candidates_release(&plans[kind].candidates);
    if (status != STATUS_OK)
        return status;
    *ret_count = total < most ? total : most;
    return status;
}
