#include "base/utf8.h"

#include "tap.h"

static size_t encode(uint32_t code, char out[static 4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; --i > 0; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n) | code);
    return n;
}

/* Every code point comes back from its bytes, whatever stands behind them; not from fewer. */
static void test_all_code_points(void)
{
    int wrong = 0;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char text[5];
        uint32_t got = 0;
        size_t n = encode(code, text);
        text[n] = '\x80';
        wrong += utf8_decode(text, n + 1, &got) != n || got != code;
        wrong += utf8_decode(text, n - 1, &got) != 0;
    }
    is_int(wrong, 0, "each code point is decoded from its bytes, and from no fewer");
}

static void test_no_characters(void)
{
    static const char *const texts[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3\x28",
        "\xe2\x82\x28",
        "\xe2\x28\xa1",
        "\xf0\x9f\x98\x28",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t code = 42;
        size_t n = utf8_decode(texts[i], strlen(texts[i]), &code);
        ok(n == 0 && code == 42, "text %zu holds no character, and nothing is told", i);
    }
    uint32_t code;
    ok(utf8_decode("", 0, &code) == 0, "nor does an empty one");
}

int main(void)
{
    test_all_code_points();
    test_no_characters();
    ok(UTF8_IS_SURROGATE(0xd800) && UTF8_IS_SURROGATE(0xdfff) && !UTF8_IS_SURROGATE(0xd7ff) &&
           !UTF8_IS_SURROGATE(0xe000),
       "surrogates are U+D800 to U+DFFF");
    return done();
}
