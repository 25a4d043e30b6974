#include "escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define ESCAPED_SIZE 8

struct range {
    uint32_t first, last;
};

static const struct range unprintable[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2066, 0x2069}, {0xd800, 0xdfff}, {0xfeff, 0xfeff},
};

/* Blocks of combining marks and of other characters without a width. */
static const struct range narrow[] = {
    {0x300, 0x36f},   {0x483, 0x489},     {0x591, 0x5bd},     {0x610, 0x61a},   {0x64b, 0x65f},   {0x6d6, 0x6dc},
    {0x93c, 0x93c},   {0x941, 0x948},     {0xe34, 0xe3a},     {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200b, 0x200d}, {0x2060, 0x2064},   {0x20d0, 0x20ff},   {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xe0001, 0xe007f}, {0xe0100, 0xe01ef},
};

/* What has the East Asian width W or F, by Unicode 14. */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa4c6},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfad9},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18d08}, {0x1aff0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
    {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
    {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6df}, {0x1f6eb, 0x1f6ec},
    {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff},
    {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static size_t escape_control(uint32_t code, enum escape_style style, char out[static ESCAPED_SIZE])
{
    if (style == ESCAPE_FIELD && (code == '\t' || code == '\n' || code == '\r'))
        return (size_t)snprintf(out, ESCAPED_SIZE, "\\%c", code == '\t' ? 't' : code == '\n' ? 'n' : 'r');
    if (style == ESCAPE_MESSAGE && code < 0x80)
        return (size_t)snprintf(out, ESCAPED_SIZE, "\\x%02x", code);
    return (size_t)snprintf(out, ESCAPED_SIZE, "\\u%04x", code & 0xffff);
}

/* Escapes the one character at `text` into `out`; *ret_used is how many bytes of `text` it took. */
static size_t escape_one(const char *text, size_t length, enum escape_style style, char out[static ESCAPED_SIZE],
                         size_t *ret_used)
{
    uint32_t code = 0;
    size_t used = utf8_decode(text, length, &code);
    *ret_used = used ? used : 1;
    if (used == 0)
        return (size_t)snprintf(out, ESCAPED_SIZE, "\\x%02x", (unsigned)(unsigned char)text[0]);
    if (in_ranges(code, unprintable, COUNT(unprintable)))
        return escape_control(code, style, out);
    if (code == '\\' && style == ESCAPE_FIELD)
        return (size_t)snprintf(out, ESCAPED_SIZE, "\\\\");
    memcpy(out, text, used);
    return used;
}

bool escape_append(struct bytes *out, const char *text, size_t length, enum escape_style style)
{
    char escaped[ESCAPED_SIZE];
    for (size_t i = 0, used; i < length; i += used) {
        used = 0; /* bytes that are the same in every style */
        while (i + used < length && text[i + used] >= 0x20 && text[i + used] < 0x7f && text[i + used] != '\\')
            used++;
        if (used == 0) {
            size_t n = escape_one(text + i, length - i, style, escaped, &used);
            if (!bytes_append(out, escaped, n))
                return false;
        } else if (!bytes_append(out, text + i, used)) {
            return false;
        }
    }
    return true;
}

size_t escape_buffer(char *buffer, size_t size, const char *text, size_t length, enum escape_style style)
{
    char escaped[ESCAPED_SIZE];
    size_t filled = 0;
    for (size_t i = 0, used; i < length; i += used) {
        size_t n = escape_one(text + i, length - i, style, escaped, &used);
        if (filled + n >= size)
            break;
        memcpy(buffer + filled, escaped, n);
        filled += n;
    }
    buffer[filled] = '\0';
    return filled;
}

static size_t columns_of(uint32_t code)
{
    if (code < 0x300 || !in_ranges(code, narrow, COUNT(narrow)))
        return code >= 0x1100 && in_ranges(code, wide, COUNT(wide)) ? 2 : 1;
    return 0;
}

/* Walks over text until it ends or `columns` are taken: bytes walked over; *ret_columns what they take. */
static size_t measure(const char *text, size_t length, size_t columns, size_t *ret_columns)
{
    size_t at = 0, taken = 0;
    while (at < length) {
        uint32_t code = 0;
        size_t n = utf8_decode(text + at, length - at, &code);
        size_t width = n ? columns_of(code) : 1;
        if (taken + width > columns)
            break;
        taken += width;
        at += n ? n : 1;
    }
    *ret_columns = taken;
    return at;
}

size_t escape_columns(const char *text, size_t length)
{
    size_t columns;
    measure(text, length, SIZE_MAX, &columns);
    return columns;
}

size_t escape_fit(const char *text, size_t length, size_t columns)
{
    size_t taken;
    return measure(text, length, columns, &taken);
}
