#include "json/needle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/array.h"
#include "json/internal.h"

/* What must follow a needle's text. */
enum tail { TAIL_ANY, TAIL_STAGE, TAIL_PRINTABLE };

struct needle {
    char *text;
    size_t length;
    size_t first, second; /* offsets of its two rarest bytes */
    enum tail tail;
};

/* Bytes searched for all needles in turn: they stay in the cache, and little is read in vain past a find. */
#define WINDOW_LEAST ((size_t)1 << 10)
#define WINDOW_MOST  ((size_t)1 << 14)

/* ASCII as it is common in events, most common first; what is not named is rare. */
static const char common[] = "\"eat:inso01rl,_dpmcu2f6-y.{}gvh5/9b3T74w8ZkjxS []CUzREP@M\\DLOAW$IqGB+NHFQYVX%()'#KJ";

static size_t rarity(char c)
{
    const char *found = c ? strchr(common, c) : NULL;
    return found ? (size_t)(found - common) : sizeof common;
}

static void choose_anchors(struct needle *needle)
{
    const char *text = needle->text;
    size_t first = 0;
    for (size_t i = 1; i < needle->length; i++)
        if (rarity(text[i]) > rarity(text[first]))
            first = i;
    size_t second = first == 0 && needle->length > 1 ? 1 : 0;
    for (size_t i = second + 1; i < needle->length; i++)
        if (i != first && rarity(text[i]) > rarity(text[second]))
            second = i;
    needle->first = first;
    needle->second = second;
}

/* Takes over text->data. */
static bool add_text(struct needles *set, struct bytes *text, enum tail tail)
{
    if (!ARRAY_RESERVE(set->items, set->count, set->capacity, 1))
        return false;
    set->items[set->count] = (struct needle){.text = text->data, .length = text->length, .tail = tail};
    choose_anchors(&set->items[set->count++]);
    *text = (struct bytes){0};
    return true;
}

/* Adds, once, a text that only other spellings hold. */
static bool add_hazard(struct needles *set, bool *known, const char *spelling, enum tail tail)
{
    struct bytes text = {0};
    if (!*known)
        *known = bytes_append_string(&text, spelling) && add_text(set, &text, tail);
    bytes_release(&text);
    return *known;
}

bool needles_add(struct needles *set, const char *bytes, size_t length, enum needle_form form)
{
    if (!add_hazard(set, &set->escapes, "\\u00", TAIL_PRINTABLE))
        return false;
    if (memchr(bytes, '/', length) && !add_hazard(set, &set->slashes, "\\/", TAIL_ANY))
        return false;
    struct bytes text = {0};
    bool good = json_string_encode(&text, bytes, length);
    if (form == NEEDLE_STAGE && good)
        text.length--; /* the closing quote */
    good = good && add_text(set, &text, form == NEEDLE_STAGE ? TAIL_STAGE : TAIL_ANY);
    bytes_release(&text);
    for (size_t i = 0; good && i < length; i++)
        set->odd |= (unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] >= 0x7f;
    return good;
}

void needles_release(struct needles *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i].text);
    free(set->items);
    *set = (struct needles){0};
}

#ifdef __SSE2__
static inline __m128i load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}
#endif

/* The first place in [from, last) where both anchors fit. */
static const char *find_anchors(const struct needle *needle, const char *from, const char *last)
{
    char first = needle->text[needle->first], second = needle->text[needle->second];
#ifdef __SSE2__
    const __m128i x = _mm_set1_epi8(first), y = _mm_set1_epi8(second);
    const char *a = from + needle->first, *b = from + needle->second;
    size_t count = json_may_use(JSON_SSE2) ? (size_t)(last - from) : 0, i = 0;
    for (; i + 64 <= count; i += 64) {
        __m128i hit0 = _mm_and_si128(_mm_cmpeq_epi8(load(a + i), x), _mm_cmpeq_epi8(load(b + i), y));
        __m128i hit1 = _mm_and_si128(_mm_cmpeq_epi8(load(a + i + 16), x), _mm_cmpeq_epi8(load(b + i + 16), y));
        __m128i hit2 = _mm_and_si128(_mm_cmpeq_epi8(load(a + i + 32), x), _mm_cmpeq_epi8(load(b + i + 32), y));
        __m128i hit3 = _mm_and_si128(_mm_cmpeq_epi8(load(a + i + 48), x), _mm_cmpeq_epi8(load(b + i + 48), y));
        __m128i any = _mm_or_si128(_mm_or_si128(hit0, hit1), _mm_or_si128(hit2, hit3));
        if (_mm_movemask_epi8(any) == 0)
            continue;
        uint64_t mask = (uint64_t)(uint32_t)_mm_movemask_epi8(hit0) | (uint64_t)_mm_movemask_epi8(hit1) << 16 |
                        (uint64_t)_mm_movemask_epi8(hit2) << 32 | (uint64_t)_mm_movemask_epi8(hit3) << 48;
        return from + i + __builtin_ctzll(mask);
    }
    from += i;
#endif
    while (from < last) {
        const char *hit = memchr(from + needle->first, first, (size_t)(last - from));
        if (!hit)
            return NULL;
        from = hit - needle->first;
        if (from[needle->second] == second)
            return from;
        from++;
    }
    return NULL;
}

