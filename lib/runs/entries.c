#include "runs/entries.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define SMALL      64 /* entries below which insertion is quicker than counting */
#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

bool entries_append(struct entries *entries, const struct entry *data, size_t count)
{
    if (count == 0)
        return true;
    if (!ARRAY_RESERVE(entries->data, entries->count, entries->capacity, count))
        return false;
    memcpy(entries->data + entries->count, data, count * sizeof *data);
    entries->count += count;
    return true;
}

bool entries_add(struct entries *entries, struct entry entry)
{
    if (entries->count == entries->capacity)
        return entries_append(entries, &entry, 1);
    entries->data[entries->count++] = entry;
    return true;
}

void entries_release(struct entries *entries)
{
    free(entries->data);
    *entries = (struct entries){0};
}

static void insertion_sort(struct entry *data, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct entry entry = data[i];
        size_t j = i;
        for (; j > 0 && entry_is_less(entry, data[j - 1]); j--)
            data[j] = data[j - 1];
        data[j] = entry;
    }
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return entry_is_less(*x, *y) ? -1 : entry_is_less(*y, *x);
}

/* The position of the lower one of the two highest digits in which keys differ at all. */
static unsigned digits_shift(const struct entry *data, size_t count)
{
    uint64_t difference = 0;
    for (size_t i = 1; i < count; i++)
        difference |= data[0].key ^ data[i].key;
    unsigned bits = difference == 0 ? 0 : 64 - (unsigned)__builtin_clzll(difference);
    return bits > 2 * DIGIT_BITS ? bits - 2 * DIGIT_BITS : 0;
}

static void radix_pass(const struct entry *from, struct entry *to, size_t count, unsigned shift, size_t *counts)
{
    memset(counts, 0, DIGITS * sizeof *counts);
    for (size_t i = 0; i < count; i++)
        counts[from[i].key >> shift & (DIGITS - 1)]++;
    size_t sum = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t n = counts[d];
        counts[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[counts[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

/* By the bits of the key from `shift` on, stable. False: no memory, nothing happened. */
static bool radix_sort(struct entry *data, size_t count, unsigned shift)
{
    struct entry *other = reallocarray(NULL, count, sizeof *other);
    size_t *counts = reallocarray(NULL, DIGITS, sizeof *counts);
    bool good = other && counts;
    if (good) {
        radix_pass(data, other, count, shift, counts);
        radix_pass(other, data, count, shift + DIGIT_BITS, counts);
    }
    free(other);
    free(counts);
    return good;
}

/* Puts groups that are equal from `shift` on in order: of hashes they are short, and mostly they came in order. */
static void sort_groups(struct entry *data, size_t count, unsigned shift)
{
    for (size_t i = 0, end; i < count; i = end) {
        bool sorted = true;
        for (end = i + 1; end < count && data[end].key >> shift == data[i].key >> shift; end++)
            sorted = sorted && !entry_is_less(data[end], data[end - 1]);
        if (!sorted && end - i <= SMALL)
            insertion_sort(data + i, end - i);
        else if (!sorted)
            qsort(data + i, end - i, sizeof *data, compare);
    }
}

void entries_sort(struct entries *entries)
{
    struct entry *data = entries->data;
    size_t count = entries->count, kept = 0;
    unsigned shift = digits_shift(data, count);
    if (count <= SMALL)
        insertion_sort(data, count);
    else if (radix_sort(data, count, shift))
        sort_groups(data, count, shift);
    else
        qsort(data, count, sizeof *data, compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || data[kept - 1].key != data[i].key || data[kept - 1].value != data[i].value)
            data[kept++] = data[i];
    entries->count = kept;
}
