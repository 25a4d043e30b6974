#include "json_cases.h"
#include "tap.h"

static const struct json_key keys[] = {JSON_KEY(""),          JSON_KEY("a"),          JSON_KEY("b"),
                                       JSON_KEY("signal_id"), JSON_KEY("signal_key"), JSON_KEY("\xc3\xa9")};
enum { EMPTY, A, B, ID, KEY, ACCENT, KEYS };

struct outcome {
    enum status status;
    struct json_scanned scan;
    struct json_text members[KEYS];
};

static struct outcome scan(const char *text, size_t length, enum json_rules rules)
{
    struct outcome o = {.scan.fault = {.offset = SIZE_MAX}};
    for (int i = 0; i < KEYS; i++)
        o.members[i] = (struct json_text){"untouched", 9};
    o.status = json_scan(text, length, rules, keys, KEYS, o.members, &o.scan);
    return o;
}

static struct outcome scan_string(const char *text, enum json_rules rules)
{
    return scan(text, strlen(text), rules);
}

static enum verdict verdict_on(const char *text, size_t length)
{
    char *copy = exact_copy(text, length);
    struct outcome strict = scan(copy, length, JSON_STRICT), stored = scan(copy, length, JSON_STORED);
    free(copy);
    if (stored.status != STATUS_OK || stored.scan.canonical)
        return strict.status == STATUS_INVALID ? REFUSED : (enum verdict) - 1;
    if (strict.status != STATUS_OK)
        return STORED;
    return strict.scan.canonical ? CANONICAL : STRICT;
}

static void test_cases(const char *path)
{
    int wrong = 0;
    for (size_t i = 0; i < JSON_CASES; i++) {
        enum verdict verdict = verdict_on(json_cases[i].text, json_cases[i].length);
        if (verdict != json_cases[i].verdict && ++wrong <= 10)
            printf("# %.*s: %d, not %d\n", (int)json_cases[i].length, json_cases[i].text, (int)verdict,
                   (int)json_cases[i].verdict);
    }
    is_int(wrong, 0, "%s: %zu texts get the verdict of Python", path, JSON_CASES);
}

struct fault_case {
    const char *text, *what;
    size_t offset;
};

static const struct fault_case faults[] = {
    {"", "empty", 0},
    {" \r\n\t", "empty", 0},
    {"\xef\xbb\xbf{}", "unexpected byte order mark", 0},
    {"{\"a\":1}x", "trailing data after the document", 7},
    {"{} {}", "trailing data after the document", 3},
    {"{\"a\":1,\"a\":2}", "duplicate member \"a\"", 7},
    {"{\"a\":1,\"b\":2,\"\\u0061\":2}", "duplicate member \"\\u0061\"", 13},
    {"[{\"b\":1,\"c\":1,\"c\":1,\"b\":2}]", "duplicate member \"c\"", 14},
    {"{\"\\u202e\":1,\"\\u202e\":1}", "duplicate member \"\\u202e\"", 12},
    {"{\"\xe2\x80\xae\":1,\"\xe2\x80\xae\":1}", "duplicate member \"\\u202e\"", 9},
    {"{\"abcdefghijklmnopqrs\xc3\xa9\":1,\"abcdefghijklmnopqrs\xc3\xa9\":1}",
     "duplicate member \"abcdefghijklmnopqrs\"...", 27},
    {"{\"a\":NaN}", "NaN is not allowed", 5},
    {"[Infinity]", "Infinity is not allowed", 1},
    {"[-Infinity]", "-Infinity is not allowed", 1},
    {"[Nan]", "expected a value or ']'", 1},
    {"[1,nan]", "expected a value", 3},
    {"{\"a\":nul}", "expected a value", 5},
    {"{\"a\":}", "expected a value", 5},
    {"{\"a\":", "ends too early, expected a value", 5},
    {"{\"a\":01}", "invalid number", 5},
    {"{\"a\":-}", "invalid number", 5},
    {"{\"a\":1.}", "invalid number", 5},
    {"{\"a\":1.2.3}", "invalid number", 5},
    {"{\"a\":.5}", "expected a value", 5},
    {"{\"a\":\"b}", "unterminated string", 5},
    {"{\"a\":\"b\x01\"}", "control character in a string", 7},
    {"{\"a\":\"b\n\"}", "control character in a string", 7},
    {"{\"a\":\"b\\x\"}", "invalid escape", 7},
    {"{\"a\":\"b\\u12\"}", "invalid escape", 7},
    {"{\"a\":\"b\xff\"}", "invalid UTF-8", 7},
    {"{\"a\":\"b\xed\xa0\x80\"}", "invalid UTF-8", 7},
    {"{\"a\":\"\xc3\xa9\xc3\"}", "invalid UTF-8", 8},
    {"{\"a\" 1}", "expected ':'", 5},
    {"{\"a\"", "ends too early, expected ':'", 4},
    {"{a:1}", "expected a member name or '}'", 1},
    {"{\"a\":1,}", "expected a member name", 7},
    {"{", "ends too early, expected a member name or '}'", 1},
    {"{\"a\":1 \"b\":2}", "expected ',' or '}'", 7},
    {"{\"a\":1", "ends too early, expected ',' or '}'", 6},
    {"{\"a\":[1 2]}", "expected ',' or ']'", 8},
    {"{\"a\":[1}", "expected ',' or ']'", 7},
    {"[1,]", "expected a value", 3},
    {"[,1]", "expected a value or ']'", 1},
    {"\xff", "expected a value", 0},
    {"'a'", "expected a value", 0},
};

