#include "event/filter.h"

#include <stdlib.h>
#include <string.h>

#include "event/filter_parts.h"

struct filter *filter_new(void)
{
    return calloc(1, sizeof(struct filter));
}

static void values_release(struct filter_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->items[i].data);
    free(values->items);
    needles_release(&values->needles);
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < FILTER_MEMBERS; i++)
        values_release(&filter->members[i]);
    entity_specs_release(&filter->entities);
    for (size_t i = 0; i < filter->where_count; i++)
        where_release(&filter->wheres[i]);
    free(filter->wheres);
    free(filter->keys);
    free(filter);
}

bool filter_text_set(struct filter_text *text, const char *data, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return false;
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    *text = (struct filter_text){copy, length};
    return true;
}

/* Copies a value as it is compared: a stage with its dot. */
static bool value_set(struct filter_text *text, enum filter_member member, const char *value, size_t length)
{
    struct bytes copy = {0};
    bool good = bytes_append(&copy, value, length) && (member != FILTER_STAGE || bytes_append_char(&copy, '.')) &&
                filter_text_set(text, copy.data, copy.length);
    bytes_release(&copy);
    return good;
}

enum status filter_add(struct filter *filter, enum filter_member member, const char *value, struct error *err)
{
    struct filter_values *values = &filter->members[member];
    struct filter_text text, *items = reallocarray(values->items, values->count + 1, sizeof *items);
    if (!items)
        return error_set_memory(err);
    values->items = items;
    size_t length = strlen(value);
    if (!value_set(&text, member, value, length))
        return error_set_memory(err);
    if (!needles_add(&values->needles, value, length, member == FILTER_STAGE ? NEEDLE_STAGE : NEEDLE_STRING)) {
        free(text.data);
        return error_set_memory(err);
    }
    items[values->count++] = text;
    return STATUS_OK;
}

void filter_set_resolution(struct filter *filter, enum filter_resolution resolution)
{
    filter->resolution = resolution;
}

bool filter_is_empty(const struct filter *filter)
{
    for (size_t i = 0; i < FILTER_MEMBERS; i++)
        if (filter->members[i].count > 0)
            return false;
    return filter->entities.count == 0 && filter->where_count == 0 && filter->resolution == FILTER_ANY_RESOLUTION;
}

/* Length of the escape at a backslash: 2, 6, or 12 where two of them may be a pair. One that is cut short, where bytes
 * have changed since they were found to be good, is 2 bytes that match nothing. */
static size_t escape_length(const char *at, const char *end)
{
    if (at[1] != 'u' || end - at < 6)
        return 2;
    return end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? 12 : 6;
}

/* Number of bytes at `text` that the escape decodes to; 0 where they are others. */
static size_t match_escape(const char *escape, size_t length, const char *text, size_t most)
{
    char copy[16] = "\"";
    memcpy(copy + 1, escape, length);
    copy[length + 1] = '"';
    for (size_t n = 1; n <= 6 && n <= most; n++)
        if (json_string_is((struct json_text){copy, length + 2}, text, n))
            return n;
    return 0;
}

/* The string's decoded bytes begin with `text`. */
static bool begins_with(struct json_text string, const char *text, size_t length)
{
    const char *at = string.data + 1, *end = string.data + string.length - 1;
    for (size_t same = 0; same < length;) {
        if (at >= end)
            return false;
        if (*at != '\\') {
            if (*at++ != text[same++])
                return false;
            continue;
        }
        size_t escape = escape_length(at, end), n = match_escape(at, escape, text + same, length - same);
        if (n == 0 && escape == 12) {
            escape = 6;
            n = match_escape(at, escape, text + same, length - same);
        }
        if (n == 0)
            return false;
        at += escape;
        same += n;
    }
    return true;
}

static bool text_matches(enum filter_member member, const struct filter_text *text, struct json_text string)
{
    if (member != FILTER_STAGE)
        return json_string_is(string, text->data, text->length);
    return json_string_is(string, text->data, text->length - 1) || begins_with(string, text->data, text->length);
}

static bool values_match(const struct filter *filter, enum filter_member member, struct json_text string)
{
    const struct filter_values *values = &filter->members[member];
    if (values->count == 0)
        return true;
    if (json_type(string) != JSON_STRING)
        return false;
    for (size_t i = 0; i < values->count; i++)
        if (text_matches(member, &values->items[i], string))
            return true;
    return false;
}

static bool is_resolved(const struct event *event)
{
    static const char *const types[] = {"EntityResolved", "EntityMerged", "EntityAliasAdded"};
    if (event_has_entity(event))
        return true;
    if (json_type(event->type) != JSON_STRING)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (json_string_is(event->type, types[i], strlen(types[i])))
            return true;
    return false;
}

static bool resolution_matches(enum filter_resolution resolution, const struct event *event)
{
    return resolution == FILTER_ANY_RESOLUTION || (resolution == FILTER_RESOLVED) == is_resolved(event);
}

static bool wheres_match(const struct filter *filter, const struct event *event)
{
    for (size_t i = 0; i < filter->where_count; i++)
        if (!where_matches(&filter->wheres[i], event))
            return false;
    return true;
}

bool filter_matches(const struct filter *filter, const struct event *event, bool *ret_matches)
{
    *ret_matches = values_match(filter, FILTER_TYPE, event->type) &&
                   values_match(filter, FILTER_SOURCE, event->source) &&
                   values_match(filter, FILTER_STAGE, event->source) && values_match(filter, FILTER_ID, event->id) &&
                   values_match(filter, FILTER_CAUSED_BY, event->caused_by) && wheres_match(filter, event) &&
                   resolution_matches(filter->resolution, event);
    return !*ret_matches || entity_specs_match(&filter->entities, event, ret_matches);
}
