/*
 * names - the names of members: their order, whether one is there twice, and which are among the keys to find.
 */
#ifndef METASPN_JSON_NAMES_H
#define METASPN_JSON_NAMES_H

#include "json/internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A member's name as it is compared. */
struct json_name {
    uint64_t head;  /* the first eight decoded bytes, the first one highest, padded with zeros */
    const char *at; /* after the opening quote */
    size_t length;
    bool escaped;
};

struct json_name json_name_make(const char *at, size_t length, bool escaped);
/* Returns the head of a name without escapes in a text that ends at `end`. */
uint64_t json_head_at_end(const char *at, size_t length, const char *end);
ALWAYS_INLINE uint64_t json_head(const char *at, size_t length, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t bytes;
    if (UNLIKELY(end - at < 8 || length == 0))
        return json_head_at_end(at, length, end);
    memcpy(&bytes, at, sizeof bytes);
    int64_t unused = 64 - 8 * (int64_t)length;
    unused &= ~(unused >> 63); /* 0 where it is negative, and no branch */
    return __builtin_bswap64(bytes) >> unused << unused;
#else
    return json_head_at_end(at, length, end);
#endif
}
/* Sets a name of a text that ends at `end`. `escapes`: it may have some. */
ALWAYS_INLINE void json_name_set(struct json_name *name, const char *at, size_t length, const char *end, bool escapes)
{
    name->at = at;
    name->length = length;
    name->head = json_head(at, length, end);
    name->escaped = false;
    if (UNLIKELY(escapes) && memchr(at, '\\', length))
        *name = json_name_make(at, length, true);
}

/* Returns the sign of the order by the code points of the decoded names. */
int json_name_compare_rest(const struct json_name *a, const struct json_name *b);
static inline int json_name_compare(const struct json_name *a, const struct json_name *b)
{
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return json_name_compare_rest(a, b);
}

/* The names of the objects that are open, those of the innermost last. */
struct json_names {
    struct json_name *items; /* `local`, or owned */
    size_t count, capacity;
    struct json_name local[96];
};

void json_names_init(struct json_names *names);
void json_names_release(struct json_names *names);
/* False: no memory. */
bool json_names_grow(struct json_names *names);
static inline bool json_names_push(struct json_names *names, const struct json_name *name)
{
    if (UNLIKELY(names->count == names->capacity) && !json_names_grow(names))
        return false;
    names->items[names->count++] = *name;
    return true;
}
/* Whether each name is above the one before it. */
bool json_names_ascend(const struct json_name *items, size_t count);
/* Returns the first name in the text that was there before; NULL: all differ. May reorder them. */
const char *json_names_duplicate(struct json_name *items, size_t count);

/* Whether they are the same, if their heads are. */
bool json_name_is_long_key(const struct json_name *name, const struct json_key *key);
ALWAYS_INLINE bool json_name_is_key(const struct json_name *name, const struct json_key *key)
{
    uint64_t tail, key_tail;
    if (name->head != key->head)
        return false;
    if (UNLIKELY(name->escaped | (key->length > 16)))
        return json_name_is_long_key(name, key);
    if (name->length != key->length)
        return false;
    if (key->length <= 8)
        return true;
    memcpy(&tail, name->at + name->length - 8, 8);
    memcpy(&key_tail, key->name + key->length - 8, 8);
    return tail == key_tail;
}

/*
 * The keys to find, with a byte of each that differs from that of most names. All bytes are compared at once: with a
 * branch for each key, members in no order would be mispredicted.
 */
struct json_key_set {
    const struct json_key *keys;
    size_t count;
#ifdef __SSE2__
    __m128i tags;
#endif
};

ALWAYS_INLINE uint8_t json_key_tag(uint64_t head)
{
    return (uint8_t)(head * 0x9e3779b97f4a7c15u >> 56);
}

ALWAYS_INLINE struct json_key_set json_key_set_make(const struct json_key *keys, size_t count)
{
#ifdef __SSE2__
    uint64_t tags[2] = {0, 0};
    for (size_t i = 0; i < count && i < 8; i++)
        tags[0] |= (uint64_t)json_key_tag(keys[i].head) << 8 * i;
    for (size_t i = 8; i < count; i++)
        tags[1] |= (uint64_t)json_key_tag(keys[i].head) << 8 * (i - 8);
    return (struct json_key_set){keys, count, _mm_set_epi64x((int64_t)tags[1], (int64_t)tags[0])};
#else
    return (struct json_key_set){keys, count};
#endif
}

/* Returns the index of the key that is this name, or the count of keys. */
ALWAYS_INLINE size_t json_key_index(const struct json_key_set *set, const struct json_name *name)
{
#ifdef __SSE2__
    __m128i same = _mm_cmpeq_epi8(set->tags, _mm_set1_epi8((char)json_key_tag(name->head)));
    unsigned candidates = (unsigned)_mm_movemask_epi8(same) & ((1u << set->count) - 1);
    for (; candidates != 0; candidates &= candidates - 1) {
        size_t i = (size_t)__builtin_ctz(candidates);
        if (LIKELY(json_name_is_key(name, &set->keys[i])))
            return i;
    }
#else
    for (size_t i = 0; i < set->count; i++)
        if (json_name_is_key(name, &set->keys[i]))
            return i;
#endif
    return set->count;
}

#endif
