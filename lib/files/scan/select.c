#include <stdlib.h>
#include <string.h>

#include "files/scan/state.h"

enum verdict { REJECTED, PASSED, REPEAT };

enum event_verdict scan_read_event(const struct scan *scan, size_t start, size_t length, struct event *ret_event,
                                   struct json_fault *ret_fault)
{
    const char *line = scan->data + start;
    bool known_good = scan_below_known(scan) && scan->facts.damaged == 0;
    enum event_verdict verdict = event_read(line, length, scan->kind, known_good, ret_event, ret_fault);
    /* a blank line, or one that was changed in place since it was found good */
    return known_good && verdict == EVENT_DAMAGED ? event_read(line, length, scan->kind, false, ret_event, ret_fault)
                                                  : verdict;
}

/* The first of the suspects that does not lie before `offset`. */
static size_t suspect_at(const struct scan *scan, uint64_t offset)
{
    size_t low = 0, high = scan->suspect_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scan->suspects[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
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

/* Whether the event at `offset` is the first record of its id. */
static enum status check_first(const struct scan *scan, const struct event *event, uint64_t offset,
                               struct scan_piece *piece, struct error *err)
{
    struct store_place first;
    piece->repeat = false;
    enum status status = catalog_find_first(scan->store, event, &first, err);
    if (status == STATUS_ABSENT)
        return STATUS_OK;
    uint32_t partition = scan->options.partition;
    if (status == STATUS_OK && (first.part < partition || (first.part == partition && first.offset < offset))) {
        piece->repeat = true;
        piece->first = first;
    }
    return status;
}

/* False: no memory. */
static bool wants(const struct scan *scan, const struct event *event, bool *ret_wanted)
{
    const struct filter *filter = scan->options.filter;
    *ret_wanted = (scan->inside && scan_below_known(scan)) || window_holds(scan->options.window, event->timestamp);
    return !*ret_wanted || !filter || filter_matches(filter, event, ret_wanted);
}

/* Looks at one line; *ret_passes with what `piece` says of repeats. */
static enum status judge(struct scan *scan, struct scan_piece *piece, bool *ret_passes, struct error *err)
{
    struct json_fault fault;
    size_t length = piece->length - 1;
    uint64_t offset = scan->offset + piece->start;
    *ret_passes = false;
    switch (scan_read_event(scan, piece->start, length, &scan->event, &fault)) {
    case EVENT_BLANK:
        return STATUS_OK;
    case EVENT_DAMAGED:
        piece->damaged = *ret_passes = scan->options.backward;
        return piece->damaged ? STATUS_OK : scan_report_damage(scan, piece->start, length, &fault, err);
    case EVENT_NO_MEMORY:
        return error_set_memory(err);
    case EVENT_GOOD:
        break;
    }
    enum status status = STATUS_OK;
    if (!scan->told_misfiled && timestamp_day(scan->event.timestamp) != scan->day)
        status = scan_report_misfiled(scan, offset, scan->event.timestamp, err);
    bool wanted = false;
    if (status == STATUS_OK && !wants(scan, &scan->event, &wanted))
        status = error_set_memory(err);
    if (!wanted || status != STATUS_OK)
        return status;
    if (is_suspect(scan, offset))
        status = check_first(scan, &scan->event, offset, piece, err);
    *ret_passes = !piece->repeat || scan->options.need_repeats;
    return status;
}

static enum status add_piece(struct scan *scan, const struct scan_piece *piece, struct error *err)
{
    struct scan_piece *last = scan->piece_count > 0 ? &scan->pieces[scan->piece_count - 1] : NULL;
    bool single = scan->options.backward || scan->options.need_events;
    if (last && !single && last->start + last->length == piece->start) {
        last->length += piece->length;
        last->lines += piece->lines;
        return STATUS_OK;
    }
    if (scan->piece_count == scan->piece_capacity) {
        size_t capacity = scan->piece_capacity > 0 ? 2 * scan->piece_capacity : 64;
        struct scan_piece *pieces = reallocarray(scan->pieces, capacity, sizeof *pieces);
        if (!pieces)
            return error_set_memory(err);
        scan->pieces = pieces;
        scan->piece_capacity = capacity;
    }
    scan->pieces[scan->piece_count++] = *piece;
    return STATUS_OK;
}

/* The line that starts at `start`, with its newline. */
static struct scan_piece line_at(const struct scan *scan, size_t start)
{
    const char *newline = memchr(scan->data + start, '\n', scan->length - start);
    return (struct scan_piece){.start = start, .length = (size_t)(newline - scan->data) + 1 - start, .lines = 1};
}

/* Lines must be read as events. */
static enum status choose_events(struct scan *scan, struct error *err)
{
    const struct filter *filter = scan->options.filter;
    bool reject = filter && scan_below_known(scan) && scan->facts.damaged == 0;
    bool one = scan->options.need_events && !scan->options.backward;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && scan->chosen < scan->length && !(one && scan->piece_count > 0)) {
        size_t skip = 0;
        if (reject && !filter_may_match(filter, scan->data + scan->chosen, scan->length - scan->chosen, &skip)) {
            scan->chosen = scan->length;
            break;
        }
        struct scan_piece piece = line_at(scan, scan->chosen + skip);
        bool passes;
        scan->chosen = piece.start + piece.length;
        status = judge(scan, &piece, &passes, err);
        if (status == STATUS_OK && passes)
            status = add_piece(scan, &piece, err);
    }
    return status;
}

/* All lines are events that are wanted, or blank; some may be repeats. */
static enum status choose_lines(struct scan *scan, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && scan->chosen < scan->length) {
        struct scan_piece piece = line_at(scan, scan->chosen);
        bool passes = true;
        scan->chosen = piece.start + piece.length;
        if (is_suspect(scan, scan->offset + piece.start))
            status = judge(scan, &piece, &passes, err);
        else if (scan->facts.blank > 0)
            passes = !json_is_blank(scan->data + piece.start, piece.length);
        if (status == STATUS_OK && passes)
            status = add_piece(scan, &piece, err);
    }
    return status;
}

