#include "json_index.h"

/* Where bytes have changed since they were known to be good: what is handed out still looks like a value. */
static void put_member(struct json_text *ret_member, struct json_text value)
{
    if (json_type(value) != JSON_ABSENT && (value.length >= 2 || json_type(value) == JSON_NUMBER))
        *ret_member = value;
}

static void find_by_walking(struct json_text object, const struct json_key *keys, size_t count,
                            struct json_text *ret_members)
{
    struct json_walk w = json_walk_start(object);
    struct json_text string, value;
    size_t hint = 0;
    while (json_walk_member(&w, &string, &value) && string.length >= 2) {
        struct json_name name;
        json_name_set(&name, string.data + 1, string.length - 2, w.end, true);
        size_t i = json_key_index(&name, keys, count, &hint);
        if (i < count)
            put_member(&ret_members[i], value);
    }
}

#ifdef JSON_HAS_INDEX

struct finder {
    const char *text;
    size_t length, at;
    const uint32_t *next;
    struct json_index index;
};

static inline void skip_space(struct finder *f)
{
    while (f->at < f->length && json_is_space(f->text[f->at]))
        f->at++;
}

/* Passes over `c` and white space around it. */
static inline bool take(struct finder *f, char c)
{
    skip_space(f);
    if (f->at == f->length || f->text[f->at] != c)
        return false;
    f->at++;
    skip_space(f);
    return true;
}

static inline bool take_string(struct finder *f)
{
    size_t end = json_index_string(&f->index, &f->next, f->at);
    if (end != 0)
        f->at = end;
    return end != 0;
}

/* Where the next string begins, or the text ends. */
static inline size_t next_string(struct finder *f)
{
    if (UNLIKELY(f->next >= f->index.last)) {
        const uint32_t *more = json_index_quotes(&f->index, f->next);
        if (!more)
            return f->length;
        f->next = more;
    }
    return *f->next;
}

/* From the opening bracket to behind the closing one: brackets are counted between the strings. */
static bool take_container(struct finder *f)
{
    const char *text = f->text;
    size_t depth = 1, at = f->at + 1, stop = next_string(f);
    for (;;) {
        for (; at < stop; at++) {
            if ((text[at] | 0x20) == '{') {
                depth++;
            } else if ((text[at] | 0x20) == '}' && --depth == 0) {
                f->at = at + 1;
                return true;
            }
        }
        if (stop == f->length)
            return false;
        do {
            at = (size_t)f->next[1] + 1;
            f->next += 2;
            stop = next_string(f);
        } while (stop == at + 1 && stop < f->length); /* one byte between two strings is a comma or a colon */
    }
}

static bool take_value(struct finder *f)
{
    char c = f->text[f->at];
    if (c == '"')
        return take_string(f);
    if (c == '{' || c == '[')
        return take_container(f);
    while (f->at < f->length && f->text[f->at] != ',' && f->text[f->at] != '}' && !json_is_space(f->text[f->at]))
        f->at++;
    return true;
}

static bool take_member(struct finder *f, const struct json_key *keys, size_t count, size_t *hint,
                        struct json_text *ret_members)
{
    struct json_name name;
    size_t at = f->at + 1;
    if (!take_string(f))
        return false;
    bool escapes = json_index_may_escape(&f->index, at, f->at - at);
    json_name_set(&name, f->text + at, f->at - at - 1, f->text + f->length, escapes);
    size_t i = json_key_index(&name, keys, count, hint);
    if (!take(f, ':') || f->at == f->length)
        return false;
    size_t value = f->at;
    if (!take_value(f))
        return false;
    if (i < count)
        put_member(&ret_members[i], (struct json_text){f->text + value, f->at - value});
    return take(f, ',');
}

static void find_by_index(struct json_text object, const struct json_key *keys, size_t count,
                          struct json_text *ret_members)
{
    struct finder f;
    size_t hint = 0;
    f.text = object.data;
    f.length = object.length;
    f.at = 0;
    f.next = json_index_start(&f.index, object.data, object.length, false);
    if (!take(&f, '{'))
        return;
    while (take_member(&f, keys, count, &hint, ret_members))
        ;
}

#else
#define JSON_INDEX_MAX ((size_t)0)
#define find_by_index  find_by_walking
#endif

void json_find(const char *text, size_t length, const struct json_key *keys, size_t count,
               struct json_text *ret_members)
{
    for (size_t i = 0; i < count; i++)
        ret_members[i] = (struct json_text){NULL, 0};
    const char *at = json_skip_space(text, text + length), *end = text + length;
    while (end > at && json_is_space(end[-1]))
        end--;
    struct json_text object = {at, (size_t)(end - at)};
    if (json_type(object) != JSON_OBJECT)
        return;
    if (json_portable() || object.length > JSON_INDEX_MAX)
        find_by_walking(object, keys, count, ret_members);
    else
        find_by_index(object, keys, count, ret_members);
}
