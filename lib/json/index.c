#include "json/index.h"

#ifdef JSON_HAS_INDEX
#include <immintrin.h>

#define BLOCK 64
_Static_assert(JSON_WINDOW / BLOCK == 64, "a bit for each block of the window");

struct block {
    __m128i part[4];
};

ALWAYS_INLINE struct block block_load(const char *at)
{
    const __m128i *v = (const __m128i *)(const void *)at;
    return (struct block){{_mm_loadu_si128(v), _mm_loadu_si128(v + 1), _mm_loadu_si128(v + 2), _mm_loadu_si128(v + 3)}};
}

ALWAYS_INLINE uint64_t block_mask(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(a) | (uint64_t)(unsigned)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(unsigned)_mm_movemask_epi8(c) << 32 | (uint64_t)(unsigned)_mm_movemask_epi8(d) << 48;
}

ALWAYS_INLINE uint64_t block_equal(struct block v, char c)
{
    __m128i x = _mm_set1_epi8(c);
    return block_mask(_mm_cmpeq_epi8(v.part[0], x), _mm_cmpeq_epi8(v.part[1], x), _mm_cmpeq_epi8(v.part[2], x),
                      _mm_cmpeq_epi8(v.part[3], x));
}

ALWAYS_INLINE bool block_has(struct block v, char c)
{
    __m128i x = _mm_set1_epi8(c);
    __m128i front = _mm_or_si128(_mm_cmpeq_epi8(v.part[0], x), _mm_cmpeq_epi8(v.part[1], x));
    __m128i back = _mm_or_si128(_mm_cmpeq_epi8(v.part[2], x), _mm_cmpeq_epi8(v.part[3], x));
    return _mm_movemask_epi8(_mm_or_si128(front, back)) != 0;
}

/* Per byte the greatest of `oddity` and the bytes less 0x20: above 0x5e only where one is outside 0x20-0x7e. */
ALWAYS_INLINE __m128i block_oddity(struct block v, __m128i oddity)
{
    __m128i space = _mm_set1_epi8(' ');
    __m128i front = _mm_max_epu8(_mm_sub_epi8(v.part[0], space), _mm_sub_epi8(v.part[1], space));
    __m128i back = _mm_max_epu8(_mm_sub_epi8(v.part[2], space), _mm_sub_epi8(v.part[3], space));
    return _mm_max_epu8(oddity, _mm_max_epu8(front, back));
}

/* The block at `at` of the window. Where the text ends in it, a shift drops what is not text, at the bottom. */
ALWAYS_INLINE struct block load_block(const struct json_index *ix, size_t at, unsigned *ret_shift)
{
    *ret_shift = 0;
    if (at + BLOCK <= ix->done)
        return block_load(ix->text + at);
    *ret_shift = (unsigned)(BLOCK - (ix->length - at));
    if (ix->length >= BLOCK)
        return block_load(ix->text + ix->length - BLOCK);
    char copy[BLOCK];
    memset(copy, ' ', sizeof copy);
    memcpy(copy + *ret_shift, ix->text, ix->length);
    return block_load(copy);
}

ALWAYS_INLINE size_t count_bits(uint64_t v)
{
    v -= v >> 1 & 0x5555555555555555u;
    v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (size_t)(v * 0x0101010101010101u >> 56);
}

/* Drops the quotes that are escaped, and checks the escapes. `pending` carries over the border of blocks. */
static uint64_t without_escaped(struct json_index *ix, size_t base, uint64_t slashes, uint64_t quotes)
{
    uint64_t block = (uint64_t)1 << (base - ix->start) / BLOCK;
    quotes &= ~(uint64_t)ix->pending;
    slashes &= ~(uint64_t)ix->pending;
    ix->pending = false;
    ix->escapes |= block;
    while (slashes != 0) {
        int i = __builtin_ctzll(slashes);
        const char *escape = ix->text + base + i;
        uint64_t next = (uint64_t)2 << i;
        ix->pending = i == BLOCK - 1;
        quotes &= ~next;
        slashes &= ~next & (slashes - 1);
        if (json_escape_length(escape, ix->text + ix->length) == 0)
            ix->invalid |= ix->checked;
        else if (!json_escape_is_canonical(escape))
            ix->rewrites |= block;
    }
    return quotes;
}

ALWAYS_INLINE void put_one(uint32_t *to, uint64_t *quotes, size_t base)
{
    *to = (uint32_t)base + (uint32_t)__builtin_ctzll(*quotes | (uint64_t)1 << (BLOCK - 1));
    *quotes &= *quotes - 1;
}

