#include "files/worker/resume.h"

#include <stdlib.h>
#include <string.h>

#include "files/catalog/position.h"
#include "files/worker/due.h"

#define FIRST_BLOCK ((size_t)16 << 10) /* where only so many events are wanted */

struct resume {
    struct catalog *catalog;
    struct store_query query;
    enum event_kind kind;
    struct checkpoint next; /* the checkpoint in the making: what a day has for a position until it is left */
    bool by_time;           /* it had no positions */
    uint64_t left;          /* events that may still be handed out */

    size_t row;        /* of the catalog, that is entered next */
    struct day *day;   /* the one in hand, while there is a scan; held */
    struct scan *scan; /* of it */
    uint64_t past;     /* the position past the last item, or where it was entered */
    bool in_blocks;    /* items are not parsed */
    bool judged;       /* each event, whether it is due */
    struct day
        *block_day; /* held: of the lines that were handed out in blocks last. Their greatest timestamp and its */
    uint64_t block_from, block_to; /* ids are looked for at the end */
};

/* ---- positions */

/* The open day was read, or counts as read, up to `to`. */
static enum status put_position(struct resume *resume, const struct day *day, uint64_t to, struct error *err)
{
    const struct checkpoint_position *old = checkpoint_find(&resume->next, partition_number_day(day->number));
    struct checkpoint_position position;
    enum status status = position_in_day(day, to, &position, err);
    if (status == STATUS_ABSENT) /* it was written anew: a position that it had is kept */
        return STATUS_OK;
    if (status != STATUS_OK || (old && old->has_hash && old->offset == position.offset && old->hash == position.hash))
        return status;
    return checkpoint_put(&resume->next, &position, err);
}

/* The same of a day that is not open. */
static enum status put_row_position(struct resume *resume, const struct catalog_partition *row, uint64_t to,
                                    struct error *err)
{
    struct checkpoint_position position;
    enum status status = position_at(resume->catalog, row, to, &position, err);
    if (status == STATUS_ABSENT) /* it has gone; should it come back, it is due from where it was */
        return STATUS_OK;
    return status == STATUS_OK ? checkpoint_put(&resume->next, &position, err) : status;
}

/* Gives every day its position before the first event that is due by time. */
static enum status convert(struct resume *resume, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(resume->catalog, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t offset;
        if (rows[i].kind != resume->kind)
            continue;
        enum status status = checkpoint_first_due(resume->catalog, resume->query.from, &rows[i], &offset, err);
        if (status == STATUS_OK)
            status = put_row_position(resume, &rows[i], offset, err);
        if (status != STATUS_OK && status != STATUS_ABSENT)
            return status;
    }
    return STATUS_OK;
}

enum status resume_open(struct catalog *catalog, const struct store_query *query, struct resume **ret_resume,
                        struct error *err)
{
    struct resume *resume = calloc(1, sizeof *resume);
    if (!resume)
        return error_set_memory(err);
    resume->catalog = catalog;
    resume->query = *query;
    resume->kind = query->kinds & KIND_BIT(EVENT_EMISSION) ? EVENT_EMISSION : EVENT_SIGNAL;
    resume->left = query->limited ? query->limit : UINT64_MAX;
    resume->by_time = query->from && !query->from->has_positions;
    if (query->filter && filter_is_empty(query->filter))
        resume->query.filter = NULL;
    checkpoint_init(&resume->next);
    enum status status = query->from ? checkpoint_copy(query->from, &resume->next, err) : STATUS_OK;
    if (status == STATUS_OK && resume->by_time)
        status = convert(resume, err);
    if (status != STATUS_OK)
        resume_close(resume);
    else
        *ret_resume = resume;
    return status;
}

/* ---- from day to day */

/* Leaves the day in hand. */
static void leave(struct resume *resume)
{
    scan_close(resume->scan);
    day_close(resume->day);
    resume->scan = NULL;
    resume->day = NULL;
}

void resume_close(struct resume *resume)
{
    if (!resume)
        return;
    leave(resume);
    day_close(resume->block_day);
    checkpoint_release(&resume->next);
    free(resume);
}

/* The day in hand is done with at this position. */
static enum status finish_at(struct resume *resume, uint64_t to, struct error *err)
{
    bool is_kept = resume->query.reaches || resume->query.follows;
    enum status status = is_kept ? put_position(resume, resume->day, to, err) : STATUS_OK;
    leave(resume);
    return status;
}

