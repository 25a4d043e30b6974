#include "event/event.h"

#include "tap.h"

#define SIGNAL "{\"signal_id\":\"s1\",\"timestamp\":\"2026-02-05T10:00:00Z\""

static struct json_fault fault;

/* Reads a line of its own, so that nothing behind it is looked at. */
static enum event_verdict read_line(const char *line, enum event_kind kind, bool known_good, struct event *ret_event)
{
    memset(&fault, 0, sizeof fault);
    return event_read(line, strlen(line), kind, known_good, ret_event, &fault);
}

static bool piece_is(struct json_text piece, const char *want)
{
    return piece.data && piece.length == strlen(want) && memcmp(piece.data, want, piece.length) == 0;
}

static void test_kind_names(void)
{
    is_text(event_kind_name(EVENT_SIGNAL), "signals", "the name of the signals");
    is_text(event_kind_name(EVENT_EMISSION), "emissions", "the name of the emissions");
}

static void test_stored_lines(void)
{
    static const struct {
        const char *line;
        enum event_kind kind;
        enum event_verdict verdict;
    } cases[] = {
        {SIGNAL "}", EVENT_SIGNAL, EVENT_GOOD},
        {SIGNAL "}\r", EVENT_SIGNAL, EVENT_GOOD},
        {" " SIGNAL " } ", EVENT_SIGNAL, EVENT_GOOD},
        {SIGNAL ",\"source\":12,\"payload_type\":null,\"entity_refs\":{}}", EVENT_SIGNAL, EVENT_GOOD},
        {SIGNAL ",\"x\":[NaN,Infinity,-Infinity]}", EVENT_SIGNAL, EVENT_GOOD},
        {SIGNAL ",\"emission_id\":\"e\"}", EVENT_SIGNAL, EVENT_GOOD},
        {SIGNAL ",\"x\":1,\"x\":2}", EVENT_SIGNAL, EVENT_GOOD},
        {"{\"signal\\u005fid\":\"s\",\"timestamp\":\"20260205T100000Z\"}", EVENT_SIGNAL, EVENT_GOOD},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05\"}", EVENT_SIGNAL, EVENT_GOOD},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00\\u002b01:00\"}", EVENT_SIGNAL, EVENT_GOOD},
        {"{\"emission_id\":\"e\",\"timestamp\":\"2026-02-05T10:00:00Z\"}", EVENT_EMISSION, EVENT_GOOD},
        {"", EVENT_SIGNAL, EVENT_BLANK},
        {" \t\r", EVENT_SIGNAL, EVENT_BLANK},
        {"{\"emission_id\":\"e\",\"timestamp\":\"2026-02-05T10:00:00Z\"}", EVENT_SIGNAL, EVENT_DAMAGED},
        {SIGNAL "}", EVENT_EMISSION, EVENT_DAMAGED},
        {SIGNAL, EVENT_SIGNAL, EVENT_DAMAGED},
        {SIGNAL "} x", EVENT_SIGNAL, EVENT_DAMAGED},
        {SIGNAL ",\"x\":\"\xff\"}", EVENT_SIGNAL, EVENT_DAMAGED},
        {SIGNAL ",\"signal_id\":\"\"}", EVENT_SIGNAL, EVENT_DAMAGED}, /* the last one counts */
        {SIGNAL ",\"timestamp\":\"noon\"}", EVENT_SIGNAL, EVENT_DAMAGED},
        {"{\"signal_id\":12,\"timestamp\":\"2026-02-05T10:00:00Z\"}", EVENT_SIGNAL, EVENT_DAMAGED},
        {"{\"signal_id\":\"s\",\"timestamp\":12}", EVENT_SIGNAL, EVENT_DAMAGED},
        {"{\"signal_id\":\"s\"}", EVENT_SIGNAL, EVENT_DAMAGED},
        {"[]", EVENT_SIGNAL, EVENT_DAMAGED},
        {"\"signal_id\"", EVENT_SIGNAL, EVENT_DAMAGED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct event event = {.timestamp = -42};
        enum event_verdict verdict = read_line(cases[i].line, cases[i].kind, false, &event);
        is_int(verdict, cases[i].verdict, "%s: %s", event_kind_name(cases[i].kind), cases[i].line);
        if (verdict != EVENT_GOOD)
            ok(event.timestamp == -42, "... leaves the event alone");
        if (verdict == EVENT_DAMAGED)
            ok(fault.what[0] && fault.offset <= strlen(cases[i].line), "... says %s", fault.what);
    }
    ok(event_read("x", 1, EVENT_SIGNAL, false, NULL, NULL) == EVENT_DAMAGED, "nobody need ask why");
}

