#include <stdlib.h>
#include <string.h>

#include "files/catalog/state.h"

#define NEAR_BLOCK ((size_t)128 << 10) /* read at once where the line before was near */
#define FAR_BLOCK  ((size_t)4 << 10)

/* ---- asking the index */

enum status catalog_find_matches(struct catalog *store, enum index_table table, uint64_t key, struct error *err)
{
    enum status status;
    int turn = 0;
    do
        status = index_find(store->index, table, key, &store->matches, err);
    while (catalog_repair(store, &status, &turn, err));
    return status;
}

enum status catalog_find_many(struct catalog *store, const uint64_t *keys, size_t count, struct entries *ret_hits,
                              struct error *err)
{
    enum status status;
    int turn = 0;
    do
        status = index_lookup(store->index, INDEX_IDS, keys, count, ret_hits, err);
    while (catalog_repair(store, &status, &turn, err));
    return status;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = ((const struct entry *)a)->value, y = ((const struct entry *)b)->value;
    return (x > y) - (x < y);
}

enum status catalog_candidates(struct catalog *store, bool are_ids, const uint64_t *keys, size_t count,
                               struct entries *ret, struct error *err)
{
    ret->count = 0;
    for (size_t i = 0; i < count; i++) {
        enum status status = catalog_find_matches(store, are_ids ? INDEX_IDS : INDEX_REFS, keys[i], err);
        if (status != STATUS_OK)
            return status;
        if (!entries_append(ret, store->matches.data, store->matches.count))
            return error_set_memory(err);
    }
    if (ret->count > 1)
        qsort(ret->data, ret->count, sizeof *ret->data, by_value);
    return STATUS_OK;
}

static int compare_key(const void *entry, const void *key)
{
    uint64_t a = ((const struct entry *)entry)->key, b = *(const uint64_t *)key;
    return (a > b) - (a < b);
}

enum status catalog_suspects(struct catalog *store, uint32_t number, uint64_t **ret_offsets, size_t *ret_count,
                             struct error *err)
{
    const struct catalog_partition *row = catalog_row(store, number);
    const struct entries *shadowed = &store->shadowed;
    struct entries *matches = &store->matches;
    enum status status = STATUS_OK;
    *ret_offsets = NULL;
    *ret_count = matches->count = 0;
    if (row && row->facts.repeats > 0)
        status = catalog_find_matches(store, INDEX_REPEATS, number, err);
    if (status != STATUS_OK)
        return status;
    uint64_t from = row ? number : UINT64_MAX, to = from == UINT64_MAX ? from : from + 1;
    size_t first = array_lower_bound(shadowed->data, shadowed->count, sizeof *shadowed->data, &from, compare_key);
    size_t last = array_lower_bound(shadowed->data, shadowed->count, sizeof *shadowed->data, &to, compare_key);
    if (first < last && !entries_append(matches, shadowed->data + first, last - first))
        return error_set_memory(err);
    if (matches->count == 0)
        return STATUS_OK;
    uint64_t *offsets = reallocarray(NULL, matches->count, sizeof *offsets);
    if (!offsets)
        return error_set_memory(err);
    entries_sort(matches); /* all have the same key */
    for (size_t i = 0; i < matches->count; i++) {
        uint64_t offset = index_value_offset(matches->data[i].value);
        if (*ret_count == 0 || offsets[*ret_count - 1] != offset)
            offsets[(*ret_count)++] = offset;
    }
    *ret_offsets = offsets;
    return STATUS_OK;
}

/* ---- the line at a place */

static bool line_in_block(const struct catalog *store, struct store_place at, const char **ret_line, size_t *ret_length)
{
    const struct bytes *block = &store->block;
    if (!store->open || store->open_number != at.part || at.offset < store->block_offset ||
        at.offset - store->block_offset >= block->length)
        return false;
    const char *line = block->data + (at.offset - store->block_offset);
    const char *newline = memchr(line, '\n', block->length - (size_t)(line - block->data));
    if (!newline)
        return false;
    *ret_line = line;
    *ret_length = (size_t)(newline - line);
    return true;
}

