#include <string.h>

#include "files/replay/state.h"

#define LEAST_READ ((size_t)4096)
#define NEAR       ((uint64_t)64 << 10)

void line_reader_init(struct line_reader *reader, struct catalog *catalog, const struct scan_options *options)
{
    *reader = (struct line_reader){
        .catalog = catalog,
        .backward = options->backward,
        .report = options->report,
        .report_context = options->report_context,
    };
}

void line_reader_release(struct line_reader *reader)
{
    day_close(reader->day);
    bytes_release(&reader->blocks[0].buffer);
    bytes_release(&reader->blocks[1].buffer);
}

void line_reader_turn(struct line_reader *reader, struct day *day)
{
    if (reader->day == day)
        return;
    day_close(reader->day);
    reader->day = day_hold(day);
    reader->reported = false;
    for (size_t i = 0; i < 2; i++) {
        bytes_clear(&reader->blocks[i].buffer);
        reader->blocks[i].size = LEAST_READ;
    }
}

static uint64_t block_end(const struct line_block *block)
{
    return block->offset + block->buffer.length;
}

/* Whether the block shows that no line begins at `offset` any more. */
static bool is_inside_line(const struct line_block *block, uint64_t offset)
{
    return offset > block->offset && offset <= block_end(block) &&
           block->buffer.data[offset - block->offset - 1] != '\n';
}

/* The line at `offset` with its newline, where one begins there and the block holds it whole. */
static bool find_line(const struct line_block *block, uint64_t offset, struct scan_item *ret_item)
{
    if (offset < block->offset || offset >= block_end(block))
        return false;
    if ((offset > 0 && offset == block->offset) || is_inside_line(block, offset))
        return false;
    const char *line = block->buffer.data + (offset - block->offset);
    const char *newline = memchr(line, '\n', (size_t)(block_end(block) - offset));
    if (!newline)
        return false;
    ret_item->data = line;
    ret_item->length = (size_t)(newline - line) + 1;
    return true;
}

/* The block that goes on from where it is to `offset`, or else the one that was not used for longer. */
static struct line_block *choose_block(struct line_reader *reader, uint64_t offset)
{
    for (size_t i = 0; i < 2; i++) {
        struct line_block *block = &reader->blocks[i];
        uint64_t end = block_end(block);
        bool near = reader->backward ? offset < block->offset && block->offset - offset < NEAR
                                     : offset >= end && offset - end < NEAR;
        if (near && block->buffer.length > 0) {
            block->size = block->size < PARTITION_BLOCK ? 4 * block->size : PARTITION_BLOCK;
            return block;
        }
    }
    struct line_block *block = &reader->blocks[reader->blocks[0].used > reader->blocks[1].used];
    block->size = LEAST_READ;
    return block;
}

/* The file has become shorter, or was written anew. */
static enum store_step report_cut(struct line_reader *reader)
{
    struct store_report found = {
        .finding = STORE_CUT,
        .file = partition_label(reader->day->file),
        .what = "was cut, or written anew, while it was read",
    };
    if (reader->report && !reader->reported)
        reader->report(reader->report_context, &found);
    reader->reported = true;
    catalog_note_unread(reader->catalog, reader->day->number);
    return STORE_NONE;
}

/* Fills the block around the line at `offset`, until the whole line is in it. */
static enum store_step fill_block(struct line_reader *reader, struct line_block *block, uint64_t offset,
                                  struct scan_item *ret_item, struct error *err)
{
    const struct day *day = reader->day;
    if (offset >= day->end)
        return report_cut(reader);
    uint64_t before = reader->backward ? block->size : 1; /* the newline before it, at least */
    uint64_t from = offset > before ? offset - before : 0;
    for (size_t size = (size_t)(offset - from) + block->size;; size *= 2) {
        struct chunk chunk;
        if (partition_read_forward(day->file, from, day->end, size, &block->buffer, &chunk, err) != STATUS_OK)
            return STORE_FAILED;
        bool ends = size >= day->end - from;
        block->buffer.length = chunk.length;
        block->offset = from;
        bool whole = chunk.length > 0 && from + chunk.length == day->end && day->end > day->facts.known;
        if (whole && chunk.data[chunk.length - 1] != '\n' && !bytes_append_char(&block->buffer, '\n')) {
            error_set_memory(err);
            return STORE_FAILED;
        }
        if (find_line(block, offset, ret_item))
            return STORE_LINES;
        if (ends || is_inside_line(block, offset))
            return report_cut(reader);
    }
}

enum store_step line_reader_read(struct line_reader *reader, uint64_t offset, bool need_event,
                                 struct scan_item *ret_item, struct error *err)
{
    struct line_block *block = NULL;
    for (size_t i = 0; i < 2 && !block; i++)
        if (find_line(&reader->blocks[i], offset, ret_item))
            block = &reader->blocks[i];
    if (!block) {
        block = choose_block(reader, offset);
        enum store_step step = fill_block(reader, block, offset, ret_item, err);
        if (step != STORE_LINES)
            return step;
    }
    block->used = ++reader->clock;
    ret_item->lines = 1;
    ret_item->day = reader->day;
    ret_item->offset = offset;
    ret_item->end = offset + ret_item->length < reader->day->end ? offset + ret_item->length : reader->day->end;
    if (!need_event)
        return STORE_LINES;
    enum event_kind kind = partition_number_kind(reader->day->number);
    switch (event_read(ret_item->data, ret_item->length - 1, kind, false, &ret_item->event, NULL)) {
    case EVENT_GOOD:
        return STORE_LINES;
    case EVENT_NO_MEMORY:
        error_set_memory(err);
        return STORE_FAILED;
    default:
        return report_cut(reader);
    }
}