static void test_fault_places(void)
{
    struct event event;
    read_line("{\"signal_id\":7,\"timestamp\":\"2026-02-05T10:00:00Z\"}", EVENT_SIGNAL, false, &event);
    is_int(fault.offset, 13, "a wrong id is pointed at");
    is_text(fault.what, "signal_id: not a non-empty string", "and named");
    read_line("{\"emission_id\":\"e\",\"timestamp\":\"noon\"}", EVENT_EMISSION, false, &event);
    is_int(fault.offset, 31, "a wrong timestamp is pointed at");
    is_text(fault.what, "timestamp: not a time", "and named");
    read_line("{\"emission_id\":\"e\"}", EVENT_SIGNAL, false, &event);
    is_text(fault.what, "signal_id: missing", "a missing id is named");
}

static void test_pieces(void)
{
    const char *line = "{\"timestamp\":\"2026-02-05T10:00:00.5Z\",\"source\":\"a\",\"source\":\"b\",\"signal_id\":"
                       "\"s\",\"payload\":{\"x\": "
                       "1 },\"payload_type\":\"T\",\"caused_by\":\"c\",\"entity_refs\":[ ]} \r";
    for (int known = 0; known < 2; known++) {
        struct event event;
        is_int(read_line(line, EVENT_SIGNAL, known, &event), EVENT_GOOD, "known good: %d", known);
        ok(event.line == line && event.length == strlen(line), "the line is the whole line");
        is_int(event.timestamp, INT64_C(1770285600500000), "its time");
        ok(piece_is(event.id, "\"s\""), "its id");
        ok(piece_is(event.source, "\"b\""), "of a repeated member the last");
        ok(piece_is(event.type, "\"T\""), "its type");
        ok(piece_is(event.payload, "{\"x\": 1 }"), "its payload as it stands");
        ok(piece_is(event.entity_refs, "[ ]"), "its references");
        ok(!event.caused_by.data, "no cause: it is a signal");
    }
    struct event event;
    line = "{\"caused_by\":\"c\",\"emission_id\":\"e\",\"emission_type\":\"T\",\"source\":\"a\",\"timestamp\":\"2026-"
           "02-05T10:00:00Z\"}";
    is_int(read_line(line, EVENT_EMISSION, true, &event), EVENT_GOOD, "an emission");
    ok(piece_is(event.caused_by, "\"c\"") && piece_is(event.type, "\"T\"") && !event.source.data && !event.payload.data,
       "has a cause and a type, and no source");
    is_int(read_line("{\"timestamp\":\"2026-02-05\"}", EVENT_SIGNAL, true, &event), EVENT_DAMAGED,
           "what was known to be good is still asked for its id");
}

static void test_depth(void)
{
    struct bytes line = {0};
    bytes_append_string(&line, SIGNAL ",\"payload\":");
    for (int i = 0; i < 100000; i++)
        bytes_append_string(&line, "[");
    for (int i = 0; i < 100000; i++)
        bytes_append_string(&line, "]");
    bytes_append_string(&line, "}");
    struct event event;
    is_int(event_read(line.data, line.length, EVENT_SIGNAL, false, &event, NULL), EVENT_GOOD, "any depth is an event");
    is_int(event.payload.length, 200000, "with all of its payload");
    bytes_release(&line);
}

