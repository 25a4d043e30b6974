/* All code, for whatever processor, must say the same of every text, whatever it is. */
#include "json_cases.h"
#include "tap.h"

static const struct json_key keys[] = {JSON_KEY("a"), JSON_KEY("b"), JSON_KEY("payload"), JSON_KEY("signal_id"),
                                       JSON_KEY("timestamp")};
enum { KEYS = sizeof keys / sizeof *keys };

#define EIGHT(text) text text text text text text text text
static const char *const seeds[] = {
    "{\"entity_refs\":[{\"label\":null,\"platform\":\"x\",\"ref_type\":\"handle\",\"value\":\"@user_7936\"},"
    "{\"label\":\"Yuki\",\"platform\":\"email\",\"ref_type\":\"email\",\"value\":\"user474@example.org\"}],"
    "\"payload\":{\"content\":\"line\\nbreak caf\\u00e9 \\ud83d\\ude80 C:\\\\temp "
    "\\\"quoted\\\"\",\"score\":0.9070340128132491,"
    "\"topics\":[\"defi\"],\"url\":null},\"payload_type\":\"SocialPostSeen\",\"raw\":null,\"schema_version\":\"0.9\","
    "\"signal_id\":\"s_cf0574782e9f82ae4ab804f2b611bdee\",\"source\":\"ingest.social\",\"timestamp\":\"2026-02-01T00:"
    "00:19Z\"}",
    "{ \"timestamp\" : \"2026-02-01T00:00:19Z\", \"signal_id\" : \"s_1\",\t\"payload\":{\"b\":[1 ,2e5, -0.5],\"a\":"
    "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80\"} , \"a\":true,\"b\":[ ] }",
    "{\"a\":[[[[1]]]],\"b\":{\"a\":{\"a\":{\"b\":{}}}},\"payload\":\"\\u0061\\/\\\\\"}",
    /* more strings than one step of some code takes, and about as many */
    "{\"a\":[" EIGHT(EIGHT("\"\",")) EIGHT("\"ab\",") EIGHT("\"abcd\",\"abcde\",") "0],\"b\":{\"\":\"\"}}",
    "[{\"12345678a\":1,\"12345678b\":2,\"12345678\\u0063\":3},NaN,-Infinity,\"\\ud800\"]",
};
#define SEEDS (sizeof seeds / sizeof *seeds)

static const char *const parts[] = {"\"",
                                    "\\",
                                    "\\\"",
                                    "\\\\",
                                    "\\u0061",
                                    "\\ud83d",
                                    "\\ude00",
                                    "\\u000a",
                                    "\\n",
                                    "\\/",
                                    "\\u00E9",
                                    "\x7f",
                                    "\xc3\xa9",
                                    "\xf0\x9f\x98\x80",
                                    "\xed\xa0\x80",
                                    "\xff",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    ",",
                                    ":",
                                    " ",
                                    "\t",
                                    "\n",
                                    "\r",
                                    "null",
                                    "true",
                                    "false",
                                    "NaN",
                                    "Infinity",
                                    "-0",
                                    "1e5",
                                    "01",
                                    ".5",
                                    "\"a\":1",
                                    ",\"a\":2",
                                    "{\"b\":1,\"a\":2}",
                                    "{\"a\":1,\"a\":2}",
                                    "{\"\\u0061\":1,\"a\":2}",
                                    "[]",
                                    "{}",
                                    "\"\"",
                                    "\x01",
                                    "\xef\xbb\xbf",
                                    "\\x",
                                    "\\u12",
                                    "                                                                 "};
#define PARTS (sizeof parts / sizeof *parts)

static uint64_t state = 88172645463325252u;

static size_t below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)((state >> 11) % limit);
}

static void insert(struct bytes *b, size_t at, const char *text, size_t length)
{
    struct bytes copy = {0};
    bytes_append(&copy, text, length);
    bytes_append(b, text, length);
    memmove(b->data + at + length, b->data + at, b->length - length - at);
    memcpy(b->data + at, copy.data, length);
    bytes_release(&copy);
}

static void mutate(struct bytes *b)
{
    size_t at = below(b->length), span = 1 + below(20);
    if (span > b->length - at)
        span = b->length - at;
    switch (below(6)) {
    case 0:
        b->data[at] = (char)below(256);
        break;
    case 1:
        b->data[at] = (char)(b->data[at] ^ 1 << below(8));
        break;
    case 2:
        memmove(b->data + at, b->data + at + span, b->length - at - span);
        b->length -= span;
        break;
    case 3:
        insert(b, at, b->data + below(b->length - span + 1), span);
        break;
    default: {
        const char *part = parts[below(PARTS)];
        insert(b, at, part, strlen(part));
    }
    }
}

