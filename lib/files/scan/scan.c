#include "files/scan/scan.h"

#include <stdlib.h>
#include <string.h>

#include "files/scan/state.h"

/* A position may lie between a line and its newline, with blanks; a line that went on after it is looked at whole. */
static enum status find_start(struct scan *scan, struct error *err)
{
    const struct partition *file = scan->day->file;
    struct chunk chunk;
    uint64_t from = scan->low, next;
    bool blank;
    if (from == 0 || from >= scan->high)
        return STATUS_OK;
    enum status status = partition_read_forward(file, from - 1, from, 1, &scan->buffer, &chunk, err);
    if (status != STATUS_OK || chunk.length == 0 || chunk.data[0] == '\n')
        return status;
    status = partition_skip_blanks(file, from, scan->high, &blank, &next, err);
    if (status != STATUS_OK)
        return status;
    if (!blank)
        return partition_line_start(file, from, 0, &scan->low, err);
    scan->low = next;
    return STATUS_OK;
}

enum status scan_open(struct catalog *catalog, struct day *day, const struct scan_options *options,
                      struct scan **ret_scan, struct error *err)
{
    const struct partition_facts *facts = &day->facts;
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return error_set_memory(err);
    scan->catalog = catalog;
    scan->day = day;
    scan->options = *options;
    scan->kind = partition_number_kind(day->number);
    scan->date = partition_number_day(day->number);
    scan->low = options->from;
    scan->high = options->to;
    scan->known = facts->known < options->to ? facts->known : options->to;
    scan->clean = facts->damaged == 0;
    scan->inside = options->inside || day_is_inside(facts, options->window);
    scan->block = options->first_block > 0 ? options->first_block : PARTITION_BLOCK;
    scan->counted_line = 1;
    if (scan->low < scan->known && facts->misfiled > 0)
        scan_report_misfiled_by_facts(scan);
    if (!scan->clean) /* whoever wants damage named must read every line */
        scan->options.candidates = NULL;
    if (options->filter && filter_is_empty(options->filter))
        scan->options.filter = NULL;
    enum status status = find_start(scan, err);
    if (status == STATUS_OK)
        status = catalog_suspects(catalog, day->number, &scan->suspects, &scan->suspect_count, err);
    if (status != STATUS_OK)
        scan_close(scan);
    else
        *ret_scan = scan;
    return status;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    free(scan->suspects);
    free(scan->pieces);
    bytes_release(&scan->buffer);
    free(scan);
}

bool scan_was_cut(const struct scan *scan)
{
    return scan->was_cut;
}

/* Selects until there is a piece to hand out. */
static enum store_step next_piece(struct scan *scan, const struct scan_piece **ret_piece, struct error *err)
{
    while (scan->handed == scan->piece_count) {
        enum store_step step = STORE_LINES;
        scan->piece_count = scan->handed = 0;
        if (scan->chosen == scan->length)
            step = scan_take_chunk(scan, err);
        if (step != STORE_LINES)
            return step;
        if (scan_select(scan, err) != STATUS_OK)
            return STORE_FAILED;
    }
    size_t i = scan->options.backward ? scan->piece_count - 1 - scan->handed : scan->handed;
    *ret_piece = &scan->pieces[i];
    scan->handed++;
    return STORE_LINES;
}

enum store_step scan_next(struct scan *scan, struct scan_item *ret_item, struct error *err)
{
    const struct scan_options *options = &scan->options;
    bool must_read = options->need_events && options->backward;
    for (;;) {
        const struct scan_piece *piece;
        struct json_fault fault;
        enum store_step step = next_piece(scan, &piece, err);
        if (step != STORE_LINES)
            return step;
        if ((piece->damaged || must_read) &&
            scan_read_event(scan, piece->start, piece->length - 1, &scan->event, &fault) == EVENT_NO_MEMORY) {
            error_set_memory(err);
            return STORE_FAILED;
        }
        if (piece->damaged) {
            if (scan_report_damage(scan, piece->start, piece->length - 1, &fault, err) != STATUS_OK)
                return STORE_FAILED;
            continue;
        }
        uint64_t end = scan->offset + piece->start + piece->length;
        ret_item->data = scan->data + piece->start;
        ret_item->length = piece->length;
        ret_item->lines = piece->lines;
        if (options->need_events)
            ret_item->event = scan->event;
        ret_item->day = scan->day;
        ret_item->offset = scan->offset + piece->start;
        ret_item->end = end < scan->end ? end : scan->end;
        ret_item->repeat = piece->repeat;
        return STORE_LINES;
    }
}

void scan_item_cut(struct scan_item *item, uint64_t lines)
{
    const char *at = item->data, *end = item->data + item->length;
    for (uint64_t i = 0; i < lines; i++)
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    if (at < end)
        item->end = item->offset + (uint64_t)(at - item->data);
    item->length = (size_t)(at - item->data);
    item->lines = lines;
}
