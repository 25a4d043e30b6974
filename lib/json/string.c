#include "json/internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/utf8.h"

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

size_t json_utf8_sequence(const char *at, const char *end)
{
    uint32_t code = 0;
    size_t n = utf8_decode(at, (size_t)(end - at), &code);
    return UTF8_IS_SURROGATE(code) ? 0 : n;
}

size_t json_utf8_valid(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    while (at < end) {
        uint64_t words[2];
        for (; end - at >= (ptrdiff_t)sizeof words; at += sizeof words) {
            memcpy(words, at, sizeof words);
            if (((words[0] | words[1]) & 0x8080808080808080u) != 0)
                break;
        }
        while (at < end && (unsigned char)*at < 0x80)
            at++;
        while (at < end && (unsigned char)*at >= 0x80) {
            size_t n = json_utf8_sequence(at, end);
            if (n == 0)
                return (size_t)(at - text);
            at += n;
        }
    }
    return length;
}

char *json_put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(0xf00 >> n | code);
    return out + n;
}

/* The characters of the two-byte escapes by their letters, and the letters that the canonical form writes. */
static const char escaped_by[256] =
    {['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['f'] = '\f', ['b'] = '\b', ['"'] = '"', ['\\'] = '\\', ['/'] = '/'};
static const char letter_of[128] =
    {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\f'] = 'f', ['\b'] = 'b', ['"'] = '"', ['\\'] = '\\'};

/* Value of a hexadecimal digit, or 16 or more. */
static uint32_t hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10 : 16;
}

size_t json_escape_length(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return escaped_by[(unsigned char)at[1]] ? 2 : 0;
    if (end - at < 6)
        return 0;
    uint32_t all = hex_value(at[2]) | hex_value(at[3]) | hex_value(at[4]) | hex_value(at[5]);
    return all < 16 ? 6 : 0;
}

/* The UTF-16 unit that a valid escape stands for. */
static uint32_t escape_unit(const char *at)
{
    if (at[1] != 'u')
        return (uint32_t)escaped_by[(unsigned char)at[1]];
    return hex_value(at[2]) << 12 | hex_value(at[3]) << 8 | hex_value(at[4]) << 4 | hex_value(at[5]);
}

bool json_escape_is_canonical(const char *at)
{
    if (at[1] != 'u')
        return at[1] != '/';
    for (int i = 2; i < 6; i++)
        if (at[i] >= 'A' && at[i] <= 'F')
            return false;
    uint32_t unit = escape_unit(at);
    return unit >= 0x7f || (unit < 0x20 && !letter_of[unit]);
}

bool json_string_is_canonical(const char *at, const char *end)
{
    for (at = json_plain_end(at + 1, end); at + 1 < end; at = json_plain_end(at, end)) {
        size_t length = *at == '\\' ? json_escape_length(at, end) : 0;
        if (length == 0 || !json_escape_is_canonical(at))
            return false;
        at += length;
    }
    return true;
}

uint32_t json_decode(const char **at, const char *end)
{
    const char *s = *at;
    if (*s != '\\') {
        uint32_t code = 0xfffd;
        size_t n = utf8_decode(s, (size_t)(end - s), &code);
        *at = s + (n == 0 ? 1 : n);
        return code;
    }
    if (end - s < 2 || (s[1] == 'u' && end - s < 6)) {
        *at = end;
        return 0xfffd;
    }
    uint32_t unit = escape_unit(s);
    s += s[1] == 'u' ? 6 : 2;
    *at = s;
    if ((unit & 0xfffffc00) != 0xd800 || end - s < 6 || s[0] != '\\' || s[1] != 'u')
        return unit;
    uint32_t low = escape_unit(s);
    if ((low & 0xfffffc00) != 0xdc00)
        return unit;
    *at = s + 6;
    return 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
}

/* Writes one UTF-16 unit as it stands in a canonical string. */
static char *put_unit(char *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    if (unit < 0x7f && letter_of[unit]) {
        *out++ = '\\';
        *out++ = letter_of[unit];
        return out;
    }
    if (unit >= 0x20 && unit < 0x7f) {
        *out++ = (char)unit;
        return out;
    }
    memcpy(out, "\\u", 2);
    out[2] = hex[unit >> 12 & 15];
    out[3] = hex[unit >> 8 & 15];
    out[4] = hex[unit >> 4 & 15];
    out[5] = hex[unit & 15];
    return out + 6;
}

static char *put_code(char *out, uint32_t code)
{
    if (code < 0x10000)
        return put_unit(out, code);
    out = put_unit(out, 0xd7c0 + (code >> 10));
    return put_unit(out, 0xdc00 + (code & 0x3ff));
}

/* Copies the plain bytes at *at, and moves it past them. */
static char *put_plain(char *out, const char **at, const char *end)
{
    const char *start = *at;
    *at = json_plain_end(start, end);
    memcpy(out, start, (size_t)(*at - start));
    return out + (*at - start);
}

char *json_put_string(char *out, const char *at, const char *end)
{
    while (at < end) {
        out = put_plain(out, &at, end);
        if (at < end)
            out = put_code(out, json_decode(&at, end));
    }
    return out;
}

bool json_string_encode(struct bytes *out, const char *bytes, size_t length)
{
    if (length > (SIZE_MAX / 8) || !bytes_reserve(out, 6 * length + 2))
        return false;
    char *to = out->data + out->length;
    const char *end = bytes + length;
    *to++ = '"';
    for (const char *at = bytes; at < end;) {
        to = put_plain(to, &at, end);
        if (at == end)
            break;
        uint32_t code = 0xfffd;
        size_t n = utf8_decode(at, (size_t)(end - at), &code);
        to = put_code(to, code);
        at += n == 0 ? 1 : n;
    }
    *to++ = '"';
    out->length = (size_t)(to - out->data);
    return true;
}

/* The piece of a string between its quotes. */
static struct json_text inside(struct json_text string)
{
    return string.length < 2 ? (struct json_text){"", 0} : (struct json_text){string.data + 1, string.length - 2};
}

static bool has_escape(struct json_text piece)
{
    return memchr(piece.data, '\\', piece.length) != NULL;
}

bool json_string_is(struct json_text string, const char *bytes, size_t length)
{
    struct json_text piece = inside(string);
    if (piece.length < length)
        return false; /* no escape is shorter than what it stands for */
    if (!has_escape(piece))
        return piece.length == length && (length == 0 || memcmp(piece.data, bytes, length) == 0);
    const char *at = piece.data, *end = piece.data + piece.length;
    while (at < end) {
        char decoded[4];
        size_t n = (size_t)(json_put_utf8(decoded, json_decode(&at, end)) - decoded);
        if (length < n || memcmp(bytes, decoded, n) != 0)
            return false;
        bytes += n;
        length -= n;
    }
    return length == 0;
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
    bytes_clear(scratch);
    if (!has_escape(piece)) {
        *ret_decoded = piece;
        return true;
    }
    /* An escape decodes to fewer bytes than it has, but for a lone backslash at the end of what is no valid string. */
    if (!bytes_reserve(scratch, piece.length + 2))
        return false;
    char *out = scratch->data;
    for (const char *at = piece.data, *end = piece.data + piece.length; at < end;) {
        if (*at == '\\')
            out = json_put_utf8(out, json_decode(&at, end));
        else
            *out++ = *at++;
    }
    scratch->length = (size_t)(out - scratch->data);
    *ret_decoded = (struct json_text){scratch->data, scratch->length};
    return true;
}
