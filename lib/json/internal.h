/*
 * json_internal - what the files of json_text share: pieces of strings, ends of values, the fast scan.
 *
 * Pieces of strings are given without their quotes: [at, end) lies between them. Functions that say "valid" may be
 * handed only text that json_scan() accepted; on other text their answers mean nothing, but they stay within bounds.
 */
#ifndef METASPN_JSON_INTERNAL_H
#define METASPN_JSON_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json/json.h"

/* For pieces of a hot loop: what they are told as constants must be constants in them. */
#define ALWAYS_INLINE       static inline __attribute__((always_inline))
#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

extern atomic_int json_first_code;

/* Whether json_use() lets this code be used. */
static inline bool json_may_use(enum json_code code)
{
    return (int)code >= atomic_load_explicit(&json_first_code, memory_order_relaxed);
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

/* First byte that stands in no canonical string as itself: a quote, a backslash, or outside 0x20-0x7e. */
const char *json_plain_end(const char *at, const char *end);

/* Length of the escape at a backslash (2 or 6), 0 where it is none. */
size_t json_escape_length(const char *at, const char *end);
/* The escape is written as the canonical form writes that character. */
bool json_escape_is_canonical(const char *at);
/* Writes one UTF-16 unit as it stands in a canonical string (at most 6 bytes); returns the end. */
char *json_put_unit(char *out, uint32_t unit);
/* The valid string, given with its quotes, is in canonical form. */
bool json_string_is_canonical(const char *at, const char *end);
/* Writes the valid piece of a string in canonical form (at most 6 bytes for each); returns the end. */
char *json_put_string(char *out, const char *at, const char *end);

/* Of a fault at `at`, the bytes that are shown: the word that begins there, else the rest of the text. */
size_t json_fault_length(const char *at, const char *end);

/* The next code point of a valid piece, which is not empty. A surrogate without its partner is one by itself. */
uint32_t json_decode(const char **at, const char *end);
/* Length of the valid UTF-8 sequence at `at`, 0 where there is none. */
size_t json_utf8_sequence(const char *at, const char *end);
/* Writes a code point as UTF-8 (surrogates too); returns the end. */
char *json_put_utf8(char *out, uint32_t code);

/* A valid string, from its opening quote: behind the closing one, and whether it holds a backslash. */
const char *json_string_end(const char *at, const char *end, bool *ret_escaped);
/* Behind a valid value. */
const char *json_value_end(const char *at, const char *end);

/* Behind the longest number of RFC 8259 at `at`; NULL where none begins there. */
const char *json_number_end(const char *at, const char *end);

#define JSON_MAX_KEYS 16

/*
 * The fast way through a document. False: the careful scanner must say what to think of it (a fault, a text of another
 * shape than an event, no memory).
 */
bool json_scan_fast(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                    struct json_text *ret_members, bool *ret_canonical);

#endif
