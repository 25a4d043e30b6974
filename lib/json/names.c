#include "json/names.h"

#include <stdlib.h>
#include <string.h>

#define FEW_NAMES 24 /* up to here each name is compared with each */

static uint64_t head_of_plain(const char *at, size_t length)
{
    unsigned char first[8] = {0};
    memcpy(first, at, length < 8 ? length : 8);
    uint64_t head = 0;
    for (int i = 0; i < 8; i++)
        head = head << 8 | first[i];
    return head;
}

uint64_t json_head_at_end(const char *at, size_t length, const char *end)
{
    return head_of_plain(at, length < (size_t)(end - at) ? length : (size_t)(end - at));
}

struct json_name json_name_make(const char *at, size_t length, bool escaped)
{
    if (!escaped)
        return (struct json_name){head_of_plain(at, length), at, length, false};
    char first[8 + 4] = {0}, *out = first;
    for (const char *from = at, *end = at + length; from < end && out < first + 8;)
        out = json_put_utf8(out, json_decode(&from, end));
    return (struct json_name){head_of_plain(first, 8), at, length, true};
}

int json_name_compare_rest(const struct json_name *a, const struct json_name *b)
{
    const char *at = a->at, *end = a->at + a->length, *at_b = b->at, *end_b = b->at + b->length;
    if (!a->escaped && !b->escaped) {
        size_t least = a->length < b->length ? a->length : b->length;
        int order = memcmp(at, at_b, least);
        at += least;
        at_b += least;
        if (order != 0)
            return order;
    }
    while (at < end && at_b < end_b) {
        uint32_t code = json_decode(&at, end), code_b = json_decode(&at_b, end_b);
        if (code != code_b)
            return code < code_b ? -1 : 1;
    }
    return at < end ? 1 : at_b < end_b ? -1 : 0;
}

bool json_name_is_long_key(const struct json_name *name, const struct json_key *key)
{
    return json_string_is((struct json_text){name->at - 1, name->length + 2}, key->name, key->length);
}

void *json_array_grow(void *items, const void *local, size_t *capacity, size_t size)
{
    void *grown = reallocarray(items == local ? NULL : items, 2 * *capacity, size);
    if (!grown)
        return NULL;
    if (items == local)
        memcpy(grown, local, *capacity * size);
    *capacity *= 2;
    return grown;
}

void json_names_init(struct json_names *names)
{
    names->items = names->local;
    names->count = 0;
    names->capacity = sizeof names->local / sizeof *names->local;
}

void json_names_release(struct json_names *names)
{
    if (names->items != names->local)
        free(names->items);
}

bool json_names_grow(struct json_names *names)
{
    void *grown = json_array_grow(names->items, names->local, &names->capacity, sizeof *names->items);
    if (!grown)
        return false;
    names->items = grown;
    return true;
}

bool json_names_ascend(const struct json_name *items, size_t count)
{
    bool descends = false;
    for (size_t i = 1; i < count; i++)
        descends |= items[i - 1].head > items[i].head;
    for (size_t i = 1; !descends && i < count; i++)
        descends = json_name_compare(&items[i - 1], &items[i]) >= 0;
    return !descends;
}

static const char *duplicate_of_few(const struct json_name *items, size_t count)
{
    bool alike = false;
    for (size_t again = 1; again < count; again++)
        for (size_t i = 0; i < again; i++)
            alike |= items[i].head == items[again].head;
    for (size_t again = 1; alike && again < count; again++)
        for (size_t i = 0; i < again; i++)
            if (json_name_compare(&items[i], &items[again]) == 0)
                return items[again].at;
    return NULL;
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct json_name *x = a, *y = b;
    int order = json_name_compare(x, y);
    return order != 0 ? order : x->at < y->at ? -1 : 1;
}

const char *json_names_duplicate(struct json_name *items, size_t count)
{
    if (count <= FEW_NAMES)
        return duplicate_of_few(items, count);
    qsort(items, count, sizeof *items, by_name_and_place);
    const char *again = NULL;
    for (size_t i = 1; i < count; i++)
        if ((!again || items[i].at < again) && json_name_compare(&items[i - 1], &items[i]) == 0)
            again = items[i].at;
    return again;
}
