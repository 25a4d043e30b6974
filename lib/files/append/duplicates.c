#include <stdlib.h>
#include <string.h>

#include "files/append/batch.h"

enum status batch_hash_ids(struct batch *batch)
{
    uint64_t seed = index_seed(batch->store->index);
    if (batch->id_hashes && batch->seed == seed)
        return STATUS_OK;
    if (!batch->id_hashes)
        batch->id_hashes = reallocarray(NULL, batch->count, sizeof *batch->id_hashes);
    if (!batch->id_hashes)
        return error_set_memory(batch->err);
    for (size_t i = 0; i < batch->count; i++)
        if (!event_id_hash(&batch->items[i].event, seed, &batch->scratch, &batch->id_hashes[i]))
            return error_set_memory(batch->err);
    batch->seed = seed;
    return STATUS_OK;
}

static enum status start_look_up(struct batch *batch)
{
    enum status status = batch_hash_ids(batch);
    batch->hashes.count = 0;
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
        if (!index_entries_add(&batch->hashes, (struct index_entry){batch->id_hashes[i], i}))
            status = error_set_memory(batch->err);
        batch->items[i].outcome = STORE_APPENDED;
        batch->items[i].first_item = i;
    }
    index_entries_sort(&batch->hashes);
    return status;
}

/* The item's id is that of `first`. False: no memory. */
static bool set_repeated(struct store_item *item, const struct event *first)
{
    bool conflicts;
    if (!event_conflicts(first, &item->event, &conflicts))
        return false;
    item->outcome = conflicts ? STORE_CONFLICT : STORE_DUPLICATE;
    return true;
}

/* Compares an item with a stored line that its id's hash points to; takes it for the first record where the id is the
 * same. */
static enum status confirm(struct batch *batch, struct store_item *item, uint64_t value, const char *line,
                           size_t length)
{
    struct event stored;
    if (MUTANT(HIT_NOT_CONFIRMED) || (length == item->event.length && memcmp(line, item->event.line, length) == 0)) {
        item->outcome = STORE_DUPLICATE;
    } else {
        enum event_verdict verdict = event_read(line, length, item->event.kind, false, &stored, NULL);
        if (verdict == EVENT_NO_MEMORY)
            return error_set_memory(batch->err);
        if (verdict != EVENT_GOOD || !json_string_same(stored.id, item->event.id))
            return STATUS_OK;
        if (!set_repeated(item, &stored))
            return error_set_memory(batch->err);
    }
    item->first = (struct store_place){index_value_partition(value), index_value_offset(value)};
    item->first_item = SIZE_MAX;
    return STATUS_OK;
}

/* Reads stored lines in the order they lie, many from one block. */
struct line_reader {
    struct bytes block;
    uint32_t partition;
    uint64_t offset; /* of the block */
};

#define NEAR_BLOCK ((size_t)128 << 10)
#define FAR_BLOCK  ((size_t)4 << 10)

static const char *line_in_block(const struct line_reader *reader, uint32_t number, uint64_t offset, size_t *ret_length)
{
    if (reader->block.length == 0 || reader->partition != number || offset < reader->offset ||
        offset >= reader->offset + reader->block.length)
        return NULL;
    const char *line = reader->block.data + (offset - reader->offset);
    const char *newline = memchr(line, '\n', reader->block.length - (size_t)(line - reader->block.data));
    if (!newline)
        return NULL;
    *ret_length = (size_t)(newline - line);
    return line;
}

static enum status read_line(struct batch *batch, struct line_reader *reader, uint64_t value, const char **ret_line,
                             size_t *ret_length)
{
    uint32_t number = index_value_partition(value);
    uint64_t offset = index_value_offset(value);
    if ((*ret_line = line_in_block(reader, number, offset, ret_length)))
        return STATUS_OK;
    bool near = reader->partition == number && reader->block.length > 0 &&
                offset < reader->offset + reader->block.length + NEAR_BLOCK;
    struct partition *partition;
    struct chunk chunk;
    enum status status = catalog_partition_at_hand(batch->store, number, &partition, batch->err);
    if (status == STATUS_OK)
        status = partition_read_forward(partition, offset, INDEX_OFFSET_LIMIT, near ? NEAR_BLOCK : FAR_BLOCK,
                                        &reader->block, &chunk, batch->err);
    if (status != STATUS_OK)
        return status;
    reader->partition = number;
    reader->offset = offset;
    if (!(*ret_line = line_in_block(reader, number, offset, ret_length))) {
        *ret_line = reader->block.data ? reader->block.data : "";
        *ret_length = reader->block.length;
    }
    return STATUS_OK;
}

/* {group, value} becomes {value, group}, in the order of values. */
static void order_by_value(struct index_entries *hits)
{
    for (size_t i = 0; i < hits->count; i++)
        hits->data[i] = (struct index_entry){hits->data[i].value, hits->data[i].key};
    index_entries_sort(hits);
}

/* Items whose ids have the same hash, almost always one: batch.hashes.data[from .. to). */
struct group {
    size_t from, to, open; /* how many of them have no first record yet */
};

static size_t group_items(const struct batch *batch, struct group *groups, uint64_t *keys)
{
    const struct index_entries *hashes = &batch->hashes;
    size_t count = 0;
    for (size_t i = 0; i < hashes->count; i++) {
        if (i == 0 || hashes->data[i - 1].key != hashes->data[i].key) {
            keys[count] = hashes->data[i].key;
            groups[count++] = (struct group){.from = i};
        }
        groups[count - 1].to = i + 1;
        groups[count - 1].open++;
    }
    return count;
}

