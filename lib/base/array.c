#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define KEPT_SLOTS 64 /* of a set that is cleared: what was large once costs nothing the next times */

void *array_grow(void *array, size_t *capacity, size_t count, size_t more, size_t size)
{
    size_t wanted, bytes;
    if (array && more <= *capacity - count)
        return array;
    if (__builtin_add_overflow(count, more, &wanted))
        return NULL;
    if (wanted < *capacity * 2)
        wanted = *capacity * 2;
    if (wanted < 8)
        wanted = 8;
    if (__builtin_mul_overflow(wanted, size, &bytes))
        return NULL;
    array = realloc(array, bytes);
    if (array)
        *capacity = wanted;
    return array;
}

const char *string_set_get(const struct string_set *set, size_t number, size_t *ret_length)
{
    size_t start = number == 0 ? 0 : set->ends[number - 1];
    *ret_length = set->ends[number] - start;
    return set->text.data + start;
}

/* The slot of a string: its own, or the empty one where it belongs. */
static size_t *slot_of(const struct string_set *set, const void *string, size_t length)
{
    for (size_t i = (size_t)hash_bytes(string, length, 0);; i++) {
        size_t *slot = &set->slots[i & (set->slot_count - 1)], stored;
        if (*slot == 0)
            return slot;
        const char *other = string_set_get(set, *slot - 1, &stored);
        if (stored == length && (length == 0 || memcmp(other, string, length) == 0))
            return slot;
    }
}

bool string_set_has(const struct string_set *set, const void *string, size_t length)
{
    return set->count > 0 && *slot_of(set, string, length) != 0;
}

/* Keeps at least half of the slots empty. */
static bool make_slots(struct string_set *set)
{
    struct string_set grown = *set;
    if (set->slot_count > 0 && set->count < set->slot_count / 2)
        return true;
    grown.slot_count = set->slot_count ? set->slot_count * 2 : 16;
    grown.slots = calloc(grown.slot_count, sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (size_t i = 0, length; i < set->count; i++) {
        const char *string = string_set_get(set, i, &length);
        *slot_of(&grown, string, length) = i + 1;
    }
    free(set->slots);
    *set = grown;
    return true;
}

bool string_set_add(struct string_set *set, const void *string, size_t length, bool *ret_added)
{
    if (!make_slots(set) || !ARRAY_RESERVE(set->ends, set->count, set->capacity, 1))
        return false;
    size_t *slot = slot_of(set, string, length);
    if (ret_added)
        *ret_added = *slot == 0;
    if (*slot != 0)
        return true;
    if (!bytes_append(&set->text, string, length))
        return false;
    set->ends[set->count++] = set->text.length;
    *slot = set->count;
    return true;
}

void string_set_clear(struct string_set *set)
{
    bytes_clear(&set->text);
    set->count = 0;
    if (set->slot_count > KEPT_SLOTS) {
        free(set->slots);
        set->slots = NULL;
        set->slot_count = 0;
    } else if (set->slots) {
        memset(set->slots, 0, set->slot_count * sizeof *set->slots);
    }
}

void string_set_release(struct string_set *set)
{
    bytes_release(&set->text);
    free(set->ends);
    free(set->slots);
    *set = (struct string_set){0};
}
