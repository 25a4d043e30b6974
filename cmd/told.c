#include "told.h"

#include <string.h>

#define TOLD_MOST ((size_t)16 << 10) /* bytes that are remembered */

bool told_start_before(struct bytes *told, const char *text, size_t length)
{
    for (size_t at = 0, n; at < told->length; at += n + 1) {
        n = strlen(told->data + at);
        if (n == length && memcmp(told->data + at, text, n) == 0)
            return true;
    }
    if (told->length > TOLD_MOST)
        bytes_clear(told);
    if (bytes_reserve(told, length + 1)) {
        bytes_append(told, text, length);
        bytes_append_char(told, '\0');
    }
    return false;
}

bool told_before(struct bytes *told, const char *text)
{
    return told_start_before(told, text, strlen(text));
}
