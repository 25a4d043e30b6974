/*
 * index - where the strings of a text begin and end, found 64 bytes at a time. It needs SSE2.
 *
 * The index is one window of the text ahead of its reader, so it lives in fixed memory on the stack. The reader holds
 * a pointer to the first quote that it has not passed (`next`); json_index_string() moves it by pairs. After
 * json_index_space() the index also knows the bytes that are not white space, so that the reader passes over white
 * space without a branch for each byte.
 */
#ifndef METASPN_JSON_INDEX_H
#define METASPN_JSON_INDEX_H

#include "json/internal.h"

#if defined __SSE2__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define JSON_HAS_INDEX 1

#include <string.h>

#define JSON_WINDOW 4096
/* The longest text. */
#define JSON_INDEX_MAX ((size_t)UINT32_MAX - 2 * JSON_WINDOW)

struct json_index {
    const char *text;
    size_t length;
    size_t start, done; /* the window: the quotes of these bytes are in at[1..], the last one at `last` */
    uint32_t *last;
    bool checked;    /* the strings are validated: the text is input */
    bool invalid;    /* there is a fault; the careful scanner finds out where */
    bool rewritten;  /* some string is not in canonical form */
    bool pending;    /* the window's last byte is a backslash that begins an escape */
    bool inside;     /* a string is open where the window begins */
    bool utf8_known; /* the whole text is valid UTF-8 */
    bool spaced;     /* json_index_space() was called */
    /* A bit for 64 bytes of the window: a string there may not be in canonical form; one has an escape. */
    uint64_t rewrites, escapes;
    uint64_t strings[JSON_WINDOW / 64];    /* a bit for each quote that begins or ends a string */
    uint64_t solid[JSON_WINDOW / 64 + 1];  /* a bit for each byte that is not white space; only if `spaced` */
    uint32_t at[1 + 1 + JSON_WINDOW + 16]; /* unused, left over, offsets, room for writes past them */
};

/* Indexes the first window and returns `next`. The text is at most JSON_INDEX_MAX long and does not end in white space.
 */
const uint32_t *json_index_start(struct json_index *ix, const char *text, size_t length, bool checked);
/* Begins again at the start of the text, now with white space, and returns `next`. */
const uint32_t *json_index_space(struct json_index *ix);
/* Indexes on until two quotes are there and returns the new `next`. NULL: there are none, or the text is invalid. */
const uint32_t *json_index_quotes(struct json_index *ix, const uint32_t *next);
/* Indexes on until the window holds the offset `at` and returns the new `next`. NULL: the text is invalid. */
const uint32_t *json_index_reach(struct json_index *ix, const uint32_t *next, size_t at);

/* Passes over the string at the offset `at` and returns where it ends; 0: the next string begins elsewhere. */
ALWAYS_INLINE size_t json_index_string(struct json_index *ix, const uint32_t **next, size_t at)
{
    if (UNLIKELY(*next >= ix->last)) {
        const uint32_t *more = json_index_quotes(ix, *next);
        if (!more)
            return 0;
        *next = more;
    }
    if (UNLIKELY((*next)[0] != at))
        return 0;
    size_t end = (size_t)(*next)[1] + 1;
    *next += 2;
    return end;
}

/* False: these bytes of a string that was passed have no escape. */
ALWAYS_INLINE bool json_index_may_escape(const struct json_index *ix, size_t at, size_t length)
{
    if (LIKELY(ix->escapes == 0))
        return false;
    return at < ix->start || length > 64 || (ix->escapes >> (at - ix->start) / 64 & 3) != 0;
}

/* False: this string, which was passed, is in canonical form. */
ALWAYS_INLINE bool json_index_may_rewrite(const struct json_index *ix, size_t at, size_t end)
{
    if (LIKELY(ix->rewrites == 0))
        return false;
    return at < ix->start || end - at > 64 || (ix->rewrites >> (at - ix->start) / 64 & 3) != 0;
}

/*
 * Returns the first byte from `at` (below length, outside strings) that is not white space. Invalid text may give any
 * offset.
 */
ALWAYS_INLINE size_t json_index_solid(struct json_index *ix, const uint32_t **next, size_t at)
{
    for (;;) {
        if (UNLIKELY(at >= ix->done)) {
            const uint32_t *more = json_index_reach(ix, *next, at);
            if (!more)
                return ix->length - 1;
            *next = more;
        }
        uint64_t bits;
        memcpy(&bits, (const char *)ix->solid + (at - ix->start) / 8, sizeof bits);
        bits >>= at % 8;
        if (LIKELY(bits != 0))
            return at + (size_t)__builtin_ctzll(bits);
        at += 64 - at % 8;
        if (at > ix->done)
            at = ix->done;
    }
}

#endif
#endif
