#include "files/replay/state.h"

/* A limited replay reads so much before it asks the index: that is enough for what is frequent, and soon done. */
#define PROBE       ((uint64_t)1 << 20)
#define FIRST_BLOCK ((size_t)16 << 10)

/* ---- what is known */

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
    struct scan_options scan = {.partition = row->number};
    candidates_apply(&plan->candidates, &scan);
    return !scan.candidates || scan.candidate_count > 0;
}

/* What lies behind facts.known follows in the order of time. */
static enum status is_rest_ordered(struct catalog *store, const struct catalog_partition *row, bool *ret_ordered,
                                   struct error *err)
{
    struct scan_options options = {
        .partition = row->number,
        .from = row->facts.known,
        .to = row->end,
        .window = WINDOW_ALL,
        .need_events = true,
    };
    struct scan *scan;
    struct scan_item item;
    int64_t greatest = row->facts.records > 0 ? row->facts.greatest : INT64_MIN;
    enum status status = scan_open(store, &options, &scan, err);
    if (status != STATUS_OK)
        return status;
    *ret_ordered = true;
    while (status == STATUS_OK && *ret_ordered && (status = scan_next(scan, &item, err)) == STATUS_OK) {
        *ret_ordered = item.event.timestamp >= greatest;
        greatest = item.event.timestamp;
    }
    scan_close(scan);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status is_ordered(struct catalog *store, const struct catalog_partition *row, bool *ret_ordered,
                              struct error *err)
{
    *ret_ordered = row->facts.late == 0 && row->end - row->facts.known <= PARTITION_BLOCK;
    if (!*ret_ordered || row->facts.known == row->end)
        return STATUS_OK;
    return is_rest_ordered(store, row, ret_ordered, err);
}

/* ---- the stream */

/* Narrows the extent to the window where that is found without reading everything. */
static enum status narrow(const struct stream_plan *plan, const struct catalog_partition *row,
                          struct scan_options *scan, struct error *err)
{
    const struct partition_facts *facts = &row->facts;
    bool covered =
        facts->records == 0 || (plan->scan.window.since <= facts->least && facts->greatest <= plan->scan.window.until);
    if (covered || facts->late > 0 || facts->damaged > 0 || facts->misfiled > 0)
        return STATUS_OK;
    uint64_t from, to;
    enum status status = bisect_window(plan->store, row, plan->scan.window, &from, &to, err);
    if (status != STATUS_OK)
        return status;
    scan->from = from;
    if (facts->known == row->end)
        scan->to = to;
    scan->inside = facts->known == row->end || to == facts->known;
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
    struct partition *partition;
    uint64_t middle = scan->backward ? scan->to - budget : scan->from + budget;
    enum status status = catalog_open_partition(stream->plan->store, scan->partition, &partition, err);
    if (status == STATUS_OK) {
        status = partition_line_start(partition, middle, scan->from, &middle, err);
        partition_close(partition);
    }
    if (status != STATUS_OK)
        return status;
    stream->rest = *scan;
    if (scan->backward)
        scan->from = stream->rest.to = middle;
    else
        scan->to = stream->rest.from = middle;
    return STATUS_OK;
}

static enum status open_stream(struct stream *stream, struct scan_options *scan, struct error *err)
{
    struct candidates *candidates = &stream->plan->candidates;
    enum status status = STATUS_OK;
    if (candidates->state == CANDIDATES_WAITING && candidates->probed < PROBE && stream->plan->limited)
        status = split_for_probe(stream, scan, err);
    else if (candidates->state == CANDIDATES_WAITING)
        status = candidates_load(candidates, stream->plan->store, err);
    if (status != STATUS_OK)
        return status;
    candidates_apply(candidates, scan);
    return scan->from < scan->to ? scan_open(stream->plan->store, scan, &stream->scan, err) : STATUS_OK;
}

static enum status open_sorted(struct stream *stream, struct scan_options *scan, struct error *err)
{
    struct candidates *candidates = &stream->plan->candidates;
    enum status status = STATUS_OK;
    if (candidates->state == CANDIDATES_WAITING)
        status = candidates_load(candidates, stream->plan->store, err);
    if (status != STATUS_OK)
        return status;
    candidates_apply(candidates, scan);
    return sorted_open(stream->plan->store, scan, &stream->sorted, err);
}

/* There are no events in the partition, or it has gone since the store was looked at, or it cannot be read. */
static enum status leave_stream(struct stream *stream, const struct catalog_partition *row, enum status status)
{
    if (status == STATUS_ABSENT)
        catalog_note_unread(stream->plan->store, row->number);
    stream_close(stream);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* Opens the stream on the file that was confirmed. STATUS_ABSENT: another one has come in its place, or it has gone. */
static enum status open_confirmed(struct stream *stream, const struct catalog_partition *row, bool need_events,
                                  struct error *err)
{
    const struct stream_plan *plan = stream->plan;
    struct scan_options scan = plan->scan;
    bool ordered = true;
    scan.partition = row->number;
    scan.to = row->end;
    /* what lies behind the limit is not to be reported: of damage, line by line */
    scan.need_events = scan.need_events || need_events || (plan->limited && row->facts.damaged > 0);
    scan.first_block = plan->limited ? FIRST_BLOCK : 0;
    enum status status = plan->by_time ? is_ordered(plan->store, row, &ordered, err) : STATUS_OK;
    if (status == STATUS_OK && ordered)
        status = narrow(plan, row, &scan, err);
    if (status == STATUS_OK)
        status = ordered ? open_stream(stream, &scan, err) : open_sorted(stream, &scan, err);
    if (status != STATUS_OK)
        stream_close(stream);
    return status;
}

enum status stream_open(struct stream *stream, struct stream_plan *plan, const struct catalog_partition *row,
                        bool need_events, struct error *err)
{
    enum status status = STATUS_ABSENT;
    for (int look = 0; status == STATUS_ABSENT && look < CATALOG_LOOKS; look++) {
        bool changed;
        *stream = (struct stream){.plan = plan};
        status = catalog_confirm(plan->store, row, &changed, err);
        if (status != STATUS_OK || row->end == 0)
            return leave_stream(stream, row, status);
        if (changed) /* they are of what was there before */
            plan->candidates.state = CANDIDATES_NONE;
        status = open_confirmed(stream, row, need_events, err);
    }
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

void stream_close(struct stream *stream)
{
    scan_close(stream->scan);
    sorted_close(stream->sorted);
    *stream = (struct stream){0};
}

/* Goes over to the extent that was left, of a file that is still there: one part of it may be out. */
static enum status open_rest(struct stream *stream, struct error *err)
{
    struct scan_options scan = stream->rest;
    scan_close(stream->scan);
    stream->scan = NULL;
    stream->rest = (struct scan_options){0};
    enum status status = open_stream(stream, &scan, err);
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

enum status stream_next(struct stream *stream, struct scan_item *ret_item, struct error *err)
{
    if (stream->sorted)
        return sorted_next(stream->sorted, ret_item, err);
    enum status status =
        stream->scan ? scan_next(stream->scan, ret_item, err) : error_set(err, STATUS_ABSENT, "no events");
    while (status == STATUS_ABSENT && stream->rest.from < stream->rest.to) {
        status = open_rest(stream, err);
        if (status == STATUS_OK && stream->scan)
            status = scan_next(stream->scan, ret_item, err);
        else if (status == STATUS_OK)
            status = STATUS_ABSENT;
    }
    return status;
}
