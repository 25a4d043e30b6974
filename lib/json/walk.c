#include "json/internal.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum json_type json_type(struct json_text value)
{
    if (!value.data || value.length == 0)
        return JSON_ABSENT;
    switch (value.data[0]) {
    case 'n':
        return JSON_NULL;
    case 'f':
        return JSON_FALSE;
    case 't':
        return JSON_TRUE;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NUMBER;
    }
}

bool json_is_blank(const char *text, size_t length)
{
    return length == 0 || json_skip_space(text, text + length) == text + length;
}

/* First quote, bracket or brace. */
static const char *next_bracket_or_quote(const char *at, const char *end)
{
#ifdef __SSE2__
    while (end - at >= 16 && json_may_use(JSON_SSE2)) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i upper = _mm_and_si128(v, _mm_set1_epi8((char)0xdf));
        __m128i found =
            _mm_or_si128(_mm_cmpeq_epi8(upper, _mm_set1_epi8('[')), _mm_cmpeq_epi8(upper, _mm_set1_epi8(']')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask != 0)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && *at != '"' && (*at & 0xdf) != '[' && (*at & 0xdf) != ']')
        at++;
    return at;
}

static const char *container_end(const char *at, const char *end)
{
    size_t depth = 0;
    bool escaped;
    while ((at = next_bracket_or_quote(at, end)) < end) {
        if (*at == '"') {
            at = json_string_end(at, end, &escaped);
            continue;
        }
        depth += (*at & 0xdf) == '[' ? 1 : (size_t)-1;
        at++;
        if (depth == 0)
            return at;
    }
    return end;
}

const char *json_value_end(const char *at, const char *end)
{
    bool escaped;
    if (at == end)
        return end;
    if (*at == '"')
        return json_string_end(at, end, &escaped);
    if (*at == '{' || *at == '[')
        return container_end(at, end);
    while (at < end && *at != ',' && *at != '}' && *at != ']' && !json_is_space(*at))
        at++;
    return at;
}

struct json_walk json_walk_start(struct json_text array_or_object)
{
    if (array_or_object.length < 2)
        return (struct json_walk){NULL, NULL};
    const char *end = array_or_object.data + array_or_object.length - 1;
    return (struct json_walk){json_skip_space(array_or_object.data + 1, end), end};
}

/* The place after the separator that follows a value. */
static const char *next_item(const char *at, const char *end)
{
    at = json_skip_space(at, end);
    return at < end ? json_skip_space(at + 1, end) : end;
}

bool json_walk_element(struct json_walk *w, struct json_text *ret_value)
{
    if (w->at == w->end)
        return false;
    const char *after = json_value_end(w->at, w->end);
    *ret_value = (struct json_text){w->at, (size_t)(after - w->at)};
    w->at = next_item(after, w->end);
    return true;
}

/* As json_walk_member(); also whether the name has an escape. */
ALWAYS_INLINE bool walk_member(struct json_walk *w, struct json_text *ret_name, bool *ret_escaped,
                               struct json_text *ret_value)
{
    if (w->at == w->end)
        return false;
    const char *after = json_string_end(w->at, w->end, ret_escaped);
    *ret_name = (struct json_text){w->at, (size_t)(after - w->at)};
    w->at = next_item(after, w->end);
    return json_walk_element(w, ret_value);
}

bool json_walk_member(struct json_walk *w, struct json_text *ret_name, struct json_text *ret_value)
{
    bool escaped;
    return walk_member(w, ret_name, &escaped, ret_value);
}

struct json_text json_member(struct json_text object, const char *name, size_t name_length)
{
    struct json_text found = {NULL, 0}, at_name, value;
    bool escaped;
    if (json_type(object) != JSON_OBJECT)
        return found;
    struct json_walk w = json_walk_start(object);
    while (walk_member(&w, &at_name, &escaped, &value))
        if (escaped ? json_string_is(at_name, name, name_length)
                    : at_name.length == name_length + 2 && memcmp(at_name.data + 1, name, name_length) == 0)
            found = value;
    return found;
}