struct answer {
    enum status strict, stored;
    struct json_scanned scan, stored_scan;
    struct json_text members[KEYS], stored_members[KEYS], found[KEYS];
    struct bytes canonical;
};

static void ask(const char *text, size_t length, struct answer *a)
{
    struct bytes kept = a->canonical;
    memset(a, 0, sizeof *a);
    a->canonical = kept;
    bytes_clear(&a->canonical);
    a->strict = json_scan(text, length, JSON_STRICT, keys, KEYS, a->members, &a->scan);
    a->stored = json_scan(text, length, JSON_STORED, keys, KEYS, a->stored_members, &a->stored_scan);
    if (a->stored != STATUS_OK)
        return;
    json_find(text, length, keys, KEYS, a->found);
    json_canonical((struct json_text){text, length}, NULL, 0, &a->canonical, NULL);
}

static bool same_fault(enum status status, const struct json_scanned *a, const struct json_scanned *b)
{
    if (status != STATUS_OK)
        return a->fault.offset == b->fault.offset && strcmp(a->fault.what, b->fault.what) == 0;
    return a->type == b->type && a->canonical == b->canonical;
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    return a->strict == b->strict && a->stored == b->stored && same_fault(a->strict, &a->scan, &b->scan) &&
           same_fault(a->stored, &a->stored_scan, &b->stored_scan) &&
           memcmp(a->members, b->members, sizeof a->members) == 0 &&
           memcmp(a->stored_members, b->stored_members, sizeof a->members) == 0 &&
           memcmp(a->found, b->found, sizeof a->found) == 0 && a->canonical.length == b->canonical.length &&
           (a->canonical.length == 0 || memcmp(a->canonical.data, b->canonical.data, a->canonical.length) == 0);
}

/* What one answer says about itself. */
static bool is_sound(const char *text, size_t length, const struct answer *a)
{
    if (a->strict == STATUS_OK && a->stored != STATUS_OK)
        return false;
    if (a->stored == STATUS_OK && a->stored_scan.type == JSON_OBJECT &&
        memcmp(a->stored_members, a->found, sizeof a->found) != 0)
        return false;
    bool is_canonical =
        a->strict == STATUS_OK && a->canonical.length == length && memcmp(a->canonical.data, text, length) == 0;
    return a->strict != STATUS_OK || a->scan.canonical == is_canonical;
}

static bool lies_in(struct json_text piece, struct json_text whole)
{
    return piece.data >= whole.data && piece.length <= whole.length &&
           (size_t)(piece.data - whole.data) <= whole.length - piece.length;
}

/* What json_find() promises of any bytes. */
static bool is_find_good(struct json_text found, struct json_text text)
{
    bool like_value = json_type(found) != JSON_ABSENT && (found.length >= 2 || json_type(found) == JSON_NUMBER);
    return !found.data || (like_value && lies_in(found, text));
}

/* Walks as if the value were good: how many pieces do not lie in it. It must end. */
static int walk_anyway(struct json_text value)
{
    struct json_text name, element, member = json_member(value, "a", 1);
    struct json_walk elements = json_walk_start(value), members = elements;
    int wrong = member.data && !lies_in(member, value);
    while (json_walk_element(&elements, &element))
        wrong += !lies_in(element, value);
    while (json_walk_member(&members, &name, &element))
        wrong += !lies_in(name, value) || !lies_in(element, value);
    return wrong;
}

/* Every accessor of a value in bytes that are not known to be good any more: memory tools watch, too. */
static int use(struct json_text value, struct bytes *scratch)
{
    struct json_text decoded;
    bool same;
    enum json_type type = json_type(value);
    if (type == JSON_STRING && json_string_decode(value, scratch, &decoded))
        json_string_is(value, decoded.data, decoded.length);
    if (type == JSON_NUMBER && json_number_same(value, value))
        json_number_to_double(value);
    if (type != JSON_ARRAY && type != JSON_OBJECT)
        return 0;
    json_same(value, value, &same);
    return walk_anyway(value);
}

