#include <string.h>

#include "event/event.h"

enum { REF_TYPE, KIND, VALUE, IDENTIFIER, PLATFORM, MEMBERS };
static const struct json_key keys[MEMBERS] = {
    [REF_TYPE] = JSON_KEY("ref_type"),     [KIND] = JSON_KEY("kind"),         [VALUE] = JSON_KEY("value"),
    [IDENTIFIER] = JSON_KEY("identifier"), [PLATFORM] = JSON_KEY("platform"),
};

struct json_walk event_entities(const struct event *event)
{
    return event->entity_refs.data ? json_walk_start(event->entity_refs) : (struct json_walk){0};
}

static const char *find_char(const char *at, const char *end, char c)
{
    return memchr(at, c, (size_t)(end - at));
}

/*
 * Finds the members of a reference as nearly all are written: only strings without escapes and nulls, no white space.
 * Returns the end of the reference; NULL where it is written otherwise.
 */
static const char *find_plain(const char *at, const char *end, struct json_text *ret_found)
{
    const char *brace = find_char(at, end, '}');
    if (!brace || find_char(at, brace, '\\'))
        return NULL;
    end = brace + 1;
    do {
        const char *name = at + 2, *quote = at[1] == '"' ? find_char(name, end, '"') : NULL;
        if (!quote || quote[1] != ':')
            return NULL;
        const char *value = quote + 2;
        if (*value == '"')
            at = find_char(value + 1, end, '"');
        else
            at = end - value > 4 && memcmp(value, "null", 4) == 0 ? value + 3 : NULL;
        if (!at || ++at == end)
            return NULL;
        for (size_t i = 0; i < MEMBERS; i++)
            if (keys[i].length == (size_t)(quote - name) && memcmp(keys[i].name, name, keys[i].length) == 0)
                ret_found[i] = (struct json_text){value, (size_t)(at - value)};
    } while (*at == ',');
    return at == brace ? end : NULL;
}

static struct json_text unless_null(struct json_text value)
{
    return json_type(value) == JSON_NULL ? (struct json_text){0} : value;
}

/* The first of two members that is there and not null. */
static struct json_text either(struct json_text first, struct json_text second)
{
    first = unless_null(first);
    return first.data ? first : unless_null(second);
}

bool event_next_entity(struct json_walk *walk, struct entity_ref *ret_ref)
{
    struct json_text found[MEMBERS] = {0}, object;
    while (walk->at != walk->end) {
        if (*walk->at != '{') {
            json_walk_element(walk, &object);
            continue;
        }
        const char *end = find_plain(walk->at, walk->end, found);
        if (end && (end == walk->end || (*end == ',' && end + 1 < walk->end && end[1] == '{'))) {
            object = (struct json_text){walk->at, (size_t)(end - walk->at)};
            walk->at = end < walk->end ? end + 1 : end;
        } else {
            json_walk_element(walk, &object);
            json_find(object.data, object.length, keys, MEMBERS, found);
        }
        *ret_ref = (struct entity_ref){
            .type = either(found[REF_TYPE], found[KIND]),
            .value = either(found[VALUE], found[IDENTIFIER]),
            .platform = unless_null(found[PLATFORM]),
            .object = object,
        };
        return true;
    }
    return false;
}

bool event_has_entity(const struct event *event)
{
    struct json_walk walk = event_entities(event);
    struct entity_ref ref;
    return event_next_entity(&walk, &ref);
}
