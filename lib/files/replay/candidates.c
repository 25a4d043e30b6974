#include "files/replay/state.h"

static uint64_t seed_of(struct catalog *store)
{
    return index_seed(catalog_index(store));
}

/* An index that is made anew in memory goes without the secondary keys. */
static bool is_complete(const struct filter_keys *keys, struct catalog *store)
{
    return keys->are_ids || index_has_all_refs(catalog_index(store));
}

void candidates_init(struct candidates *candidates, const struct replay_options *options, enum event_kind kind,
                     struct catalog *store)
{
    *candidates = (struct candidates){.filter = options->filter, .kind = kind};
    if (!options->use_index || !options->filter)
        return;
    struct filter_keys keys = filter_index_keys(options->filter, kind, seed_of(store));
    if (keys.count > 0 && is_complete(&keys, store))
        candidates->state = CANDIDATES_WAITING;
}

void candidates_release(struct candidates *candidates)
{
    entries_release(&candidates->entries);
}

enum status candidates_load(struct candidates *candidates, struct catalog *store, struct error *err)
{
    struct filter_keys keys = filter_index_keys(candidates->filter, candidates->kind, seed_of(store));
    if (keys.count == 0) { /* there is no memory for them now: everything is read */
        candidates->state = CANDIDATES_NONE;
        return STATUS_OK;
    }
    candidates->span = keys.are_blocks ? CATALOG_KEY_BLOCK : 1;
    enum status status = catalog_candidates(store, keys.are_ids, keys.keys, keys.count, &candidates->entries, err);
    if (status != STATUS_OK)
        return status;
    if (!is_complete(&keys, store)) { /* it was damaged, and is another now */
        candidates->state = CANDIDATES_NONE;
        return STATUS_OK;
    }
    /* what counts here is the place alone: generations may differ where the index was rebuilt between two keys */
    struct entries *entries = &candidates->entries;
    for (size_t i = 0; i < entries->count; i++) {
        uint64_t value = entries->data[i].value;
        entries->data[i] = (struct entry){0, index_value(index_value_partition(value), 0, index_value_offset(value))};
    }
    entries_sort(entries);
    candidates->state = CANDIDATES_LOADED;
    return STATUS_OK;
}

/* Number of candidates in partitions before this one. */
static size_t entries_before(const struct entries *entries, uint32_t partition)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index_value_partition(entries->data[middle].value) < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void candidates_apply(const struct candidates *candidates, struct scan_options *scan)
{
    static const struct entry none;
    if (candidates->state != CANDIDATES_LOADED)
        return;
    size_t first = entries_before(&candidates->entries, scan->partition);
    scan->candidate_count = entries_before(&candidates->entries, scan->partition + 1) - first;
    scan->candidates = scan->candidate_count > 0 ? candidates->entries.data + first : &none;
    scan->candidate_span = candidates->span;
}
