#include "jansson_oracle.h"

#include <jansson.h>
#include <string.h>

#define RULES (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL)

/* A lone surrogate, escaped: jansson's own words for it. */
static bool is_surrogate(const json_error_t *error)
{
    return strstr(error->text, "invalid Unicode '\\u") != NULL;
}

enum jansson_verdict jansson_judge(const char *text, size_t length)
{
    json_error_t error;
    if (length > 0 && memchr(text, '\0', length))
        return JANSSON_UNABLE;
    json_t *value = json_loadb(text, length, RULES, &error);
    if (value) {
        json_decref(value);
        return JANSSON_GOOD;
    }
    switch (json_error_code(&error)) {
    case json_error_numeric_overflow:
    case json_error_stack_overflow:
    case json_error_null_byte_in_key:
    case json_error_null_character:
    case json_error_out_of_memory:
        return JANSSON_UNABLE;
    default:
        return is_surrogate(&error) ? JANSSON_UNABLE : JANSSON_BAD;
    }
}

bool jansson_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    json_t *of_a = json_loadb(a, a_length, RULES, NULL), *of_b = json_loadb(b, b_length, RULES, NULL);
    bool same = of_a && of_b && json_equal(of_a, of_b);
    json_decref(of_a);
    json_decref(of_b);
    return same;
}
