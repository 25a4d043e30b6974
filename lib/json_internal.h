/*
 * json_internal - what the files of json_text share: string pieces, names in
 * their order, number grammar.
 *
 * Pieces of strings are given without their quotes: [at, end) lies between
 * them. Functions that say "valid" may be handed only text that json_scan()
 * accepted; on other text their answers mean nothing, but they stay within
 * bounds.
 */
#ifndef METASPN_JSON_INTERNAL_H
#define METASPN_JSON_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json_text.h"

/* For pieces of a hot loop: what they are told as constants must be constants
 * in them. */
#define ALWAYS_INLINE       static inline __attribute__((always_inline))
#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

extern atomic_bool json_portable_only;

/* json_use_portable() was called with true. */
static inline bool json_portable(void)
{
    return atomic_load_explicit(&json_portable_only, memory_order_relaxed);
}

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* First byte that is not white space. */
static inline const char *json_skip_space(const char *at, const char *end)
{
    while (at < end && json_is_space(*at))
        at++;
    return at;
}

/* First byte that stands in no canonical string as itself: a quote, a
 * backslash, or outside 0x20-0x7e. */
const char *json_plain_end(const char *at, const char *end);

/* Length of the escape at a backslash (2 or 6), 0 where it is none. */
size_t json_escape_length(const char *at, const char *end);
/* The UTF-16 unit that a valid escape stands for. */
uint32_t json_escape_unit(const char *at);
/* The escape is written as the canonical form writes that character. */
bool json_escape_is_canonical(const char *at);
/* Writes one UTF-16 unit as it stands in a canonical string (at most 6 bytes);
 * returns the end. */
char *json_put_unit(char *out, uint32_t unit);
/* The valid string, given with its quotes, is in canonical form. */
bool json_string_is_canonical(const char *at, const char *end);
/* Writes the valid piece of a string in canonical form (at most 6 bytes for
 * each); returns the end. */
char *json_put_string(char *out, const char *at, const char *end);

/* The next code point of a valid piece, which is not empty. A surrogate without
 * its partner is one by itself. */
uint32_t json_decode(const char **at, const char *end);
/* Length of the valid UTF-8 sequence at `at`, 0 where there is none. */
size_t json_utf8_sequence(const char *at, const char *end);
/* Writes a code point as UTF-8 (surrogates too); returns the end. */
char *json_put_utf8(char *out, uint32_t code);

/* A valid string, from its opening quote: behind the closing one, and whether
 * it holds a backslash. */
const char *json_string_end(const char *at, const char *end, bool *ret_escaped);
/* Behind a valid value. */
const char *json_value_end(const char *at, const char *end);

/* Behind the longest number of RFC 8259 at `at`; NULL where none begins there.
 */
const char *json_number_end(const char *at, const char *end);

/* A member's name as it is compared. */
struct json_name {
    uint64_t head;  /* first eight decoded bytes, the first one highest, padded
                       with zeros */
    const char *at; /* behind the opening quote */
    size_t length;
    bool escaped;
};

struct json_name json_name_make(const char *at, size_t length, bool escaped);
/* `head` of a name without escapes, where the text ends at `end`. */
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
/* A name that stands in a text that ends at `end`, and which may have escapes.
 */
ALWAYS_INLINE void json_name_set(struct json_name *name, const char *at, size_t length, const char *end, bool escapes)
{
    name->at = at;
    name->length = length;
    name->head = json_head(at, length, end);
    name->escaped = false;
    if (UNLIKELY(escapes) && memchr(at, '\\', length))
        *name = json_name_make(at, length, true);
}

/* Below, at or above zero: order by the code points of the decoded names. */
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
    if (__builtin_expect(names->count == names->capacity, 0) && !json_names_grow(names))
        return false;
    names->items[names->count++] = *name;
    return true;
}
/* Each name is above the one before it. */
bool json_names_ascend(const struct json_name *items, size_t count);
/* The first name in the text that was there before, of these names in the order
 * of the text; NULL: all differ. Reorders them. */
const char *json_names_duplicate(struct json_name *items, size_t count);

/* Whether a name is a key of the same head. */
bool json_name_is_long_key(const struct json_name *name, const struct json_key *key);
ALWAYS_INLINE bool json_name_is_key(const struct json_name *name, const struct json_key *key)
{
    uint64_t tail, key_tail;
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

/* The index of the key that is this name, or `count`. */
size_t json_key_search(const struct json_name *name, const struct json_key *keys, size_t count);
/* As json_key_search, where the key at *hint is the likely one; *hint is left
 * behind the key. */
ALWAYS_INLINE size_t json_key_index(const struct json_name *name, const struct json_key *keys, size_t count,
                                    size_t *hint)
{
    size_t i = *hint;
    if (i >= count || keys[i].head != name->head || !json_name_is_key(name, &keys[i]))
        i = json_key_search(name, keys, count);
    *hint = i + 1;
    return i;
}

#define JSON_MAX_KEYS 16

/*
 * The fast way through a document. False: the careful scanner must say what to
 * think of it (a fault, a text of another shape than an event, no memory).
 */
bool json_scan_fast(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                    struct json_text *ret_members, bool *ret_canonical);

#endif
