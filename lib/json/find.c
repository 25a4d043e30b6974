#include "json/index.h"
#include "json/names.h"

/* Bytes may have changed since they were known to be good: what is given must still look like a value. */
static void put_member(struct json_text *ret_member, struct json_text value)
{
    if (json_type(value) != JSON_ABSENT && (value.length >= 2 || json_type(value) == JSON_NUMBER))
        *ret_member = value;
}

static void find_by_walking(struct json_text object, const struct json_key *keys, size_t count,
                            struct json_text *ret_members)
{
    struct json_key_set set = json_key_set_make(keys, count);
    struct json_walk w = json_walk_start(object);
    struct json_text string, value;
    while (json_walk_member(&w, &string, &value) && string.length >= 2) {
        struct json_name name;
        json_name_set(&name, string.data + 1, string.length - 2, w.end, true);
        size_t i = json_key_index(&set, &name);
        if (i < count)
            put_member(&ret_members[i], value);
    }
}

#ifdef JSON_HAS_INDEX

struct finder {
    const char *text;
    size_t length;
    struct json_key_set keys;
    struct json_index index;
};

/* What changes all the time stays in registers: only functions compiled into their callers get a pointer to it. */
struct at {
    size_t at;
    const uint32_t *next; /* see index.h */
};

/* White space is rare, and the text does not end with it. */
ALWAYS_INLINE void skip_space(const struct finder *f, struct at *a)
{
    while (UNLIKELY((unsigned char)f->text[a->at] <= ' ') && a->at + 1 < f->length)
        a->at++;
}

/* Passes over `c` and white space around it. The text ends with another. */
ALWAYS_INLINE bool take(const struct finder *f, struct at *a, char c)
{
    skip_space(f, a);
    if (f->text[a->at] != c)
        return false;
    a->at++;
    skip_space(f, a);
    return true;
}

/* Where the next string begins, or the text ends. */
ALWAYS_INLINE size_t next_string(struct finder *f, struct at *a)
{
    if (UNLIKELY(a->next >= f->index.last)) {
        const uint32_t *more = json_index_quotes(&f->index, a->next);
        if (!more)
            return f->length;
        a->next = more;
    }
    return *a->next;
}

/* From the opening bracket to the place after the closing one: brackets are counted between the strings. */
ALWAYS_INLINE bool take_container(struct finder *f, struct at *a)
{
    const char *text = f->text;
    size_t depth = 1, at = a->at + 1, stop = next_string(f, a);
    for (;;) {
        for (; at < stop; at++) {
            if ((text[at] | 0x20) == '{') {
                depth++;
            } else if ((text[at] | 0x20) == '}' && --depth == 0) {
                a->at = at + 1;
                return at + 1 < f->length;
            }
        }
        if (stop == f->length)
            return false;
        do {
            at = (size_t)a->next[1] + 1;
            a->next += 2;
            stop = next_string(f, a);
        } while (stop == at + 1 && stop < f->length); /* one byte between two strings is a comma or a colon */
    }
}

/* The text ends with a brace. */
ALWAYS_INLINE bool take_value(struct finder *f, struct at *a)
{
    const char *text = f->text;
    size_t start = a->at;
    if (text[start] == '"')
        return (a->at = json_index_string(&f->index, &a->next, start)) != 0;
    if ((text[start] | 0x20) == '{')
        return take_container(f, a);
    while ((unsigned char)text[a->at] > ' ' && text[a->at] != ',' && text[a->at] != '}')
        a->at++;
    return a->at > start; /* no value where there must be one: these are not the bytes that were good */
}

static void find_by_index(struct json_text object, const struct json_key *keys, size_t count,
                          struct json_text *ret_members)
{
    struct finder f;
    f.text = object.data;
    f.length = object.length;
    f.keys = json_key_set_make(keys, count);
    struct at a = {1, json_index_start(&f.index, object.data, object.length, false)};
    skip_space(&f, &a);
    do {
        struct json_name name;
        size_t start = a.at + 1, end = json_index_string(&f.index, &a.next, a.at), length = end - start - 1;
        if (end == 0)
            return;
        json_name_set(&name, f.text + start, length, f.text + f.length, json_index_may_escape(&f.index, start, length));
        size_t i = json_key_index(&f.keys, &name);
        a.at = end;
        if (!take(&f, &a, ':'))
            return;
        size_t value = a.at;
        if (!take_value(&f, &a))
            return;
        if (i < f.keys.count)
            put_member(&ret_members[i], (struct json_text){f.text + value, a.at - value});
    } while (take(&f, &a, ','));
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
    const char *at = json_skip_space(text, text + length), *end = json_trim_end(at, text + length);
    struct json_text object = {at, (size_t)(end - at)};
    if (object.length < 2 || *at != '{' || end[-1] != '}')
        return;
    if (!json_may_use(JSON_SSE2) || object.length > JSON_INDEX_MAX)
        find_by_walking(object, keys, count, ret_members);
    else
        find_by_index(object, keys, count, ret_members);
}
