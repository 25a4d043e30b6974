/*
 * json_index - where the strings of a text begin and end, found 64 bytes at a time; where there is SSE2.
 *
 * The index runs ahead of its reader by one window of the text, so it lives in fixed memory on the stack. The reader
 * holds a pointer to the first quote that it has not passed (`next`); json_index_string() moves it by pairs. Where
 * json_index_space() was called the index also knows what is no white space, so that the reader passes over white
 * space without a branch for each byte.
 */
#ifndef METASPN_JSON_INDEX_H
#define METASPN_JSON_INDEX_H

#include "json/internal.h"

#if defined __SSE2__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define JSON_HAS_INDEX 1

#include <string.h>

#define JSON_WINDOW 4096
/* Longest text. */
#define JSON_INDEX_MAX ((size_t)UINT32_MAX - 2 * JSON_WINDOW)

struct json_index {
    const char *text;
    size_t length;
    size_t start, done; /* the window: of these bytes the quotes are in at[1..], the last one at `last` */
    uint32_t *last;
    bool checked;    /* text from outside: its strings are validated */
    bool invalid;    /* a fault was found; where is the careful scanner's business */
    bool rewritten;  /* some string is not in canonical form */
    bool pending;    /* the window's last byte is a backslash that begins an escape */
    bool inside;     /* a string is open where the window begins */
    bool utf8_known; /* the whole text is valid UTF-8 */
    bool spaced;
    /* Bit: 64 bytes of the window in which a string is not in canonical form, or may not be; or has an escape. */
    uint64_t rewrites, escapes;
    uint64_t strings[JSON_WINDOW / 64];    /* bit: a quote that begins or ends a string */
    uint64_t solid[JSON_WINDOW / 64 + 1];  /* bit: no white space; only where `spaced` */
    uint32_t at[1 + 1 + JSON_WINDOW + 16]; /* unused, left over, offsets, room for some to be written in vain */
};

/* Indexes the first window; gives `next`. The text must not be longer than JSON_INDEX_MAX, nor end in white space. */
const uint32_t *json_index_start(struct json_index *ix, const char *text, size_t length, bool checked);
/* Begins again at the text's start, where white space is told now. */
const uint32_t *json_index_space(struct json_index *ix);
/* Indexes on, until two quotes are there; gives the new `next`. NULL: there are none, or the text is invalid. */
const uint32_t *json_index_quotes(struct json_index *ix, const uint32_t *next);
/* Indexes on, until the window holds the offset `at`; gives the new `next`. NULL: the text is invalid. */
const uint32_t *json_index_reach(struct json_index *ix, const uint32_t *next, size_t at);

/* The string at the offset `at`: behind its closing quote, or 0 where the next string begins elsewhere. */
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

/* False: there is no escape in these bytes, which have been handed out as (part of) a string. */
ALWAYS_INLINE bool json_index_may_escape(const struct json_index *ix, size_t at, size_t length)
{
    if (LIKELY(ix->escapes == 0))
        return false;
    return at < ix->start || length > 64 || (ix->escapes >> (at - ix->start) / 64 & 3) != 0;
}

/* False: this string, which has been handed out, is in canonical form. */
ALWAYS_INLINE bool json_index_may_rewrite(const struct json_index *ix, size_t at, size_t end)
{
    if (LIKELY(ix->rewrites == 0))
        return false;
    return at < ix->start || end - at > 64 || (ix->rewrites >> (at - ix->start) / 64 & 3) != 0;
}

/* First byte from `at` (below length, outside strings) that is no white space. Invalid text may give any offset. */
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