ALWAYS_INLINE uint32_t *put_four(uint32_t *to, uint64_t *quotes, size_t base)
{
    put_one(to, quotes, base);
    put_one(to + 1, quotes, base);
    put_one(to + 2, quotes, base);
    put_one(to + 3, quotes, base);
    return to + 4;
}

/* Most blocks have at most twelve quotes: to write twelve always costs less than to guess their number. */
ALWAYS_INLINE uint32_t *put_offsets(uint32_t *to, uint64_t quotes, size_t base)
{
    uint32_t *end = to + count_bits(quotes);
    to = put_four(to, &quotes, base);
    to = put_four(to, &quotes, base);
    to = put_four(to, &quotes, base);
    while (UNLIKELY(to < end))
        to = put_four(to, &quotes, base);
    return end;
}

ALWAYS_INLINE uint32_t *index_block(struct json_index *ix, struct block v, size_t at, unsigned shift, uint32_t *to)
{
    uint64_t quotes = block_equal(v, '"') >> shift;
    if (UNLIKELY(ix->pending | block_has(v, '\\')))
        quotes = without_escaped(ix, at, block_equal(v, '\\') >> shift, quotes);
    ix->strings[(at - ix->start) / BLOCK] = quotes;
    return put_offsets(to, quotes, at);
}

/* Indexes [start, done), after the quotes that are there already. True where a byte is outside 0x20-0x7e. */
static bool index_window(struct json_index *ix)
{
    __m128i oddity = _mm_setzero_si128();
    uint32_t *to = ix->last + 1;
    size_t at = ix->start;
    for (; at + BLOCK <= ix->done; at += BLOCK) {
        struct block v = block_load(ix->text + at);
        oddity = block_oddity(v, oddity);
        to = index_block(ix, v, at, 0, to);
    }
    if (at < ix->done) {
        unsigned shift;
        struct block v = load_block(ix, at, &shift);
        oddity = block_oddity(v, oddity);
        to = index_block(ix, v, at, shift, to);
    }
    ix->last = to - 1;
    __m128i most = _mm_set1_epi8(0x5e);
    return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(oddity, most), most)) != 0xffff;
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")))

/* The last of them perhaps in vain. */
AVX512 static inline void put_sixteen(uint32_t *to, __m128i places, size_t base)
{
    __m512i start = _mm512_set1_epi32((int)(uint32_t)base);
    _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_cvtepu8_epi32(places), start));
}

/* As index_window, with a register for a block and a mask for what it compares. */
AVX512 static bool index_window_avx512(struct json_index *ix)
{
    const __m512i all =
        _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
                         0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
    uint64_t odd = 0;
    uint32_t *to = ix->last + 1;
    for (size_t at = ix->start; at < ix->done; at += BLOCK) {
        uint64_t there = ix->done - at < BLOCK ? ((uint64_t)1 << (ix->done - at)) - 1 : UINT64_MAX;
        __m512i v = _mm512_maskz_loadu_epi8(there, ix->text + at);
        uint64_t quotes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
        uint64_t slashes = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));
        odd |= _mm512_mask_cmpgt_epu8_mask(there, _mm512_sub_epi8(v, _mm512_set1_epi8(' ')), _mm512_set1_epi8(0x5e));
        if (UNLIKELY(ix->pending | (slashes != 0)))
            quotes = without_escaped(ix, at, slashes, quotes);
        ix->strings[(at - ix->start) / BLOCK] = quotes;
        __m512i places = _mm512_maskz_compress_epi8(quotes, all);
        size_t count = (size_t)__builtin_popcountll(quotes);
        put_sixteen(to, _mm512_castsi512_si128(places), at);
        if (UNLIKELY(count > 16))
            put_sixteen(to + 16, _mm512_extracti32x4_epi32(places, 1), at);
        if (UNLIKELY(count > 32)) {
            put_sixteen(to + 32, _mm512_extracti32x4_epi32(places, 2), at);
            put_sixteen(to + 48, _mm512_extracti32x4_epi32(places, 3), at);
        }
        to += count;
    }
    ix->last = to - 1;
    return odd != 0;
}

static bool has_avx512(void)
{
    return json_may_use(JSON_AVX512) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi2");
}

/* Bit i: the number of quotes up to and with bit i is odd, so byte i is of a string (or its opening quote). */
ALWAYS_INLINE uint64_t inside_strings(uint64_t quotes)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

/* Bytes up to `most`. */
ALWAYS_INLINE uint64_t block_at_most(struct block v, char most)
{
    __m128i x = _mm_set1_epi8(most);
    return block_mask(_mm_cmpeq_epi8(_mm_min_epu8(v.part[0], x), v.part[0]),
                      _mm_cmpeq_epi8(_mm_min_epu8(v.part[1], x), v.part[1]),
                      _mm_cmpeq_epi8(_mm_min_epu8(v.part[2], x), v.part[2]),
                      _mm_cmpeq_epi8(_mm_min_epu8(v.part[3], x), v.part[3]));
}

