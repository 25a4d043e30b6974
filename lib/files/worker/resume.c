#include "files/worker/resume.h"

#include <stdlib.h>
#include <string.h>

#include "files/worker/advance.h"
#include "files/worker/state.h"

#define FIRST_BLOCK ((size_t)16 << 10) /* where only so many events are wanted */

enum status resume_open(struct catalog *store, const struct resume_options *options, struct resume **ret_resume,
                        struct error *err)
{
    struct resume *resume = calloc(1, sizeof *resume);
    if (!resume)
        return error_set_memory(err);
    resume->store = store;
    resume->options = *options;
    resume->left = options->limited ? options->limit : UINT64_MAX;
    if (resume->options.filter && filter_is_empty(resume->options.filter))
        resume->options.filter = NULL;
    checkpoint_init(&resume->next);
    enum status status = STATUS_OK;
    if (options->need_checkpoint && options->checkpoint)
        status = checkpoint_copy(options->checkpoint, &resume->next, err);
    if (status != STATUS_OK) {
        resume_close(resume);
        return status;
    }
    *ret_resume = resume;
    return STATUS_OK;
}

static void leave(struct resume *resume)
{
    scan_close(resume->scan);
    partition_close(resume->open);
    resume->scan = NULL;
    resume->open = NULL;
}

void resume_close(struct resume *resume)
{
    if (!resume)
        return;
    leave(resume);
    checkpoint_release(&resume->next);
    free(resume->ends);
    free(resume);
}

/* ---- entering a partition */

/* Whether the window's end may end this partition: it holds events that are later, or perhaps copies of events that
 * have not been passed. */
static bool may_end(const struct resume *resume, const struct catalog_partition *row)
{
    int64_t until = resume->options.window.until;
    if (resume->options.until_filters || until == TIMESTAMP_MAX || row->day < timestamp_day(until))
        return false;
    const struct partition_facts *facts = &row->facts;
    return facts->known < row->end || facts->greatest > until || resume->end_count > 0;
}

static struct scan_options plan_scan(struct resume *resume, const struct catalog_partition *row)
{
    const struct resume_options *options = &resume->options;
    const struct partition_facts *facts = &row->facts;
    struct scan_options scan = {
        .partition = row->number,
        .from = resume->from,
        .to = row->end,
        .window = {options->window.since, options->until_filters ? options->window.until : TIMESTAMP_MAX},
        .filter = options->filter,
        .need_events = options->need_events,
        .need_lines = options->need_lines || options->limited,
        .first_block = options->limited ? FIRST_BLOCK : 0,
        .report = options->report,
        .report_context = options->report_context,
    };
    resume->judged = may_end(resume, row);
    resume->strict = resume->judged && resume->end_count > 0;
    if (resume->strict) {
        scan.window = WINDOW_ALL;
        scan.filter = NULL;
        scan.need_repeats = true;
    }
    if (resume_goes_by_time(resume) && checkpoint_share_due(options->checkpoint, row) == CHECKPOINT_SOME_DUE) {
        resume->judged = true;
        if (!resume->strict && scan.window.since < options->checkpoint->last_timestamp)
            scan.window.since = options->checkpoint->last_timestamp;
    }
    bool plain = facts->known == row->end && facts->misfiled == 0;
    /* what lies behind the limit is not to be reported: of damage, line by line */
    scan.need_events |=
        resume->judged || (options->need_checkpoint && !plain) || (options->limited && facts->damaged > 0);
    resume->in_blocks = !scan.need_events;
    return scan;
}

/* It has gone since the store was looked at. */
static enum status skip(struct resume *resume, const struct catalog_partition *row)
{
    catalog_note_unread(resume->store, row->number);
    return STATUS_OK;
}

/* STATUS_ABSENT: another file has come in its place, or it has gone. */
static enum status open_partition(struct resume *resume, const struct catalog_partition *row, struct error *err)
{
    enum status status = STATUS_OK;
    if (resume->options.need_checkpoint)
        status = catalog_open_seen(resume->store, row, &resume->open, err);
    struct scan_options scan = plan_scan(resume, row);
    if (status == STATUS_OK)
        status = scan_open(resume->store, &scan, &resume->scan, err);
    if (status != STATUS_OK)
        leave(resume);
    return status;
}

/* Finds where to begin in a partition, as it is by now. STATUS_ABSENT: it has gone. */
static enum status find_start(struct resume *resume, const struct catalog_partition *row, struct error *err)
{
    bool changed = false;
    enum status status = resume_find_start(resume, row, &resume->from, err);
    if (status == STATUS_OK && resume->from < row->end)
        status = catalog_confirm(resume->store, row, &changed, err);
    if (status == STATUS_OK && changed)
        status = resume_find_start(resume, row, &resume->from, err);
    return status;
}

