#include "json/internal.h"

#include <string.h>

/* The text has what may be equal though the bytes differ, or differ though they are the same: digits, NaN. */
static bool begins_number(char c)
{
    return c == '-' || (c >= '0' && c <= '9') || c == 'N' || c == 'I';
}

static struct json_text value_at(const char *at, const char *end)
{
    return (struct json_text){at, (size_t)(json_value_end(at, end) - at)};
}

/* Both are in canonical form, so but for numbers the same values are the same bytes. */
static bool same_canonical(const char *a, const char *end_a, const char *b, const char *end_b)
{
    while (a < end_a && b < end_b) {
        if (begins_number(*a) && begins_number(*b)) {
            struct json_text x = value_at(a, end_a), y = value_at(b, end_b);
            if (!json_number_same(x, y))
                return false;
            a += x.length;
            b += y.length;
        } else if (*a == '"') {
            struct json_text x = value_at(a, end_a);
            if ((size_t)(end_b - b) < x.length || memcmp(a, b, x.length) != 0)
                return false;
            a += x.length;
            b += x.length;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return a == end_a && b == end_b;
}

bool json_same(struct json_text a, struct json_text b, bool *ret_same)
{
    enum json_type type = json_type(a);
    if (type != json_type(b)) {
        *ret_same = false;
        return true;
    }
    if (type != JSON_ARRAY && type != JSON_OBJECT) {
        *ret_same = type == JSON_STRING ? json_string_same(a, b) : type == JSON_NUMBER ? json_number_same(a, b) : true;
        return true;
    }
    struct bytes x = {0}, y = {0};
    bool good = json_canonical(a, NULL, 0, &x, NULL) == STATUS_OK && json_canonical(b, NULL, 0, &y, NULL) == STATUS_OK;
    if (good)
        *ret_same = same_canonical(x.data, x.data + x.length, y.data, y.data + y.length);
    bytes_release(&x);
    bytes_release(&y);
    return good;
}
