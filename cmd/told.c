#include "told.h"

#include <string.h>

#define TOLD_MOST ((size_t)16 << 10) /* bytes that are remembered */

bool told_before(struct bytes *told, const char *text)
{
    for (size_t at = 0; at < told->length; at += strlen(told->data + at) + 1)
        if (strcmp(told->data + at, text) == 0)
            return true;
    if (told->length > TOLD_MOST)
        bytes_clear(told);
    bytes_append(told, text, strlen(text) + 1);
    return false;
}
