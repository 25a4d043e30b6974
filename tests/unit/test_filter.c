#include "event/filter.h"

#include <stdlib.h>

#include "tap.h"

#define SIGNAL   "{\"signal_id\":\"s1\",\"timestamp\":\"2026-02-05T10:00:00Z\""
#define EMISSION "{\"emission_id\":\"e1\",\"timestamp\":\"2026-02-05T10:00:00Z\""

/* The answer of a filter about a stored line. The cheap rejection may never contradict it. */
static bool matches(const struct filter *filter, const char *line)
{
    struct event event;
    enum event_kind kind = strstr(line, "emission_id") ? EVENT_EMISSION : EVENT_SIGNAL;
    if (event_read(line, strlen(line), kind, false, &event, NULL) != EVENT_GOOD) {
        ok(false, "an event: %s", line);
        return false;
    }
    bool answer = false;
    if (!filter_matches(filter, &event, &answer))
        ok(false, "memory for the filter: %s", line);
    if (answer && !filter_may_match(filter, line, strlen(line), NULL))
        ok(false, "rejected what matches: %s", line);
    return answer;
}

/* The same for a line with these members, and a filter that is thrown away. */
static bool once(struct filter *filter, const char *members)
{
    char line[1024];
    snprintf(line, sizeof line, SIGNAL ",%s}", members);
    bool answer = matches(filter, line);
    filter_free(filter);
    return answer;
}

static struct filter *with(enum filter_member member, const char *value)
{
    struct filter *filter = filter_new();
    filter_add(filter, member, value, NULL);
    return filter;
}

static struct filter *with_entity(const char *spec)
{
    struct filter *filter = filter_new();
    if (filter_add_entity(filter, spec, NULL) != STATUS_OK)
        ok(false, "an entity: %s", spec);
    return filter;
}

static struct filter *with_where(const char *spec)
{
    struct filter *filter = filter_new();
    if (filter_add_where(filter, spec, NULL) != STATUS_OK)
        ok(false, "a condition: %s", spec);
    return filter;
}

static void test_empty(void)
{
    struct filter *filter = filter_new();
    size_t at = 7;
    ok(filter_is_empty(filter), "a new filter is empty");
    ok(matches(filter, SIGNAL "}") && matches(filter, EMISSION "}"), "and matches everything");
    ok(filter_may_match(filter, "x\n", 2, &at) && at == 0, "wherever it stands");
    is_int(filter_index_keys(filter, EVENT_SIGNAL, 1).count, 0, "it has no keys");
    filter_set_resolution(filter, FILTER_RESOLVED);
    ok(!filter_is_empty(filter), "a resolution is a condition");
    filter_set_resolution(filter, FILTER_ANY_RESOLUTION);
    ok(filter_is_empty(filter), "any resolution is none");
    filter_add_number(filter, "a", NULL);
    ok(!filter_is_empty(filter), "a number is a condition");
    filter_free(filter);
    filter_free(NULL);
}

static void test_members(void)
{
    ok(once(with(FILTER_SOURCE, "a.b"), "\"source\":\"a.b\""), "source");
    ok(once(with(FILTER_SOURCE, "a.b"), "\"source\" : \"a\\u002eb\""), "source, spelled differently");
    ok(!once(with(FILTER_SOURCE, "a.b"), "\"source\":\"a.bc\""), "another source");
    ok(!once(with(FILTER_SOURCE, "a.b"), "\"platform\":\"a.b\""), "no source");
    ok(!once(with(FILTER_SOURCE, "12"), "\"source\":12"), "a source that is no string");
    ok(!once(with(FILTER_SOURCE, "null"), "\"source\":null"), "nor null");
    ok(once(with(FILTER_SOURCE, ""), "\"source\":\"\""), "an empty source");
    ok(once(with(FILTER_TYPE, "T"), "\"payload_type\":\"T\""), "type");
    ok(!once(with(FILTER_TYPE, "T"), "\"payload_type\":\"t\""), "types differ by case");
    ok(!once(with(FILTER_TYPE, "T"), "\"emission_type\":\"T\""), "a signal's type is its payload's");
    ok(once(with(FILTER_ID, "s1"), "\"x\":1"), "id");
    ok(!once(with(FILTER_ID, "s"), "\"x\":\"s\""), "another id");
    ok(!once(with(FILTER_CAUSED_BY, "c"), "\"caused_by\":\"c\""), "a signal has no cause");
    struct filter *filter = with(FILTER_SOURCE, "x");
    filter_add(filter, FILTER_SOURCE, "y", NULL);
    filter_add(filter, FILTER_TYPE, "T", NULL);
    ok(matches(filter, SIGNAL ",\"source\":\"y\",\"payload_type\":\"T\"}"), "any of the sources and the type");
    ok(!matches(filter, SIGNAL ",\"source\":\"y\",\"payload_type\":\"U\"}"), "not one without the other");
    filter_free(filter);
}

