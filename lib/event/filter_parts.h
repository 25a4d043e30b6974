/*
 * filter_parts - the conditions of a filter: what the files of the filter share, and nobody else includes.
 *
 * Each sort of condition keeps its values together with needles. A line without any of the needles cannot match.
 */
#ifndef METASPN_EVENT_FILTER_PARTS_H
#define METASPN_EVENT_FILTER_PARTS_H

#include "base/array.h"
#include "base/bytes.h"
#include "event/filter.h"
#include "json/needle.h"

/* The values of one member; those of a stage end in a dot. */
struct filter_values {
    struct bytes *items;
    size_t count, capacity;
    struct needles needles;
};

/* One member of an entity spec. */
struct spec_member {
    enum spec_role { SPEC_TYPE, SPEC_VALUE, SPEC_PLATFORM, SPEC_OTHER } role;
    struct json_text name;  /* decoded; in `scratch`, or borrows the spec's text */
    struct json_text value; /* borrows the spec's text */
    struct bytes scratch;
};

struct entity_spec {
    struct bytes text; /* the JSON object, canonical */
    struct spec_member *members;
    size_t count, capacity;
};

struct entity_specs {
    struct entity_spec *items;
    size_t count, capacity;
    struct needles needles;
    bool unsearchable; /* a spec has no needle */
};

struct where_value {
    struct bytes text;
    struct json_text scalar; /* the text, if it is a JSON scalar too, else absent */
};

/* What is asked of the payload's member at one path. */
struct where {
    struct bytes path;
    bool number; /* asks for a number, else for one of the values */
    struct where_value *values;
    size_t count, capacity;
    struct needles needles; /* of the values */
    bool unsearchable;      /* a value has no needle */
    struct needles name;    /* of the path's last name */
};

struct filter {
    struct filter_values members[FILTER_MEMBERS];
    struct entity_specs entities;
    struct where *wheres;
    size_t where_count, where_capacity;
    enum filter_resolution resolution;
    uint64_t *keys; /* what filter_index_keys() gave last */
    size_t key_capacity;
};

void entity_specs_release(struct entity_specs *specs);
/* *ret_matches: the event has an entity that one of the specs asks for, or there are none. False: no memory. */
bool entity_specs_match(const struct entity_specs *specs, const struct event *event, bool *ret_matches);
/* The value of the spec's member of that role if it is a string, else absent. */
struct json_text entity_spec_string(const struct entity_spec *spec, enum spec_role role);

void where_release(struct where *where);
bool where_matches(const struct where *where, const struct event *event);
/* Every line that matches holds one of these needles. */
const struct needles *where_needles(const struct where *where);

#endif
