#include "files/scan/scan.h"

#include <stdlib.h>

#include "files/scan/state.h"

/* A position may lie between a line and its newline, with blanks; a line that went on behind it is looked at whole. */
static enum status settle_start(struct scan *scan, struct error *err)
{
    struct chunk chunk;
    uint64_t from = scan->low, next;
    bool blank;
    if (from == 0 || from >= scan->high)
        return STATUS_OK;
    enum status status = partition_read_forward(scan->partition, from - 1, from, 1, &scan->buffer, &chunk, err);
    if (status != STATUS_OK || chunk.length == 0 || chunk.data[0] == '\n')
        return status;
    status = partition_skip_blanks(scan->partition, from, scan->high, &blank, &next, err);
    if (status == STATUS_OK && blank)
        scan->low = next;
    else if (status == STATUS_OK)
        status = partition_line_start(scan->partition, from, 0, &scan->low, err);
    return status;
}

/* Whether the facts say that all events lie in the window. */
static bool covers(const struct window *window, const struct partition_facts *facts)
{
    return facts->records == 0 || (window->since <= facts->least && facts->greatest <= window->until);
}

static void set_up(struct scan *scan, const struct catalog_partition *row)
{
    const struct scan_options *options = &scan->options;
    scan->facts = row->facts;
    scan->kind = row->kind;
    scan->day = row->day;
    scan->low = options->from;
    scan->high = options->to;
    scan->known = row->facts.known < options->to ? row->facts.known : options->to;
    scan->inside = options->inside || covers(&options->window, &row->facts);
    scan->block = options->first_block > 0 ? options->first_block : PARTITION_BLOCK;
    scan->counted_line = 1;
    if (scan->low < scan->known && row->facts.misfiled > 0)
        scan_report_misfiled_by_facts(scan);
    /* whoever wants damage named must read every line */
    if (row->facts.damaged > 0)
        scan->options.candidates = NULL;
    if (scan->options.filter && filter_is_empty(scan->options.filter))
        scan->options.filter = NULL;
}

static enum status open_scan(struct scan *scan, struct error *err)
{
    uint32_t number = scan->options.partition;
    const struct catalog_partition *row = catalog_partition(scan->store, number);
    if (!row)
        return error_set(err, STATUS_ABSENT, "no such partition");
    enum status status = catalog_open_seen(scan->store, row, &scan->partition, err);
    if (status != STATUS_OK)
        return status;
    set_up(scan, row);
    status = settle_start(scan, err);
    if (status == STATUS_OK)
        status = catalog_suspects(scan->store, number, &scan->suspects, &scan->suspect_count, err);
    return status;
}

enum status scan_open(struct catalog *store, const struct scan_options *options, struct scan **ret_scan,
                      struct error *err)
{
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return error_set_memory(err);
    scan->store = store;
    scan->options = *options;
    enum status status = open_scan(scan, err);
    if (status != STATUS_OK) {
        scan_close(scan);
        return status;
    }
    *ret_scan = scan;
    return STATUS_OK;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    partition_close(scan->partition);
    free(scan->suspects);
    free(scan->pieces);
    bytes_release(&scan->buffer);
    free(scan);
}

bool scan_was_cut(const struct scan *scan)
{
    return scan->was_cut;
}

/* Chooses until there is a piece to hand out. STATUS_ABSENT: no more. */
static enum status more_pieces(struct scan *scan, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && scan->handed == scan->piece_count) {
        scan->piece_count = scan->handed = 0;
        if (scan->chosen == scan->length)
            status = scan_take_chunk(scan, err);
        if (status == STATUS_OK)
            status = scan_choose(scan, err);
    }
    return status;
}

/* The next piece that is handed out; damage on the way is reported. */
static enum status next_piece(struct scan *scan, const struct scan_piece **ret_piece, struct error *err)
{
    enum status status = more_pieces(scan, err);
    while (status == STATUS_OK) {
        size_t i = scan->options.backward ? scan->piece_count - 1 - scan->handed : scan->handed;
        const struct scan_piece *piece = *ret_piece = &scan->pieces[i];
        struct json_fault fault;
        struct event event;
        scan->handed++;
        if (!piece->damaged)
            break;
        if (scan_read_event(scan, piece->start, piece->length - 1, &event, &fault) == EVENT_NO_MEMORY)
            return error_set_memory(err);
        status = scan_report_damage(scan, piece->start, piece->length - 1, &fault, err);
        if (status == STATUS_OK)
            status = more_pieces(scan, err);
    }
    return status;
}

enum status scan_next(struct scan *scan, struct scan_item *ret_item, struct error *err)
{
    const struct scan_options *options = &scan->options;
    const struct scan_piece *piece;
    enum status status = next_piece(scan, &piece, err);
    if (status != STATUS_OK)
        return status;
    uint64_t behind = scan->offset + piece->start + piece->length;
    struct scan_item item = {
        .data = scan->data + piece->start,
        .length = piece->length,
        .lines = piece->lines,
        .partition = options->partition,
        .offset = scan->offset + piece->start,
        .end = behind < scan->end ? behind : scan->end,
        .repeat = piece->repeat,
        .first = piece->first,
    };
    if (options->need_events && !options->backward)
        item.event = scan->event;
    else if (options->need_events &&
             scan_read_event(scan, piece->start, piece->length - 1, &item.event, NULL) == EVENT_NO_MEMORY)
        return error_set_memory(err);
    *ret_item = item;
    return STATUS_OK;
}
