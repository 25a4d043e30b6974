#include "base/timestamp.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "tap.h"

#define REFUSED   INT64_MIN
#define UNTOUCHED INT64_C(-42)

/* What is made of the text, given in memory that ends where the text does. */
static int64_t stored(const char *text, size_t length)
{
    int64_t time = UNTOUCHED;
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    bool good = timestamp_parse_stored(exact, length, &time);
    free(exact);
    if (!good && time != UNTOUCHED)
        ok(false, "a refused text leaves the result alone");
    return good ? time : REFUSED;
}

static void test_as_python(void)
{
    static const struct {
        const char *text;
        size_t length;
        int64_t time;
    } cases[] = {
#include "../data/timestamps.inc"
    };
    char quoted[QUOTED_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_int(stored(cases[i].text, cases[i].length), cases[i].time, "as Python reads %s",
               quote_bytes(quoted, cases[i].text, cases[i].length));
}

static void test_beyond_python(void)
{
    is_int(stored("2026-02-05T10:30:15z", 20), INT64_C(1770287415000000), "a lower-case z as on input");
    is_int(stored("20260205T103015z", 16), REFUSED, "but not in the forms that are only read in a store");
    is_int(stored("2026-W06-4", 10), REFUSED, "no week dates");
    is_int(stored("2026W064T103015Z", 16), REFUSED, "nor short ones");
}

/* A long fraction costs its length, not memory. */
static void test_long(void)
{
    enum { LENGTH = 1000000 };
    char *text = malloc(LENGTH);
    memset(text, '7', LENGTH);
    memcpy(text, "20260205T103015.", 16);
    is_int(stored(text, LENGTH), INT64_C(1770287415777777), "a fraction of a million digits");
    text[LENGTH - 1] = 'x';
    is_int(stored(text, LENGTH), REFUSED, "and no offset behind its stray byte");
    memcpy(text + LENGTH - 6, "-01:00", 6);
    is_int(stored(text, LENGTH), INT64_C(1770291015777777), "and an offset behind it");
    free(text);
}

/* Whatever bytes a caller has: an answer, and no byte read past the end. */
static void test_any_bytes(void)
{
    static const char good[] = "2026-02-05\xf0\x9f\x98\x80"
                               "10:30:15.25+01:30:15.5Z";
    size_t length = sizeof good - 1;
    int answers = 0;
    for (size_t i = 0; i <= length; i++) {
        char copy[sizeof good];
        stored(good, i);
        for (int c = 0; c < 256 && i < length; c++) {
            memcpy(copy, good, sizeof good);
            copy[i] = (char)c;
            stored(copy, length);
            stored(copy, i + 1);
            answers++;
        }
    }
    is_int(answers, (int)length * 256, "every byte in every place has an answer");
}

int main(void)
{
    test_as_python();
    test_beyond_python();
    test_long();
    test_any_bytes();
    return done();
}
