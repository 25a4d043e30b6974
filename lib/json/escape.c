#include "json/internal.h"

#include <string.h>

/* Value of a hexadecimal digit, or 16 or more. */
static uint32_t hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (uint32_t)(c - 'A') + 10;
    return 16;
}

static char short_escape(char letter)
{
    switch (letter) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'f':
        return '\f';
    case 'b':
        return '\b';
    case '"':
    case '\\':
    case '/':
        return letter;
    default:
        return 0;
    }
}

size_t json_escape_length(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return short_escape(at[1]) ? 2 : 0;
    if (end - at < 6)
        return 0;
    uint32_t all = hex_value(at[2]) | hex_value(at[3]) | hex_value(at[4]) | hex_value(at[5]);
    return all < 16 ? 6 : 0;
}

/* The UTF-16 unit that a valid escape stands for. */
static uint32_t escape_unit(const char *at)
{
    if (at[1] != 'u')
        return (uint32_t)short_escape(at[1]);
    return hex_value(at[2]) << 12 | hex_value(at[3]) << 8 | hex_value(at[4]) << 4 | hex_value(at[5]);
}

/* The letter of the canonical two-byte escape of a unit, or 0. */
static char short_letter(uint32_t unit)
{
    switch (unit) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\f':
        return 'f';
    case '\b':
        return 'b';
    case '"':
    case '\\':
        return (char)unit;
    default:
        return 0;
    }
}

bool json_escape_is_canonical(const char *at)
{
    if (at[1] != 'u')
        return at[1] != '/';
    for (int i = 2; i < 6; i++)
        if (at[i] >= 'A' && at[i] <= 'F')
            return false;
    uint32_t unit = escape_unit(at);
    return unit >= 0x7f || (unit < 0x20 && !short_letter(unit));
}

char *json_put_unit(char *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char letter = short_letter(unit);
    if (letter) {
        *out++ = '\\';
        *out++ = letter;
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

/* One escape, or one character that needs one. */
static char *put_odd(char *out, const char **at, const char *end)
{
    if (**at == '\\' && end - *at >= 2) {
        size_t length = (*at)[1] == 'u' ? 6 : 2;
        if (length > (size_t)(end - *at))
            length = 2;
        out = json_put_unit(out, length == 6 || (*at)[1] != 'u' ? escape_unit(*at) : 0xfffd);
        *at += length;
        return out;
    }
    uint32_t code = json_decode(at, end);
    if (code < 0x10000)
        return json_put_unit(out, code);
    out = json_put_unit(out, 0xd7c0 + (code >> 10));
    return json_put_unit(out, 0xdc00 + (code & 0x3ff));
}

char *json_put_string(char *out, const char *at, const char *end)
{
    while (at < end) {
        const char *plain = json_plain_end(at, end);
        memcpy(out, at, (size_t)(plain - at));
        out += plain - at;
        at = plain;
        if (at < end)
            out = put_odd(out, &at, end);
    }
    return out;
}

static uint32_t decode_escape(const char **at, const char *end)
{
    const char *s = *at;
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

uint32_t json_decode(const char **at, const char *end)
{
    const char *s = *at;
    unsigned char c = (unsigned char)*s;
    if (c == '\\')
        return decode_escape(at, end);
    size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (n > (size_t)(end - s))
        n = (size_t)(end - s);
    uint32_t code = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)s[i] & 0x3fu);
    *at = s + n;
    return code;
}