ALWAYS_INLINE bool block_reaches(struct block v, char least)
{
    __m128i x = _mm_set1_epi8(least);
    __m128i most = _mm_max_epu8(_mm_max_epu8(v.part[0], v.part[1]), _mm_max_epu8(v.part[2], v.part[3]));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(most, x), most)) != 0;
}

/*
 * Some byte of the window is a control character, DEL or not ASCII. Outside strings tab, LF and CR are white space;
 * nowhere else may a control character stand (RFC 8259 sections 2 and 7).
 */
static void check_odd_bytes(struct json_index *ix)
{
    uint64_t beyond = 0; /* bit: a block that has DEL or what is not ASCII */
    uint64_t open = ix->inside ? UINT64_MAX : 0;
    for (size_t at = ix->start, i = 0; at < ix->done; at += BLOCK, i++) {
        unsigned shift;
        struct block v = load_block(ix, at, &shift);
        beyond |= (uint64_t)block_reaches(v, 0x7f) << i;
        if (!ix->checked)
            continue;
        uint64_t inside = inside_strings(ix->strings[i]) ^ open, controls = block_at_most(v, 0x1f);
        if (controls != 0) {
            uint64_t white = block_equal(v, '\t') | block_equal(v, '\n') | block_equal(v, '\r');
            ix->invalid |= ((controls & ~white) >> shift | (controls >> shift & inside)) != 0;
        }
        open = inside >> (BLOCK - 1) ? UINT64_MAX : 0;
    }
    ix->rewrites |= beyond;
    if (beyond != 0 && ix->checked && !ix->utf8_known) {
        ix->invalid |= json_utf8_valid(ix->text, ix->length) != ix->length;
        ix->utf8_known = true;
    }
}

/* Control characters count as white space, too: where that would matter they make the text invalid. */
static void mark_space(struct json_index *ix)
{
    size_t at = ix->start;
    for (; at < ix->done; at += BLOCK) {
        unsigned shift;
        struct block v = load_block(ix, at, &shift);
        ix->solid[(at - ix->start) / BLOCK] = ~block_at_most(v, ' ') >> shift;
    }
    ix->solid[(at - ix->start) / BLOCK] = 0;
}

/* The next window, after at[1..left]. */
static void index_on(struct json_index *ix, size_t left)
{
    ix->start = ix->done;
    ix->done = ix->length - ix->start > JSON_WINDOW ? ix->start + JSON_WINDOW : ix->length;
    ix->last = ix->at + left;
    ix->escapes = ix->rewrites = 0;
    bool odd = has_avx512() ? index_window_avx512(ix) : index_window(ix);
    if (odd)
        check_odd_bytes(ix);
    ix->rewritten |= ix->rewrites != 0;
    if (left > 0) /* what that string began with is not known any more */
        ix->escapes = ix->rewrites = UINT64_MAX;
    ix->inside ^= ((size_t)(ix->last - ix->at) - left) % 2;
    if (ix->spaced)
        mark_space(ix);
}

const uint32_t *json_index_start(struct json_index *ix, const char *text, size_t length, bool checked)
{
    memset(ix, 0, offsetof(struct json_index, strings));
    ix->text = text;
    ix->length = length;
    ix->checked = checked;
    index_on(ix, 0);
    return ix->at + 1;
}

const uint32_t *json_index_space(struct json_index *ix)
{
    bool is_first = ix->start == 0;
    ix->spaced = true;
    if (is_first) {
        mark_space(ix);
    } else {
        ix->done = 0;
        ix->pending = ix->inside = false;
        index_on(ix, 0);
    }
    return ix->at + 1;
}

const uint32_t *json_index_quotes(struct json_index *ix, const uint32_t *next)
{
    while (next >= ix->last) {
        if (ix->invalid || ix->done == ix->length)
            return NULL;
        size_t left = next == ix->last;
        if (left > 0)
            ix->at[1] = *next;
        index_on(ix, left);
        next = ix->at + 1;
    }
    return ix->invalid ? NULL : next;
}

const uint32_t *json_index_reach(struct json_index *ix, const uint32_t *next, size_t at)
{
    while (at >= ix->done) {
        if (next <= ix->last || ix->done == ix->length)
            ix->invalid = true; /* a quote where none may stand, or white space up to the end */
        if (ix->invalid)
            return NULL;
        index_on(ix, 0);
        next = ix->at + 1;
    }
    return next;
}

#endif
