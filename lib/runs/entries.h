/*
 * entries - a growing array of 16-byte entries in memory.
 *
 * An entry is a key (mostly a hash, so keys are evenly spread) and a value (a position, say). Entries are ordered by
 * key, then value. `struct entries entries = {0};` is empty; entries_release() frees it.
 */
#ifndef METASPN_RUNS_ENTRIES_H
#define METASPN_RUNS_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry {
    uint64_t key, value;
};

struct entries {
    struct entry *data; /* owned */
    size_t count, capacity;
};

static inline bool entry_is_less(struct entry a, struct entry b)
{
    return a.key != b.key ? a.key < b.key : a.value < b.value;
}

/* False: no memory, nothing was added. */
bool entries_add(struct entries *entries, struct entry entry);
bool entries_append(struct entries *entries, const struct entry *data, size_t count);
/* Sorts by key and value, and keeps one of equal entries. */
void entries_sort(struct entries *entries);
void entries_release(struct entries *entries);

#endif
