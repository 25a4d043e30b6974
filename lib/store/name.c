#include "store/name.h"

#include <string.h>

#include "json/json.h"

/* What is wrong with a name; NULL: nothing. */
static const char *name_fault(const char *name, size_t length)
{
    if (length == 0)
        return "is empty";
    if (length > NAME_MAX_LENGTH)
        return "is longer than 200 bytes";
    if (name[0] == '.')
        return "begins with a dot";
    if (json_utf8_valid(name, length) != length)
        return "is not UTF-8";
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '/')
            return "contains a slash";
        unsigned char byte = (unsigned char)name[i], next = i + 1 < length ? (unsigned char)name[i + 1] : 0;
        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next <= 0x9f))
            return "contains a control character";
    }
    return NULL;
}

bool name_is_valid(const char *name, size_t length)
{
    return name_fault(name, length) == NULL;
}

enum status name_check(const char *what, const char *name, struct error *err)
{
    const char *fault = name_fault(name, strlen(name));
    char quoted[QUOTED_SIZE];
    return fault ? error_set(err, STATUS_USAGE, "%s name %s %s", what, quote_string(quoted, name), fault) : STATUS_OK;
}