static enum status confirm_group(struct batch *batch, struct line_reader *reader, struct group *group, uint64_t value)
{
    const char *line;
    size_t length;
    if (group->open == 0)
        return STATUS_OK;
    enum status status = read_line(batch, reader, value, &line, &length);
    for (size_t i = group->from; i < group->to && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[batch->hashes.data[i].value];
        if (item->outcome != STORE_APPENDED)
            continue;
        status = confirm(batch, item, value, line, length);
        group->open -= item->outcome != STORE_APPENDED;
    }
    return status;
}

/* Follows the index's hits to the lines; the first that has the id is the first record, for they come in that order.
 * STATUS_ABSENT: a file has gone. */
static enum status confirm_hits(struct batch *batch, struct index_entries *hits, struct group *groups)
{
    struct line_reader reader = {0};
    enum status status = STATUS_OK;
    order_by_value(hits);
    for (size_t i = 0; i < hits->count && status == STATUS_OK; i++)
        status = confirm_group(batch, &reader, &groups[hits->data[i].value], hits->data[i].key);
    bytes_release(&reader.block);
    return status;
}

/* Items with the same id inside the batch: the first stands, the others are its duplicates. */
static enum status compare_items(struct batch *batch, const struct group *group)
{
    const struct index_entry *hashes = batch->hashes.data;
    for (size_t i = group->from + 1; i < group->to; i++) {
        struct store_item *item = &batch->items[hashes[i].value];
        for (size_t j = group->from; j < i && item->outcome == STORE_APPENDED; j++) {
            const struct store_item *before = &batch->items[hashes[j].value];
            if (before->outcome != STORE_APPENDED || !json_string_same(before->event.id, item->event.id))
                continue;
            if (!set_repeated(item, &before->event))
                return error_set_memory(batch->err);
            item->first_item = (size_t)hashes[j].value;
        }
    }
    return STATUS_OK;
}

static enum status look_up(struct batch *batch)
{
    struct index_entries hits = {0};
    uint64_t *keys = reallocarray(NULL, batch->count + 1, sizeof *keys);
    struct group *groups = reallocarray(NULL, batch->count + 1, sizeof *groups);
    enum status status = keys && groups ? start_look_up(batch) : error_set_memory(batch->err);
    size_t count = status == STATUS_OK ? group_items(batch, groups, keys) : 0;
    if (status == STATUS_OK)
        status = index_lookup(batch->store->index, keys, count, &hits, batch->err);
    if (status == STATUS_OK)
        status = confirm_hits(batch, &hits, groups);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = compare_items(batch, &groups[i]);
    free(keys);
    free(groups);
    index_entries_release(&hits);
    return status;
}

/* The first record of the item's id as it is by now: its place in item->first, its line in store->line. */
static enum status read_first(struct batch *batch, struct store_item *item)
{
    struct catalog *store = batch->store;
    enum status status = catalog_find_first(store, &item->event, &item->first, batch->err);
    return status == STATUS_OK ? catalog_read_line(store, item->first, &store->line, batch->err) : status;
}

static enum status confirm_first(struct batch *batch, struct store_item *item)
{
    const struct bytes *line = &batch->store->line;
    return confirm(batch, item, index_value(item->first.part, 0, item->first.offset), line->data, line->length);
}

enum status batch_find_item(struct batch *batch, struct store_item *item)
{
    const struct bytes *line = &batch->store->line;
    enum status status = read_first(batch, item);
    if (status != STATUS_OK ||
        (line->length == item->event.length && memcmp(line->data, item->event.line, line->length) == 0))
        return status;
    return confirm_first(batch, item);
}

enum status batch_look_up_again(struct batch *batch, size_t from, size_t *to)
{
    struct index_entry *fresh = batch->fresh.data;
    size_t kept = from;
    enum status status = STATUS_OK;
    for (size_t i = from; i < *to && status == STATUS_OK; i++) {
        struct index_entry entry = fresh[i];
        struct store_item *item = &batch->items[entry.value];
        status = read_first(batch, item);
        if (status == STATUS_OK)
            status = confirm_first(batch, item);
        else if (status == STATUS_ABSENT)
            status = STATUS_OK;
        if (item->outcome == STORE_APPENDED) {
            fresh[i] = fresh[kept];
            fresh[kept++] = entry;
        } else if (batch->stops && entry.value < batch->stop) {
            batch->stop = entry.value;
        }
    }
    *to = kept;
    catalog_close_files(batch->store);
    return status;
}

enum status batch_compare_repetitions(struct batch *batch)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[i];
        if (item->first_item == i || item->first_item == SIZE_MAX ||
            batch->items[item->first_item].outcome == STORE_APPENDED)
            continue;
        status = read_first(batch, item);
        if (status == STATUS_OK)
            status = confirm_first(batch, item);
        else if (status == STATUS_ABSENT) /* it has gone again */
            status = STATUS_OK;
    }
    catalog_close_files(batch->store);
    return status;
}

/* The damaged index of somebody else is no reason to fail; nor is a file that has gone since the store was looked at,
 * which may be there again. */
enum status batch_find_duplicates(struct batch *batch)
{
    struct catalog *store = batch->store;
    enum status status = look_up(batch);
    for (int turn = 0; (status == STATUS_INVALID || status == STATUS_ABSENT) && turn < 2; turn++) {
        status = status == STATUS_INVALID ? catalog_rebuild(store, batch->err)
                                          : catalog_see(store, store->kinds, NULL, batch->err);
        if (status == STATUS_OK)
            status = look_up(batch);
    }
    catalog_close_files(batch->store);
    return status;
}