static bool tail_fits(enum tail tail, const char *at, const char *end)
{
    switch (tail) {
    case TAIL_STAGE: /* a backslash: the dot may be an escape */
        return at < end && (*at == '"' || *at == '.' || *at == '\\');
    case TAIL_PRINTABLE: /* DEL is written so in canonical form */
        return end - at >= 2 && *at >= '2' && *at <= '7' && !(*at == '7' && (at[1] | 0x20) == 'f');
    default:
        return true;
    }
}

/* The first place in [from, limit) where the needle begins. */
static const char *find_needle(const struct needle *needle, const char *from, const char *limit, const char *end)
{
    if (needle->length > (size_t)(end - from))
        return NULL;
    const char *last = end - needle->length + 1;
    if (last > limit)
        last = limit;
    while ((from = from < last ? find_anchors(needle, from, last) : NULL)) {
        if (memcmp(from, needle->text, needle->length) == 0 && tail_fits(needle->tail, from + needle->length, end))
            return from;
        from++;
    }
    return NULL;
}

/* A backslash begins an escape that the canonical form never writes. Those of printable ASCII are needles anyway. */
static bool is_odd_escape(const char *at, const char *end)
{
    if (end - at < 6 || at[1] != 'u')
        return false;
    for (int i = 2; i < 6; i++)
        if (at[i] >= 'A' && at[i] <= 'F')
            return true;
    return memcmp(at + 2, "000", 3) == 0 && memchr("89acd", at[5], 5) != NULL; /* \b \t \n \f \r */
}

/* First backslash, or byte that is no printable ASCII but may stand in a JSON string. */
static const char *find_unplain(const char *from, const char *limit)
{
#ifdef __SSE2__
    for (bool fast = json_may_use(JSON_SSE2); fast && limit - from >= 16; from += 16) {
        __m128i v = load(from);
        __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
        __m128i found = _mm_or_si128(_mm_or_si128(v, del), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        unsigned mask = (unsigned)_mm_movemask_epi8(found); /* the highest bits: those of what is not ASCII, too */
        if (mask != 0)
            return from + __builtin_ctz(mask);
    }
#endif
    while (from < limit && *from != '\\' && (unsigned char)*from < 0x7f)
        from++;
    return from;
}

/* The first place in [from, limit) where a character outside 0x20-0x7e is spelled as the canonical form never does. */
static const char *find_odd(const char *from, const char *limit, const char *end)
{
    while ((from = find_unplain(from, limit)) < limit) {
        if (*from != '\\' || is_odd_escape(from, end))
            return from;
        from++;
    }
    return NULL;
}

const char *needles_find(const struct needles *set, const char *from, const char *end)
{
    for (size_t window = WINDOW_LEAST; from < end && set->count > 0;) {
        const char *limit = (size_t)(end - from) > window ? from + window : end, *best = limit;
        for (size_t i = 0; i < set->count; i++) {
            const char *found = find_needle(&set->items[i], from, best, end);
            best = found ? found : best;
        }
        const char *odd = set->odd ? find_odd(from, best, end) : NULL;
        if (odd || best < limit)
            return odd ? odd : best;
        from = limit;
        window = window < WINDOW_MOST ? 2 * window : window;
    }
    return NULL;
}
