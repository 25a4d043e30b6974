#include <stdlib.h>

#include "base/bytes.h"
#include "event/filter.h"
#include "tap.h"

/* The cheap ways to a filter's candidates: rejection of blocks, and keys of the index. */

#define SIGNAL(id, members) "{\"signal_id\":\"" id "\",\"timestamp\":\"2026-02-05T10:00:00Z\"," members "}\n"

/* Numbers of the lines at which filter_may_match() stops, "0 2 5 ". */
static const char *stops(const struct filter *filter, const char *block)
{
    static char got[256];
    size_t n = 0, at = 0, line = 0;
    got[0] = '\0';
    for (const char *from = block, *end = block + strlen(block);
         from < end && filter_may_match(filter, from, (size_t)(end - from), &at);) {
        for (const char *c = from; c < from + at; c++)
            line += *c == '\n';
        if (at > 0 && from[at - 1] != '\n')
            return "a stop within a line";
        n += (size_t)snprintf(got + n, sizeof got - n, "%zu ", line++);
        from = strchr(from + at, '\n') + 1;
    }
    return got;
}

static const char block[] = SIGNAL(
    "s0", "\"source\":\"a\",\"payload\":{\"n\":1,\"s\":\"x\"},\"entity_refs\":[{\"kind\":\"h\",\"identifier\":\"@e\"}]")
    SIGNAL("s1", "\"source\":\"b\",\"payload\":{\"n\":2,\"s\":\"caf\\u00e9\"},\"payload_type\":\"T\"")
        SIGNAL("s2", "\"source\" : \"a\",\"payload\":{\"n\":true,\"s\":\"y\"}")
            SIGNAL("s3", "\"source\":\"a.b\",\"payload\":{\"s\":\"x\"},\"payload_type\":\"T\"")
                SIGNAL("s4", "\"source\":\"\\u0061\",\"payload\":{\"m\":1}")
                    SIGNAL("s5", "\"source\":\"c\",\"payload\":{\"m\":\"caf\xc3\xa9\"}");

struct stop_case {
    const char *source, *stage, *type, *id, *entity, *where, *number, *stops;
};

