#include "event/event.h"

#include "tap.h"

#define SIGNAL "{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00Z\""

static bool differ(const struct event *a, const struct event *b)
{
    bool answer = false;
    if (!event_conflicts(a, b, &answer))
        ok(false, "memory for a comparison");
    return answer;
}

static bool conflicts(const char *first, const char *second)
{
    struct event a, b;
    if (event_read(first, strlen(first), EVENT_SIGNAL, false, &a, NULL) != EVENT_GOOD ||
        event_read(second, strlen(second), EVENT_SIGNAL, false, &b, NULL) != EVENT_GOOD) {
        ok(false, "two events: %s %s", first, second);
        return false;
    }
    bool answer = differ(&a, &b);
    if (differ(&b, &a) != answer)
        ok(false, "the same both ways: %s %s", first, second);
    return answer;
}

/* Compares two lists of members. */
static bool members_conflict(const char *first, const char *second)
{
    char a[1024], b[1024];
    snprintf(a, sizeof a, SIGNAL "%s%s}", *first ? "," : "", first);
    snprintf(b, sizeof b, SIGNAL "%s%s}", *second ? "," : "", second);
    return conflicts(a, b);
}

static void test_members(void)
{
    static const struct {
        const char *a, *b;
        bool differ;
    } cases[] = {
        {"", "", false},
        {"\"source\":\"a\"", "\"source\":\"a\"", false},
        {"\"source\":\"a\"", "\"source\":\"\\u0061\"", false},
        {"\"source\":\"a\"", "\"source\":\"b\"", true},
        {"\"source\":\"a\"", "", true},
        {"\"source\":\"\"", "", false},
        {"\"source\":null", "\"source\":\"\"", false},
        {"\"source\":1", "\"source\":\"1\"", true},
        {"\"source\":1", "\"source\":1.0", false},
        {"\"payload_type\":\"A\"", "\"payload_type\":\"B\"", true},
        {"\"payload_type\":\"A\"", "\"payload_type\":null", true},
        {"\"trace\":{\"a\":1},\"raw\":null,\"schema_version\":\"0.9\",\"more\":1",
         "\"raw\":{},\"schema_version\":\"0.1\"", false},
        {"\"caused_by\":\"a\"", "\"caused_by\":\"b\"", false}, /* no member of a signal */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_int(members_conflict(cases[i].a, cases[i].b), cases[i].differ, "%s | %s", cases[i].a, cases[i].b);
    ok(conflicts(SIGNAL "}", "{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:01Z\"}"), "another time");
    ok(!conflicts(SIGNAL "}", "{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T11:00:00+01:00\"}"), "the same time");
}

static void test_emissions(void)
{
#define EMISSION "{\"emission_id\":\"e\",\"timestamp\":\"2026-02-05\","
    static const char *const lines[] = {EMISSION "\"caused_by\":\"a\",\"source\":\"x\"}",
                                        EMISSION "\"caused_by\":\"b\"}",
                                        EMISSION "\"caused_by\":\"a\",\"source\":\"y\"}",
                                        EMISSION "\"caused_by\":\"a\",\"emission_type\":\"T\"}"};
    struct event events[4];
    for (size_t i = 0; i < 4; i++)
        event_read(lines[i], strlen(lines[i]), EVENT_EMISSION, false, &events[i], NULL);
    ok(differ(&events[0], &events[1]), "another cause");
    ok(!differ(&events[0], &events[2]), "the source of an emission is not looked at");
    ok(differ(&events[0], &events[3]), "another type");
}

static void test_payloads(void)
{
    static const struct {
        const char *a, *b;
        bool differ;
    } cases[] = {
        {"{\"a\":1,\"b\":2}", "{ \"b\" : 2, \"a\" : 1 }", false},
        {"{\"a\":1}", "{\"a\":1.0}", false},
        {"{\"a\":100}", "{\"a\":1e2}", false},
        {"{\"a\":0.1}", "{\"a\":0.10000000000000001}", true},
        {"{\"a\":1}", "{\"a\":2}", true},
        {"{\"a\":1}", "{\"a\":\"1\"}", true},
        {"{\"a\":1}", "{\"a\":true}", true},
        {"{\"a\":true}", "{\"a\":false}", true},
        {"{\"a\":\"\xc3\xa9\"}", "{\"a\":\"\\u00E9\"}", false},
        {"{\"\\u0061\":1}", "{\"a\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
        {"{\"a\":1}", "{\"b\":\"\",\"a\":1,\"c\":[],\"d\":{}}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":0}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":false}", true},
        {"{\"a\":1}", "{\"b\":1}", true},
        {"{\"a\":1}", "{}", true},
        {"{\"a\":{\"b\":null}}", "{}", false},
        {"{\"a\":{\"b\":{\"c\":\"\"},\"d\":[]},\"e\":1}", "{\"e\":1}", false},
        {"{\"a\":{\"b\":{\"c\":0},\"d\":[]},\"e\":1}", "{\"e\":1}", true},
        {"{\"x\":{\"a\":1,\"b\":null,\"c\":2}}", "{\"x\":{\"a\":1,\"c\":2}}", false},
        {"{\"a\":[1,{\"b\":null}]}", "{\"a\":[1,{}]}", false},
        {"{\"a\":[1,null]}", "{\"a\":[1]}", true},
        {"{\"a\":[null]}", "{\"a\":[]}", true},
        {"{\"a\":[null]}", "{\"a\":[\"\"]}", true},
        {"{\"a\":[1,2]}", "{\"a\":[2,1]}", true},
        {"{\"a\":[[1],2]}", "{\"a\":[[1,2]]}", true},
        {"{\"a\":[\"b\",\"c\"]}", "{\"a\":[\"b\",\"c\",\"d\"]}", true},
        {"{\"a\":\"x\\\"\"}", "{\"a\":\"x\\u0022\"}", false},
        {"{\"a\":\":\\\"\",\"b\":1}", "{\"b\":1}", true}, /* ends like an empty string, but is none */
        {"{\"a\":\"null\"}", "{}", true},
        {"{\"a\":\"[]\"}", "{}", true},
        {"{\"a\":\"}\",\"b\":null}", "{\"a\":\"}\"}", false},
        {"[]", "{}", false},
        {"null", "[]", false},
        {"{\"a\":null}", "null", false},
        {"[1]", "[1.0]", false},
        {"[{\"a\":null},{\"b\":1}]", "[{},{\"b\":1}]", false},
        {"\"x\"", "\"y\"", true},
        {"5", "\"5\"", true},
        {"{\"a\":NaN}", "{\"a\":NaN}", false},
        {"{\"a\":NaN}", "{\"a\":1}", true},
        {"{\"a\":-Infinity}", "{\"a\":Infinity}", true},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}", false}, /* the last one counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char a[256], b[256];
        snprintf(a, sizeof a, "\"payload\":%s", cases[i].a);
        snprintf(b, sizeof b, "\"payload\":%s", cases[i].b);
        is_int(members_conflict(a, b), cases[i].differ, "payload %s | %s", cases[i].a, cases[i].b);
    }
    ok(!members_conflict("\"payload\":{\"a\":null}", ""), "a payload that says nothing, and none");
    ok(members_conflict("\"payload\":0", ""), "a payload that says zero, and none");
}

