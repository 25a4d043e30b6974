#include <string.h>

#include "files/replay/state.h"

#define LEAST_READ ((size_t)4096)
#define NEAR       ((uint64_t)64 << 10)

void reader_init(struct reader *reader, struct catalog *store, bool backward)
{
    *reader = (struct reader){.store = store, .backward = backward};
}

void reader_release(struct reader *reader)
{
    partition_close(reader->partition);
    bytes_release(&reader->blocks[0].buffer);
    bytes_release(&reader->blocks[1].buffer);
}

enum status reader_turn(struct reader *reader, uint32_t number, struct error *err)
{
    if (reader->partition && reader->number == number)
        return STATUS_OK;
    partition_close(reader->partition);
    reader->partition = NULL;
    for (size_t i = 0; i < 2; i++) {
        bytes_clear(&reader->blocks[i].buffer);
        reader->blocks[i].size = LEAST_READ;
    }
    const struct catalog_partition *row = catalog_partition(reader->store, number);
    reader->told = reader->told && number == reader->number;
    reader->number = number;
    if (!row)
        return error_set(err, STATUS_ABSENT, "no such partition");
    reader->to = row->end;
    reader->known = row->facts.known;
    return catalog_open_seen(reader->store, row, &reader->partition, err);
}

static uint64_t block_end(const struct reader_block *block)
{
    return block->offset + block->buffer.length;
}

/* Whether the block shows that no line begins at `offset` any more. */
static bool is_inside_line(const struct reader_block *block, uint64_t offset)
{
    return offset > block->offset && offset <= block_end(block) &&
           block->buffer.data[offset - block->offset - 1] != '\n';
}

/* The line at `offset` with its newline, where one begins there and the block holds it whole. */
static bool find_line(const struct reader_block *block, uint64_t offset, struct scan_item *ret_item)
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
static struct reader_block *choose_block(struct reader *reader, uint64_t offset)
{
    for (size_t i = 0; i < 2; i++) {
        struct reader_block *block = &reader->blocks[i];
        uint64_t end = block_end(block);
        bool near = reader->backward ? offset < block->offset && block->offset - offset < NEAR
                                     : offset >= end && offset - end < NEAR;
        if (near && block->buffer.length > 0) {
            block->size = block->size < PARTITION_BLOCK ? 4 * block->size : PARTITION_BLOCK;
            return block;
        }
    }
    struct reader_block *block = &reader->blocks[reader->blocks[0].used > reader->blocks[1].used];
    block->size = LEAST_READ;
    return block;
}

/* What was chosen of the partition is not there any more. */
static enum status lose(struct reader *reader, const char *file, const char *what, struct error *err)
{
    struct scan_report_line found = {.finding = SCAN_CUT, .file = file, .what = what};
    if (reader->report && !reader->told)
        reader->report(reader->report_context, &found);
    reader->told = true;
    catalog_note_unread(reader->store, reader->number);
    return error_set(err, STATUS_ABSENT, "%s: %s", file, what);
}

/* The file has become shorter, or was written anew. */
static enum status cut(struct reader *reader, struct error *err)
{
    return lose(reader, partition_label(reader->partition), "was cut, or written anew, while it was read", err);
}

/* Another file stands in its place, or none. */
static enum status replaced(struct reader *reader, struct error *err)
{
    struct bytes path = {0};
    enum status status = catalog_partition_path(reader->store, reader->number, &path)
                             ? lose(reader, path.data, "was replaced, or has gone, while it was read", err)
                             : error_set_memory(err);
    bytes_release(&path);
    return status;
}

/* Fills the block around the line at `offset`, until the whole line is in it. */
static enum status fill_block(struct reader *reader, struct reader_block *block, uint64_t offset,
                              struct scan_item *ret_item, struct error *err)
{
    if (offset >= reader->to)
        return cut(reader, err);
    uint64_t before = reader->backward ? block->size : 1; /* the newline before it, at least */
    uint64_t from = offset > before ? offset - before : 0;
    for (size_t size = (size_t)(offset - from) + block->size;; size *= 2) {
        struct chunk chunk;
        enum status status =
            partition_read_forward(reader->partition, from, reader->to, size, &block->buffer, &chunk, err);
        if (status != STATUS_OK)
            return status;
        bool ends = size >= reader->to - from;
        block->buffer.length = chunk.length;
        block->offset = from;
        bool whole = chunk.length > 0 && from + chunk.length == reader->to && reader->to > reader->known;
        if (whole && chunk.data[chunk.length - 1] != '\n' && !bytes_append_char(&block->buffer, '\n'))
            return error_set_memory(err);
        if (find_line(block, offset, ret_item))
            return STATUS_OK;
        if (ends || is_inside_line(block, offset))
            return cut(reader, err);
    }
}

static enum status read_event(struct reader *reader, struct scan_item *item, struct error *err)
{
    enum event_kind kind = partition_number_kind(item->partition);
    switch (event_read(item->data, item->length - 1, kind, false, &item->event, NULL)) {
    case EVENT_GOOD:
        return STATUS_OK;
    case EVENT_NO_MEMORY:
        return error_set_memory(err);
    default:
        return cut(reader, err);
    }
}

enum status reader_read(struct reader *reader, struct store_place position, bool need_event, struct scan_item *ret_item,
                        struct error *err)
{
    enum status status = reader_turn(reader, position.part, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? replaced(reader, err) : status;
    struct scan_item item = {.lines = 1, .partition = position.part, .offset = position.offset};
    struct reader_block *block = NULL;
    for (size_t i = 0; i < 2 && !block; i++)
        if (find_line(&reader->blocks[i], position.offset, &item))
            block = &reader->blocks[i];
    if (!block) {
        block = choose_block(reader, position.offset);
        status = fill_block(reader, block, position.offset, &item, err);
        if (status != STATUS_OK)
            return status;
    }
    block->used = ++reader->clock;
    item.end = position.offset + item.length < reader->to ? position.offset + item.length : reader->to;
    status = need_event ? read_event(reader, &item, err) : STATUS_OK;
    if (status == STATUS_OK)
        *ret_item = item;
    return status;
}
