#include <stdlib.h>
#include <string.h>

#include "event/filter_parts.h"

bool filter_text_set(struct filter_text *text, const char *data, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return false;
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    *text = (struct filter_text){copy, length};
    return true;
}