static void test_stops(void)
{
    static const struct stop_case cases[] = {
        {.stops = "0 1 2 3 4 5 "},
        {.source = "none", .stops = "4 "}, /* a line with escaped ASCII may hold anything of it */
        {.source = "a", .stops = "0 2 4 "},
        {.stage = "a", .stops = "0 2 3 4 "},
        {.type = "T", .stops = "1 3 4 "},
        {.type = "T", .source = "b", .stops = "1 4 "},
        {.type = "T", .where = "s=x", .stops = "3 4 "},
        {.id = "s3", .stops = "3 4 "},
        {.entity = "h:@e", .stops = "0 4 "},
        {.entity = "{\"kind\":\"h\"}", .stops = "0 4 "},
        {.entity = "{}", .stops = "0 1 2 3 4 5 "},
        {.where = "n=1", .stops = "0 1 2 4 "}, /* the name is looked for, the number is not */
        {.where = "n=true", .stops = "0 1 2 4 "},
        {.where = "q.n=1", .stops = "0 1 2 4 "},
        {.where = "s=x", .stops = "0 3 4 "},
        {.where = "s=caf\xc3\xa9", .stops = "1 4 5 "}, /* and with a needle that is not ASCII, raw bytes stop too */
        {.where = "s=caf\xc3\xaa", .stops = "4 5 "},
        {.number = "m", .stops = "4 5 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct stop_case *c = &cases[i];
        struct filter *filter = filter_new();
        if (c->source)
            filter_add(filter, FILTER_SOURCE, c->source, NULL);
        if (c->stage)
            filter_add(filter, FILTER_STAGE, c->stage, NULL);
        if (c->type)
            filter_add(filter, FILTER_TYPE, c->type, NULL);
        if (c->id)
            filter_add(filter, FILTER_ID, c->id, NULL);
        if (c->entity)
            filter_add_entity(filter, c->entity, NULL);
        if (c->where)
            filter_add_where(filter, c->where, NULL);
        if (c->number)
            filter_add_number(filter, c->number, NULL);
        is_text(stops(filter, block), c->stops, "stops of case %zu", i);
        filter_free(filter);
    }
}

static void test_any_of(void)
{
    struct filter *filter = filter_new();
    filter_add(filter, FILTER_SOURCE, "c", NULL);
    filter_add(filter, FILTER_SOURCE, "b", NULL);
    is_text(stops(filter, block), "1 4 5 ", "several sources");
    filter_free(filter);
    filter = filter_new();
    filter_add_entity(filter, "h:@e", NULL);
    filter_add_entity(filter, "{\"platform\":null}", NULL);
    is_text(stops(filter, block), "0 1 2 3 4 5 ", "an entity that cannot be looked for beside one that can");
    filter_add(filter, FILTER_SOURCE, "c", NULL);
    is_text(stops(filter, block), "4 5 ", "other conditions are looked for nevertheless");
    filter_free(filter);
    filter = filter_new();
    filter_add_where(filter, "s=x", NULL);
    filter_add_where(filter, "s=1", NULL);
    is_text(stops(filter, block), "0 1 2 3 4 ", "a number beside a string: the name is looked for");
    filter_free(filter);
}

static void test_last_line(void)
{
    struct filter *filter = filter_new();
    size_t at = 7;
    filter_add(filter, FILTER_SOURCE, "a", NULL);
    filter_add(filter, FILTER_TYPE, "T", NULL);
    ok(!filter_may_match(filter, "\"T\"\n\"a\"", 7, &at) && at == 7, "a block without newline at its end is searched");
    ok(filter_may_match(filter, "\"T\"\n\"a\"\"T\"", 10, &at) && at == 4, "to its end");
    ok(!filter_may_match(filter, "", 0, NULL), "an empty block holds nothing");
    filter_free(filter);
}

struct keys {
    uint64_t line[16], block[16];
    size_t lines, blocks;
};

static void collect(void *context, uint64_t key, bool block_key)
{
    struct keys *keys = context;
    if (block_key)
        keys->block[keys->blocks++] = key;
    else
        keys->line[keys->lines++] = key;
}

static struct keys keys_of(const char *line, enum event_kind kind, uint64_t seed)
{
    struct keys keys = {.lines = 0};
    struct event event;
    struct bytes scratch = {0};
    if (event_read(line, strlen(line), kind, false, &event, NULL) != EVENT_GOOD ||
        !event_index_keys(&event, seed, &scratch, collect, &keys))
        ok(false, "an event with keys: %s", line);
    bytes_release(&scratch);
    return keys;
}

static bool has(const uint64_t *keys, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] == key)
            return true;
    return false;
}

/* Which of the event's keys the filter's first key is. */
static const char *kind_of_key(struct filter *filter, const struct keys *keys, enum event_kind kind, uint64_t seed)
{
    struct filter_keys got = filter_index_keys(filter, kind, seed);
    const char *answer = got.count == 0                                ? "none"
                         : got.are_ids                                 ? "id"
                         : has(keys->line, keys->lines, got.keys[0])   ? got.are_blocks ? "wrong" : "line"
                         : has(keys->block, keys->blocks, got.keys[0]) ? got.are_blocks ? "block" : "wrong"
                                                                       : "other";
    filter_free(filter);
    return answer;
}

static struct filter *of(enum filter_member member, const char *value)
{
    struct filter *filter = filter_new();
    filter_add(filter, member, value, NULL);
    return filter;
}

static struct filter *of_entity(const char *spec)
{
    struct filter *filter = filter_new();
    filter_add_entity(filter, spec, NULL);
    return filter;
}