static void test_emissions(void)
{
    struct filter *filter = with(FILTER_CAUSED_BY, "c");
    filter_add(filter, FILTER_TYPE, "T", NULL);
    ok(matches(filter, EMISSION ",\"caused_by\":\"c\",\"emission_type\":\"T\"}"), "cause and type of an emission");
    ok(!matches(filter, EMISSION ",\"caused_by\":\"d\",\"emission_type\":\"T\"}"), "another cause");
    ok(!matches(filter, EMISSION ",\"caused_by\":\"c\",\"payload_type\":\"T\"}"), "no type");
    filter_free(filter);
    filter = with(FILTER_SOURCE, "a");
    ok(!matches(filter, EMISSION ",\"source\":\"a\"}"), "an emission has no source");
    filter_free(filter);
    filter = with(FILTER_STAGE, "a");
    ok(!matches(filter, EMISSION ",\"source\":\"a\"}"), "nor a stage");
    filter_free(filter);
}

static void test_stages(void)
{
    static const struct {
        const char *stage, *source;
        bool match;
    } cases[] = {
        {"resolve", "\"resolve\"", true},
        {"resolve", "\"resolve.worker\"", true},
        {"resolve", "\"resolve.\"", true},
        {"resolve", "\"resolver\"", false},
        {"resolve", "\"resolver.worker\"", false},
        {"resolve", "\"resol\"", false},
        {"resolve", "\"a.resolve\"", false},
        {"resolve", "\"resolve\\u002eworker\"", true},
        {"resolve", "\"re\\u0073olve.worker\"", true},
        {"resolve", "\"re\\u0073olver\"", false},
        {"resolve", "\"re\\u0073\"", false},
        {"resolve.worker", "\"resolve.worker.2\"", true},
        {"resolve.worker", "\"resolve\"", false},
        {"a/b", "\"a\\/b.c\"", true},
        {"a\"b\\", "\"a\\\"b\\\\.c\"", true},
        {"\xc3\xa9", "\"\xc3\xa9.x\"", true},
        {"\xc3\xa9", "\"\\u00E9.x\"", true},
        {"\xc3\xa9", "\"\\u00ea.x\"", false},
        {"\xc3\xa9\xc3\xa9", "\"\\u00e9\\u00e9.x\"", true},
        {"\xc3\xa9", "\"\\u00e9\\u002e\"", true},
        {"\xc3\xa9", "\"\\u00e9\\u00e9\"", false},
        {"\xf0\x9f\x94\xa5", "\"\\ud83d\\udd25.x\"", true},
        {"\xf0\x9f\x94\xa5", "\"\\ud83d\\udd26.x\"", false},
        {"", "\"\"", true},
        {"", "\".x\"", true},
        {"", "\"x\"", false},
        {"", "\"\\u002e\\u0078\"", true},
        {"\xc3\xa9", "\"\\u00e9.\\u00e9\\u00e9\"", true},
        {"1", "1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[128];
        snprintf(members, sizeof members, "\"source\":%s", cases[i].source);
        is_int(once(with(FILTER_STAGE, cases[i].stage), members), cases[i].match, "stage %zu: %s", i, cases[i].source);
    }
}

static void test_entities(void)
{
#define SCHEMA "{\"ref_type\":\"handle\",\"value\":\"@a:b\",\"platform\":\"x\",\"label\":\"A\",\"n\":1.0}"
#define OTHER  "{\"kind\":\"handle\",\"identifier\":\"@a:b\",\"platform\":null}"
    static const struct {
        const char *spec;
        bool schema, other;
    } cases[] = {
        {"handle:@a:b", true, true},
        {"handle:@a", false, false},
        {":@a:b", false, false},
        {"handle:", false, false},
        {"{}", true, true},
        {"{\"ref_type\":\"handle\"}", true, true},
        {"{\"kind\":\"handle\"}", true, true},
        {"{\"value\":\"@a:b\"}", true, true},
        {"{\"identifier\":\"\\u0040a:b\"}", true, true},
        {"{\"kind\":\"handle\",\"ref_type\":\"handle\"}", true, true},
        {"{\"kind\":\"handle\",\"ref_type\":\"email\"}", false, false},
        {"{\"kind\":\"handle\",\"ref_type\":null}", false, false},
        {"{\"kind\":null}", false, false},
        {"{\"platform\":\"x\"}", true, false},
        {"{\"platform\":null}", false, true},
        {"{\"value\":\"@a:b\",\"platform\":null}", false, true},
        {"{\"label\":\"A\"}", true, false},
        {"{\"label\":null}", false, true},
        {"{\"n\":1}", true, false},
        {"{\"n\":\"1\"}", false, false},
        {"{\"label\":\"A\",\"none\":null}", true, false},
        {"{\"none\":0}", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        is_int(once(with_entity(cases[i].spec), "\"entity_refs\":[" SCHEMA "]"), cases[i].schema, "%s", cases[i].spec);
        is_int(once(with_entity(cases[i].spec), "\"entity_refs\":[" OTHER "]"), cases[i].other, "... the other shape");
    }
    ok(once(with_entity("b:2"),
            "\"entity_refs\":[1,{\"kind\":\"a\",\"identifier\":\"1\"},{\"kind\":\"b\",\"identifier\":\"2\"}]"),
       "any reference may match");
    ok(!once(with_entity("a:2"),
             "\"entity_refs\":[{\"kind\":\"a\",\"identifier\":\"1\"},{\"kind\":\"b\",\"identifier\":\"2\"}]"),
       "but one must match alone");
    ok(!once(with_entity("{}"), "\"entity_refs\":[]"), "no reference, no match");
    ok(!once(with_entity("{}"), "\"entity_refs\":[null,\"x\",[]]"), "what is no object is no reference");
    ok(once(with_entity("{\"kind\":\"a\",\"value\":12}"), "\"entity_refs\":[{\"ref_type\":\"a\",\"identifier\":12.0}]"),
       "a value that is no string is asked for as it is");
    ok(once(with_entity("{\"platform\":[1]}"), "\"entity_refs\":[{\"platform\":[1]}]"), "so is such a platform");
    ok(!once(with_entity("{\"value\":12}"), "\"entity_refs\":[{\"value\":\"12\"},{\"value\":13},{}]"),
       "and nothing else");
    ok(!once(with_entity("a:12"), "\"entity_refs\":[{\"kind\":\"a\",\"identifier\":12}]"),
       "it is not read as a string");
    ok(once(with_entity("a:\xc3\xa9"), "\"entity_refs\":[{\"kind\":\"a\",\"identifier\":\"\\u00e9\"}]"),
       "escapes are decoded");
    struct filter *filter = with_entity("a:1");
    filter_add_entity(filter, "{\"platform\":\"p\"}", NULL);
    ok(once(filter, "\"entity_refs\":[{\"platform\":\"p\"}]"), "several are any-of");
}

/* What is said of an entity or a condition, with the status behind it. */
static const char *refusal(bool is_where, const char *spec)
{
    static struct error err;
    struct filter *filter = filter_new();
    strcpy(err.text, "accepted");
    enum status status = is_where ? filter_add_where(filter, spec, &err) : filter_add_entity(filter, spec, &err);
    if (status != STATUS_OK && (status != STATUS_USAGE || !filter_is_empty(filter)))
        strcpy(err.text, "another failure");
    filter_free(filter);
    return err.text;
}

static void test_refusals(void)
{
    is_text(refusal(false, "alice"), "invalid entity \"alice\": neither TYPE:VALUE nor a JSON object", "no colon");
    is_text(refusal(false, ""), "invalid entity \"\": neither TYPE:VALUE nor a JSON object", "nothing");
    is_text(refusal(false, "a:\xff"), "invalid entity \"a:\\xff\": not UTF-8", "bytes that no string has");
    ok(strstr(refusal(false, "{\"a\":1,}"), "invalid entity \"{\"a\":1,}\": at byte 8: "), "a broken object");
    ok(strstr(refusal(false, "{\"a\":1,\"a\":1}"), "at byte 8: "), "a member twice");
    is_text(refusal(false, "{}"), "accepted", "an empty object");
    is_text(refusal(true, "a"), "invalid condition \"a\": not PATH=VALUE", "no equals sign");
    is_text(refusal(true, "=1"), "invalid condition \"=1\": a name in PATH is empty", "no path");
    is_text(refusal(true, ".a=1"), "invalid condition \".a=1\": a name in PATH is empty", "a dot before it");
    is_text(refusal(true, "a.=1"), "invalid condition \"a.=1\": a name in PATH is empty", "behind it");
    is_text(refusal(true, "a..b=1"), "invalid condition \"a..b=1\": a name in PATH is empty", "two in it");
    is_text(refusal(true, "a="), "accepted", "an empty value");
    struct filter *filter = filter_new();
    is_int(filter_add_number(filter, "", NULL), STATUS_USAGE, "no path of a number");
    is_int(filter_add_number(filter, "a..b", NULL), STATUS_USAGE, "an empty name in it");
    filter_free(filter);
}

static void test_where(void)
{
    static const struct {
        const char *spec, *payload;
        bool match;
    } cases[] = {
        {"a=1", "{\"a\":1}", true},
        {"a=1", "{\"a\":1.0}", true},
        {"a=1", "{\"a\":10e-1}", true},
        {"a=1.50", "{\"a\":1.5}", true},
        {"a=1", "{\"a\":\"1\"}", true},
        {"a=1", "{\"a\":\"1.0\"}", false},
        {"a=1", "{\"a\":2}", false},
        {"a=1", "{\"a\":true}", false},
        {"a=0.1", "{\"a\":0.10000000000000001}", false},
        {"a=01", "{\"a\":1}", false}, /* no JSON number */
        {"a=01", "{\"a\":\"01\"}", true},
        {"a= 1", "{\"a\":1}", false},
        {"a=1 ", "{\"a\":1}", false},
        {"a= 1", "{\"a\":\" 1\"}", true},
        {"a=NaN", "{\"a\":NaN}", false},
        {"a=NaN", "{\"a\":\"NaN\"}", true},
        {"a=true", "{\"a\":true}", true},
        {"a=true", "{\"a\":\"true\"}", true},
        {"a=true", "{\"a\":\"\\u0074rue\"}", true},
        {"a=true", "{\"a\":false}", false},
        {"a=null", "{\"a\":null}", true},
        {"a=null", "{\"a\":\"null\"}", true},
        {"a=null", "{}", false},
        {"a=null", "{\"b\":null}", false},
        {"a=READY", "{\"a\":\"READY\"}", true},
        {"a=READY", "{ \"\\u0061\" : \"RE\\u0041DY\" }", true},
        {"a=READY", "{\"a\":\"ready\"}", false},
        {"a=READY", "{\"a\":[\"READY\"]}", false},
        {"a=\"x\"", "{\"a\":\"x\"}", true},
        {"a=\"x\"", "{\"a\":\"\\\"x\\\"\"}", true},
        {"a=\"\\u0078\"", "{\"a\":\"x\"}", true},
        {"a=x", "{\"a\":\"\\\"x\\\"\"}", false},
        {"a=", "{\"a\":\"\"}", true},
        {"a=", "{\"a\":null}", false},
        {"a=b=c", "{\"a\":\"b=c\"}", true},
        {"a=[1]", "{\"a\":[1]}", false},
        {"a=[1]", "{\"a\":\"[1]\"}", true},
        {"a={}", "{\"a\":{}}", false},
        {"a.b=1", "{\"a\":{\"b\":1}}", true},
        {"a.b=1", "{\"a\":{\"\\u0062\":1}}", true},
        {"a.b=1", "{\"a.b\":1}", false},
        {"a.b=1", "{\"a\":[{\"b\":1}]}", false},
        {"a.0=1", "{\"a\":[1]}", false},
        {"a.b=1", "{\"b\":1}", false},
        {"a=1", "{\"a\":2,\"a\":1}", true},
        {"a=1", "[1]", false},
        {"a=1", "\"a\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[256];
        snprintf(members, sizeof members, "\"payload\":%s", cases[i].payload);
        is_int(once(with_where(cases[i].spec), members), cases[i].match, "%s in %s", cases[i].spec, cases[i].payload);
    }
    ok(!once(with_where("a=1"), "\"a\":1"), "only the payload is looked into");
}

static void test_several_wheres(void)
{
    struct filter *filter = with_where("a=1");
    filter_add_where(filter, "b.c=x", NULL);
    filter_add_where(filter, "a=y", NULL);
    ok(matches(filter, SIGNAL ",\"payload\":{\"a\":1,\"b\":{\"c\":\"x\"}}}"), "both paths hold");
    ok(matches(filter, SIGNAL ",\"payload\":{\"a\":\"y\",\"b\":{\"c\":\"x\"}}}"), "one path has any of its values");
    ok(!matches(filter, SIGNAL ",\"payload\":{\"a\":\"y\"}}"), "one path does not hold");
    ok(!matches(filter, SIGNAL ",\"payload\":{\"a\":\"x\",\"b\":{\"c\":\"x\"}}}"),
       "a value of the other path is none of this");
    filter_free(filter);
}

static void test_numbers(void)
{
    struct filter *filter = filter_new();
    filter_add_number(filter, "s.fit", NULL);
    ok(matches(filter, SIGNAL ",\"payload\":{\"s\":{\"fit\":-0.5}}}"), "a number");
    ok(matches(filter, SIGNAL ",\"payload\":{\"s\":{\"fit\":-Infinity}}}"), "an infinity");
    ok(!matches(filter, SIGNAL ",\"payload\":{\"s\":{\"fit\":NaN}}}"), "NaN is none");
    ok(!matches(filter, SIGNAL ",\"payload\":{\"s\":{\"fit\":\"1\"}}}"), "nor is a string");
    ok(!matches(filter, SIGNAL ",\"payload\":{\"fit\":1}}"), "a number elsewhere");
    filter_free(filter);
    filter = filter_new();
    filter_add_number(filter, "a", NULL);
    filter_add_where(filter, "a=x", NULL);
    ok(!matches(filter, SIGNAL ",\"payload\":{\"a\":1}}") && !matches(filter, SIGNAL ",\"payload\":{\"a\":\"x\"}}"),
       "a number and another value of one path cannot both hold");
    filter_add_where(filter, "a=1", NULL);
    ok(matches(filter, SIGNAL ",\"payload\":{\"a\":1}}"), "a number and that number can");
    filter_free(filter);
}

static void test_resolution(void)
{
    static const struct {
        const char *members;
        bool resolved;
    } cases[] = {
        {"\"entity_refs\":[{}]", true},
        {"\"entity_refs\":[]", false},
        {"\"entity_refs\":[null]", false},
        {"\"entity_refs\":null", false},
        {"\"payload_type\":\"EntityResolved\"", true},
        {"\"payload_type\":\"EntityMerged\",\"entity_refs\":[]", true},
        {"\"payload_type\":\"EntityAliasAdded\"", true},
        {"\"payload_type\":\"EntityAliasRemoved\"", false},
        {"\"payload_type\":null", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *resolved = filter_new(), *unresolved = filter_new();
        filter_set_resolution(resolved, FILTER_RESOLVED);
        filter_set_resolution(unresolved, FILTER_UNRESOLVED);
        is_int(once(resolved, cases[i].members), cases[i].resolved, "resolved: %s", cases[i].members);
        is_int(once(unresolved, cases[i].members), !cases[i].resolved, "unresolved: %s", cases[i].members);
    }
}

int main(void)
{
    test_empty();
    test_members();
    test_emissions();
    test_stages();
    test_entities();
    test_refusals();
    test_where();
    test_several_wheres();
    test_numbers();
    test_resolution();
    return done();
}