enum status catalog_line_at(struct catalog *store, struct store_place position, const char **ret_line,
                            size_t *ret_length, struct error *err)
{
    struct partition *partition;
    struct chunk chunk;
    if (line_in_block(store, position, ret_line, ret_length))
        return STATUS_OK;
    bool near = store->open && store->open_number == position.part && store->block.length > 0 &&
                position.offset < store->block_offset + store->block.length + NEAR_BLOCK;
    enum status status = catalog_partition_at_hand(store, position.part, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = partition_read_forward(partition, position.offset, UINT64_MAX, near ? NEAR_BLOCK : FAR_BLOCK,
                                    &store->block, &chunk, err);
    if (status != STATUS_OK)
        return status;
    store->block_offset = position.offset;
    if (!line_in_block(store, position, ret_line, ret_length)) {
        *ret_line = store->block.length > 0 ? store->block.data : "";
        *ret_length = store->block.length;
    }
    return STATUS_OK;
}

enum status catalog_holds_id(struct catalog *store, struct store_place position, const struct event *event,
                             bool *ret_holds, bool *ret_conflicts, struct error *err)
{
    const char *line;
    size_t length;
    struct event stored;
    *ret_holds = false;
    enum status status = catalog_line_at(store, position, &line, &length, err);
    if (status != STATUS_OK)
        return status;
    if ((MUTANT(HIT_NOT_CONFIRMED) && ret_conflicts) ||
        (length == event->length && memcmp(line, event->line, length) == 0)) {
        *ret_holds = true;
        if (ret_conflicts)
            *ret_conflicts = false;
        return STATUS_OK;
    }
    enum event_verdict verdict = event_read(line, length, event->kind, false, &stored, NULL);
    *ret_holds = verdict == EVENT_GOOD && json_string_same(stored.id, event->id);
    if (verdict == EVENT_NO_MEMORY || (*ret_holds && ret_conflicts && !event_conflicts(&stored, event, ret_conflicts)))
        return error_set_memory(err);
    return STATUS_OK;
}

enum status catalog_read_record(struct catalog *store, struct store_place position, const struct event *event,
                                struct bytes *line, struct error *err)
{
    bool holds;
    const char *data;
    size_t length;
    enum status status = catalog_holds_id(store, position, event, &holds, NULL, err);
    if (status != STATUS_OK)
        return status;
    if (!holds)
        return error_set(err, STATUS_ABSENT, "%s: was rewritten meanwhile", partition_label(store->open));
    status = catalog_line_at(store, position, &data, &length, err);
    if (status != STATUS_OK)
        return status;
    bytes_clear(line);
    return bytes_append(line, data, length) ? STATUS_OK : error_set_memory(err);
}

/* ---- the first record of an id */

enum status catalog_find_record(struct catalog *store, const struct event *event, struct store_place *ret_position,
                                bool *ret_conflicts, struct error *err)
{
    struct bytes scratch = {0};
    uint64_t hash;
    bool hashed = event_id_hash(event, index_seed(store->index), &scratch, &hash), holds = false;
    bytes_release(&scratch);
    if (!hashed)
        return error_set_memory(err);
    struct entry found = store->found[hash % CATALOG_FOUND];
    enum status status = STATUS_OK;
    if (found.key == hash)
        status = catalog_holds_id(store, catalog_place_of(found.value), event, &holds, ret_conflicts, err);
    if (holds)
        goto out;
    if (status == STATUS_OK || status == STATUS_ABSENT) /* what has gone holds none */
        status = catalog_find_matches(store, INDEX_IDS, hash, err);
    for (size_t i = 0; i < store->matches.count && (status == STATUS_OK || status == STATUS_ABSENT) && !holds; i++) {
        found = store->matches.data[i];
        status = catalog_holds_id(store, catalog_place_of(found.value), event, &holds, ret_conflicts, err);
    }
    if (status != STATUS_OK && status != STATUS_ABSENT)
        return status;
    if (!holds)
        return error_set(err, STATUS_ABSENT, "the id is not stored");
    store->found[hash % CATALOG_FOUND] = found;
out:
    *ret_position = catalog_place_of(found.value);
    return STATUS_OK;
}

enum status catalog_find_first(struct catalog *store, const struct event *event, struct store_place *ret_position,
                               struct error *err)
{
    return catalog_find_record(store, event, ret_position, NULL, err);
}