static void test_faults(const char *path)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct outcome o = scan_string(faults[i].text, JSON_STRICT);
        is_int(o.status, STATUS_INVALID, "%s: refused: %s", path, faults[i].what);
        is_text(o.scan.fault.what, faults[i].what, "%s: what is wrong", path);
        is_int(o.scan.fault.offset, faults[i].offset, "%s: where", path);
    }
}

static bool member_is(const struct outcome *o, int i, const char *want)
{
    const struct json_text *m = &o->members[i];
    if (!want)
        return !m->data;
    return m->data && m->length == strlen(want) && memcmp(m->data, want, m->length) == 0;
}

static void test_members(const char *path)
{
    struct outcome o =
        scan_string("{\"b\":{\"a\":1,\"signal_id\":[\"b\"]},\"signal_id\":\"s \\\" 1\",\"signal_key\":-1.5e3}",
                    JSON_STRICT);
    is_int(o.status, STATUS_OK, "%s: members are found", path);
    ok(member_is(&o, B, "{\"a\":1,\"signal_id\":[\"b\"]}"), "%s: a container, whole", path);
    ok(member_is(&o, ID, "\"s \\\" 1\""), "%s: a string, with its quotes", path);
    ok(member_is(&o, KEY, "-1.5e3"), "%s: a number", path);
    ok(member_is(&o, A, NULL), "%s: a member of a member is none of the document", path);
    ok(member_is(&o, EMPTY, NULL), "%s: absent", path);

    o = scan_string(" { \"\" : [ ] , \"\\u0061\" : null , \"\\u00e9\"\t:\n\"x\"\r} ", JSON_STRICT);
    ok(member_is(&o, EMPTY, "[ ]") && member_is(&o, A, "null") && member_is(&o, ACCENT, "\"x\""),
       "%s: names are compared decoded, white space is left out", path);
    o = scan_string("{\"\xc3\xa9\":1,\"A\":2}", JSON_STRICT);
    ok(member_is(&o, ACCENT, "1") && member_is(&o, A, NULL), "%s: raw UTF-8; case counts", path);
    o = scan_string("{\"a\":1,\"b\":2,\"a\":3}", JSON_STORED);
    ok(member_is(&o, A, "3"), "%s: of a repeated member the last counts", path);
    o = scan_string("{\"signal_i\":1,\"signal_id2\":2,\"signal_ke\":3,\"signal_ID\":4}", JSON_STRICT);
    ok(member_is(&o, ID, NULL) && member_is(&o, KEY, NULL), "%s: names of which only the beginning fits", path);
    o = scan_string("[\"a\",1]", JSON_STRICT);
    ok(o.status == STATUS_OK && o.scan.type == JSON_ARRAY && member_is(&o, A, "untouched"),
       "%s: an array has no members", path);
    o = scan_string("{\"a\":1,\"b\":}", JSON_STRICT);
    ok(o.status == STATUS_INVALID && member_is(&o, A, "untouched"), "%s: a refused text leaves the members alone",
       path);
    struct json_scanned result;
    is_int(json_scan("{\"a\":1}", 7, JSON_STRICT, NULL, 0, NULL, &result), STATUS_OK, "%s: no members wanted", path);
}

static char *repeat(const char *part, size_t times, const char *middle, const char *closing, size_t *ret_length)
{
    size_t n = strlen(part), m = strlen(middle), c = strlen(closing);
    char *text = malloc(times * (n + c) + m + 1), *to = text;
    for (size_t i = 0; i < times; i++, to += n)
        memcpy(to, part, n);
    memcpy(to, middle, m);
    to += m;
    for (size_t i = 0; i < times; i++, to += c)
        memcpy(to, closing, c);
    *ret_length = (size_t)(to - text);
    return text;
}

static struct outcome scan_nested(const char *part, size_t times, const char *middle, const char *closing,
                                  enum json_rules rules)
{
    size_t length;
    char *text = repeat(part, times, middle, closing, &length);
    struct outcome o = scan(text, length, rules);
    free(text);
    return o;
}

