#include "files/worker/advance.h"
#include "files/worker/state.h"

static void report_rewritten(const struct resume *resume, const struct catalog_partition *row)
{
    struct bytes path = {0};
    if (resume->options.report && catalog_partition_path(resume->store, row->number, &path)) {
        struct scan_report_line found = {
            .finding = SCAN_REWRITTEN,
            .file = path.data,
            .what = "the checkpoint's position does not fit it any more",
        };
        resume->options.report(resume->options.report_context, &found);
    }
    bytes_release(&path);
}

enum status resume_find_start(struct resume *resume, const struct catalog_partition *row, uint64_t *ret_from,
                              struct error *err)
{
    const struct checkpoint *checkpoint = resume->options.checkpoint;
    if (resume_goes_by_time(resume)) {
        /* copies of what an earlier partition holds back are to be found where nothing else is due, too */
        bool none_due = checkpoint_share_due(checkpoint, row) == CHECKPOINT_NONE_DUE && resume->end_count == 0;
        *ret_from = none_due ? row->end : 0;
        return STATUS_OK;
    }
    const struct checkpoint_position *position = checkpoint ? checkpoint_find(checkpoint, row->day) : NULL;
    bool fits = true;
    *ret_from = 0;
    if (!position)
        return STATUS_OK;
    enum status status = checkpoint_fit(resume->store, row, position, &fits, ret_from, err);
    if (status == STATUS_OK && !fits) {
        *ret_from = 0;
        report_rewritten(resume, row);
    }
    return status;
}

enum status resume_pass(struct resume *resume, const struct catalog_partition *row, uint64_t to, struct error *err)
{
    const struct checkpoint_position *old = checkpoint_find(&resume->next, row->day);
    struct checkpoint_position position;
    if (!resume->options.need_checkpoint)
        return STATUS_OK;
    enum status status = checkpoint_position_at(resume->store, row, resume->open, to, &position, err);
    if (status == STATUS_ABSENT) /* it has gone: a position that it had is kept */
        return STATUS_OK;
    if (status != STATUS_OK || (old && old->has_hash && old->offset == position.offset && old->hash == position.hash))
        return status;
    return checkpoint_put(&resume->next, &position, err);
}

/* ---- the greatest timestamp and its ids */

enum status resume_note(struct resume *resume, const struct scan_item *item, struct error *err)
{
    struct extent *blocks = &resume->blocks;
    if (!resume->options.need_checkpoint)
        return STATUS_OK;
    if (!resume->in_blocks)
        return checkpoint_note(&resume->next, item->event.timestamp, item->event.id) ? STATUS_OK
                                                                                     : error_set_memory(err);
    if (blocks->from == blocks->to || blocks->partition != item->partition)
        *blocks = (struct extent){.partition = item->partition, .from = item->offset};
    blocks->to = item->end;
    return STATUS_OK;
}

static enum status open_blocks(const struct resume *resume, const struct extent *extent, bool backward,
                               struct scan **ret_scan, struct error *err)
{
    struct scan_options options = {
        .partition = extent->partition,
        .from = extent->from,
        .to = extent->to,
        .window = {resume->options.window.since, TIMESTAMP_MAX},
        .filter = resume->options.filter,
        .backward = backward,
        .need_events = true,
        .first_block = (size_t)4096,
    };
    return scan_open(resume->store, &options, ret_scan, err);
}

/* Of an extent in the order of time, only the events at its last timestamp count: from the first of them on. */
static enum status narrow(const struct resume *resume, struct extent *extent, struct error *err)
{
    struct scan *scan;
    struct scan_item item;
    int64_t greatest = INT64_MIN;
    enum status status = open_blocks(resume, extent, true, &scan, err);
    if (status != STATUS_OK)
        return status;
    while ((status = scan_next(scan, &item, err)) == STATUS_OK && item.event.timestamp >= greatest) {
        greatest = item.event.timestamp;
        extent->from = item.offset;
    }
    scan_close(scan);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status note_blocks(struct resume *resume, struct error *err)
{
    struct extent extent = resume->blocks;
    const struct catalog_partition *row = catalog_partition(resume->store, extent.partition);
    struct scan *scan;
    struct scan_item item;
    enum status status = STATUS_OK;
    if (extent.from == extent.to || !row || row->facts.greatest < resume->next.last_timestamp)
        return STATUS_OK;
    if (row->facts.late == 0)
        status = narrow(resume, &extent, err);
    if (status == STATUS_OK)
        status = open_blocks(resume, &extent, false, &scan, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    while ((status = scan_next(scan, &item, err)) == STATUS_OK)
        if (!checkpoint_note(&resume->next, item.event.timestamp, item.event.id)) {
            status = error_set_memory(err);
            break;
        }
    scan_close(scan);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* ---- the checkpoint */

/* What was not reached has no position of its own yet, where the checkpoint goes by time. */
static enum status settle_rest(struct resume *resume, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(resume->store, &count);
    enum status status = STATUS_OK;
    for (size_t i = resume->row; i < count && status == STATUS_OK; i++) {
        uint64_t offset;
        if (rows[i].kind != resume->options.kind)
            continue;
        status = checkpoint_first_due(resume->store, resume->options.checkpoint, &rows[i], &offset, err);
        if (status == STATUS_OK)
            status = resume_pass(resume, &rows[i], offset, err);
        else if (status == STATUS_ABSENT) /* it has gone: should it come back, it is due as a whole */
            status = STATUS_OK;
    }
    return status;
}

enum status resume_checkpoint(struct resume *resume, struct checkpoint *ret_checkpoint, struct error *err)
{
    enum status status = STATUS_OK;
    if (resume->scan)
        status = resume_pass(resume, resume->at, resume->behind, err);
    partition_close(resume->open);
    resume->open = NULL;
    if (status == STATUS_OK && resume_goes_by_time(resume))
        status = settle_rest(resume, err);
    if (status == STATUS_OK)
        status = note_blocks(resume, err);
    if (status != STATUS_OK)
        return status;
    resume->next.has_positions = true;
    resume->next.has_kind = true;
    resume->next.kind = resume->options.kind;
    *ret_checkpoint = resume->next;
    checkpoint_init(&resume->next);
    return STATUS_OK;
}