static enum status enter(struct resume *resume, const struct catalog_partition *row, struct error *err)
{
    const struct resume_options *options = &resume->options;
    if (row->kind != options->kind || (options->until_filters && day_first(row->day) > options->window.until))
        return STATUS_OK;
    if (day_last(row->day) < options->window.since)
        return resume_pass(resume, row, row->end, err);
    enum status status = STATUS_ABSENT;
    for (int look = 0; status == STATUS_ABSENT && look < CATALOG_LOOKS; look++) {
        status = find_start(resume, row, err);
        if (status != STATUS_OK)
            return status == STATUS_ABSENT ? skip(resume, row) : status;
        resume->at = row;
        resume->behind = resume->from;
        if (resume->from >= row->end)
            return resume_pass(resume, row, row->end, err);
        status = open_partition(resume, row, err);
    }
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

/* ---- what is due */

static bool is_unpassed(const struct resume *resume, struct store_place first)
{
    for (size_t i = 0; i < resume->end_count; i++)
        if (resume->ends[i].part == first.part)
            return first.offset >= resume->ends[i].offset;
    return false;
}

enum verdict { DUE, NOT_DUE, END };

static enum status judge(const struct resume *resume, const struct scan_item *item, enum verdict *ret_verdict,
                         struct error *err)
{
    const struct resume_options *options = &resume->options;
    const struct event *event = &item->event;
    bool due = true;
    *ret_verdict = NOT_DUE;
    if (item->repeat) {
        if (item->first.part < item->partition && is_unpassed(resume, item->first))
            *ret_verdict = END;
        return STATUS_OK;
    }
    bool wanted = !resume->strict || event->timestamp >= options->window.since;
    if (wanted && resume->strict && options->filter && !filter_matches(options->filter, event, &wanted))
        return error_set_memory(err);
    if (!wanted)
        return STATUS_OK;
    if (resume_goes_by_time(resume) && !checkpoint_time_due(options->checkpoint, event, &due))
        return error_set_memory(err);
    bool is_later = !options->until_filters && event->timestamp > options->window.until;
    if (due)
        *ret_verdict = is_later && timestamp_day(event->timestamp) == resume->at->day ? END : DUE;
    return STATUS_OK;
}

/* The partition in hand is done with at this position. */
static enum status finish_at(struct resume *resume, uint64_t to, struct error *err)
{
    enum status status = resume_pass(resume, resume->at, to, err);
    leave(resume);
    return status;
}

/* It ends here, before its end. */
static enum status end_at(struct resume *resume, uint64_t offset, struct error *err)
{
    if (resume->end_count == resume->end_capacity) {
        size_t capacity = resume->end_capacity > 0 ? 2 * resume->end_capacity : 8;
        struct store_place *ends = reallocarray(resume->ends, capacity, sizeof *ends);
        if (!ends)
            return error_set_memory(err);
        resume->ends = ends;
        resume->end_capacity = capacity;
    }
    resume->ends[resume->end_count++] = (struct store_place){resume->at->number, offset};
    return finish_at(resume, offset, err);
}

/* Of a block only as many lines as may still be handed out. */
static void cut_to_limit(const struct resume *resume, struct scan_item *item)
{
    if (!resume->options.limited || item->lines <= resume->left)
        return;
    const char *at = item->data;
    for (uint64_t i = 0; i < resume->left; i++)
        at = (const char *)memchr(at, '\n', item->length - (size_t)(at - item->data)) + 1;
    item->length = (size_t)(at - item->data);
    item->lines = resume->left;
    item->end = item->offset + item->length;
}

/* *ret_due: the item is to be handed out. Leaves the partition where that ends. */
static enum status take(struct resume *resume, struct scan_item *item, bool *ret_due, struct error *err)
{
    enum verdict verdict = DUE;
    enum status status = resume->judged ? judge(resume, item, &verdict, err) : STATUS_OK;
    *ret_due = verdict == DUE;
    if (status != STATUS_OK || verdict == NOT_DUE)
        return status;
    if (verdict == END)
        return end_at(resume, item->offset, err);
    cut_to_limit(resume, item);
    resume->behind = item->end;
    resume->left -= resume->options.limited ? item->lines : 0;
    return resume_note(resume, item, err);
}

enum status resume_next(struct resume *resume, struct scan_item *ret_item, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(resume->store, &count);
    enum status status = STATUS_OK;
    bool due = false;
    while (status == STATUS_OK && !due) {
        if (resume->left == 0)
            return error_set(err, STATUS_ABSENT, "the limit is reached");
        if (!resume->scan && resume->row == count)
            return error_set(err, STATUS_ABSENT, "no more events");
        if (!resume->scan) {
            status = enter(resume, &rows[resume->row++], err);
            continue;
        }
        status = scan_next(resume->scan, ret_item, err);
        if (status == STATUS_ABSENT) /* what a file that is written anew just now lacks may stand there again later */
            status = finish_at(resume, scan_was_cut(resume->scan) ? resume->behind : resume->at->end, err);
        else if (status == STATUS_OK)
            status = take(resume, ret_item, &due, err);
    }
    return status;
}
