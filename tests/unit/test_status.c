#include "base/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void test_error(void)
{
    struct error err = {.text = "untouched"};
    is_int(error_set(&err, STATUS_INVALID, "%s: %d", "member", 7), STATUS_INVALID, "error_set returns the status");
    is_text(err.text, "member: 7", "and composes the text");
    is_int(error_set_errno(&err, ENOSPC, "cannot write %s", "x"), STATUS_IO, "an errno is an I/O error");
    is_text(err.text, "cannot write x: No space left on device", "whose text stands at the end");
    is_int(error_set_errno(&err, 99999, "odd"), STATUS_IO, "an errno that does not exist");
    is_text(err.text, "odd: unknown error", "has a text as well");
    is_int(error_set_memory(&err), STATUS_IO, "no memory is an I/O error");
    is_text(err.text, "out of memory", "which says so");
    ok(err.no_memory, "and is told from all others");
    error_set_errno(&err, EIO, "cannot read");
    ok(!err.no_memory, "whatever was there before");
    is_int(error_set(NULL, STATUS_USAGE, "nobody listens"), STATUS_USAGE, "nobody needs to listen");
    is_int(error_set_errno(NULL, EIO, "nobody"), STATUS_IO, "nor to an errno");
}

static void test_error_has_room_for_any_path(void)
{
    struct error err;
    char path[PATH_MAX];
    memset(path, 'p', PATH_MAX - 1);
    path[PATH_MAX - 1] = '\0';
    error_set(&err, STATUS_IO, "%s: damaged at byte %d: %s", path, 7, "expected a value: \"x\"");
    is_text(err.text + PATH_MAX - 1, ": damaged at byte 7: expected a value: \"x\"", "what is wrong with a path stays");
}

static void test_error_is_cut(void)
{
    struct error err;
    char *wide = malloc(2 * ERROR_TEXT_SIZE);
    memset(wide, 'w', 2 * ERROR_TEXT_SIZE - 1);
    wide[2 * ERROR_TEXT_SIZE - 1] = '\0';
    error_set(&err, STATUS_IO, "%s", wide);
    is_int(strlen(err.text), ERROR_TEXT_SIZE - 1, "a text that is too long is cut to the room there is");
    error_set_errno(&err, EIO, "%s", wide);
    is_int(strlen(err.text), ERROR_TEXT_SIZE - 1, "also where an errno follows");
    is_text(err.text + ERROR_TEXT_SIZE - 1 - 28, "wwwww...: Input/output error", "whose text stays");
    for (size_t i = 0; i < 4; i++) {
        for (size_t at = i; at + 4 < 2 * ERROR_TEXT_SIZE; at += 4)
            memcpy(wide + at, "\360\237\230\200", 4);
        error_set_errno(&err, EIO, "%s", wide);
        size_t length = strlen(err.text);
        ok(length >= ERROR_TEXT_SIZE - 4, "of characters of four bytes no more than needed is cut");
        is_text(err.text + length - 27, "\360\237\230\200...: Input/output error", "and between two of them");
    }
    free(wide);
}

static void quotes(const void *bytes, size_t length, const char *want, const char *name)
{
    char buffer[QUOTED_SIZE];
    /* Memory that ends with the bytes, so that a sanitizer sees a look past them. */
    char *exact = malloc(length ? length : 1);
    memcpy(exact, bytes, length);
    is_text(quote_bytes(buffer, exact, length), want, "%s", name);
    free(exact);
}

static void test_quote(void)
{
    quotes("", 0, "\"\"", "nothing");
    quotes("plain text", 10, "\"plain text\"", "plain text");
    quotes("Gr\303\274n \360\237\230\200", 10, "\"Gr\303\274n \360\237\230\200\"",
           "letters and symbols beyond ASCII stay");
    quotes("a\0b", 3, "\"a\\x00b\"", "a NUL in the middle");
    quotes("\033[31m\n\177", 7, "\"\\x1b[31m\\x0a\\x7f\"", "what commands a terminal is shown, not sent");
    quotes("\302\205", 2, "\"\\u0085\"", "C1 controls too");
    quotes("\342\200\256x", 4, "\"\\u202ex\"", "and what turns text round");
    quotes("\342\201\246\333\234\357\273\277", 8, "\"\\u2066\xdb\x9c\\ufeff\"", "isolates and byte-order marks");
    quotes("\xff\xfe", 2, "\"\\xff\\xfe\"", "no UTF-8");
    quotes("\303", 1, "\"\\xc3\"", "a sequence that is cut off");
    quotes("\300\257", 2, "\"\\xc0\\xaf\"", "overlong");
    quotes("\340\200\257", 3, "\"\\xe0\\x80\\xaf\"", "overlong in three");
    quotes("\355\240\200", 3, "\"\\xed\\xa0\\x80\"", "a surrogate");
    quotes("\364\220\200\200", 4, "\"\\xf4\\x90\\x80\\x80\"", "past the last code point");
}

static void test_quote_is_cut(void)
{
    char buffer[QUOTED_SIZE], bytes[400], want[QUOTED_SIZE];
    memset(bytes, 'x', sizeof bytes);
    snprintf(want, sizeof want, "\"%.60s\"", bytes);
    quotes(bytes, 60, want, "sixty columns are shown in full");
    snprintf(want, sizeof want, "\"%.60s...\"", bytes);
    quotes(bytes, 61, want, "one more is not");
    is_text(quote_string(buffer, "as a string"), "\"as a string\"", "a string ends at its NUL");

    for (size_t i = 0; i < sizeof bytes; i += 4)
        memcpy(bytes + i, "\360\237\230\200", 4);
    size_t wide = strlen(quote_bytes(buffer, bytes, sizeof bytes));
    is_int(wide, 1 + 60 * 4 + 3 + 1, "sixty symbols of four bytes are sixty columns");
    for (size_t i = 0; i + 3 <= sizeof bytes; i += 3)
        memcpy(bytes + i, "\342\200\256", 3);
    is_text(quote_bytes(buffer, bytes, 300) + 1 + 10 * 6, "...\"",
            "what is shown as an escape of six columns counts six");
    memset(bytes, 0xff, sizeof bytes);
    is_text(quote_bytes(buffer, bytes, sizeof bytes) + 1 + 15 * 4, "...\"", "an escape is as wide as it looks");
}

int main(void)
{
    test_error();
    test_error_has_room_for_any_path();
    test_error_is_cut();
    test_quote();
    test_quote_is_cut();
    return done();
}
