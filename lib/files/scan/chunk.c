#include <string.h>

#include "base/array.h"
#include "files/scan/state.h"

#define GAP        ((uint64_t)32 << 10) /* candidates closer than this are read together */
#define LEAST_READ ((size_t)4096)

static uint64_t candidate_offset(const struct scan *scan, size_t i)
{
    return index_value_offset(scan->options.candidates[i].value);
}

static int compare_offset(const void *element, const void *key)
{
    uint64_t a = index_value_offset(((const struct entry *)element)->value), b = *(const uint64_t *)key;
    return (a > b) - (a < b);
}

/* Number of candidates that lie before `offset`. */
static size_t candidates_before(const struct scan *scan, uint64_t offset)
{
    const struct scan_options *options = &scan->options;
    return array_lower_bound(options->candidates, options->candidate_count, sizeof *options->candidates, &offset,
                             compare_offset);
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greatest_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Blocks grow to the usual size, so that who wants few events reads little. */
static size_t next_block(struct scan *scan)
{
    size_t block = scan->block;
    scan->block = block < PARTITION_BLOCK / 2 ? 2 * block : PARTITION_BLOCK;
    return block;
}

/*
 * The next stretch [*ret_start, *ret_stop) in which candidates lie; forward the first one from `low` on. False: none
 * below `limit`.
 */
static bool stretch_forward(const struct scan *scan, uint64_t limit, uint64_t *ret_start, uint64_t *ret_stop)
{
    uint64_t span = scan->options.candidate_span;
    size_t i = candidates_before(scan, scan->low < span ? 0 : scan->low - span + 1);
    if (i == scan->options.candidate_count || candidate_offset(scan, i) >= limit)
        return false;
    uint64_t start = greatest_of(scan->low, candidate_offset(scan, i)), stop = candidate_offset(scan, i) + span;
    while (++i < scan->options.candidate_count && candidate_offset(scan, i) < limit &&
           candidate_offset(scan, i) < stop + GAP && stop - start < PARTITION_BLOCK)
        stop = candidate_offset(scan, i) + span;
    *ret_start = start;
    *ret_stop = least_of(stop, limit);
    return true;
}

/* The same from `high` down. */
static bool stretch_backward(const struct scan *scan, uint64_t *ret_start, uint64_t *ret_stop)
{
    uint64_t span = scan->options.candidate_span;
    size_t i = candidates_before(scan, scan->high);
    if (i == 0 || candidate_offset(scan, i - 1) + span <= scan->low)
        return false;
    uint64_t start = candidate_offset(scan, --i), stop = least_of(start + span, scan->high);
    while (i > 0 && candidate_offset(scan, i - 1) + span > scan->low && stop - start < scan->block &&
           candidate_offset(scan, i - 1) + span + GAP > start)
        start = candidate_offset(scan, --i);
    *ret_start = greatest_of(start, scan->low);
    *ret_stop = stop;
    return true;
}

/* Reads lines from the one that holds `start` to the one that holds the byte before `stop`, at most to `limit`. */
static enum status read_stretch(struct scan *scan, uint64_t start, uint64_t stop, uint64_t limit, struct chunk *ret,
                                struct error *err)
{
    uint64_t from = scan->low;
    enum status status =
        start == scan->low ? STATUS_OK : partition_line_start(scan->day->file, start, scan->low, &from, err);
    if (status != STATUS_OK)
        return status;
    for (size_t block = LEAST_READ + (size_t)(stop - from);; block *= 2) {
        status = partition_read_forward(scan->day->file, from, limit, block, &scan->buffer, ret, err);
        if (status != STATUS_OK || ret->offset + ret->length >= stop || block >= limit - from)
            return status;
    }
}

/* The next chunk of lines from `low` on; none where no line begins there any more. */
static enum status read_on(struct scan *scan, uint64_t limit, struct chunk *ret_chunk, struct error *err)
{
    uint64_t start = scan->low;
    enum status status =
        partition_read_forward(scan->day->file, scan->low, limit, next_block(scan), &scan->buffer, ret_chunk, err);
    if (status == STATUS_OK && scan->low > 0)
        status = partition_line_start(scan->day->file, scan->low, scan->low - 1, &start, err);
    if (start != scan->low)
        ret_chunk->length = 0;
    return status;
}

/* Makes the chunk end in a newline. Without one it ends where the extent does, in a last line past what is known, or
 * the file is another one by now. */
static enum status set_chunk(struct scan *scan, const struct chunk *chunk, struct error *err)
{
    size_t start = (size_t)(chunk->data ? chunk->data - scan->buffer.data : 0), length = chunk->length;
    scan->end = chunk->offset + length;
    if (length > 0 && chunk->data[length - 1] != '\n') {
        if (scan->end == scan->options.to && scan->end > scan->known) {
            scan->buffer.length = start + length;
            if (!bytes_append_char(&scan->buffer, '\n'))
                return error_set_memory(err);
            length++;
        } else {
            const char *newline = memrchr(chunk->data, '\n', length);
            length = newline ? (size_t)(newline - chunk->data) + 1 : 0;
            scan->end = chunk->offset + length;
        }
    }
    scan->data = scan->buffer.data + start;
    scan->length = length;
    scan->offset = chunk->offset;
    scan->chosen = 0;
    scan->piece_count = scan->handed = 0;
    return STATUS_OK;
}

static enum status take_forward(struct scan *scan, struct error *err)
{
    struct chunk chunk;
    uint64_t start, stop, limit = scan->low < scan->known ? scan->known : scan->high;
    enum status status;
    if (scan->low >= scan->known || !scan->options.candidates) {
        status = read_on(scan, limit, &chunk, err);
    } else if (stretch_forward(scan, limit, &start, &stop)) {
        next_block(scan);
        status = read_stretch(scan, start, stop, limit, &chunk, err);
    } else {
        scan->low = limit;
        return STATUS_OK;
    }
    if (status != STATUS_OK || (status = set_chunk(scan, &chunk, err)) != STATUS_OK)
        return status;
    if (scan->length == 0)
        scan_report_cut(scan);
    scan->low = scan->was_cut ? scan->high : scan->end;
    return STATUS_OK;
}

static enum status take_backward(struct scan *scan, struct error *err)
{
    struct chunk chunk;
    bool is_known = scan->high <= scan->known;
    uint64_t start = is_known ? scan->low : greatest_of(scan->known, scan->low), stop = scan->high;
    enum status status;
    if (!is_known || !scan->options.candidates) {
        status =
            partition_read_backward(scan->day->file, start, scan->high, next_block(scan), &scan->buffer, &chunk, err);
    } else if (stretch_backward(scan, &start, &stop)) {
        next_block(scan);
        status = read_stretch(scan, start, stop, scan->high, &chunk, err);
    } else {
        scan->high = scan->low;
        return STATUS_OK;
    }
    if (status != STATUS_OK || (status = set_chunk(scan, &chunk, err)) != STATUS_OK)
        return status;
    if (scan->end < stop)
        scan_report_cut(scan);
    scan->high = chunk.offset < scan->high ? chunk.offset : start;
    return STATUS_OK;
}

enum store_step scan_take_chunk(struct scan *scan, struct error *err)
{
    scan->length = 0;
    while (scan->length == 0) {
        if (scan->low >= scan->high)
            return STORE_NONE;
        enum status status = scan->options.backward ? take_backward(scan, err) : take_forward(scan, err);
        if (status != STATUS_OK)
            return STORE_FAILED;
    }
    return STORE_LINES;
}