static void test_rebase(void)
{
    char copy[256];
    const char *line = SIGNAL ",\"source\":\"x\",\"payload\":1,\"entity_refs\":[{}]}";
    struct event event;
    read_line(line, EVENT_SIGNAL, false, &event);
    strcpy(copy, line);
    event_rebase(&event, copy);
    ok(event.line == copy && event.id.data == copy + (strstr(line, "\"s1\"") - line), "pieces move with the line");
    ok(piece_is(event.source, "\"x\"") && event.source.data > copy && event.source.data < copy + sizeof copy, "each");
    ok(!event.type.data && !event.caused_by.data, "what is absent stays so");
}

/* Reads the references of an array and writes them as TYPE/VALUE/PLATFORM. */
static const char *entities(const char *array)
{
    static char got[512];
    char line[512];
    struct event event;
    snprintf(line, sizeof line, SIGNAL ",\"entity_refs\":%s}", array);
    read_line(line, EVENT_SIGNAL, false, &event);
    struct json_walk walk = event_entities(&event);
    struct entity_ref ref;
    size_t n = 0;
    got[0] = '\0';
    while (event_next_entity(&walk, &ref))
        n += (size_t)snprintf(got + n, sizeof got - n, "%.*s/%.*s/%.*s ", (int)ref.type.length, ref.type.data,
                              (int)ref.value.length, ref.value.data, (int)ref.platform.length, ref.platform.data);
    if (event_has_entity(&event) != (n > 0))
        return "event_has_entity() says something else";
    return got;
}