/* Where to begin in the day in hand. Reports a rewritten file. */
static enum status find_start(struct resume *resume, const struct checkpoint_position *position, uint64_t *ret_from,
                              struct error *err)
{
    const struct day *day = resume->day;
    const struct store_query *query = &resume->query;
    bool fits = false;
    uint64_t hash;
    enum status status = position_fits_day(day, position, &fits, ret_from, err);
    /* a last line that was followed while it was whole, and is not any more */
    if (status == STATUS_OK && !fits && query->follows && position->offset > day->end) {
        status = partition_hash_before(day->file, position->offset, &hash, err);
        fits = status == STATUS_OK && position->has_hash && hash == position->hash;
    }
    if (status != STATUS_OK || fits)
        return status;
    struct store_report found = {
        .finding = STORE_REWRITTEN,
        .file = partition_label(day->file),
        .what = query->follows ? "was rewritten" : "the checkpoint's position does not fit it any more",
    };
    if (query->report)
        query->report(query->report_context, &found);
    *ret_from = 0;
    return STATUS_OK;
}

static enum status open_scan(struct resume *resume, struct error *err)
{
    const struct store_query *query = &resume->query;
    struct day *day = resume->day;
    const struct partition_facts *facts = &day->facts;
    bool plain = facts->known == day->end && facts->misfiled == 0;
    bool may_end = !query->follows && partition_number_day(day->number) == timestamp_day(query->window.until) &&
                   (facts->known < day->end || facts->greatest > query->window.until);
    struct scan_options scan = {
        .from = resume->past,
        .to = day->end,
        .window = {query->window.since, query->follows ? query->window.until : TIMESTAMP_MAX},
        .filter = query->filter,
        .need_lines = query->counted || query->limited,
        .first_block = query->limited ? FIRST_BLOCK : 0,
        .report = query->report,
        .report_context = query->report_context,
    };
    resume->judged = may_end;
    if (resume->by_time && checkpoint_share_due(query->from, facts, day->end) == CHECKPOINT_SOME_DUE) {
        resume->judged = true;
        if (scan.window.since < query->from->last_timestamp)
            scan.window.since = query->from->last_timestamp;
    }
    /* what comes after the limit is not to be reported: of damage, line by line */
    scan.need_events =
        query->parsed || resume->judged || (query->reaches && !plain) || (query->limited && facts->damaged > 0);
    resume->in_blocks = !scan.need_events;
    return scan_open(resume->catalog, day, &scan, &resume->scan, err);
}

static enum status enter(struct resume *resume, const struct catalog_partition *row, struct error *err)
{
    const struct window *window = &resume->query.window;
    const struct checkpoint_position *position = checkpoint_find(&resume->next, row->day);
    if (row->kind != resume->kind || day_first(row->day) > window->until)
        return STATUS_OK;
    if (day_last(row->day) < window->since)
        return resume->query.reaches ? put_row_position(resume, row, row->end, err) : STATUS_OK;
    if (position && position->has_hash && position->offset == row->facts.known && row->facts.known == row->end &&
        position->hash == row->facts.hash)
        return STATUS_OK; /* nothing is new */
    enum status status = catalog_open_day(resume->catalog, row->number, &resume->day, err);
    if (status != STATUS_OK) /* absent: it has gone; a position that it had is kept */
        return status == STATUS_ABSENT ? STATUS_OK : status;
    resume->past = 0;
    if (position)
        status = find_start(resume, position, &resume->past, err);
    if (status != STATUS_OK)
        goto out;
    if (resume->by_time && resume->day->facts.damaged > 0 &&
        checkpoint_share_due(resume->query.from, &resume->day->facts, resume->day->end) == CHECKPOINT_SOME_DUE)
        resume->past = 0; /* nobody has said yet what is damaged before the first event that is due */
    if (resume->past == resume->day->end)
        return finish_at(resume, resume->past, err);
    if (resume->past < resume->day->end)
        status = open_scan(resume, err);
    if (resume->scan)
        return status;
out:
    leave(resume);
    return status;
}

/* ---- what is due */

enum verdict { DUE, NOT_DUE, END };

/* False: no memory. */
static bool judge(const struct resume *resume, const struct event *event, enum verdict *ret_verdict)
{
    const struct store_query *query = &resume->query;
    bool due = true;
    if (resume->by_time && !checkpoint_time_due(query->from, event, &due))
        return false;
    bool is_later = !query->follows && event->timestamp > query->window.until;
    bool ends = is_later && timestamp_day(event->timestamp) == partition_number_day(resume->day->number);
    *ret_verdict = !due ? NOT_DUE : ends ? END : DUE;
    return true;
}