/* Bytes that were a document when they were looked at last. */
static int use_anyway(const char *text, size_t length)
{
    int wrong = 0;
    struct bytes scratch = {0}, out = {0};
    struct json_text found[KEYS];
    char *copy = exact_copy(text, length);
    struct json_text whole = {copy, length};
    json_find(copy, length, keys, KEYS, found);
    for (int i = 0; i < KEYS; i++) {
        wrong += !is_find_good(found[i], whole);
        wrong += use(found[i], &scratch);
    }
    json_canonical(whole, NULL, 0, &out, NULL);
    wrong += use(whole, &scratch);
    free(copy);
    bytes_release(&scratch);
    bytes_release(&out);
    if (wrong > 0)
        printf("# %.*s\n", (int)length, text);
    return wrong;
}

static const char *const code_names[JSON_CODES] = {"AVX-512", "SSE2", "portable"};

static void test_no_documents(void)
{
    static const char *const texts[] = {"{\"}",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":,\"b\":}",
                                        "{\"a\":\"}",
                                        "{\"a\":[\"b\"}",
                                        "{\"a\":[}",
                                        "{\"a\":[[]}",
                                        "{\"a\" }",
                                        "{:}",
                                        "{,}",
                                        "{\"a\":{\"}}",
                                        "{\"\\\"}",
                                        "{\"a\":\"\\\"}",
                                        "[,]",
                                        "{\"a\":\"\\}",
                                        "{\"a\":]}",
                                        "{\"a\":}}",
                                        "{\"a\":\"\\u}",
                                        "[\"\\]",
                                        "{\"a\":-}",
                                        "{\"a\\\":1}",
                                        "{\"\\u0061:1}",
                                        "{\"a\":N}",
                                        "[[]"};
    for (enum json_code code = 0; code < JSON_CODES; code++) {
        int wrong = 0;
        json_use(code);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            for (size_t from = 0; from < strlen(texts[i]); from++)
                for (size_t to = from + 1; to <= strlen(texts[i]); to++)
                    wrong += use_anyway(texts[i] + from, to - from);
        is_int(wrong, 0, "%s: what is found in bytes that are no document lies in them, and looks like a value",
               code_names[code]);
    }
}

static int compare(const char *text, size_t length, struct answer answers[JSON_CODES])
{
    char *copy = exact_copy(text, length);
    int wrong = 0;
    for (enum json_code code = 0; code < JSON_CODES; code++) {
        json_use(code);
        ask(copy, length, &answers[code]);
        if (same_answer(&answers[0], &answers[code]) && is_sound(copy, length, &answers[code]))
            continue;
        printf("# %s: %.*s\n", code_names[code], (int)length, text);
        wrong = 1;
    }
    free(copy);
    return wrong;
}

int main(void)
{
    test_no_documents();
    enum { MUTATIONS = 60000, LONG_ONES = 200 };
    struct answer answers[JSON_CODES] = {0};
    struct bytes text = {0};
    int wrong = 0, good = 0, outside = 0;
    for (size_t i = 0; i < JSON_CASES; i++)
        wrong += compare(json_cases[i].text, json_cases[i].length, answers);
    is_int(wrong, 0, "the texts of json_cases.inc");

    for (int i = 0; i < MUTATIONS; i++) {
        const char *seed = seeds[below(SEEDS)];
        bytes_clear(&text);
        bytes_append_string(&text, seed);
        for (size_t times = 1 + below(3); times > 0 && text.length > 0; times--)
            mutate(&text);
        wrong += compare(text.data, text.length, answers);
        good += answers[0].stored == STATUS_OK;
        json_use((enum json_code)(i % JSON_CODES));
        if (answers[0].stored != STATUS_OK && text.length > 0)
            outside += use_anyway(text.data, text.length);
    }
    is_int(wrong, 0, "%d texts with faults", MUTATIONS);
    is_int(outside, 0, "members of bytes that are no document lie in them all the same, and look like values");
    ok(good > MUTATIONS / 20 && good < MUTATIONS * 19 / 20, "of which %d have none after all", good);

    for (int i = 0; i < LONG_ONES; i++) {
        bytes_clear(&text);
        bytes_append_string(&text, "{\"a\":[");
        while (text.length < 3000 + below(12000))
            bytes_append_format(&text, "%s,", seeds[below(SEEDS)]);
        bytes_append_string(&text, "0]}");
        if (i % 2)
            mutate(&text);
        wrong += compare(text.data, text.length, answers);
    }
    is_int(wrong, 0, "%d long texts", LONG_ONES);
    bytes_release(&text);
    for (enum json_code code = 0; code < JSON_CODES; code++)
        bytes_release(&answers[code].canonical);
    return done();
}