static void test_entities(void)
{
    is_text(entities("[]"), "", "none");
    is_text(entities("null"), "", "no array");
    is_text(entities("{\"a\":{\"ref_type\":\"t\"}}"), "", "an object is no array");
    is_text(entities("[{\"ref_type\":\"t\",\"value\":\"v\",\"platform\":\"p\",\"label\":\"l\"}]"), "\"t\"/\"v\"/\"p\" ",
            "the shape of the schemas");
    is_text(entities("[{\"kind\":\"t\",\"identifier\":\"v\",\"platform\":null}]"), "\"t\"/\"v\"/ ", "the other shape");
    is_text(entities("[{\"identifier\":\"2\",\"kind\":\"b\",\"value\":\"1\",\"ref_type\":\"a\"}]"), "\"a\"/\"1\"/ ",
            "ref_type and value come first");
    is_text(entities("[{\"ref_type\":null,\"kind\":\"b\",\"value\":null,\"identifier\":\"2\"}]"), "\"b\"/\"2\"/ ",
            "unless they are null");
    is_text(entities("[{\"ref_type\":null}]"), "// ", "null is nothing");
    is_text(entities("[1,\"x\",null,[{\"kind\":\"k\"}],{\"kind\":\"k\"}]"), "\"k\"// ",
            "what is no object is passed over");
    static const struct {
        const char *array, *want;
    } odd[] = {
        {"[{\"kind\":\"a\"},{\"kind\":\"b\",\"label\":\"}\"},{\"kind\":\"c\"}]", "\"a\"// \"b\"// \"c\"// "},
        {"[{\"kind\":\"a\",\"label\":\"{\\\"},{\"},{\"kind\":\"b\"}]", "\"a\"// \"b\"// "},
        {"[{\"kind\":\"\\u0061\"},{\"\\u006bind\":\"b\"}]", "\"\\u0061\"// \"b\"// "},
        {"[{\"kind\":1,\"value\":[{\"kind\":\"x\"}]},{\"kind\":\"b\"}]", "1/[{\"kind\":\"x\"}]/ \"b\"// "},
        {"[{\"label\":{\"kind\":\"x\"},\"kind\":\"a\"},{\"kind\":\"b\"}]", "\"a\"// \"b\"// "},
        {"[{\"kind\":\"a\"}, {\"kind\":\"b\"} ,{\"kind\":\"c\"},1]", "\"a\"// \"b\"// \"c\"// "},
        {"[{\"kind\":\"a\",\"kind\":\"b\"},{\"kind\":null}]", "\"b\"// // "},
        {"[{\"kinds\":\"a\",\"kin\":\"b\",\"\":\"c\"}]", "// "},
        {"[{\"kind\":\"nul\",\"value\":null,\"platform\":true}]", "\"nul\"//true "},
        {"[{},{\"kind\":\"b\"}]", "// \"b\"// "},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        is_text(entities(odd[i].array), odd[i].want, "%s", odd[i].array);
    is_text(entities("[ {\"kind\" : \"k\"} , {} ]"), "\"k\"// // ", "white space");
}

static void test_payload_path(void)
{
    struct event event;
    read_line(SIGNAL ",\"payload\":{\"a\":{\"b\":{\"c\":1},\"\\u0064\":2},\"l\":[{\"x\":1}],\"a.b\":3,\"e\":4}}",
              EVENT_SIGNAL, false, &event);
    ok(piece_is(event_payload_at(&event, "a.b.c", 5), "1"), "a dotted path");
    ok(piece_is(event_payload_at(&event, "a.b", 3), "{\"c\":1}"), "a shorter one");
    ok(piece_is(event_payload_at(&event, "a.d", 3), "2"), "names are compared decoded");
    ok(piece_is(event_payload_at(&event, "e", 1), "4"), "one name");
    ok(!event_payload_at(&event, "a.x", 3).data && !event_payload_at(&event, "e.x", 3).data, "nothing there");
    ok(!event_payload_at(&event, "l.x", 3).data && !event_payload_at(&event, "l.0", 3).data, "arrays are not entered");
    read_line(SIGNAL ",\"payload\":[1]}", EVENT_SIGNAL, false, &event);
    ok(!event_payload_at(&event, "0", 1).data, "a payload that is no object has no members");
    read_line(SIGNAL "}", EVENT_SIGNAL, false, &event);
    ok(!event_payload_at(&event, "a", 1).data, "nor has one that is not there");
}

static uint64_t hash_of(const char *line, enum event_kind kind, uint64_t seed)
{
    struct event event;
    struct bytes scratch = {0};
    uint64_t hash = 0;
    if (read_line(line, kind, false, &event) == EVENT_GOOD)
        event_id_hash(&event, seed, &scratch, &hash);
    bytes_release(&scratch);
    return hash;
}

static void test_id_hash(void)
{
#define TIME ",\"timestamp\":\"2026-02-05\"}"
    uint64_t hash = hash_of("{\"signal_id\":\"a_b\"" TIME, EVENT_SIGNAL, 1);
    ok(hash != 0, "an id has a hash");
    ok(hash_of("{\"signal_id\":\"a\\u005fb\"" TIME, EVENT_SIGNAL, 1) == hash, "of its decoded bytes");
    ok(hash_of("{\"signal_id\":\"a\\/b\"" TIME, EVENT_SIGNAL, 1) ==
           hash_of("{\"signal_id\":\"a/b\"" TIME, EVENT_SIGNAL, 1),
       "whatever the escape");
    ok(hash_of("{\"signal_id\":\"a_c\"" TIME, EVENT_SIGNAL, 1) != hash, "another id, another hash");
    ok(hash_of("{\"signal_id\":\"a_b\"" TIME, EVENT_SIGNAL, 2) != hash, "another seed");
    ok(hash_of("{\"emission_id\":\"a_b\"" TIME, EVENT_EMISSION, 1) != hash, "another kind");
    ok(event_id_hash_of(EVENT_SIGNAL, "a_b", 3, 1) == hash, "from decoded bytes the same");
    ok(event_id_hash_of(EVENT_SIGNAL, "a_b", 3, 1) == UINT64_C(0x2e9551927bc5d027), "and the same in every version");
}

int main(void)
{
    test_kind_names();
    test_stored_lines();
    test_fault_places();
    test_pieces();
    test_depth();
    test_rebase();
    test_entities();
    test_payload_path();
    test_id_hash();
    return done();
}