static void test_entities(void)
{
    static const struct {
        const char *a, *b;
        bool differ;
    } cases[] = {
        {"[]", "null", false},
        {"[{\"ref_type\":\"t\",\"value\":\"v\",\"platform\":\"p\",\"label\":\"l\",\"schema_version\":\"0.9\"}]",
         "[{\"ref_type\":\"t\",\"value\":\"v\",\"platform\":\"p\"}]", false},
        {"[{\"ref_type\":\"t\",\"value\":\"v\"}]", "[{\"kind\":\"t\",\"identifier\":\"v\",\"platform\":null}]", false},
        {"[{\"ref_type\":\"t\",\"value\":\"v\"}]", "[{\"ref_type\":\"t\",\"value\":\"v\",\"platform\":\"\"}]", false},
        {"[{\"ref_type\":\"t\",\"value\":\"v\"}]", "[{\"ref_type\":\"t\",\"value\":\"v\",\"platform\":\"p\"}]", true},
        {"[{\"ref_type\":\"t\",\"value\":\"v\"}]", "[{\"ref_type\":\"t\",\"value\":\"w\"}]", true},
        {"[{\"ref_type\":\"t\",\"value\":\"v\"}]", "[{\"ref_type\":\"u\",\"value\":\"v\"}]", true},
        {"[{\"kind\":\"a\"},{\"kind\":\"b\"}]", "[{\"kind\":\"b\"},{\"kind\":\"a\"}]", true},
        {"[{\"kind\":\"a\"}]", "[{\"kind\":\"a\"},{\"kind\":\"a\"}]", true},
        {"[{\"kind\":\"a\"}]", "[]", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char a[256], b[256];
        snprintf(a, sizeof a, "\"entity_refs\":%s", cases[i].a);
        snprintf(b, sizeof b, "\"entity_refs\":%s", cases[i].b);
        is_int(members_conflict(a, b), cases[i].differ, "entities %s | %s", cases[i].a, cases[i].b);
    }
}

/* A line whose payload is nested `depth` times, with `leaf` inside. */
static void nest(struct bytes *line, const char *open, const char *leaf, const char *close, int depth)
{
    bytes_append_string(line, SIGNAL ",\"payload\":");
    for (int i = 0; i < depth; i++)
        bytes_append_string(line, open);
    bytes_append_string(line, leaf);
    for (int i = 0; i < depth; i++)
        bytes_append_string(line, close);
    bytes_append_string(line, "}");
}

static void test_depth(void)
{
    struct bytes a = {0}, b = {0}, c = {0};
    nest(&a, "{\"a\":", "null", "}", 100000);
    nest(&b, "{\"a\": ", "0", "}", 100000);
    nest(&c, "{\"a\": ", "1", "}", 100000);
    struct event first, second, third, none;
    event_read(a.data, a.length, EVENT_SIGNAL, false, &first, NULL);
    event_read(b.data, b.length, EVENT_SIGNAL, false, &second, NULL);
    event_read(c.data, c.length, EVENT_SIGNAL, false, &third, NULL);
    event_read(SIGNAL "}", strlen(SIGNAL "}"), EVENT_SIGNAL, false, &none, NULL);
    ok(!differ(&first, &none), "nothing, deep down, is nothing");
    ok(differ(&second, &none), "zero is not");
    ok(differ(&second, &third), "a difference deep down is found");
    bytes_release(&a);
    bytes_release(&b);
    bytes_release(&c);
}

int main(void)
{
    test_members();
    test_emissions();
    test_payloads();
    test_entities();
    test_depth();
    return done();
}
