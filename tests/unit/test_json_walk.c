#include "json_cases.h"
#include "tap.h"

static struct json_text text_of(const char *string)
{
    return (struct json_text){string, strlen(string)};
}

static bool text_is(struct json_text text, const char *want)
{
    return text.data && text.length == strlen(want) && memcmp(text.data, want, text.length) == 0;
}

static void test_types(void)
{
    static const struct {
        const char *text;
        enum json_type type;
    } cases[] = {{"null", JSON_NULL},   {"false", JSON_FALSE}, {"true", JSON_TRUE},        {"0", JSON_NUMBER},
                 {"-1", JSON_NUMBER},   {"NaN", JSON_NUMBER},  {"-Infinity", JSON_NUMBER}, {"Infinity", JSON_NUMBER},
                 {"\"\"", JSON_STRING}, {"[]", JSON_ARRAY},    {"{}", JSON_OBJECT},        {"", JSON_ABSENT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_int(json_type(text_of(cases[i].text)), cases[i].type, "type of '%s'", cases[i].text);
    is_int(json_type((struct json_text){NULL, 0}), JSON_ABSENT, "type of nothing");
}

/* name=value; or value; of all that the container has. */
static const char *walked(const char *container, char *buffer)
{
    struct json_text name, value;
    char *copy = exact_copy(container, strlen(container)), *to = buffer;
    struct json_walk w = json_walk_start((struct json_text){copy, strlen(container)});
    bool object = *container == '{';
    *to = '\0';
    while (object ? json_walk_member(&w, &name, &value) : json_walk_element(&w, &value)) {
        if (object)
            to += sprintf(to, "%.*s=", (int)name.length, name.data);
        to += sprintf(to, "%.*s;", (int)value.length, value.data);
    }
    free(copy);
    return buffer;
}

static void test_walk(const char *path)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"[]", ""},
        {"{}", ""},
        {"[ \n]", ""},
        {"{\t}", ""},
        {"[1]", "1;"},
        {"[1,\"a,]\",[2,[3]],{\"b\":[4]},null]", "1;\"a,]\";[2,[3]];{\"b\":[4]};null;"},
        {"[ 1 , \"\\\"\" , [ ] , { } , -1.5e3 ]", "1;\"\\\"\";[ ];{ };-1.5e3;"},
        {"{\"a\":1}", "\"a\"=1;"},
        {"{\"a\":{\"b\":\"}\"},\"c\\\"\":[\"]\"],\"\":null}", "\"a\"={\"b\":\"}\"};\"c\\\"\"=[\"]\"];\"\"=null;"},
        {"{ \"a\" : 1 , \"a\" : NaN\n}", "\"a\"=1;\"a\"=NaN;"},
        {"[\"a long string, longer than sixteen bytes, with \\\\\\\" and [{ in it\",true]",
         "\"a long string, longer than sixteen bytes, with \\\\\\\" and [{ in it\";true;"},
    };
    char buffer[500];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_text(walked(cases[i].text, buffer), cases[i].want, "%s: walk %s", path, cases[i].text);
    struct json_walk none = json_walk_start((struct json_text){NULL, 0});
    struct json_text value;
    ok(!json_walk_element(&none, &value), "%s: nothing has no elements", path);
}

static void test_member(const char *path)
{
    struct json_text object =
        text_of("{\"a\":1,\"b\":{\"a\":2},\"\\u0063\":3,\"d\\u0000\":4,\"a\":5,\"\":6,\"\\ud800\":7}");
    ok(text_is(json_member(object, "a", 1), "5"), "%s: of a repeated member the last", path);
    ok(text_is(json_member(object, "b", 1), "{\"a\":2}"), "%s: a container", path);
    ok(text_is(json_member(object, "c", 1), "3"), "%s: a name with an escape", path);
    ok(text_is(json_member(object, "d\0", 2), "4"), "%s: a name with a NUL", path);
    ok(text_is(json_member(object, "", 0), "6"), "%s: an empty name", path);
    ok(text_is(json_member(object, "\xed\xa0\x80", 3), "7"), "%s: a lone surrogate", path);
    ok(!json_member(object, "d", 1).data, "%s: absent", path);
    ok(!json_member(text_of("[\"a\",1]"), "a", 1).data, "%s: of an array", path);
    ok(!json_member((struct json_text){NULL, 0}, "a", 1).data, "%s: of nothing", path);
}

static const struct json_key keys[] = {JSON_KEY("a"), JSON_KEY("b"), JSON_KEY("signal_id"), JSON_KEY("signal_in")};
enum { A, B, ID, IN, KEYS };

static void find(const char *text, struct json_text members[KEYS])
{
    char *copy = exact_copy(text, strlen(text));
    json_find(copy, strlen(text), keys, KEYS, members);
    for (int i = 0; i < KEYS; i++)
        if (members[i].data)
            members[i].data = text + (members[i].data - copy);
    free(copy);
}

