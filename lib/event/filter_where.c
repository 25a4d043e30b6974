#include <stdlib.h>
#include <string.h>

#include "event/filter_parts.h"

void where_release(struct where *where)
{
    for (size_t i = 0; i < where->count; i++)
        free(where->values[i].text.data);
    free(where->values);
    free(where->path.data);
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
        !filter_text_set(&where.path, path, length) ||
        !needles_add(&where.name, name, (size_t)(path + length - name), NEEDLE_STRING)) {
        where_release(&where);
        return NULL;
    }
    filter->wheres[filter->where_count] = where;
    return &filter->wheres[filter->where_count++];
}

/* The text if it is one JSON scalar without white space around it. */
static enum status parse_scalar(const struct filter_text *text, struct json_text *ret_scalar)
{
    struct json_scan scan;
    struct json_text piece = {text->data, text->length};
    enum status status = json_scan(text->data, text->length, JSON_STRICT, NULL, 0, NULL, &scan);
    bool bare = text->length > 0 && !json_is_blank(text->data, 1) && !json_is_blank(text->data + text->length - 1, 1);
    if (status == STATUS_OK && bare && scan.type != JSON_ARRAY && scan.type != JSON_OBJECT)
        *ret_scalar = piece;
    return status == STATUS_IO ? STATUS_IO : STATUS_OK;
}

/* Numbers have too many spellings to be looked for, and the literals are in every line. */
static bool add_needles(struct where *where, const struct where_value *value)
{
    enum json_type type = json_type(value->scalar);
    if (type == JSON_STRING) {
        struct bytes scratch = {0};
        struct json_text decoded;
        bool good = json_string_decode(value->scalar, &scratch, &decoded) &&
                    needles_add(&where->needles, decoded.data, decoded.length, NEEDLE_STRING);
        bytes_release(&scratch);
        if (!good)
            return false;
    }
    where->unsearchable = where->unsearchable || (type != JSON_ABSENT && type != JSON_STRING);
    return needles_add(&where->needles, value->text.data, value->text.length, NEEDLE_STRING);
}

static enum status where_add_value(struct where *where, const char *text, struct error *err)
{
    struct where_value value = {0};
    if (!ARRAY_RESERVE(where->values, where->count, where->capacity, 1) ||
        !filter_text_set(&value.text, text, strlen(text)))
        return error_set_memory(err);
    if (parse_scalar(&value.text, &value.scalar) != STATUS_OK || !add_needles(where, &value)) {
        free(value.text.data);
        return error_set_memory(err);
    }
    where->values[where->count++] = value;
    return STATUS_OK;
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
    return where ? where_add_value(where, equals + 1, err) : error_set_memory(err);
}

enum status filter_add_number(struct filter *filter, const char *path, struct error *err)
{
    char quoted[QUOTED_SIZE];
    if (!is_path(path, strlen(path)))
        return error_set(err, STATUS_USAGE, "invalid path %s: a name in it is empty", quote_string(quoted, path));
    return where_at(filter, path, strlen(path), true) ? STATUS_OK : error_set_memory(err);
}

static bool value_matches(const struct where_value *value, struct json_text member)
{
    enum json_type type = json_type(member);
    if (type == JSON_STRING && json_string_is(member, value->text.data, value->text.length))
        return true;
    if (type != json_type(value->scalar))
        return false;
    return type == JSON_NUMBER   ? json_number_same(member, value->scalar)
           : type == JSON_STRING ? json_string_same(member, value->scalar)
                                 : true;
}

bool where_matches(const struct where *where, const struct event *event)
{
    struct json_text member = event_payload_at(event, where->path.data, where->path.length);
    if (where->number)
        return json_type(member) == JSON_NUMBER && *member.data != 'N';
    if (!member.data)
        return false;
    for (size_t i = 0; i < where->count; i++)
        if (value_matches(&where->values[i], member))
            return true;
    return false;
}

const struct needles *where_needles(const struct where *where)
{
    return where->number || where->unsearchable ? &where->name : &where->needles;
}
