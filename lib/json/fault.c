#include <stdio.h>
#include <string.h>

#include "json/internal.h"

static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
           c == '.' || c == '_';
}

/* Without the white space at the end. */
static size_t trimmed_length(const char *at, const char *end)
{
    while (end > at && json_is_blank(end - 1, 1))
        end--;
    return (size_t)(end - at);
}

size_t json_fault_length(const char *at, const char *end)
{
    const char *stop = at;
    while (stop < end && is_of_word(*stop))
        stop++;
    return stop > at ? (size_t)(stop - at) : trimmed_length(at, end);
}

const char *json_quote(char buffer[static QUOTED_SIZE], const char *text, size_t length)
{
    length = trimmed_length(text, text + length);
    bool is_string = length > 1 && text[0] == '"' && text[length - 1] == '"';
    return is_string ? quote_bytes(buffer, text + 1, length - 2) : quote_bytes(buffer, text, length);
}

const char *json_fault_tell(const struct json_fault *fault, const char *text, char buffer[static JSON_FAULT_TEXT_SIZE])
{
    char quoted[QUOTED_SIZE];
    if (fault->length == 0)
        return fault->what;
    snprintf(buffer, JSON_FAULT_TEXT_SIZE, "%s: %s", fault->what,
             json_quote(quoted, text + fault->offset, fault->length));
    return buffer;
}
