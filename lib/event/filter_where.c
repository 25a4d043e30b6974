#include <stdlib.h>
#include <string.h>

#include "event/filter_parts.h"

void where_release(struct where *where)
{
    for (size_t i = 0; i < where->count; i++)
        bytes_release(&where->values[i].text);
    free(where->values);
    bytes_release(&where->path);
    needles_release(&where->needles);
    needles_release(&where->name);
}

/* No name of the path is empty. */
static bool is_path(const char *path, size_t length)
{
    return length > 0 && path[0] != '.' && path[length - 1] != '.' && !memmem(path, length, "..", 2);
}

/* The condition on this path, made where there is none yet. NULL: no memory. */
static struct where *where_at(struct filter *filter, const char *path, size_t length, bool number)
{
    for (size_t i = 0; i < filter->where_count; i++) {
        struct where *where = &filter->wheres[i];
        if (where->number == number && where->path.length == length && memcmp(where->path.data, path, length) == 0)
            return where;
    }
    const char *dot = memrchr(path, '.', length);
    const char *name = dot ? dot + 1 : path;
    struct where where = {.number = number};
    if (!ARRAY_RESERVE(filter->wheres, filter->where_count, filter->where_capacity, 1) ||
        !bytes_append(&where.path, path, length) ||
        !needles_add(&where.name, name, (size_t)(path + length - name), NEEDLE_STRING)) {
        where_release(&where);
        return NULL;
    }
    filter->wheres[filter->where_count] = where;
    return &filter->wheres[filter->where_count++];
}

/* Adds a value, and what a line that has it must contain. Numbers have too many spellings to be searched for, and the
 * literals are in every line. False: no memory. */
static bool add_value(struct where *where, const char *value, size_t length)
{
    struct bytes text = {0}, scratch = {0};
    struct json_text scalar = {0}, decoded;
    struct json_scanned scan;
    bool good = ARRAY_RESERVE(where->values, where->count, where->capacity, 1) && bytes_reserve(&text, length + 1) &&
                bytes_append(&text, value, length);
    if (!good)
        goto out;
    enum status status = json_scan(text.data, length, JSON_STRICT, NULL, 0, NULL, &scan);
    bool bare = length > 0 && !json_is_blank(value, 1) && !json_is_blank(value + length - 1, 1);
    if (status == STATUS_OK && bare && scan.type != JSON_ARRAY && scan.type != JSON_OBJECT)
        scalar = (struct json_text){text.data, length};
    good = status != STATUS_IO && needles_add(&where->needles, value, length, NEEDLE_STRING);
    if (good && json_type(scalar) == JSON_STRING)
        good = json_string_decode(scalar, &scratch, &decoded) &&
               needles_add(&where->needles, decoded.data, decoded.length, NEEDLE_STRING);
    else if (scalar.data)
        where->unsearchable = true;
out:
    if (good)
        where->values[where->count++] = (struct where_value){text, scalar};
    else
        bytes_release(&text);
    bytes_release(&scratch);
    return good;
}

enum status filter_add_where(struct filter *filter, const char *spec, struct error *err)
{
    char quoted[QUOTED_SIZE];
    const char *equals = strchr(spec, '=');
    if (!equals)
        return error_set(err, STATUS_USAGE, "invalid condition %s: not PATH=VALUE", quote_string(quoted, spec));
    size_t length = (size_t)(equals - spec);
    if (!is_path(spec, length))
        return error_set(err, STATUS_USAGE, "invalid condition %s: a name in PATH is empty",
                         quote_string(quoted, spec));
    struct where *where = where_at(filter, spec, length, false);
    return where && add_value(where, equals + 1, strlen(equals + 1)) ? STATUS_OK : error_set_memory(err);
}

enum status filter_add_number(struct filter *filter, const char *path, struct error *err)
{
    char quoted[QUOTED_SIZE];
    if (!is_path(path, strlen(path)))
        return error_set(err, STATUS_USAGE, "invalid path %s: a name in it is empty", quote_string(quoted, path));
    return where_at(filter, path, strlen(path), true) ? STATUS_OK : error_set_memory(err);
}

bool where_matches(const struct where *where, const struct event *event)
{
    struct json_text member = event_payload_at(event, where->path.data, where->path.length);
    enum json_type type = json_type(member);
    if (where->number)
        return type == JSON_NUMBER && *member.data != 'N';
    if (!member.data)
        return false;
    for (size_t i = 0; i < where->count; i++) {
        const struct where_value *value = &where->values[i];
        if (type == JSON_STRING && json_string_is(member, value->text.data, value->text.length))
            return true;
        if (type == json_type(value->scalar) && (type == JSON_NUMBER   ? json_number_same(member, value->scalar)
                                                 : type == JSON_STRING ? json_string_same(member, value->scalar)
                                                                       : true))
            return true;
    }
    return false;
}

const struct needles *where_needles(const struct where *where)
{
    return where->number || where->unsearchable ? &where->name : &where->needles;
}