static void test_keys_agree(void)
{
    const char *line =
        SIGNAL("s",
               "\"source\":\"a\\u002eb\",\"payload_type\":\"T\",\"entity_refs\":[{\"ref_type\":\"t\",\"value\":\"v\","
               "\"platform\":\"p\"},{\"kind\":\"k\",\"identifier\":\"\\u0069\"},{\"kind\":\"k\"},{\"kind\":1,"
               "\"value\":\"v\"}]");
    struct keys keys = keys_of(line, EVENT_SIGNAL, 1);
    is_int(keys.blocks, 2, "a signal has a source and a type");
    is_int(keys.lines, 2, "and two entities with type and value");
    is_text(kind_of_key(of(FILTER_SOURCE, "a.b"), &keys, EVENT_SIGNAL, 1), "block", "source");
    is_text(kind_of_key(of(FILTER_TYPE, "T"), &keys, EVENT_SIGNAL, 1), "block", "type");
    is_text(kind_of_key(of(FILTER_SOURCE, "T"), &keys, EVENT_SIGNAL, 1), "other", "a source is no type");
    is_text(kind_of_key(of_entity("t:v"), &keys, EVENT_SIGNAL, 1), "line", "entity");
    is_text(kind_of_key(of_entity("k:i"), &keys, EVENT_SIGNAL, 1), "line", "entity of the other shape");
    is_text(kind_of_key(of_entity("{\"identifier\":\"v\",\"ref_type\":\"t\",\"platform\":\"q\"}"), &keys, EVENT_SIGNAL,
                        1),
            "line", "entity of another platform: a candidate");
    is_text(kind_of_key(of_entity("v:t"), &keys, EVENT_SIGNAL, 1), "other", "value and type are not exchanged");
    is_text(kind_of_key(of_entity("t:i"), &keys, EVENT_SIGNAL, 1), "other", "type and value belong together");
    is_text(kind_of_key(of_entity("tv:"), &keys, EVENT_SIGNAL, 1), "other", "and have a border");
    is_text(kind_of_key(of(FILTER_SOURCE, "a.b"), &keys, EVENT_SIGNAL, 2), "other", "another seed");
    is_text(kind_of_key(of(FILTER_SOURCE, "a.b"), &keys, EVENT_EMISSION, 1), "other", "another kind");
    keys = keys_of(SIGNAL("s", "\"source\":1,\"payload_type\":null"), EVENT_SIGNAL, 1);
    is_int(keys.lines + keys.blocks, 0, "members of the wrong type have no keys");
    keys = keys_of("{\"emission_id\":\"e\",\"timestamp\":\"2026-02-05\",\"emission_type\":\"T\",\"caused_by\":\"c\","
                   "\"source\":\"a\"}",
                   EVENT_EMISSION, 1);
    is_int(keys.blocks, 1, "an emission has a type");
    is_int(keys.lines, 1, "and a cause");
    is_text(kind_of_key(of(FILTER_CAUSED_BY, "c"), &keys, EVENT_EMISSION, 1), "line", "cause");
    is_text(kind_of_key(of(FILTER_SOURCE, "a"), &keys, EVENT_EMISSION, 1), "other", "no source");
}

static void test_key_choice(void)
{
    struct filter *filter = filter_new();
    is_int(filter_index_keys(filter, EVENT_SIGNAL, 1).count, 0, "nothing asked, no keys");
    filter_add(filter, FILTER_STAGE, "a", NULL);
    filter_add_where(filter, "a=1", NULL);
    filter_set_resolution(filter, FILTER_RESOLVED);
    is_int(filter_index_keys(filter, EVENT_SIGNAL, 1).count, 0, "stage, where and resolution give none");
    filter_add(filter, FILTER_SOURCE, "a", NULL);
    filter_add(filter, FILTER_SOURCE, "b", NULL);
    struct filter_keys keys = filter_index_keys(filter, EVENT_SIGNAL, 1);
    ok(keys.count == 2 && keys.are_blocks && !keys.are_ids, "a key for each source");
    filter_add(filter, FILTER_TYPE, "T", NULL);
    keys = filter_index_keys(filter, EVENT_SIGNAL, 1);
    ok(keys.count == 1 && keys.are_blocks, "types before sources");
    filter_add_entity(filter, "t:v", NULL);
    keys = filter_index_keys(filter, EVENT_SIGNAL, 1);
    ok(keys.count == 1 && !keys.are_blocks, "entities before types");
    filter_add_entity(filter, "{\"value\":\"w\"}", NULL);
    keys = filter_index_keys(filter, EVENT_SIGNAL, 1);
    ok(keys.count == 1 && keys.are_blocks, "but not where one has no type");
    filter_add(filter, FILTER_CAUSED_BY, "c", NULL);
    filter_add(filter, FILTER_CAUSED_BY, "d", NULL);
    keys = filter_index_keys(filter, EVENT_EMISSION, 1);
    ok(keys.count == 2 && !keys.are_blocks && !keys.are_ids, "causes before all these");
    filter_add(filter, FILTER_ID, "i", NULL);
    keys = filter_index_keys(filter, EVENT_EMISSION, 7);
    ok(keys.count == 1 && keys.are_ids, "ids before everything");
    ok(keys.keys[0] == event_id_hash_of(EVENT_EMISSION, "i", 1, 7), "as their hashes");
    filter_free(filter);
}

int main(void)
{
    test_stops();
    test_any_of();
    test_last_line();
    test_keys_agree();
    test_key_choice();
    return done();
}
