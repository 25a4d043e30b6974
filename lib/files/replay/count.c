#include <stdlib.h>

#include "files/replay/state.h"

/* The facts alone say how many events there are below facts.known, repeats included. */
static bool is_known(const struct stream_plan *plan, const struct catalog_partition *row)
{
    const struct window *window = &plan->scan.window;
    const struct partition_facts *facts = &row->facts;
    bool filters = plan->scan.filter && !filter_is_empty(plan->scan.filter);
    return !filters && facts->damaged == 0 && facts->misfiled == 0 && facts->known > 0 &&
           (facts->records == 0 || (window->since <= facts->least && facts->greatest <= window->until));
}

/* Counts what a scan with these options hands out, as far as `most`; or of that the repeats. STATUS_ABSENT: the
 * partition has gone. */
static enum status count_scan(struct catalog *store, const struct scan_options *options, bool repeats, uint64_t most,
                              uint64_t *ret_count, struct error *err)
{
    struct scan *scan;
    struct scan_item item;
    uint64_t count = 0;
    enum status status = scan_open(store, options, &scan, err);
    if (status != STATUS_OK)
        return status;
    while (count < most && (status = scan_next(scan, &item, err)) == STATUS_OK)
        count += repeats ? item.repeat : item.lines;
    scan_close(scan);
    *ret_count = count;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* How many lines below facts.known are no first records. */
static enum status count_repeats(const struct stream_plan *plan, const struct catalog_partition *row,
                                 uint64_t *ret_count, struct error *err)
{
    uint64_t *offsets;
    size_t count;
    enum status status = catalog_suspects(plan->store, row->number, &offsets, &count, err);
    if (status != STATUS_OK || count == 0)
        return status;
    struct scan_options scan = {
        .partition = row->number,
        .to = row->facts.known,
        .window = WINDOW_ALL,
        .need_events = true,
        .need_repeats = true,
        .candidate_count = count,
        .candidate_span = 1,
    };
    struct entry *entries = reallocarray(NULL, count, sizeof *entries);
    for (size_t i = 0; i < count && entries; i++)
        entries[i] = (struct entry){.value = index_value(row->number, 0, offsets[i])};
    scan.candidates = entries;
    status = entries ? count_scan(plan->store, &scan, true, UINT64_MAX, ret_count, err) : error_set_memory(err);
    free(entries);
    free(offsets);
    return status;
}

/* STATUS_ABSENT: they are of another file than the one that stands there now, or it has gone. */
static enum status count_by_facts(const struct stream_plan *plan, const struct catalog_partition *row,
                                  uint64_t *ret_count, struct error *err)
{
    uint64_t repeats = 0, rest = 0;
    struct scan_options scan = plan->scan;
    scan.partition = row->number;
    scan.from = row->facts.known;
    scan.to = row->end;
    enum status status = count_repeats(plan, row, &repeats, err);
    if (status == STATUS_OK && scan.from < scan.to)
        status = count_scan(plan->store, &scan, false, UINT64_MAX, &rest, err);
    *ret_count = status == STATUS_OK ? row->facts.records - repeats + rest : 0;
    return status;
}

static enum status count_stream(struct stream_plan *plan, const struct catalog_partition *row, uint64_t most,
                                uint64_t *ret_count, struct error *err)
{
    struct stream stream;
    struct scan_item item;
    uint64_t count = 0;
    enum status status = stream_open(&stream, plan, row, false, err);
    while (status == STATUS_OK && count < most) {
        status = stream_next(&stream, &item, err);
        if (status == STATUS_OK)
            count += item.lines;
    }
    stream_close(&stream);
    *ret_count = count;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status replay_count(struct catalog *store, const struct replay_options *options, uint64_t *ret_count,
                         struct error *err)
{
    struct replay_options any_order = *options;
    any_order.order = REPLAY_AS_APPENDED;
    any_order.need_events = false;
    any_order.limited = true;
    bool from_behind = options->reverse != (options->tailed && !options->limited);
    any_order.reverse = from_behind;
    uint64_t most = options->limited ? options->limit : UINT64_MAX, total = 0;
    if (options->tailed && options->tail < most)
        most = options->tail;
    struct stream_plan plans[EVENT_KINDS] = {0};
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
        if (options->kinds & KIND_BIT(kind))
            replay_plan(&plans[kind], store, &any_order, kind);
    size_t rows;
    const struct catalog_partition *all = catalog_partitions(store, &rows);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && total < most && i < rows; i++) {
        const struct catalog_partition *row = &all[from_behind ? rows - 1 - i : i];
        struct stream_plan *plan = &plans[row->kind];
        uint64_t count = 0;
        if (!(options->kinds & KIND_BIT(row->kind)) || !stream_is_due(plan, row))
            continue;
        plan->limited = options->limited || options->tailed;
        status = is_known(plan, row) ? count_by_facts(plan, row, &count, err) : STATUS_ABSENT;
        if (status == STATUS_ABSENT)
            status = count_stream(plan, row, most - total, &count, err);
        total += count;
    }
    for (size_t kind = 0; kind < EVENT_KINDS; kind++)
        candidates_release(&plans[kind].candidates);
    if (status == STATUS_OK)
        *ret_count = total < most ? total : most;
    return status;
}