/* An item is handed out. False: no memory. */
static bool note(struct resume *resume, struct scan_item *item)
{
    if (resume->query.limited && item->lines > resume->left)
        scan_item_cut(item, resume->left);
    resume->left -= resume->query.limited ? item->lines : 0;
    resume->past = item->end;
    if (!resume->query.reaches)
        return true;
    if (!resume->in_blocks)
        return checkpoint_note(&resume->next, item->event.timestamp, item->event.id);
    if (resume->block_day != resume->day) {
        day_close(resume->block_day);
        resume->block_day = day_hold(resume->day);
        resume->block_from = item->offset;
    }
    resume->block_to = item->end;
    return true;
}

enum store_step resume_next(struct resume *resume, struct scan_item *ret_item, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(resume->catalog, &count);
    for (enum status status = STATUS_OK; status == STATUS_OK;) {
        enum verdict verdict = DUE;
        if (resume->left == 0 || (!resume->scan && resume->row == count))
            return STORE_NONE;
        if (!resume->scan) {
            status = enter(resume, &rows[resume->row++], err);
            continue;
        }
        enum store_step step = scan_next(resume->scan, ret_item, err);
        if (step == STORE_FAILED)
            return step;
        if (step == STORE_NONE) {
            if (scan_was_cut(resume->scan)) /* what it lacks may stand there again later */
                leave(resume);
            else
                status = finish_at(resume, resume->day->end, err);
            continue;
        }
        if (resume->judged && !judge(resume, &ret_item->event, &verdict))
            status = error_set_memory(err);
        else if (verdict == END)
            status = finish_at(resume, ret_item->offset, err);
        else if (verdict == DUE && note(resume, ret_item))
            return STORE_LINES;
        else if (verdict == DUE)
            status = error_set_memory(err);
    }
    return STORE_FAILED;
}

enum status resume_pass_all(struct resume *resume, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(resume->catalog, &count);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        if (rows[i].kind == resume->kind && !rows[i].is_unread)
            status = put_row_position(resume, &rows[i], rows[i].end, err);
    resume->row = count;
    return status;
}

void resume_restart(struct resume *resume)
{
    resume->by_time = false;
    resume->row = 0;
}

/* ---- the checkpoint */

static enum status open_blocks(const struct resume *resume, bool backward, struct scan **ret_scan, struct error *err)
{
    struct scan_options options = {
        .from = resume->block_from,
        .to = resume->block_to,
        .window = {resume->query.window.since, TIMESTAMP_MAX},
        .filter = resume->query.filter,
        .backward = backward,
        .need_events = true,
        .first_block = (size_t)4096,
    };
    return scan_open(resume->catalog, resume->block_day, &options, ret_scan, err);
}

/* Of lines in the order of time, only the events at the last timestamp count: from the first of them on. */
static enum status narrow(struct resume *resume, struct error *err)
{
    struct scan *scan;
    struct scan_item item;
    enum store_step step;
    int64_t greatest = INT64_MIN;
    enum status status = open_blocks(resume, true, &scan, err);
    if (status != STATUS_OK)
        return status;
    while ((step = scan_next(scan, &item, err)) == STORE_LINES && item.event.timestamp >= greatest) {
        greatest = item.event.timestamp;
        resume->block_from = item.offset;
    }
    scan_close(scan);
    return step == STORE_FAILED ? STATUS_IO : STATUS_OK;
}

/* Takes up the greatest timestamp, and its ids, of what was handed out in blocks. */
static enum status note_blocks(struct resume *resume, struct error *err)
{
    const struct day *day = resume->block_day;
    struct scan *scan;
    struct scan_item item;
    enum store_step step = STORE_NONE;
    if (!day || day->facts.greatest < resume->next.last_timestamp)
        return STATUS_OK;
    enum status status = day->facts.late == 0 ? narrow(resume, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    status = open_blocks(resume, false, &scan, err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && (step = scan_next(scan, &item, err)) == STORE_LINES)
        if (!checkpoint_note(&resume->next, item.event.timestamp, item.event.id))
            status = error_set_memory(err);
    scan_close(scan);
    return step == STORE_FAILED ? STATUS_IO : status;
}

enum status resume_checkpoint(struct resume *resume, struct checkpoint *ret_checkpoint, struct error *err)
{
    enum status status = resume->scan ? finish_at(resume, resume->past, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    status = note_blocks(resume, err);
    if (status != STATUS_OK)
        return status;
    resume->next.has_positions = true;
    resume->next.has_kind = true;
    resume->next.kind = resume->kind;
    *ret_checkpoint = resume->next;
    checkpoint_init(&resume->next);
    return STATUS_OK;
}
