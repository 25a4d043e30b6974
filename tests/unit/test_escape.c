#include "escape.h"

#include <stdlib.h>

#include "tap.h"

static const char *escaped(const char *text, size_t length, enum escape_style style)
{
    static struct bytes out;
    bytes_clear(&out);
    if (!escape_append(&out, text, length, style) || !bytes_append_char(&out, '\0'))
        exit(1);
    return out.data;
}

static void test_styles(void)
{
    static const struct {
        const char *text;
        size_t length;
        const char *field, *message, *json;
    } rows[] = {
        {"", 0, "", "", ""},
        {"plain ~ text", 12, "plain ~ text", "plain ~ text", "plain ~ text"},
        {"a\tb\nc\rd", 7, "a\\tb\\nc\\rd", "a\\x09b\\x0ac\\x0dd", "a\\u0009b\\u000ac\\u000dd"},
        {"\0\x1b[2J\x7f", 6, "\\u0000\\u001b[2J\\u007f", "\\x00\\x1b[2J\\x7f", "\\u0000\\u001b[2J\\u007f"},
        {"\\n", 2, "\\\\n", "\\n", "\\n"},
        {"\xc2\x85|\xc2\xa0", 5, "\\u0085|\xc2\xa0", "\\u0085|\xc2\xa0", "\\u0085|\xc2\xa0"},
        {"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", 8, "\\u202e\\u2066\\u061c", "\\u202e\\u2066\\u061c",
         "\\u202e\\u2066\\u061c"},
        {"\xe2\x80\x8e\xe2\x80\xa8\xef\xbb\xbf", 9, "\\u200e\\u2028\\ufeff", "\\u200e\\u2028\\ufeff",
         "\\u200e\\u2028\\ufeff"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x91\x8d", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x91\x8d",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x91\x8d", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x91\x8d"},
        {"\xed\xa0\x80", 3, "\\ud800", "\\ud800", "\\ud800"},
        {"\xff\xc3|\xe2\x82|\xc0\xaf|\xf5\x80\x80\x80", 13, "\\xff\\xc3|\\xe2\\x82|\\xc0\\xaf|\\xf5\\x80\\x80\\x80",
         "\\xff\\xc3|\\xe2\\x82|\\xc0\\xaf|\\xf5\\x80\\x80\\x80",
         "\\xff\\xc3|\\xe2\\x82|\\xc0\\xaf|\\xf5\\x80\\x80\\x80"},
        {"\xe0\x80\x80\xf0\x80\x80\x80", 7, "\\xe0\\x80\\x80\\xf0\\x80\\x80\\x80",
         "\\xe0\\x80\\x80\\xf0\\x80\\x80\\x80", "\\xe0\\x80\\x80\\xf0\\x80\\x80\\x80"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_text(escaped(rows[i].text, rows[i].length, ESCAPE_FIELD), rows[i].field, "row %zu as a field", i);
        is_text(escaped(rows[i].text, rows[i].length, ESCAPE_MESSAGE), rows[i].message, "row %zu in a message", i);
        is_text(escaped(rows[i].text, rows[i].length, ESCAPE_JSON), rows[i].json, "row %zu in JSON", i);
    }
}

static void test_buffer(void)
{
    char buffer[8];
    is_int(escape_buffer(buffer, sizeof buffer,
                         "a\x1b"
                         "b",
                         3, ESCAPE_MESSAGE),
           6, "what fits is whole");
    is_text(buffer, "a\\x1bb", "what fits is written");
    escape_buffer(buffer, sizeof buffer, "abcd\x1b", 5, ESCAPE_MESSAGE);
    is_text(buffer, "abcd", "an escape is not cut");
    escape_buffer(buffer, sizeof buffer, "abcde\xe2\x82\xac", 8, ESCAPE_MESSAGE);
    is_text(buffer, "abcde", "a character is not cut");
    escape_buffer(buffer, 1, "abc", 3, ESCAPE_MESSAGE);
    is_text(buffer, "", "no room at all");
}

static void test_columns(void)
{
    is_int(escape_columns("plain", 5), 5, "ASCII");
    is_int(escape_columns("e\xcc\x81", 3), 1, "a combining accent takes no column");
    is_int(escape_columns("\xe6\x97\xa5\xe6\x9c\xac", 6), 4, "ideographs take two");
    is_int(escape_columns("\xf0\x9f\x91\x8d", 4), 2, "so does an emoji");
    is_int(escape_columns("\xe2\x9c\x85\xe2\xad\x90\xf0\x9f\xaa\x90", 10), 6, "wherever it stands");
    is_int(escape_columns("\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", 8), 4, "its colour is not counted on to join it");
    is_int(escape_columns("\xc3\xa9", 2), 1, "a letter with an accent takes one");
    is_int(escape_fit("plain", 5, 3), 3, "cut at a column");
    is_int(escape_fit("\xe6\x97\xa5\xe6\x9c\xac", 6, 3), 3, "a wide character is not halved");
    is_int(escape_fit("e\xcc\x81x", 4, 1), 3, "an accent stays with its letter");
    is_int(escape_fit("ab", 2, 10), 2, "nothing to cut");
}

int main(void)
{
    test_styles();
    test_buffer();
    test_columns();
    return done();
}
