#include <stdlib.h>
#include <string.h>

#include "event/filter_parts.h"

static void spec_release(struct entity_spec *spec)
{
    for (size_t i = 0; i < spec->count; i++)
        bytes_release(&spec->members[i].scratch);
    free(spec->members);
    bytes_release(&spec->text);
}

void entity_specs_release(struct entity_specs *specs)
{
    for (size_t i = 0; i < specs->count; i++)
        spec_release(&specs->items[i]);
    free(specs->items);
    needles_release(&specs->needles);
}

/* The members' roles, by their decoded names. */
static bool read_members(struct entity_spec *spec)
{
    static const struct {
        const char *name;
        enum spec_role role;
    } roles[] = {
        {"ref_type", SPEC_TYPE},    {"kind", SPEC_TYPE},         {"value", SPEC_VALUE},
        {"identifier", SPEC_VALUE}, {"platform", SPEC_PLATFORM},
    };
    struct json_text name, value;
    struct json_walk walk = json_walk_start((struct json_text){spec->text.data, spec->text.length});
    while (json_walk_member(&walk, &name, &value)) {
        if (!ARRAY_RESERVE(spec->members, spec->count, spec->capacity, 1))
            return false;
        struct spec_member *member = &spec->members[spec->count++];
        *member = (struct spec_member){.role = SPEC_OTHER, .value = value};
        for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
            if (json_string_is(name, roles[i].name, strlen(roles[i].name)))
                member->role = roles[i].role;
        if (!json_string_decode(name, &member->scratch, &member->name))
            return false;
    }
    return true;
}

/* The canonical object of a spec: of a JSON object, or of TYPE:VALUE. */
static enum status canonical_spec(const char *text, struct bytes *ret_object, struct error *err)
{
    struct json_scanned scan;
    char quoted[QUOTED_SIZE];
    size_t length = strlen(text);
    if (*text == '{') {
        enum status status = json_scan(text, length, JSON_STRICT, NULL, 0, NULL, &scan);
        if (status == STATUS_IO)
            return error_set_memory(err);
        if (status != STATUS_OK)
            return error_set(err, STATUS_USAGE, "invalid entity %s: at byte %zu: %s", quote_string(quoted, text),
                             scan.fault.offset + 1, scan.fault.what);
        return json_canonical((struct json_text){text, length}, NULL, 0, ret_object, err);
    }
    const char *colon = strchr(text, ':');
    if (!colon)
        return error_set(err, STATUS_USAGE, "invalid entity %s: neither TYPE:VALUE nor a JSON object",
                         quote_string(quoted, text));
    if (json_utf8_valid(text, length) != length)
        return error_set(err, STATUS_USAGE, "invalid entity %s: not UTF-8", quote_string(quoted, text));
    if (bytes_append_string(ret_object, "{\"ref_type\":") &&
        json_string_encode(ret_object, text, (size_t)(colon - text)) &&
        bytes_append_string(ret_object, ",\"value\":") &&
        json_string_encode(ret_object, colon + 1, strlen(colon + 1)) && bytes_append_char(ret_object, '}'))
        return STATUS_OK;
    return error_set_memory(err);
}

struct json_text entity_spec_string(const struct entity_spec *spec, enum spec_role role)
{
    for (size_t i = 0; i < spec->count; i++)
        if (spec->members[i].role == role && json_type(spec->members[i].value) == JSON_STRING)
            return spec->members[i].value;
    return (struct json_text){0};
}

/* Adds the string of the spec that is likely to be rare. */
static bool add_needle(struct entity_specs *specs, const struct entity_spec *spec)
{
    static const enum spec_role order[] = {SPEC_VALUE, SPEC_OTHER, SPEC_PLATFORM, SPEC_TYPE};
    struct json_text string = {0}, decoded;
    for (size_t i = 0; i < sizeof order / sizeof *order && !string.data; i++)
        string = entity_spec_string(spec, order[i]);
    if (!string.data) {
        specs->unsearchable = true;
        return true;
    }
    struct bytes scratch = {0};
    bool good = json_string_decode(string, &scratch, &decoded) &&
                needles_add(&specs->needles, decoded.data, decoded.length, NEEDLE_STRING);
    bytes_release(&scratch);
    return good;
}

enum status filter_add_entity(struct filter *filter, const char *text, struct error *err)
{
    struct entity_specs *specs = &filter->entities;
    struct entity_spec spec = {0};
    enum status status = canonical_spec(text, &spec.text, err);
    if (status != STATUS_OK)
        goto out;
    if (!read_members(&spec) || !ARRAY_RESERVE(specs->items, specs->count, specs->capacity, 1) ||
        !add_needle(specs, &spec)) {
        status = error_set_memory(err);
        goto out;
    }
    specs->items[specs->count++] = spec;
    return STATUS_OK;
out:
    spec_release(&spec);
    return status;
}

static bool member_matches(const struct spec_member *member, const struct entity_ref *ref, bool *ret_matches)
{
    struct json_text value = member->role == SPEC_TYPE    ? ref->type
                             : member->role == SPEC_VALUE ? ref->value
                             : member->role == SPEC_PLATFORM
                                 ? ref->platform
                                 : json_member(ref->object, member->name.data, member->name.length);
    enum json_type type = json_type(value), wanted = json_type(member->value);
    if (wanted == JSON_NULL)
        *ret_matches = type == JSON_NULL || type == JSON_ABSENT;
    else if (wanted == JSON_STRING)
        *ret_matches = type == JSON_STRING && json_string_same(value, member->value);
    else
        return json_same(value, member->value, ret_matches);
    return true;
}

bool entity_specs_match(const struct entity_specs *specs, const struct event *event, bool *ret_matches)
{
    struct json_walk walk = event_entities(event);
    struct entity_ref ref;
    *ret_matches = specs->count == 0;
    while (!*ret_matches && event_next_entity(&walk, &ref))
        for (size_t i = 0; i < specs->count && !*ret_matches; i++) {
            const struct entity_spec *spec = &specs->items[i];
            *ret_matches = true;
            for (size_t k = 0; k < spec->count && *ret_matches; k++)
                if (!member_matches(&spec->members[k], &ref, ret_matches))
                    return false;
        }
    return true;
}