static uint64_t count_lines(const char *data, size_t length)
{
    uint64_t count = 0;
    for (const char *at = data, *end = data + length; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        count++;
    return count;
}

static enum status add_block(struct scan *scan, size_t start, size_t end, struct error *err)
{
    if (start == end)
        return STATUS_OK;
    struct scan_piece piece = {.start = start, .length = end - start};
    if (scan->options.need_lines)
        piece.lines = count_lines(scan->data + start, piece.length);
    return add_piece(scan, &piece, err);
}

/* Whether suspects are lines: where the file was written anew in place since it was looked at, others begin elsewhere.
 */
static bool suspects_stand(const struct scan *scan)
{
    bool stand = true;
    for (size_t i = suspect_at(scan, scan->offset); stand && i < scan->suspect_count && scan->suspects[i] < scan->end;
         i++)
        stand = scan->suspects[i] == scan->offset || scan->data[scan->suspects[i] - scan->offset - 1] == '\n';
    return stand;
}

/* All lines are events that are wanted; only suspects are looked at. */
static enum status choose_blocks(struct scan *scan, struct error *err)
{
    enum status status = STATUS_OK;
    size_t start = 0;
    for (size_t i = suspect_at(scan, scan->offset);
         status == STATUS_OK && i < scan->suspect_count && scan->suspects[i] < scan->end; i++) {
        struct scan_piece piece = line_at(scan, (size_t)(scan->suspects[i] - scan->offset));
        bool passes;
        status = judge(scan, &piece, &passes, err);
        if (status != STATUS_OK || passes)
            continue;
        status = add_block(scan, start, piece.start, err);
        start = piece.start + piece.length;
    }
    scan->chosen = scan->length;
    return status == STATUS_OK ? add_block(scan, start, scan->length, err) : status;
}

enum status scan_choose(struct scan *scan, struct error *err)
{
    const struct scan_options *options = &scan->options;
    bool by_facts = scan_below_known(scan) && scan->facts.damaged == 0 && scan->inside;
    if (!by_facts || options->filter || options->need_events)
        return choose_events(scan, err);
    if (options->backward || scan->facts.blank > 0)
        return choose_lines(scan, err);
    return suspects_stand(scan) ? choose_blocks(scan, err) : choose_events(scan, err);
}