static void test_find(const char *path)
{
    struct json_text m[KEYS];
    find("{\"x\":{\"a\":1,\"y\":[{\"b\":\"}\"}]},\"b\":[ {\"a\":\"]\"} ],\"signal_in\":\"\\\"a\\\":\",\"a\":-1.5}", m);
    ok(text_is(m[A], "-1.5") && text_is(m[B], "[ {\"a\":\"]\"} ]") && text_is(m[IN], "\"\\\"a\\\":\"") && !m[ID].data,
       "%s: find looks at the top only", path);
    find(" \t{ \"a\" : [[],[{}],\"x\"] , \"\\u0062\" : null , \"a\" : NaN } \r", m);
    ok(text_is(m[A], "NaN") && text_is(m[B], "null"), "%s: find the last, whatever white space", path);
    find("{}", m);
    ok(!m[A].data && !m[B].data, "%s: find in an empty object", path);
    find("[\"a\",1]", m);
    ok(!m[A].data, "%s: find in an array", path);
    find("{\"a\":[[[1]]],\"b\":[\"c\",\"d\",[]],\"signal_id\":{\"e\":{\"f\":\"g\"}}}", m);
    ok(text_is(m[A], "[[[1]]]") && text_is(m[B], "[\"c\",\"d\",[]]") && text_is(m[ID], "{\"e\":{\"f\":\"g\"}}"),
       "%s: find containers in containers", path);
}

/* What json_scan() finds, json_find() and json_member() find, too. */
static void test_same_as_scan(const char *path)
{
    int wrong = 0;
    for (size_t i = 0; i < JSON_CASES; i++) {
        const struct json_case *c = &json_cases[i];
        struct json_text scanned[KEYS] = {0}, found[KEYS];
        struct json_scanned scan;
        if (c->verdict == REFUSED)
            continue;
        char *copy = exact_copy(c->text, c->length);
        json_scan(copy, c->length, JSON_STORED, keys, KEYS, scanned, &scan);
        json_find(copy, c->length, keys, KEYS, found);
        size_t white = strspn(c->text, " \t\r\n");
        struct json_text document = {copy + white, c->length - white};
        while (json_is_blank(document.data + document.length - 1, 1))
            document.length--;
        for (int k = 0; k < KEYS; k++) {
            struct json_text member = json_member(document, keys[k].name, keys[k].length);
            wrong += found[k].data != scanned[k].data || found[k].length != scanned[k].length;
            wrong += member.data != scanned[k].data || member.length != scanned[k].length;
        }
        free(copy);
    }
    is_int(wrong, 0, "%s: find and member agree with scan", path);
}

static void test_find_in_long_text(const char *path)
{
    int wrong = 0;
    char text[9000];
    for (int border = 4096; border <= 8192; border *= 2)
        for (int before = 0; before < 40; before++) {
            int length = sprintf(text, "{\"x\":[\"%0*d\",{\"b\":\"\\\\\"}],\"a\":[\"\\\"\",{}],\"b\":\"y\"}",
                                 border - before - 8, 0);
            struct json_text m[KEYS];
            char *copy = exact_copy(text, (size_t)length);
            json_find(copy, (size_t)length, keys, KEYS, m);
            wrong += !text_is(m[A], "[\"\\\"\",{}]") || !text_is(m[B], "\"y\"");
            free(copy);
        }
    is_int(wrong, 0, "%s: find behind what lies across the borders of windows", path);
}

static bool are_same(struct json_text a, struct json_text b)
{
    bool answer;
    return json_same(a, b, &answer) && answer;
}

static void test_same(const char *path)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"null", "null", true},
        {"null", "false", false},
        {"1", "1.0", true},
        {"1", "\"1\"", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"[1,2]", "[ 1.0, 20e-1 ]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"[12]", "[1,2]", false},
        {"[]", "{}", false},
        {"{\"a\":1,\"b\":[\"\xc3\xa9\"]}", "{\"b\" : [\"\\u00e9\"], \"a\":1e0}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}", true},
        {"{\"a\":\"1\"}", "{\"a\":\"1.0\"}", false},
        {"[\"1\"]", "[\"1\",1]", false},
        {"[NaN]", "[NaN]", false},
        {"[Infinity]", "[Infinity]", true},
        {"[-Infinity]", "[Infinity]", false},
        {"[-1]", "[1]", false},
        {"[true]", "[false]", false},
        {"[0]", "[-0]", true},
        {"{\"1\":2}", "{\"1.0\":2}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_text a = text_of(cases[i].a), b = text_of(cases[i].b);
        is_int(are_same(a, b), cases[i].same, "%s: %s and %s", path, cases[i].a, cases[i].b);
        is_int(are_same(b, a), cases[i].same, "%s: the other way round", path);
    }
    struct json_text absent = {NULL, 0};
    ok(are_same(absent, absent) && !are_same(absent, text_of("null")), "%s: absent is the same as absent only", path);
}

static void test_blank(void)
{
    ok(json_is_blank("", 0) && json_is_blank(" \t\r\n", 4), "white space is blank");
    ok(!json_is_blank(" x", 2) && !json_is_blank("\v", 1) && !json_is_blank("\0", 1), "nothing else is");
}

static void test_all(const char *path)
{
    test_walk(path);
    test_member(path);
    test_find(path);
    test_same_as_scan(path);
    test_find_in_long_text(path);
    test_same(path);
}

int main(void)
{
    test_types();
    test_blank();
    test_all("native");
    json_use(JSON_PORTABLE);
    test_all("portable");
    return done();
}
