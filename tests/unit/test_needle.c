#include "json/needle.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "tap.h"
#include "json/json.h"

static uint64_t state = 88172645463325252;

static unsigned roll(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* Offset of what the set finds, the same with and without vector instructions; -1: nothing. */
static long find(struct needles *set, const char *text, size_t length)
{
    json_use(JSON_AVX512);
    const char *fast = needles_find(set, text, text + length);
    json_use(JSON_PORTABLE);
    const char *slow = needles_find(set, text, text + length);
    if (fast != slow)
        ok(false, "both ways find the same in %.*s", (int)length, text);
    return fast ? fast - text : -1;
}

static long find_one(const char *needle, enum needle_form form, const char *text)
{
    struct needles set = {0};
    needles_add(&set, needle, strlen(needle), form);
    long at = find(&set, text, strlen(text));
    needles_release(&set);
    return at;
}

static void test_spellings(void)
{
    static const struct {
        const char *needle, *text;
        long at;
    } cases[] = {
        {"abc", "{\"x\":\"abc\"}", 5},
        {"abc", "{\"x\": \"abc\" }", 6},
        {"abc", "{\"abc\":1}", 1},
        {"abc", "{\"x\":\"abcd\"}", -1},
        {"abc", "{\"x\":\"zabc\"}", -1},
        {"abc", "{\"x\":\"ab\"}", -1},
        {"abc", "", -1},
        {"", "{\"x\":\"\"}", 5},
        {"abc", "{\"x\":\"a\\u0062c\"}", 7},
        {"abc", "{\"x\":\"\\u0061\\u0062\\u0063\"}", 6},
        {"abc", "{\"x\":\"\\u00e9\\u2014\\ud83d\\n\"}", -1}, /* canonical text that says nothing of the needle */
        {"abc", "{\"x\":\"\xc3\xa9\\u00E9\\/\"}", -1},       /* nor does this, though it is not canonical */
        {"a/c", "{\"x\":\"a/c\"}", 5},
        {"a/c", "{\"x\":\"a\\/c\"}", 7},
        {"a/c", "{\"x\":\"a\\u002fc\"}", 7},
        {"a\"c", "{\"x\":\"a\\\"c\"}", 5},
        {"a\"c", "{\"x\":\"a\\u0022c\"}", 7},
        {"a\\c", "{\"x\":\"a\\u005Cc\"}", 7},
        {"a\nc", "{\"x\":\"a\\nc\"}", 5},
        {"a\nc", "{\"x\":\"a\\u000ac\"}", 7},
        {"a\nc", "{\"x\":\"a\\u000Ac\"}", 7},
        {"\f", "{\"x\":\"\\u000c\"}", 6},
        {"\f", "{\"x\":\"\\u0001\"}", -1},
        {"a\nc", "{\"x\":\"a\\tc\\u001f\\u00e9\"}", -1},
        {"\x1f", "{\"x\":\"\\u001f\"}", 5},
        {"\x1f", "{\"x\":\"\\u001F\"}", 6},
        {"\x7f", "{\"x\":\"\x7f\"}", 6},
        {"\xc3\xa9", "{\"x\":\"\\u00e9\"}", 5},
        {"\xc3\xa9", "{\"x\":\"\\u00E9\"}", 6},
        {"\xc3\xa9", "{\"x\":\"\xc3\xa9\"}", 6},
        {"\xc3\xa9", "{\"x\":\"\\u00ea\"}", -1},
        {"\xf0\x9f\x94\xa5", "{\"x\":\"\\ud83d\\udd25\"}", 5},
        {"\xf0\x9f\x94\xa5", "{\"x\":\"\\ud83d\\uDD25\"}", 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_int(find_one(cases[i].needle, NEEDLE_STRING, cases[i].text), cases[i].at, "needle %zu in %s", i,
               cases[i].text);
}

static void test_forms(void)
{
    is_int(find_one("ab", NEEDLE_STAGE, "{\"x\":\"ab\"}"), 5, "a stage is a source");
    is_int(find_one("ab", NEEDLE_STAGE, "{\"x\":\"ab.c\"}"), 5, "or begins one");
    is_int(find_one("ab", NEEDLE_STAGE, "{\"x\":\"abc.ab\"}"), -1, "but only up to a dot");
    is_int(find_one("ab", NEEDLE_STAGE, "{\"x\":\"ab\\u002ec\"}"), 5, "however it is spelled");
    is_int(find_one("ab", NEEDLE_STAGE, "{\"x\":\"ab"), -1, "not at the very end");
}

static void test_sets(void)
{
    struct needles set = {0};
    is_int(find(&set, "\"a\"", 3), -1, "an empty set finds nothing");
    needles_add(&set, "b", 1, NEEDLE_STRING);
    needles_add(&set, "a", 1, NEEDLE_STRING);
    is_int(find(&set, "[\"c\",\"a\",\"b\"]", 13), 5, "the first of several, whichever was added first");
    is_int(find(&set, "[\"c\",\"b\",\"a\"]", 13), 5, "either");
    is_int(find(&set, "[\"b\"", 3), -1, "not beyond the end");
    needles_release(&set);
    is_int(set.count, 0, "a released set is empty");
}

/* Every place in a text, with other text around it that fills several windows. */
static void test_places(void)
{
    enum { LENGTH = 5000 };
    static char text[LENGTH + 8];
    struct needles set = {0};
    bool good = true;
    needles_add(&set, "user_7@x", 8, NEEDLE_STRING);
    for (size_t at = 0; at + 10 <= LENGTH; at += at < 200 || at > LENGTH - 200 ? 1 : 13) {
        memset(text, '@', LENGTH);
        memcpy(text + at, "\"user_7@x\"", 10);
        good = good && find(&set, text, LENGTH) == (long)at && find(&set, text, at + 9) == -1;
    }
    ok(good, "a needle is found wherever it stands");
    needles_release(&set);
}

static size_t spell_escape(char *out, unsigned unit)
{
    return (size_t)sprintf(out, roll(2) ? "\\u%04x" : "\\u%04X", unit);
}

/* Writes one of the characters below in one of the ways that JSON allows. */
static size_t spell(char *out, const char *character)
{
    unsigned c = (unsigned char)character[0];
    if (c >= 0x80 && roll(2))
        return spell_escape(out, 0xe9);
    if (c < 0x80 && roll(4) == 0)
        return spell_escape(out, c);
    if (c == '\n' || c == '"' || c == '\\' || (c == '/' && roll(2)))
        return (size_t)sprintf(out, "\\%c", c == '\n' ? 'n' : (char)c);
    return (size_t)sprintf(out, "%s", character);
}

/* Whatever the spelling, a needle is never passed over; and canonical text is never mistaken. */
static void test_random_spellings(void)
{
    static const char *const characters[] = {"a", "b", "/", "\"", "\n", "\xc3\xa9", "\x7f", "\\"};
    int missed = 0, mistaken = 0, canonical_found = 0;
    for (int round = 0; round < 20000; round++) {
        char value[64] = "", spelled[256] = "\"", other[64] = "";
        size_t n = 1;
        for (unsigned i = roll(6); i > 0; i--) {
            const char *character = characters[roll(8)];
            strcat(value, character);
            n += spell(spelled + n, character);
        }
        for (unsigned i = roll(6); i > 0; i--)
            strcat(other, characters[roll(7)]); /* no backslash: it may look like an escape with what follows */
        strcpy(spelled + n, "\"}");
        struct needles set = {0};
        struct bytes canonical = {0}, wanted = {0};
        needles_add(&set, value, strlen(value), NEEDLE_STRING);
        missed += find(&set, spelled, strlen(spelled)) < 0;
        json_string_encode(&canonical, other, strlen(other));
        json_string_encode(&wanted, value, strlen(value));
        const char *stands = memmem(canonical.data, canonical.length, wanted.data, wanted.length);
        mistaken += find(&set, canonical.data, canonical.length) != (stands ? stands - canonical.data : -1);
        canonical_found += stands != NULL;
        bytes_release(&canonical);
        bytes_release(&wanted);
        needles_release(&set);
    }
    is_int(missed, 0, "no spelling is missed");
    is_int(mistaken, 0, "canonical text is searched exactly");
    ok(canonical_found > 100, "(and the needle was in it %d times)", canonical_found);
}

int main(void)
{
    test_spellings();
    test_forms();
    test_sets();
    test_places();
    test_random_spellings();
    return done();
}
