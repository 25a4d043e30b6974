#include "json/internal.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

const char *json_plain_end(const char *at, const char *end)
{
#ifdef __SSE2__
    while (end - at >= 16 && json_may_use(JSON_SSE2)) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* as signed bytes: what is not ASCII, too */
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask != 0)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && is_plain(*at))
        at++;
    return at;
}

const char *json_string_end(const char *at, const char *end, bool *ret_escaped)
{
    bool escaped = false;
    for (at++; at < end && *at != '"';) {
        if (*at == '\\') {
            escaped = true;
            at += end - at > 1 ? 2 : 1;
        } else {
            at++;
        }
        at = json_plain_end(at, end);
    }
    *ret_escaped = escaped;
    return at < end ? at + 1 : end;
}

/* A string's piece between its quotes. */
static struct json_text inside(struct json_text string)
{
    return string.length < 2 ? (struct json_text){"", 0} : (struct json_text){string.data + 1, string.length - 2};
}

/* Number of leading bytes that decode to themselves. */
static size_t verbatim_length(struct json_text piece)
{
    const char *slash = piece.length > 0 ? memchr(piece.data, '\\', piece.length) : NULL;
    return slash ? (size_t)(slash - piece.data) : piece.length;
}

bool json_string_is(struct json_text string, const char *bytes, size_t length)
{
    struct json_text piece = inside(string);
    size_t same = verbatim_length(piece);
    if (length < same || (same > 0 && memcmp(piece.data, bytes, same) != 0))
        return false;
    const char *at = piece.data + same, *end = piece.data + piece.length;
    while (at < end) {
        char decoded[4];
        size_t n = (size_t)(json_put_utf8(decoded, json_decode(&at, end)) - decoded);
        if (length - same < n || memcmp(bytes + same, decoded, n) != 0)
            return false;
        same += n;
    }
    return same == length;
}

bool json_string_same(struct json_text a, struct json_text b)
{
    a = inside(a);
    b = inside(b);
    if (a.length == b.length && memcmp(a.data, b.data, a.length) == 0)
        return true;
    const char *at = a.data, *end = a.data + a.length, *at_b = b.data, *end_b = b.data + b.length;
    while (at < end && at_b < end_b)
        if (json_decode(&at, end) != json_decode(&at_b, end_b))
            return false;
    return at == end && at_b == end_b;
}

bool json_string_is_empty(struct json_text string)
{
    return string.length <= 2;
}

bool json_string_decode(struct json_text string, struct bytes *scratch, struct json_text *ret_decoded)
{
    struct json_text piece = inside(string);
    size_t same = verbatim_length(piece);
    bytes_clear(scratch);
    if (same == piece.length) {
        *ret_decoded = piece;
        return true;
    }
    /* An escape decodes to fewer bytes than it has, but for a lone backslash at the end of what is no valid string. */
    if (!bytes_reserve(scratch, piece.length + 2))
        return false;
    memcpy(scratch->data, piece.data, same);
    char *out = scratch->data + same;
    const char *at = piece.data + same, *end = piece.data + piece.length;
    while (at < end) {
        if (*at == '\\')
            out = json_put_utf8(out, json_decode(&at, end));
        else
            *out++ = *at++;
    }
    scratch->length = (size_t)(out - scratch->data);
    *ret_decoded = (struct json_text){scratch->data, scratch->length};
    return true;
}

/* As json_utf8_sequence, but a surrogate is let through. */
static size_t wtf8_sequence(const char *at, const char *end)
{
    if (end - at >= 3 && (unsigned char)at[0] == 0xed && (at[1] & 0xe0) == 0xa0 && (at[2] & 0xc0) == 0x80)
        return 3;
    return json_utf8_sequence(at, end);
}

static char *put_sequence(char *out, const char *at, size_t n)
{
    const char *end = at + n;
    /* one byte stands for itself: json_decode() would take a backslash for the start of an escape */
    uint32_t code = n == 0 ? 0xfffd : n == 1 ? (unsigned char)*at : json_decode(&at, end);
    if (code < 0x10000)
        return json_put_unit(out, code);
    out = json_put_unit(out, 0xd7c0 + (code >> 10));
    return json_put_unit(out, 0xdc00 + (code & 0x3ff));
}

bool json_string_encode(struct bytes *out, const char *bytes, size_t length)
{
    if (length > (SIZE_MAX / 8) || !bytes_reserve(out, 6 * length + 2))
        return false;
    char *to = out->data + out->length;
    const char *end = bytes + length;
    *to++ = '"';
    for (const char *at = bytes; at < end;) {
        const char *plain = json_plain_end(at, end);
        memcpy(to, at, (size_t)(plain - at));
        to += plain - at;
        at = plain;
        if (at == end)
            break;
        size_t n = wtf8_sequence(at, end);
        to = put_sequence(to, at, n);
        at += n == 0 ? 1 : n;
    }
    *to++ = '"';
    out->length = (size_t)(to - out->data);
    return true;
}
