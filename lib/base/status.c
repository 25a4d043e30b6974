#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define QUOTED_COLUMNS 60

static void set_text(struct error *err, const char *format, va_list arguments)
{
    if (!err)
        return;
    vsnprintf(err->text, sizeof err->text, format, arguments);
    err->no_memory = false;
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
    static const char cut[] = "...";
    va_list arguments;
    va_start(arguments, format);
    set_text(err, format, arguments);
    va_end(arguments);
    if (!err)
        return STATUS_IO;
    const char *reason = strerrordesc_np(errnum) ? strerrordesc_np(errnum) : "unknown error";
    size_t used = strlen(err->text), needed = strlen(": ") + strlen(reason);
    if (used + needed >= sizeof err->text) {
        used = sizeof err->text - 1 - needed - strlen(cut);
        while (used > 0 && ((unsigned char)err->text[used] & 0xc0) == 0x80) /* cut between two characters */
            used--;
        memcpy(err->text + used, cut, sizeof cut);
        used += strlen(cut);
    }
    snprintf(err->text + used, sizeof err->text - used, ": %s", reason);
    return STATUS_IO;
}

enum status error_set_memory(struct error *err)
{
    error_set(err, STATUS_IO, "out of memory");
    if (err)
        err->no_memory = true;
    return STATUS_IO;
}

/* Controls, and what turns the direction of text round. */
static bool is_unprintable(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

const char *quote_bytes(char buffer[static QUOTED_SIZE], const void *bytes, size_t length)
{
    const char *s = bytes;
    buffer[0] = '"';
    size_t used = 1, columns = 0, i = 0;
    while (i < length && columns < QUOTED_COLUMNS) {
        char *out = buffer + used;
        size_t room = QUOTED_SIZE - used;
        uint32_t code = 0;
        size_t n = utf8_decode(s + i, length - i, &code);
        bool is_byte = n == 0 || UTF8_IS_SURROGATE(code);
        n = is_byte ? 1 : n;
        bool is_shown = !is_byte && !is_unprintable(code);
        int width;
        if (is_shown)
            width = snprintf(out, room, "%.*s", (int)n, s + i);
        else if (is_byte)
            width = snprintf(out, room, "\\x%02x", (unsigned char)s[i]);
        else
            width = snprintf(out, room, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
        i += n;
        used += (size_t)width;
        columns += is_shown ? 1 : (size_t)width;
    }
    snprintf(buffer + used, QUOTED_SIZE - used, "%s\"", i < length ? "..." : "");
    return buffer;
}

const char *quote_string(char buffer[static QUOTED_SIZE], const char *string)
{
    return quote_bytes(buffer, string, strlen(string));
}
