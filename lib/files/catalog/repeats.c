#include <stdlib.h>

#include "files/catalog/state.h"

static enum status note_behind(struct catalog *store, struct index_entry tail, struct error *err)
{
    uint32_t number = index_value_partition(tail.value);
    enum status status = index_find(store->index, INDEX_IDS, tail.key, &store->matches, err);
    for (size_t i = 0; i < store->matches.count && status == STATUS_OK; i++) {
        uint64_t value = store->matches.data[i].value;
        uint32_t other = index_value_partition(value);
        if (other > number && !index_entries_add(&store->shadowed, (struct index_entry){other, value}))
            status = error_set_memory(err);
    }
    return status;
}

enum status catalog_note_shadowed(struct catalog *store, struct error *err)
{
    size_t count;
    const struct index_entry *tails = index_volatile(store->index, &count);
    enum status status = STATUS_OK;
    store->shadowed.count = 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = note_behind(store, tails[i], err);
    index_entries_sort(&store->shadowed);
    return status;
}

/* Appends to store->matches the records of a partition that are shadowed. */
static bool add_shadowed(struct catalog *store, uint32_t number)
{
    const struct index_entries *shadowed = &store->shadowed;
    size_t low = 0, high = shadowed->count, from;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shadowed->data[middle].key < number)
            low = middle + 1;
        else
            high = middle;
    }
    for (from = low; low < shadowed->count && shadowed->data[low].key == number; low++)
        continue;
    return low == from || index_entries_append(&store->matches, shadowed->data + from, low - from);
}

/* The matches' offsets, ascending and each once. */
static size_t take_offsets(struct index_entries *matches, uint64_t *offsets)
{
    size_t count = 0;
    index_entries_sort(matches);
    for (size_t i = 0; i < matches->count; i++) {
        uint64_t offset = index_value_offset(matches->data[i].value);
        if (count == 0 || offsets[count - 1] != offset)
            offsets[count++] = offset;
    }
    return count;
}

enum status catalog_suspects(struct catalog *store, uint32_t number, uint64_t **ret_offsets, size_t *ret_count,
                             struct error *err)
{
    const struct catalog_partition *row = catalog_row(store, number);
    enum status status = STATUS_OK;
    *ret_offsets = NULL;
    *ret_count = 0;
    store->matches.count = 0;
    if (row && row->facts.repeats > 0)
        status = catalog_find_matches(store, INDEX_REPEATS, number, err);
    if (status == STATUS_OK && row && !add_shadowed(store, number))
        return error_set_memory(err);
    if (status != STATUS_OK || store->matches.count == 0)
        return status;
    uint64_t *offsets = reallocarray(NULL, store->matches.count, sizeof *offsets);
    if (!offsets)
        return error_set_memory(err);
    *ret_offsets = offsets;
    *ret_count = take_offsets(&store->matches, offsets);
    return STATUS_OK;
}
