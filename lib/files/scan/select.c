#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "files/scan/state.h"

enum event_verdict scan_read_event(const struct scan *scan, size_t start, size_t length, struct event *ret_event,
                                   struct json_fault *ret_fault)
{
    const char *line = scan->data + start;
    bool known_good = scan_below_known(scan) && scan->clean;
    enum event_verdict verdict = event_read(line, length, scan->kind, known_good, ret_event, ret_fault);
    /* a blank line, or one that was changed in place since it was found good */
    return known_good && verdict == EVENT_DAMAGED ? event_read(line, length, scan->kind, false, ret_event, ret_fault)
                                                  : verdict;
}

static int compare_suspect(const void *element, const void *key)
{
    uint64_t a = *(const uint64_t *)element, b = *(const uint64_t *)key;
    return (a > b) - (a < b);
}

/* The first of the suspects that does not lie before `offset`. */
static size_t suspect_at(const struct scan *scan, uint64_t offset)
{
    return array_lower_bound(scan->suspects, scan->suspect_count, sizeof *scan->suspects, &offset, compare_suspect);
}

static bool is_suspect(const struct scan *scan, uint64_t offset)
{
    if (!scan_below_known(scan))
        return true;
    if (scan->suspect_count == 0)
        return false;
    size_t i = suspect_at(scan, offset);
    return i < scan->suspect_count && scan->suspects[i] == offset;
}

/* Whether the scan's event, which stands at `offset`, is not the first record of its id. */
static enum status is_repeat(const struct scan *scan, uint64_t offset, bool *ret_repeat, struct error *err)
{
    struct store_place first;
    enum status status = catalog_find_first(scan->catalog, &scan->event, &first, err);
    *ret_repeat = status == STATUS_OK &&
                  (first.part < scan->day->number || (first.part == scan->day->number && first.offset < offset));
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* Looks at one line; *ret_passes with what `piece` says of damage and repeats. */
static enum status judge(struct scan *scan, struct scan_piece *piece, bool *ret_passes, struct error *err)
{
    const struct scan_options *options = &scan->options;
    uint64_t offset = scan->offset + piece->start;
    struct event *event = &scan->event;
    struct json_fault fault;
    enum status status = STATUS_OK;
    *ret_passes = false;
    switch (scan_read_event(scan, piece->start, piece->length - 1, event, &fault)) {
    case EVENT_BLANK:
        return STATUS_OK;
    case EVENT_DAMAGED:
        piece->damaged = *ret_passes = options->backward;
        return piece->damaged ? STATUS_OK : scan_report_damage(scan, piece->start, piece->length - 1, &fault, err);
    case EVENT_NO_MEMORY:
        return error_set_memory(err);
    case EVENT_GOOD:
        break;
    }
    if (!scan->reported_misfiled && timestamp_day(event->timestamp) != scan->date)
        status = scan_report_misfiled(scan, offset, event->timestamp, err);
    bool wanted = (scan->inside && scan_below_known(scan)) || window_holds(options->window, event->timestamp);
    if (status != STATUS_OK || !wanted)
        return status;
    if (options->filter && !filter_matches(options->filter, event, &wanted))
        return error_set_memory(err);
    if (wanted && is_suspect(scan, offset))
        status = is_repeat(scan, offset, &piece->repeat, err);
    *ret_passes = wanted && (!piece->repeat || options->need_repeats);
    return status;
}

/* Lines that follow one another become one piece where they are not wanted one at a time. */
static enum status add_piece(struct scan *scan, const struct scan_piece *piece, struct error *err)
{
    struct scan_piece *last = scan->piece_count > 0 ? &scan->pieces[scan->piece_count - 1] : NULL;
    bool single = scan->options.backward || scan->options.need_events;
    if (last && !single && last->start + last->length == piece->start) {
        last->length += piece->length;
        last->lines += piece->lines;
        return STATUS_OK;
    }
    if (!ARRAY_RESERVE(scan->pieces, scan->piece_count, scan->piece_capacity, 1))
        return error_set_memory(err);
    scan->pieces[scan->piece_count++] = *piece;
    return STATUS_OK;
}

/* The line that starts at `start`, with its newline. */
static struct scan_piece line_at(const struct scan *scan, size_t start)
{
    const char *newline = memchr(scan->data + start, '\n', scan->length - start);
    return (struct scan_piece){.start = start, .length = (size_t)(newline - scan->data) + 1 - start, .lines = 1};
}

/* Line by line. `plain`: all lines are events that are wanted, or blank; some may be repeats. */
static enum status select_lines(struct scan *scan, bool plain, struct error *err)
{
    const struct filter *filter = scan->options.filter;
    bool reject = filter && scan_below_known(scan) && scan->clean;
    bool one = scan->options.need_events && !scan->options.backward;
    while (scan->chosen < scan->length && !(one && scan->piece_count > 0)) {
        size_t skip = 0;
        if (reject && !filter_may_match(filter, scan->data + scan->chosen, scan->length - scan->chosen, &skip)) {
            scan->chosen = scan->length;
            break;
        }
        struct scan_piece piece = line_at(scan, scan->chosen + skip);
        bool passes = true;
        enum status status = STATUS_OK;
        scan->chosen = piece.start + piece.length;
        if (!plain || is_suspect(scan, scan->offset + piece.start))
            status = judge(scan, &piece, &passes, err);
        else if (scan->day->facts.blank > 0)
            passes = !json_is_blank(scan->data + piece.start, piece.length);
        if (status != STATUS_OK)
            return status;
        if (passes)
            status = add_piece(scan, &piece, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status add_block(struct scan *scan, size_t start, size_t end, struct error *err)
{
    if (start == end)
        return STATUS_OK;
    struct scan_piece piece = {.start = start, .length = end - start};
    const char *at = scan->data + start, *stop = scan->data + end;
    for (; scan->options.need_lines && (at = memchr(at, '\n', (size_t)(stop - at))) != NULL; at++)
        piece.lines++;
    return add_piece(scan, &piece, err);
}

/* Suspects are no lines where the file was written anew in place since it was looked at: then others begin elsewhere.
 */
static bool are_lines(const struct scan *scan, size_t i)
{
    for (; i < scan->suspect_count && scan->suspects[i] < scan->end; i++)
        if (scan->suspects[i] != scan->offset && scan->data[scan->suspects[i] - scan->offset - 1] != '\n')
            return false;
    return true;
}

/* All lines are events that are wanted; only suspects are looked at. */
static enum status select_blocks(struct scan *scan, struct error *err)
{
    size_t start = 0, i = suspect_at(scan, scan->offset);
    if (!are_lines(scan, i))
        return select_lines(scan, false, err);
    for (; i < scan->suspect_count && scan->suspects[i] < scan->end; i++) {
        struct scan_piece piece = line_at(scan, (size_t)(scan->suspects[i] - scan->offset));
        bool passes;
        enum status status = judge(scan, &piece, &passes, err);
        if (status == STATUS_OK && passes)
            continue;
        if (status != STATUS_OK)
            return status;
        status = add_block(scan, start, piece.start, err);
        if (status != STATUS_OK)
            return status;
        start = piece.start + piece.length;
    }
    scan->chosen = scan->length;
    return add_block(scan, start, scan->length, err);
}

enum status scan_select(struct scan *scan, struct error *err)
{
    const struct scan_options *options = &scan->options;
    bool by_facts = scan_below_known(scan) && scan->clean && scan->inside;
    bool plain = by_facts && !options->filter && !options->need_events;
    if (plain && !options->backward && scan->day->facts.blank == 0)
        return select_blocks(scan, err);
    return select_lines(scan, plain, err);
}
