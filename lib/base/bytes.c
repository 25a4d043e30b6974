#include "base/bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_LEAST 64

bool bytes_reserve(struct bytes *b, size_t more)
{
    if (more <= b->capacity - b->length)
        return true;
    if (more > SIZE_MAX / 2 - b->length)
        return false;
    size_t wanted = b->length + more;
    size_t grown = b->capacity + b->capacity / 2;
    size_t capacity = wanted > grown ? wanted : grown;
    if (capacity < BYTES_LEAST)
        capacity = BYTES_LEAST;
    char *data = realloc(b->data, capacity);
    if (!data)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

bool bytes_append(struct bytes *b, const void *data, size_t length)
{
    if (!bytes_reserve(b, length))
        return false;
    if (length > 0)
        memcpy(b->data + b->length, data, length);
    b->length += length;
    return true;
}

bool bytes_append_string(struct bytes *b, const char *string)
{
    return bytes_append(b, string, strlen(string));
}

bool bytes_append_char(struct bytes *b, char c)
{
    return bytes_append(b, &c, 1);
}

bool bytes_append_format(struct bytes *b, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    bool good = needed >= 0 && bytes_reserve(b, (size_t)needed + 1);
    if (good) {
        vsnprintf(b->data + b->length, (size_t)needed + 1, format, again);
        b->length += (size_t)needed;
    }
    va_end(again);
    return good;
}

void bytes_clear(struct bytes *b)
{
    b->length = 0;
}

void bytes_release(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}
