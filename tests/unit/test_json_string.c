#include "json_cases.h"
#include "tap.h"

static struct json_text text_of(const char *string)
{
    return (struct json_text){string, strlen(string)};
}

static const struct {
    const char *string, *decoded;
    size_t length;
} strings[] = {
    {"\"\"", "", 0},
    {"\"a\"", "a", 1},
    {"\"plain text, longer than sixteen bytes\"", "plain text, longer than sixteen bytes", 37},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
    {"\"a\\u0000b\"", "a\0b", 3},
    {"\"\\u0041\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 12},
    {"\"\\u00E9\\u00e9\xc3\xa9\"", "\xc3\xa9\xc3\xa9\xc3\xa9", 6},
    {"\"\\ud83d\\ude00\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8},
    {"\"\\ud800\"", "\xed\xa0\x80", 3},
    {"\"\\udfff\\ud800x\"", "\xed\xbf\xbf\xed\xa0\x80x", 7},
    {"\"\\ud83d\\ud83d\\ude00\"", "\xed\xa0\xbd\xf0\x9f\x98\x80", 7},
    {"\"\\ud83d\\n\"", "\xed\xa0\xbd\n", 4},
    {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4},
};
#define STRINGS (sizeof strings / sizeof *strings)

static void test_decode(void)
{
    struct bytes scratch = {0};
    for (size_t i = 0; i < STRINGS; i++) {
        char *copy = exact_copy(strings[i].string, strlen(strings[i].string));
        struct json_text string = {copy, strlen(strings[i].string)}, decoded;
        ok(json_string_decode(string, &scratch, &decoded) && decoded.length == strings[i].length &&
               memcmp(decoded.data, strings[i].decoded, decoded.length) == 0,
           "decode %s", strings[i].string);
        bool borrowed = decoded.data == copy + 1, has_escape = strchr(strings[i].string, '\\') != NULL;
        is_int(borrowed, !has_escape, "it is borrowed where there is no escape");
        is_int(json_string_is_empty(string), strings[i].length == 0, "is it empty?");
        free(copy);
    }
    bytes_release(&scratch);
}

/* What has changed since it was known to be good may end within an escape: it decodes to more bytes than it has. */
static void test_decode_cut_escapes(void)
{
    static const char *const ends[] = {"\\", "\\u", "\\u12", "\\ud83d\\", "\\ud83d\\u12"};
    struct bytes scratch = {0};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char string[128];
        struct json_text decoded;
        int length = sprintf(string, "\"%0*d%s\"", 120 - (int)strlen(ends[i]), 0, ends[i]);
        char *copy = exact_copy(string, (size_t)length);
        bytes_release(&scratch);
        bool good = json_string_decode((struct json_text){copy, (size_t)length}, &scratch, &decoded);
        ok(good && decoded.length <= scratch.capacity &&
               memcmp(decoded.data + decoded.length - 3, "\xef\xbf\xbd", 3) == 0,
           "an escape that is cut off decodes to U+FFFD: %s", ends[i]);
        free(copy);
    }
    bytes_release(&scratch);
}

static void test_is(void)
{
    int wrong = 0;
    for (size_t i = 0; i < STRINGS; i++)
        for (size_t j = 0; j < STRINGS; j++)
            wrong += json_string_is(text_of(strings[i].string), strings[j].decoded, strings[j].length) != (i == j);
    is_int(wrong, 0, "a string is its decoded bytes, and no others");
    ok(!json_string_is(text_of("\"abc\""), "ab", 2), "a string is more than its beginning");
    ok(!json_string_is(text_of("\"ab\""), "abc", 3), "and less than its continuation");
    ok(!json_string_is(text_of("\"\\u0061b\""), "a", 1), "with escapes, too");
    ok(!json_string_is(text_of("\"\\u0061\""), "ab", 2), "both ways");
    ok(!json_string_is(text_of("\"\\u00e9\""), "\xc3", 1), "nor does part of a character do");
}

static void test_same(void)
{
    int wrong = 0;
    for (size_t i = 0; i < STRINGS; i++)
        for (size_t j = 0; j < STRINGS; j++)
            wrong += json_string_same(text_of(strings[i].string), text_of(strings[j].string)) != (i == j);
    is_int(wrong, 0, "each string is the same as itself");
    ok(json_string_same(text_of("\"a\\u0062c\""), text_of("\"\\u0061bc\"")), "however it is written");
    ok(json_string_same(text_of("\"\\/\\u20ac\""), text_of("\"/\xe2\x82\xac\"")), "with and without escapes");
    ok(!json_string_same(text_of("\"a\""), text_of("\"a\\u0000\"")), "a NUL is a character");
    ok(!json_string_same(text_of("\"\\u0061\""), text_of("\"ab\"")), "one goes on, the other ends");
}

static const struct {
    const char *bytes;
    size_t length;
    const char *want;
} encoded[] = {
    {"", 0, "\"\""},
    {"plain text, longer than sixteen bytes", 37, "\"plain text, longer than sixteen bytes\""},
    {"\"\\/\b\f\n\r\t", 8, "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\0\x01\x1f\x7f ~", 6, "\"\\u0000\\u0001\\u001f\\u007f ~\""},
    {"\xc3\xa9\xe2\x82\xac\xef\xbf\xbf", 8, "\"\\u00e9\\u20ac\\uffff\""},
    {"\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 8, "\"\\ud83d\\ude00\\udbff\\udfff\""},
    {"\xed\xa0\x80\xed\xbf\xbf", 6, "\"\\ud800\\udfff\""},
    {"a\xff\xc3(\xe2\x82", 6, "\"a\\ufffd\\ufffd(\\ufffd\\ufffd\""},
    {"\xc0\x80\xf5\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xed\xa0", 2, "\"\\ufffd\\ufffd\""},
};

static void test_encode(void)
{
    struct bytes out = {0};
    for (size_t i = 0; i < sizeof encoded / sizeof *encoded; i++) {
        char *copy = exact_copy(encoded[i].bytes, encoded[i].length);
        bytes_clear(&out);
        bytes_append_char(&out, '>');
        bool good = json_string_encode(&out, copy, encoded[i].length) && bytes_append_char(&out, '\0');
        is_text(good ? out.data + 1 : NULL, encoded[i].want, "encode %s", encoded[i].want);
        is_int(out.data[0], '>', "behind what was there");
        free(copy);
    }
    bytes_release(&out);
}

static void test_round_trip(void)
{
    int wrong = 0;
    struct bytes scratch = {0}, out = {0};
    for (size_t i = 0; i < STRINGS; i++) {
        struct json_text decoded;
        bytes_clear(&out);
        wrong += !json_string_decode(text_of(strings[i].string), &scratch, &decoded);
        wrong += !json_string_encode(&out, decoded.data, decoded.length);
        wrong += !json_string_same((struct json_text){out.data, out.length}, text_of(strings[i].string));
    }
    is_int(wrong, 0, "what was decoded and encoded is the same string");
    bytes_release(&scratch);
    bytes_release(&out);
}

/* The number of leading bytes that are valid, where the text ends with its memory. */
static size_t valid(const char *text, size_t length)
{
    char *copy = exact_copy(text, length);
    size_t good = json_utf8_valid(copy, length);
    free(copy);
    return good;
}

static void test_utf8(const char *path)
{
    static const struct {
        const char *text;
        size_t length, valid;
    } cases[] = {
        {"", 0, 0},
        {"a\0b", 3, 3},
        {"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 19, 19},
        {"\xed\x9f\xbf\xee\x80\x80", 6, 6},
        {"a\x80", 2, 1},
        {"ab\xc0\x80", 4, 2},
        {"\xc1\xbf", 2, 0},
        {"\xe0\x9f\xbf", 3, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\xf0\x8f\xbf\xbf", 4, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xc3\xa9\xc3", 3, 2},
        {"\xe2\x82", 2, 0},
        {"\xf0\x9f\x98", 3, 0},
        {"0123456789abcdef0123456789abcde\xc3\xa9\xff", 34, 33},
        {"0123456789abcdef\xf0\x9f\x98\x80"
         "0123456789abcdef\xe2\x28\xa1",
         39, 36},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_int(valid(cases[i].text, cases[i].length), cases[i].valid, "%s: valid UTF-8, text %zu", path, i);
    int wrong = 0;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            char text[40] = "0123456789abc";
            text[13] = (char)first;
            text[14] = (char)second;
            memcpy(text + 15, "\x80\x80", 2);
            size_t length = first < 0x80 ? 13 : first < 0xe0 ? 15 : first < 0xf0 ? 16 : 17;
            bool tail = second >= 0x80 && second < 0xc0;
            bool good = first < 0x80 || (first >= 0xc2 && first < 0xf5 && tail && !(first == 0xe0 && second < 0xa0) &&
                                         !(first == 0xed && second >= 0xa0) && !(first == 0xf0 && second < 0x90) &&
                                         !(first == 0xf4 && second >= 0x90));
            wrong += valid(text, length) != (good ? length : 13);
        }
    is_int(wrong, 0, "%s: every pair of bytes that may begin a character", path);
}

int main(void)
{
    test_decode();
    test_decode_cut_escapes();
    test_is();
    test_same();
    test_encode();
    test_round_trip();
    test_utf8("native");
    json_use(JSON_PORTABLE);
    test_utf8("portable");
    test_encode();
    return done();
}