static void test_depth(const char *path)
{
    static const struct {
        const char *part, *closing;
    } kinds[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[ ", " ]"}, {"{\"b\":1,\"a\":", "}"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct outcome deepest = scan_nested(kinds[i].part, 512, "0", kinds[i].closing, JSON_STRICT);
        struct outcome deeper = scan_nested(kinds[i].part, 513, "0", kinds[i].closing, JSON_STRICT);
        is_int(deepest.status, STATUS_OK, "%s: 512 of %s", path, kinds[i].part);
        is_text(deeper.scan.fault.what, "nesting deeper than 512", "%s: 513 of %s", path, kinds[i].part);
        deeper = scan_nested(kinds[i].part, 100000, "0", kinds[i].closing, JSON_STORED);
        is_int(deeper.status, STATUS_OK, "%s: 100000 of %s in the store", path, kinds[i].part);
    }
    struct outcome o = scan_nested("[", 513, "", "]", JSON_STRICT);
    is_int(o.scan.fault.offset, 512, "%s: where it is too deep", path);
    o = scan_nested("[", 1000000, "", "", JSON_STORED);
    is_text(o.scan.fault.what, "ends too early, expected a value or ']'", "%s: a million of [", path);
    o = scan_nested("{\"a\":", 1000000, "", "", JSON_STRICT);
    is_text(o.scan.fault.what, "nesting deeper than 512", "%s: a million of {\"a\":", path);
    o = scan_nested("{\"a\":[", 50000, "", "}", JSON_STORED);
    is_text(o.scan.fault.what, "expected a value or ']'", "%s: brackets that do not match far down", path);
}

/* {"n0":0,"n<step>":1,...}: `count` names, all different; then those of `more`. */
static char *many_members(size_t count, size_t step, const char *more)
{
    char *text = malloc(count * 24 + strlen(more) + 3), *to = text;
    *to++ = '{';
    for (size_t i = 0; i < count; i++)
        to += sprintf(to, "%s\"n%zu\":%zu", i > 0 ? "," : "", i * step % count, i);
    sprintf(to, "%s}", more);
    return text;
}

static void test_many_members(const char *path)
{
    char *text = many_members(100000, 77773, "");
    struct outcome o = scan_string(text, JSON_STRICT);
    ok(o.status == STATUS_OK && !o.scan.canonical, "%s: 100000 members in disorder", path);
    free(text);
    text = many_members(100000, 77773, ",\"n\\u0034711\":0,\"n12\":0");
    o = scan_string(text, JSON_STRICT);
    is_text(o.scan.fault.what, "duplicate member \"n\\u0034711\"", "%s: the first one that was there before", path);
    o = scan_string(text, JSON_STORED);
    is_int(o.status, STATUS_OK, "%s: in the store they may repeat", path);
    free(text);
}

static const char rich[] =
    "{\"a\":[1,-2.5e+10,true,false,null,\"x\\n\\u00e9\\ud83d\\ude00\\\\\",{}],\"b\":{\"\":[],\"c\":{\"d\":[[\"\"]]}},"
    "\"signal_id\":\"s_0123456789abcdef0123456789abcdef\", \"z\" : \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}";

static void test_truncation(const char *path)
{
    int wrong = 0;
    for (size_t length = 0; length < sizeof rich - 1; length++)
        wrong += verdict_on(rich, length) != REFUSED;
    is_int(wrong, 0, "%s: no beginning of a document is one", path);
    is_int(verdict_on(rich, sizeof rich - 1), STRICT, "%s: but the whole is", path);
}

/* What stands at the borders of the 64 bytes, and of the 4096, that are looked at together. */
static void test_borders(const char *path)
{
    static const struct {
        const char *part;
        enum verdict verdict;
    } parts[] = {{"\\\"", CANONICAL},     {"\\\\", CANONICAL},      {"\\u00e9", CANONICAL},
                 {"\\/", STRICT},         {"\xc3\xa9", STRICT},     {"\xf0\x9f\x98\x80", STRICT},
                 {"\x7f", STRICT},        {"\\x", REFUSED},         {"\t", REFUSED},
                 {"\xc3", REFUSED},       {"\"", REFUSED},          {"\",\"b\":\"", CANONICAL},
                 {"\",\"a\":\"", STORED}, {"\" , \"b\":\"", STRICT}};
    char text[9000];
    int wrong = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t border = 64; border <= 8192; border *= border < 4096 ? 64 : 2)
            for (size_t before = 1; before <= 8; before++) {
                int length = sprintf(text, "{\"a\":\"%0*d%s%070d\"}", (int)(border - before) - 6, 0, parts[i].part, 0);
                wrong += verdict_on(text, (size_t)length) != parts[i].verdict;
            }
    is_int(wrong, 0, "%s: at the borders of blocks and windows", path);
}

static void test_all(const char *path)
{
    test_cases(path);
    test_faults(path);
    test_members(path);
    test_depth(path);
    test_many_members(path);
    test_truncation(path);
    test_borders(path);
}

int main(void)
{
    test_all("native");
    json_use(JSON_PORTABLE);
    test_all("portable");
    return done();
}
