#include "base/array.h"
#include "files/replay/state.h"

/* An index that is made anew in memory goes without the secondary keys. */
static bool is_complete(const struct filter_keys *keys, struct catalog *catalog)
{
    return keys->are_ids || index_has_all_refs(catalog_index(catalog));
}

void candidates_init(struct candidates *candidates, struct filter *filter, enum event_kind kind,
                     struct catalog *catalog)
{
    *candidates = (struct candidates){.filter = filter, .kind = kind};
    if (!filter)
        return;
    struct filter_keys keys = filter_index_keys(filter, kind, index_seed(catalog_index(catalog)));
    if (keys.count > 0 && is_complete(&keys, catalog))
        candidates->state = CANDIDATES_WAITING;
}

void candidates_release(struct candidates *candidates)
{
    entries_release(&candidates->entries);
}

enum status candidates_load(struct candidates *candidates, struct catalog *catalog, struct error *err)
{
    struct entries *entries = &candidates->entries;
    uint64_t seed = index_seed(catalog_index(catalog));
    struct filter_keys keys = filter_index_keys(candidates->filter, candidates->kind, seed);
    candidates->state = CANDIDATES_NONE;
    if (keys.count == 0) /* there is no memory for them now: everything is read */
        return STATUS_OK;
    candidates->span = keys.are_blocks ? CATALOG_KEY_BLOCK : 1;
    enum status status = catalog_candidates(catalog, keys.are_ids, keys.keys, keys.count, entries, err);
    if (status != STATUS_OK || !is_complete(&keys, catalog)) /* it was damaged, and is another now */
        return status;
    /* what counts here is the place alone: generations may differ where the index was rebuilt between two keys */
    for (size_t i = 0; i < entries->count; i++) {
        uint64_t value = entries->data[i].value;
        entries->data[i] = (struct entry){0, index_value(index_value_partition(value), 0, index_value_offset(value))};
    }
    entries_sort(entries);
    candidates->state = CANDIDATES_LOADED;
    return STATUS_OK;
}

static int compare_number(const void *element, const void *key)
{
    uint32_t a = index_value_partition(((const struct entry *)element)->value), b = *(const uint32_t *)key;
    return (a > b) - (a < b);
}

void candidates_apply(const struct candidates *candidates, uint32_t number, struct scan_options *scan)
{
    static const struct entry none;
    const struct entries *entries = &candidates->entries;
    if (candidates->state != CANDIDATES_LOADED)
        return;
    uint32_t next = number + 1;
    size_t from = array_lower_bound(entries->data, entries->count, sizeof *entries->data, &number, compare_number);
    size_t to = array_lower_bound(entries->data, entries->count, sizeof *entries->data, &next, compare_number);
    scan->candidate_count = to - from;
    scan->candidates = to > from ? entries->data + from : &none;
    scan->candidate_span = candidates->span;
}
