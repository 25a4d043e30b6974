#include "files/replay/state.h"

/* A limited replay reads so much before it asks the index: that is enough for what is frequent, and soon done. */
#define PROBE       ((uint64_t)1 << 20)
#define FIRST_BLOCK ((size_t)16 << 10)

void stream_plan(struct stream_plan *ret_plan, struct catalog *catalog, const struct store_query *query,
                 enum event_kind kind)
{
    *ret_plan = (struct stream_plan){
        .catalog = catalog,
        .by_time = query->order == STORE_BY_TIME,
        .limited = query->limited,
        .scan = {.window = query->window,
                 .filter = query->filter,
                 .backward = query->reverse,
                 .need_events = query->parsed,
                 .need_lines = query->limited || query->counted,
                 .report = query->report,
                 .report_context = query->report_context},
    };
    candidates_init(&ret_plan->candidates, query->filter, kind, catalog);
}

bool stream_is_due(const struct stream_plan *plan, const struct catalog_partition *row)
{
    const struct partition_facts *facts = &row->facts;
    const struct window *window = &plan->scan.window;
    if (row->end == 0 || day_last(row->day) < window->since || day_first(row->day) > window->until)
        return false;
    if (facts->damaged > 0 || facts->misfiled > 0 || facts->known < row->end)
        return true;
    if (facts->records == 0 || facts->greatest < window->since || facts->least > window->until)
        return false;
    struct scan_options scan = {0};
    candidates_apply(&plan->candidates, row->number, &scan);
    return !scan.candidates || scan.candidate_count > 0;
}

/* Whether the day is in the order of time: so are the bytes that are known, and the few that are not are read for it.
 */
static enum status is_ordered(struct catalog *catalog, struct day *day, bool *ret_ordered, struct error *err)
{
    const struct partition_facts *facts = &day->facts;
    struct scan_options options = {
        .from = facts->known,
        .to = day->end,
        .window = WINDOW_ALL,
        .need_events = true,
    };
    struct scan *scan;
    struct scan_item item;
    enum store_step step = STORE_NONE;
    int64_t greatest = facts->records > 0 ? facts->greatest : INT64_MIN;
    *ret_ordered = facts->late == 0 && day->end - facts->known <= PARTITION_BLOCK;
    if (!*ret_ordered || facts->known == day->end)
        return STATUS_OK;
    enum status status = scan_open(catalog, day, &options, &scan, err);
    if (status != STATUS_OK)
        return status;
    while (*ret_ordered && (step = scan_next(scan, &item, err)) == STORE_LINES) {
        *ret_ordered = item.event.timestamp >= greatest;
        greatest = item.event.timestamp;
    }
    scan_close(scan);
    return step == STORE_FAILED ? STATUS_IO : STATUS_OK;
}

/* Narrows the extent to the window where that is found without reading everything. */
static enum status narrow(const struct day *day, struct scan_options *scan, struct error *err)
{
    const struct partition_facts *facts = &day->facts;
    uint64_t from, to;
    if (day_is_inside(facts, scan->window) || facts->late > 0 || facts->damaged > 0 || facts->misfiled > 0)
        return STATUS_OK;
    enum status status = bisect_window(day, scan->window, &from, &to, err);
    if (status != STATUS_OK)
        return status;
    scan->from = from;
    if (facts->known == day->end)
        scan->to = to;
    scan->inside = facts->known == day->end || to == facts->known;
    return STATUS_OK;
}

/* Cuts off the part of the extent that is read without candidates, and leaves the rest for later. */
static enum status split_for_probe(struct stream *stream, struct scan_options *scan, struct error *err)
{
    struct candidates *candidates = &stream->plan->candidates;
    uint64_t length = scan->to - scan->from, budget = PROBE - candidates->probed;
    candidates->probed += length < budget ? length : budget;
    if (length <= budget)
        return STATUS_OK;
    uint64_t middle = scan->backward ? scan->to - budget : scan->from + budget;
    enum status status = partition_line_start(stream->day->file, middle, scan->from, &middle, err);
    if (status != STATUS_OK)
        return status;
    stream->rest = *scan;
    if (scan->backward)
        scan->from = stream->rest.to = middle;
    else
        scan->to = stream->rest.from = middle;
    return STATUS_OK;
}

/* Opens an extent of the day, its candidates loaded where that is due; `ordered`: in the order it lies. */
static enum status open_extent(struct stream *stream, struct scan_options *scan, bool ordered, struct error *err)
{
    struct stream_plan *plan = stream->plan;
    struct candidates *candidates = &plan->candidates;
    enum status status = STATUS_OK;
    if (candidates->state == CANDIDATES_WAITING && ordered && plan->limited && candidates->probed < PROBE)
        status = split_for_probe(stream, scan, err);
    else if (candidates->state == CANDIDATES_WAITING)
        status = candidates_load(candidates, plan->catalog, err);
    if (status != STATUS_OK)
        return status;
    if (!stream->day->is_other) /* they may be of what was there before */
        candidates_apply(candidates, stream->day->number, scan);
    if (!ordered)
        return sorted_open(plan->catalog, stream->day, scan, &stream->sorted, err);
    return scan->from < scan->to ? scan_open(plan->catalog, stream->day, scan, &stream->scan, err) : STATUS_OK;
}

enum status stream_open_day(struct stream *stream, struct stream_plan *plan, struct day *day, bool need_events,
                            struct error *err)
{
    struct scan_options scan = plan->scan;
    bool ordered = true;
    *stream = (struct stream){.plan = plan, .day = day};
    scan.to = day->end;
    /* what comes after the limit is not to be reported: of damage, line by line */
    scan.need_events = scan.need_events || need_events || (plan->limited && day->facts.damaged > 0);
    scan.first_block = plan->limited ? FIRST_BLOCK : 0;
    enum status status = plan->by_time ? is_ordered(plan->catalog, day, &ordered, err) : STATUS_OK;
    if (status == STATUS_OK && ordered)
        status = narrow(day, &scan, err);
    return status == STATUS_OK ? open_extent(stream, &scan, ordered, err) : status;
}

enum status stream_open(struct stream *stream, struct stream_plan *plan, uint32_t number, bool need_events,
                        struct error *err)
{
    struct day *day;
    enum status status = catalog_open_day(plan->catalog, number, &day, err);
    if (status == STATUS_OK)
        return stream_open_day(stream, plan, day, need_events, err);
    if (status == STATUS_ABSENT)
        catalog_note_unread(plan->catalog, number);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

void stream_close(struct stream *stream)
{
    scan_close(stream->scan);
    sorted_close(stream->sorted);
    day_close(stream->day);
    *stream = (struct stream){0};
}

enum store_step stream_next(struct stream *stream, struct scan_item *ret_item, struct error *err)
{
    if (stream->sorted)
        return sorted_next(stream->sorted, ret_item, err);
    for (;;) {
        enum store_step step = stream->scan ? scan_next(stream->scan, ret_item, err) : STORE_NONE;
        struct scan_options rest = stream->rest;
        if (step != STORE_NONE || rest.from >= rest.to)
            return step;
        scan_close(stream->scan);
        stream->scan = NULL;
        stream->rest = (struct scan_options){0};
        if (open_extent(stream, &rest, true, err) != STATUS_OK)
            return STORE_FAILED;
    }
}
