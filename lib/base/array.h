/*
 * array - growing arrays, the lower bound in a sorted one, and sets of strings.
 *
 *     struct item *items = NULL; size_t count = 0, capacity = 0;
 *     if (!ARRAY_RESERVE(items, count, capacity, 1)) return error_set_memory(err);
 *     items[count++] = item;
 */
#ifndef METASPN_BASE_ARRAY_H
#define METASPN_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Makes room for `more` elements after the `count` that `array` (an lvalue, owned by malloc) holds. False: no memory,
 * and the array is as it was. */
#define ARRAY_RESERVE(array, count, capacity, more)                                                                    \
    ({                                                                                                                 \
        void *grown_ = array_grow((array), &(capacity), (count), (more), sizeof *(array));                             \
        if (grown_)                                                                                                    \
            (array) = grown_;                                                                                          \
        grown_ != NULL;                                                                                                \
    })

/* ARRAY_RESERVE's work: the array with the room, moved perhaps; NULL: no memory. */
void *array_grow(void *array, size_t *capacity, size_t count, size_t more, size_t size);

/* The index of the first element that is not less than `key`, or `count`. `compare` gives the sign of element - key. */
static inline size_t array_lower_bound(const void *array, size_t count, size_t size, const void *key,
                                       int (*compare)(const void *element, const void *key))
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare((const char *)array + middle * size, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A set of strings of bytes that remembers the order in which they came. `struct string_set set = {0};` is empty. */
struct string_set {
    struct bytes text; /* one after the other */
    size_t *ends;      /* where each ends in the text; owned */
    size_t count, capacity;
    size_t *slots; /* a hash table of numbers from 1; owned */
    size_t slot_count;
};

/* Adds a string unless it is there; *ret_added (may be NULL) says whether it was not. False: no memory. */
bool string_set_add(struct string_set *set, const void *string, size_t length, bool *ret_added);
bool string_set_has(const struct string_set *set, const void *string, size_t length);
/* The string of this number, in the order of adding; borrowed until one is added. */
const char *string_set_get(const struct string_set *set, size_t number, size_t *ret_length);
void string_set_clear(struct string_set *set);
void string_set_release(struct string_set *set);

#endif
