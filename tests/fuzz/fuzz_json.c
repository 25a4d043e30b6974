/*
 * The scanner: jansson has the same verdict; the portable code says the same as the fast; the canonical form is its own
 * canonical form and has the same value; members are found alike by scanning and by looking alone. Looking keeps to
 * its bounds on any bytes.
 */
#include "fuzz.h"
#include "jansson_oracle.h"
#include "json/json.h"

#define KEYS 5
static const struct json_key keys[KEYS] = {JSON_KEY("a"), JSON_KEY("b"), JSON_KEY("payload"), JSON_KEY("signal_id"),
                                           JSON_KEY("\xc3\xa9")};

struct found {
    enum status status;
    struct json_scanned scan;
    struct json_text members[KEYS];
};

static struct found scan(const char *text, size_t length, enum json_rules rules)
{
    struct found found = {0};
    found.status = json_scan(text, length, rules, keys, KEYS, found.members, &found.scan);
    require(found.status == STATUS_OK || (found.status == STATUS_INVALID && found.scan.fault.what[0]));
    require(found.status == STATUS_OK || found.scan.fault.offset <= length);
    return found;
}

static void check_same_members(const struct json_text *a, const struct json_text *b)
{
    for (size_t i = 0; i < KEYS; i++)
        require(a[i].data == b[i].data && a[i].length == b[i].length);
}

static void check_same(const struct found *a, const struct found *b)
{
    require(a->status == b->status);
    if (a->status == STATUS_OK) {
        require(a->scan.type == b->scan.type && a->scan.canonical == b->scan.canonical);
        check_same_members(a->members, b->members);
    } else {
        require(a->scan.fault.offset == b->scan.fault.offset && strcmp(a->scan.fault.what, b->scan.fault.what) == 0);
    }
}

/* Every accessor, for the sanitizers to watch. */
static void look_at(struct json_text value, struct bytes *scratch, int depth)
{
    struct json_text name, inner, decoded;
    struct json_walk walk = json_walk_start(value);
    switch (json_type(value)) {
    case JSON_STRING:
        require(json_string_decode(value, scratch, &decoded));
        json_string_is(value, decoded.data, decoded.length);
        require(json_string_same(value, value));
        json_string_is_empty(value);
        break;
    case JSON_NUMBER:
        json_number_same(value, value);
        json_number_to_double(value);
        break;
    case JSON_ARRAY:
        for (int i = 0; i < 8 && json_walk_element(&walk, &inner); i++)
            if (depth > 0)
                look_at(inner, scratch, depth - 1);
        break;
    case JSON_OBJECT:
        json_member(value, "a", 1);
        for (int i = 0; i < 8 && json_walk_member(&walk, &name, &inner); i++)
            if (depth > 0)
                look_at(inner, scratch, depth - 1);
        break;
    default:
        break;
    }
}

/* Bytes that were good when they were looked at may be others by now: no answer is right, but each is within bounds. */
static void find_in_anything(const char *text, size_t length, struct json_text *ret_members)
{
    struct bytes scratch = {0};
    json_find(text, length, keys, KEYS, ret_members);
    for (size_t i = 0; i < KEYS; i++) {
        struct json_text member = ret_members[i];
        if (!member.data)
            continue;
        require(member.data >= text && member.length > 0);
        require(member.length <= length - (size_t)(member.data - text));
        require(json_type(member) != JSON_STRING || member.length >= 2);
        look_at(member, &scratch, 3);
    }
    bytes_release(&scratch);
}

static void check_jansson(const char *text, size_t length, const struct found *found)
{
    enum jansson_verdict verdict = jansson_judge(text, length);
    if (verdict == JANSSON_UNABLE || strstr(found->scan.fault.what, "nesting"))
        return;
    require((verdict == JANSSON_GOOD) == (found->status == STATUS_OK));
}

static void check_strings(const struct json_text *members)
{
    struct bytes scratch = {0};
    struct json_text decoded;
    for (size_t i = 0; i < KEYS; i++) {
        if (json_type(members[i]) != JSON_STRING)
            continue;
        require(json_string_decode(members[i], &scratch, &decoded));
        require(json_string_is(members[i], decoded.data, decoded.length));
        require(json_string_same(members[i], members[i]));
    }
    bytes_release(&scratch);
}

static void check_canonical(const char *text, size_t length, const struct found *found, enum json_rules rules)
{
    struct bytes once = {0}, twice = {0};
    struct json_text document = {text, length};
    require(json_canonical(document, NULL, 0, &once, NULL) == STATUS_OK);
    struct json_text canonical = {once.data, once.length};
    require(json_canonical(canonical, NULL, 0, &twice, NULL) == STATUS_OK);
    require(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    struct found again = scan(once.data, once.length, JSON_STRICT);
    if (rules == JSON_STRICT) {
        require(again.status == STATUS_OK && again.scan.canonical);
        require(found->scan.canonical == (once.length == length && memcmp(once.data, text, length) == 0));
        if (jansson_judge(text, length) == JANSSON_GOOD)
            require(jansson_same(text, length, once.data, once.length));
    }
    json_use(JSON_PORTABLE);
    bytes_clear(&twice);
    require(json_canonical(document, NULL, 0, &twice, NULL) == STATUS_OK);
    require(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    json_use(JSON_AVX512);
    bytes_release(&once);
    bytes_release(&twice);
}

/* All code says the same. */
static void check_codes(const char *text, size_t size, const struct found *strict, const struct found *stored,
                        const struct json_text want[KEYS])
{
    for (enum json_code code = JSON_AVX512 + 1; code < JSON_CODES; code++) {
        struct json_text found[KEYS];
        json_use(code);
        struct found strict_again = scan(text, size, JSON_STRICT), stored_again = scan(text, size, JSON_STORED);
        find_in_anything(text, size, found);
        check_same(strict, &strict_again);
        check_same(stored, &stored_again);
        if (stored->status == STATUS_OK && stored->scan.type == JSON_OBJECT)
            check_same_members(want, found);
    }
    json_use(JSON_AVX512);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct found strict = scan(text, size, JSON_STRICT), stored = scan(text, size, JSON_STORED);
    struct json_text found[KEYS];
    check_jansson(text, size, &strict);
    require(strict.status != STATUS_OK || stored.status == STATUS_OK);
    find_in_anything(text, size, found);
    check_codes(text, size, &strict, &stored, found);
    if (stored.status == STATUS_OK) {
        if (stored.scan.type == JSON_OBJECT) {
            check_same_members(stored.members, found);
            check_strings(stored.members);
        }
        check_canonical(text, size, &stored, JSON_STORED);
    }
    if (strict.status == STATUS_OK)
        check_canonical(text, size, &strict, JSON_STRICT);
    require(json_utf8_valid(text, size) <= size);
    return 0;
}
