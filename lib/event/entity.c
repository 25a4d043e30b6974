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

static void note(struct json_text *found, const char *name, size_t length, struct json_text value)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (keys[i].length == length && memcmp(keys[i].name, name, length) == 0)
            found[i] = value;
}

/* Behind the value at `at`, NULL where it is no null and no string that ends before `end`. */
static const char *plain_value_end(const char *at, const char *end)
{
    if (*at != '"')
        return end - at > 4 && memcmp(at, "null", 4) == 0 ? at + 4 : NULL;
    const char *quote = find_char(at + 1, end, '"');
    return quote ? quote + 1 : NULL;
}

/*
 * Finds the members of a reference as it nearly always stands: only strings without escapes and nulls, no white space.
 * Gives the end of the reference; NULL where it stands otherwise.
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
        at = plain_value_end(quote + 2, end);
        if (!at || at == end)
            return NULL;
        note(ret_found, name, (size_t)(quote - name), (struct json_text){quote + 2, (size_t)(at - quote) - 2});
    } while (*at == ',');
    return at == brace ? end : NULL;
}

/* Moves behind a reference that stands plainly, and its comma. */
static bool take_plain(struct json_walk *walk, struct json_text *ret_found, struct json_text *ret_object)
{
    const char *behind = find_plain(walk->at, walk->end, ret_found);
    if (!behind || (behind < walk->end && (*behind != ',' || behind + 1 == walk->end || behind[1] != '{')))
        return false;
    *ret_object = (struct json_text){walk->at, (size_t)(behind - walk->at)};
    walk->at = behind < walk->end ? behind + 1 : behind;
    return true;
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
        if (!take_plain(walk, found, &object)) {
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
