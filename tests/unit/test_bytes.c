#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void holds(const struct bytes *b, const char *want, const char *name)
{
    ok(b->length == strlen(want) && (b->length == 0 || memcmp(b->data, want, b->length) == 0), "%s", name);
}

static void test_append(void)
{
    struct bytes b = {0};
    ok(bytes_append(&b, NULL, 0), "nothing can be appended to nothing");
    ok(bytes_append(&b, "a\0b", 3), "bytes are appended");
    is_int(b.length, 3, "a NUL is a byte");
    ok(bytes_append_char(&b, 'c') && bytes_append_string(&b, "def"), "a character and a string as well");
    ok(memcmp(b.data, "a\0bcdef", 7) == 0 && b.length == 7, "each behind the last");
    bytes_clear(&b);
    ok(b.length == 0 && b.capacity >= 7, "clearing keeps the memory");
    bytes_release(&b);
    ok(b.data == NULL && b.length == 0 && b.capacity == 0, "releasing does not");
    ok(bytes_append_string(&b, "again"), "and then it can be used again");
    holds(&b, "again", "from the beginning");
    bytes_release(&b);
    bytes_release(&b);
}

static void test_growth(void)
{
    struct bytes b = {0};
    size_t moves = 0, last = 0;
    for (int i = 0; i < 100000; i++) {
        bytes_append_char(&b, (char)('a' + i % 26));
        moves += b.capacity != last;
        last = b.capacity;
    }
    bool same = b.length == 100000;
    for (size_t i = 0; same && i < b.length; i++)
        same = b.data[i] == (char)('a' + i % 26);
    ok(same, "growth keeps what is there");
    ok(moves < 30, "and moves it seldom (%zu times)", moves);
    ok(bytes_reserve(&b, 1000) && b.capacity - b.length >= 1000 && b.length == 100000, "room is made ahead");
    bytes_release(&b);
}

static void test_too_much(void)
{
    struct bytes b = {0};
    bytes_append_string(&b, "stays");
    ok(!bytes_reserve(&b, SIZE_MAX) && !bytes_reserve(&b, SIZE_MAX / 2), "more than there can be is refused");
    holds(&b, "stays", "and changes nothing");
    bytes_release(&b);
}

static void test_format(void)
{
    struct bytes b = {0};
    ok(bytes_append_format(&b, "%s=%d", "n", 42), "formatted text");
    holds(&b, "n=42", "without its NUL");
    char wide[500];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    ok(bytes_append_format(&b, "%s", wide) && b.length == 4 + 499, "longer than the room there was");
    ok(memcmp(b.data, "n=42www", 7) == 0 && b.data[b.length - 1] == 'w', "all of it");
    ok(bytes_append_format(&b, "%s", "") && b.length == 503, "and nothing at all");
    bytes_release(&b);
}

int main(void)
{
    test_append();
    test_growth();
    test_too_much();
    test_format();
    return done();
}
