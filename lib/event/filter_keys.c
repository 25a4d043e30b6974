#include <stdlib.h>

#include "base/hash.h"
#include "event/filter_parts.h"

/* Keeps keys of different meaning apart; 0 is left to ids. */
enum role { ROLE_SOURCE = 1, ROLE_TYPE, ROLE_ENTITY, ROLE_CAUSED_BY };

static uint64_t role_seed(uint64_t seed, enum role role, enum event_kind kind)
{
    return seed ^ (UINT64_C(0xd6e8feb86659fd93) * ((unsigned)role * EVENT_KINDS + kind));
}

/* Hashes the decoded string. */
static bool hash_string(struct json_text string, uint64_t seed, struct bytes *scratch, uint64_t *ret_hash)
{
    struct json_text decoded;
    if (!json_string_decode(string, scratch, &decoded))
        return false;
    *ret_hash = hash_bytes(decoded.data, decoded.length, seed);
    return true;
}

static bool hash_entity(struct json_text type, struct json_text value, uint64_t seed, struct bytes *scratch,
                        uint64_t *ret_hash)
{
    return hash_string(type, seed, scratch, ret_hash) && hash_string(value, *ret_hash, scratch, ret_hash);
}

struct emitter {
    const struct event *event;
    uint64_t seed;
    struct bytes *scratch;
    filter_emit_key *emit;
    void *context;
};

static bool emit_string(const struct emitter *e, struct json_text string, enum role role, bool block)
{
    uint64_t key;
    if (json_type(string) != JSON_STRING)
        return true;
    if (!hash_string(string, role_seed(e->seed, role, e->event->kind), e->scratch, &key))
        return false;
    e->emit(e->context, key, block);
    return true;
}

bool event_index_keys(const struct event *event, uint64_t seed, struct bytes *scratch, filter_emit_key *emit,
                      void *context)
{
    struct emitter e = {event, seed, scratch, emit, context};
    if (!emit_string(&e, event->source, ROLE_SOURCE, true) || !emit_string(&e, event->type, ROLE_TYPE, true))
        return false;
    uint64_t key, entity_seed = role_seed(seed, ROLE_ENTITY, event->kind);
    struct json_walk walk = event_entities(event);
    struct entity_ref ref;
    while (event_next_entity(&walk, &ref)) {
        if (json_type(ref.type) != JSON_STRING || json_type(ref.value) != JSON_STRING)
            continue;
        if (!hash_entity(ref.type, ref.value, entity_seed, scratch, &key))
            return false;
        emit(context, key, false);
    }
    return emit_string(&e, event->caused_by, ROLE_CAUSED_BY, false);
}

/* The keys of a member's values. */
static struct filter_keys values_keys(struct filter *filter, enum filter_member member, enum event_kind kind,
                                      uint64_t seed)
{
    static const enum role roles[FILTER_MEMBERS] =
        {[FILTER_SOURCE] = ROLE_SOURCE, [FILTER_TYPE] = ROLE_TYPE, [FILTER_CAUSED_BY] = ROLE_CAUSED_BY};
    const struct filter_values *values = &filter->members[member];
    bool ids = member == FILTER_ID;
    if (!ARRAY_RESERVE(filter->keys, 0, filter->key_capacity, values->count))
        return (struct filter_keys){0};
    uint64_t *keys = filter->keys;
    for (size_t i = 0; i < values->count; i++) {
        const struct bytes *text = &values->items[i];
        keys[i] = ids ? event_id_hash_of(kind, text->data, text->length, seed)
                      : hash_bytes(text->data, text->length, role_seed(seed, roles[member], kind));
    }
    bool blocks = member == FILTER_SOURCE || member == FILTER_TYPE;
    return (struct filter_keys){keys, values->count, .are_ids = ids, .are_blocks = blocks};
}

/* None where a spec lacks a type or a value. */
static struct filter_keys entities_keys(struct filter *filter, enum event_kind kind, uint64_t seed)
{
    const struct entity_specs *specs = &filter->entities;
    struct bytes scratch = {0};
    bool good = specs->count > 0 && ARRAY_RESERVE(filter->keys, 0, filter->key_capacity, specs->count);
    for (size_t i = 0; i < specs->count && good; i++) {
        struct json_text type = entity_spec_string(&specs->items[i], SPEC_TYPE);
        struct json_text value = entity_spec_string(&specs->items[i], SPEC_VALUE);
        good = type.data && value.data &&
               hash_entity(type, value, role_seed(seed, ROLE_ENTITY, kind), &scratch, &filter->keys[i]);
    }
    bytes_release(&scratch);
    return good ? (struct filter_keys){.keys = filter->keys, .count = specs->count} : (struct filter_keys){0};
}

struct filter_keys filter_index_keys(struct filter *filter, enum event_kind kind, uint64_t seed)
{
    static const enum filter_member before[] = {FILTER_ID, FILTER_CAUSED_BY}, after[] = {FILTER_TYPE, FILTER_SOURCE};
    for (size_t i = 0; i < 2; i++)
        if (filter->members[before[i]].count > 0)
            return values_keys(filter, before[i], kind, seed);
    struct filter_keys entities = entities_keys(filter, kind, seed);
    if (entities.count > 0)
        return entities;
    for (size_t i = 0; i < 2; i++)
        if (filter->members[after[i]].count > 0)
            return values_keys(filter, after[i], kind, seed);
    return (struct filter_keys){0};
}
