#include "event/filter.h"

#include <stdlib.h>
#include <string.h>

#include "event/filter_parts.h"

struct filter *filter_new(void)
{
    return calloc(1, sizeof(struct filter));
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < FILTER_MEMBERS; i++) {
        struct filter_values *values = &filter->members[i];
        for (size_t k = 0; k < values->count; k++)
            bytes_release(&values->items[k]);
        free(values->items);
        needles_release(&values->needles);
    }
    entity_specs_release(&filter->entities);
    for (size_t i = 0; i < filter->where_count; i++)
        where_release(&filter->wheres[i]);
    free(filter->wheres);
    free(filter->keys);
    free(filter);
}

enum status filter_add(struct filter *filter, enum filter_member member, const char *value, struct error *err)
{
    struct filter_values *values = &filter->members[member];
    size_t length = strlen(value);
    struct bytes text = {0};
    if (!ARRAY_RESERVE(values->items, values->count, values->capacity, 1) ||
        !needles_add(&values->needles, value, length, member == FILTER_STAGE ? NEEDLE_STAGE : NEEDLE_STRING) ||
        !bytes_reserve(&text, length + 1))
        return error_set_memory(err);
    bytes_append(&text, value, length);
    if (member == FILTER_STAGE)
        bytes_append_char(&text, '.');
    values->items[values->count++] = text;
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

/* Returns how many bytes at `text` the escape decodes to, or 0 where they differ. */
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

/* True where the string's decoded bytes begin with `text`. An escape is 2 bytes, 6, or 12 where two of them may be a
 * pair. One that is cut short, in bytes that changed since they were validated, counts as 2 bytes that match nothing.
 */
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
        bool is_code = at[1] == 'u' && end - at >= 6, may_be_pair = is_code && end - at >= 12 && at[6] == '\\';
        size_t escape = may_be_pair && at[7] == 'u' ? 12 : is_code ? 6 : 2;
        size_t n = match_escape(at, escape, text + same, length - same);
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

static bool values_match(const struct filter *filter, enum filter_member member, struct json_text string)
{
    const struct filter_values *values = &filter->members[member];
    if (values->count == 0)
        return true;
    if (json_type(string) != JSON_STRING)
        return false;
    for (size_t i = 0; i < values->count; i++) {
        const struct bytes *text = &values->items[i];
        if (member == FILTER_STAGE
                ? json_string_is(string, text->data, text->length - 1) || begins_with(string, text->data, text->length)
                : json_string_is(string, text->data, text->length))
            return true;
    }
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

bool filter_matches(const struct filter *filter, const struct event *event, bool *ret_matches)
{
    *ret_matches = values_match(filter, FILTER_TYPE, event->type) &&
                   values_match(filter, FILTER_SOURCE, event->source) &&
                   values_match(filter, FILTER_STAGE, event->source) && values_match(filter, FILTER_ID, event->id) &&
                   values_match(filter, FILTER_CAUSED_BY, event->caused_by);
    for (size_t i = 0; i < filter->where_count && *ret_matches; i++)
        *ret_matches = where_matches(&filter->wheres[i], event);
    if (*ret_matches && filter->resolution != FILTER_ANY_RESOLUTION)
        *ret_matches = (filter->resolution == FILTER_RESOLVED) == is_resolved(event);
    return !*ret_matches || entity_specs_match(&filter->entities, event, ret_matches);
}

/* Every condition that can be searched for, the ones likely to hold for fewer lines first. */
#define MOST_CONDITIONS 16

struct conditions {
    const struct needles *items[MOST_CONDITIONS];
    size_t count;
};

static void add_condition(struct conditions *conditions, const struct needles *needles)
{
    if (needles->count > 0 && conditions->count < MOST_CONDITIONS)
        conditions->items[conditions->count++] = needles;
}

static void collect_conditions(const struct filter *filter, struct conditions *ret)
{
    add_condition(ret, &filter->members[FILTER_ID].needles);
    add_condition(ret, &filter->members[FILTER_CAUSED_BY].needles);
    if (!filter->entities.unsearchable)
        add_condition(ret, &filter->entities.needles);
    for (size_t i = 0; i < filter->where_count; i++)
        add_condition(ret, where_needles(&filter->wheres[i]));
    add_condition(ret, &filter->members[FILTER_TYPE].needles);
    add_condition(ret, &filter->members[FILTER_SOURCE].needles);
    add_condition(ret, &filter->members[FILTER_STAGE].needles);
}

bool filter_may_match(const struct filter *filter, const char *block, size_t length, size_t *ret_at)
{
    struct conditions conditions = {.count = 0};
    collect_conditions(filter, &conditions);
    const char *line = block, *end = block + length;
    while (conditions.count > 0) {
        const char *hit = needles_find(conditions.items[0], line, end);
        if (!hit)
            return false;
        const char *before = memrchr(line, '\n', (size_t)(hit - line));
        const char *newline = memchr(hit, '\n', (size_t)(end - hit));
        if (before)
            line = before + 1;
        size_t held = 1;
        while (held < conditions.count && needles_find(conditions.items[held], line, newline ? newline : end))
            held++;
        if (held == conditions.count)
            break;
        if (!newline)
            return false;
        line = newline + 1;
    }
    if (ret_at)
        *ret_at = (size_t)(line - block);
    return true;
}
