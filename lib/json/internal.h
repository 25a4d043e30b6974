/*
 * internal - what the files of json/ share: pieces of strings, ends of values, the two scanners.
 *
 * Pieces of strings are given without their quotes: [at, end) lies between them. Functions that say "valid" take only
 * text that json_scan() accepted. On other text their answers mean nothing, but they stay within bounds.
 */
#ifndef METASPN_JSON_INTERNAL_H
#define METASPN_JSON_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json/json.h"

/* For parts of a hot loop: arguments that are constants stay constants in them. */
#define ALWAYS_INLINE       static inline __attribute__((always_inline))
#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

extern atomic_int json_first_code;

/* Whether json_use() allows this code. */
static inline bool json_may_use(enum json_code code)
{
    return (int)code >= atomic_load_explicit(&json_first_code, memory_order_relaxed);
}

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The first byte that is not white space. */
static inline const char *json_skip_space(const char *at, const char *end)
{
    while (at < end && json_is_space(*at))
        at++;
    return at;
}

/* The end of [at, end) without the white space there. */
static inline const char *json_trim_end(const char *at, const char *end)
{
    while (end > at && json_is_space(end[-1]))
        end--;
    return end;
}

/* The first byte that a canonical string does not hold as itself: a quote, a backslash, or outside 0x20-0x7e. */
const char *json_plain_end(const char *at, const char *end);

/* The length of the escape at a backslash (2 or 6; RFC 8259 section 7), 0 where it is none. */
size_t json_escape_length(const char *at, const char *end);
/* Whether the canonical form writes that character with this escape. */
bool json_escape_is_canonical(const char *at);
/* Whether the valid string, given with its quotes, is in canonical form. */
bool json_string_is_canonical(const char *at, const char *end);
/* Writes a valid piece of a string in canonical form (at most 6 bytes for each); returns the end. */
char *json_put_string(char *out, const char *at, const char *end);

/* The next code point of a valid piece, which is not empty. A surrogate without its partner is one by itself. */
uint32_t json_decode(const char **at, const char *end);
/* The length of the valid UTF-8 sequence at `at`, 0 where there is none. */
size_t json_utf8_sequence(const char *at, const char *end);
/* Writes a code point as UTF-8 (surrogates too); returns the end. */
char *json_put_utf8(char *out, uint32_t code);

/* Takes a valid string from its opening quote: the place after the closing one, and whether it has a backslash. */
const char *json_string_end(const char *at, const char *end, bool *ret_escaped);
/* The place after a valid value. */
const char *json_value_end(const char *at, const char *end);

/* The place after the longest number of RFC 8259 (section 6) at `at`; NULL where none begins there. */
const char *json_number_end(const char *at, const char *end);

/*
 * Doubles the capacity of an array that begins as `local`, a member of its owner, and moves to memory of its own when
 * it grows. Returns the array; NULL: no memory, and nothing changed.
 */
void *json_array_grow(void *items, const void *local, size_t *capacity, size_t size);

#define JSON_MAX_KEYS 16

/* As json_scan(), without the index of strings: knows every shape of document, and says what is wrong. */
enum status json_scan_carefully(const char *text, size_t length, enum json_rules rules, const struct json_key *keys,
                                size_t count, struct json_text *ret_members, struct json_scanned *ret);

#endif
