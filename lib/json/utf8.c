#include "json/internal.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool is_tail(char c)
{
    return (c & 0xc0) == 0x80;
}

static size_t three_bytes(const char *at)
{
    unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];
    if (!is_tail(at[1]) || !is_tail(at[2]))
        return 0;
    bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second >= 0xa0;
    return overlong || surrogate ? 0 : 3;
}

static size_t four_bytes(const char *at)
{
    unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];
    if (!is_tail(at[1]) || !is_tail(at[2]) || !is_tail(at[3]))
        return 0;
    bool overlong = first == 0xf0 && second<0x90, too_great = first> 0xf4 || (first == 0xf4 && second >= 0x90);
    return overlong || too_great ? 0 : 4;
}

size_t json_utf8_sequence(const char *at, const char *end)
{
    unsigned char first = (unsigned char)*at;
    ptrdiff_t left = end - at;
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return left >= 2 && is_tail(at[1]) ? 2 : 0;
    if (first < 0xf0)
        return left >= 3 ? three_bytes(at) : 0;
    return left >= 4 ? four_bytes(at) : 0;
}

/* First byte that is not ASCII. */
static const char *ascii_end(const char *at, const char *end)
{
#ifdef __SSE2__
    while (end - at >= 16 && json_may_use(JSON_SSE2)) {
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)at));
        if (mask != 0)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && (unsigned char)*at < 0x80)
        at++;
    return at;
}

size_t json_utf8_valid(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    while (at < end) {
        at = ascii_end(at, end);
        if (at == end)
            break;
        size_t n = json_utf8_sequence(at, end);
        if (n == 0)
            break;
        at += n;
    }
    return (size_t)(at - text);
}

char *json_put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}
