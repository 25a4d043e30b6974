#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define QUOTED_COLUMNS 60

static void set_text(struct error *err, const char *format, va_list arguments)
{
    if (err)
        vsnprintf(err->text, sizeof err->text, format, arguments);
}

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_text(err, format, arguments);
    va_end(arguments);
    return status;
}

enum status error_set_errno(struct error *err, int errnum, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_text(err, format, arguments);
    va_end(arguments);
    if (err) {
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s",
                 strerrordesc_np(errnum) ? strerrordesc_np(errnum) : "unknown error");
    }
    return STATUS_IO;
}

enum status error_set_memory(struct error *err)
{
    return error_set(err, STATUS_IO, "out of memory");
}

/* Length of the valid UTF-8 sequence at `s` and its code point; 0 where there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t length, uint32_t *ret_code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > length)
        return 0;
    uint32_t code = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return n;
}

/* Controls, and what turns the direction of text round. */
static bool is_unprintable(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

const char *quote_bytes(char buffer[static QUOTED_SIZE], const void *bytes, size_t length)
{
    const unsigned char *s = bytes;
    buffer[0] = '"';
    size_t used = 1, columns = 0, i = 0;
    while (i < length && columns < QUOTED_COLUMNS) {
        char *out = buffer + used;
        size_t room = QUOTED_SIZE - used;
        uint32_t code = 0;
        size_t n = utf8_sequence(s + i, length - i, &code);
        int width;
        if (n == 0)
            width = snprintf(out, room, "\\x%02x", s[i++]);
        else if (is_unprintable(code))
            width = snprintf(out, room, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
        else
            width = snprintf(out, room, "%.*s", (int)n, (const char *)s + i);
        i += n;
        used += (size_t)width;
        columns += n > 1 ? 1 : (size_t)width;
    }
    snprintf(buffer + used, QUOTED_SIZE - used, "%s\"", i < length ? "..." : "");
    return buffer;
}

const char *quote_string(char buffer[static QUOTED_SIZE], const char *string)
{
    return quote_bytes(buffer, string, strlen(string));
}
