#include <math.h>

#include "json_cases.h"
#include "tap.h"

static struct json_text text_of(const char *string)
{
    return (struct json_text){string, strlen(string)};
}

static void test_is_number(void)
{
    static const char *const good[] = {"0",     "-0",         "1",
                                       "-1",    "10",         "1234567890123456789012345678901234567890",
                                       "0.0",   "-0.5",       "1.10",
                                       "1e5",   "1E5",        "1e+5",
                                       "1e-5",  "0e0",        "1.5E-10",
                                       "1e400", "0.1000e0005"};
    static const char *const bad[] = {"",    "-",     "+1",    "01",       "-01",       "1.",  ".5",   "1.e5",
                                      "1e",  "1e+",   "1.5.2", "1e5.5",    " 1",        "1 ",  "1x",   "0x10",
                                      "NaN", "Inf",   "-a",    "--1",      "1,5",       "1_0", "1e 5", "-.5",
                                      "1-",  "1e--1", "٣",     "Infinity", "-Infinity", "00",  "0-1",  "1E+-1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *copy = exact_copy(good[i], strlen(good[i]));
        ok(json_is_number(copy, strlen(good[i])), "'%s' is a number", good[i]);
        free(copy);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *copy = exact_copy(bad[i], strlen(bad[i]));
        ok(!json_is_number(copy, strlen(bad[i])), "'%s' is none", bad[i]);
        free(copy);
    }
    ok(!json_is_number("1\0", 2), "nor is one with a NUL behind it");
}

static void test_same(void)
{
    /* In each row all are the same, and no two rows are. */
    static const char *const rows[][6] = {
        {"0", "-0", "0.0", "0e5", "-0.000e-99999999999999999999", "0E0"},
        {"1", "1.0", "10e-1", "0.1e1", "1e0", "0.00000000000000000001e20"},
        {"-1", "-1.0", "-10e-1", "-0.1E+1", "-1e-0", "-1.000"},
        {"10", "1e1", "1E+1", "0.01e3", "100e-1", "10.000"},
        {"12.5", "125e-1", "1.25e1", "0.125E2", "12.50", "1250e-2"},
        {"12345678901234567890123456789", "1.2345678901234567890123456789e28", "12345678901234567890123456789.0",
         "12345678901234567890123456789e0", "123456789012345678901234567890e-1", "0.12345678901234567890123456789e29"},
        {"12345678901234567890123456788", "1.2345678901234567890123456788e28", NULL},
        {"1e400", "10e399", "0.1e401", "1E0400", "100e398", "1.0e+400"},
        {"1e-400", "10e-401", "0.1e-399", "1.0E-400", NULL},
        {"1e1000000000000000000000000000000", "10e999999999999999999999999999999",
         "0.1e1000000000000000000000000000001", NULL},
        {"1e-1000000000000000000000000000000", "10e-1000000000000000000000000000001",
         "0.1e-999999999999999999999999999999", NULL},
        {"1e1000000000000000000000000000001", "10e1000000000000000000000000000000", NULL},
        {"1e999999999999999999999999999999", "10e999999999999999999999999999998", NULL},
        {"Infinity", NULL},
        {"-Infinity", NULL},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++)
            for (size_t x = 0; x < 6 && rows[i][x]; x++)
                for (size_t y = 0; y < 6 && rows[j][y]; y++)
                    if (json_number_same(text_of(rows[i][x]), text_of(rows[j][y])) != (i == j)) {
                        printf("# %s and %s\n", rows[i][x], rows[j][y]);
                        wrong++;
                    }
    is_int(wrong, 0, "numbers are compared as decimals, exactly");
    ok(!json_number_same(text_of("NaN"), text_of("NaN")), "NaN equals nothing");
    ok(!json_number_same(text_of("NaN"), text_of("0")) && !json_number_same(text_of("1"), text_of("Infinity")),
       "nor does a word equal a number");
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void test_value(void)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.0",
                                        "-0.0e5",
                                        "1",
                                        "-1",
                                        "0.1",
                                        "0.2",
                                        "0.3",
                                        "1.5",
                                        "123.456",
                                        "0.9070340128132491",
                                        "0.9081",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "1e-23",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "9007199254740991e22",
                                        "9007199254740993e-22",
                                        "123456789012345678",
                                        "0.000001",
                                        "1e308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "1e309",
                                        "-1e400",
                                        "2.2250738585072014e-308",
                                        "2.2250738585072011e-308",
                                        "4.9e-324",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "1e-400",
                                        "1e99999999999999999999",
                                        "1e-99999999999999999999",
                                        "0e99999999999999999999",
                                        "100000000000000000000000e-23",
                                        "0.00000000000000000000000000000000000001e38",
                                        "179769313486231580793728971405301e276",
                                        "3.14159265358979323846264338327950288",
                                        "8.41e21",
                                        "5e-20",
                                        "6.9294956446009195e15",
                                        "1e15",
                                        "1234567890123456",
                                        "1000000000000000000000",
                                        "0.1e1",
                                        "10e-1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *copy = exact_copy(texts[i], strlen(texts[i]));
        double value = json_number_to_double((struct json_text){copy, strlen(texts[i])});
        ok(same_double(value, strtod(texts[i], NULL)), "the double nearest to %s", texts[i]);
        free(copy);
    }
    ok(isnan(json_number_to_double(text_of("NaN"))), "NaN");
    ok(same_double(json_number_to_double(text_of("Infinity")), (double)INFINITY), "Infinity");
    ok(same_double(json_number_to_double(text_of("-Infinity")), -(double)INFINITY), "-Infinity");
}

/* A number so near the middle of two doubles that only its last digits tell to which it belongs. */
static void test_long_value(void)
{
    enum { ZEROS = 3000 };
    static const char *const lasts[] = {"", "0", "1"};
    char text[ZEROS + 64];
    for (size_t i = 0; i < 3; i++) {
        int length = sprintf(text, "9007199254740993.%0*d%s", ZEROS, 0, lasts[i]);
        double value = json_number_to_double((struct json_text){text, (size_t)length});
        ok(same_double(value, strtod(text, NULL)), "%d digits, the last %s", length, lasts[i]);
        /* as many digits as are looked at one by one, and one more or less */
        for (int zeros = 782; zeros <= 786; zeros++) {
            length = sprintf(text, "9007199254740993.%0*d%s", zeros, 0, lasts[i]);
            value = json_number_to_double((struct json_text){text, (size_t)length});
            ok(same_double(value, strtod(text, NULL)), "%d digits, the last %s", length - 1, lasts[i]);
        }
        length = sprintf(text, "0.%0*d1e%d", ZEROS, 0, ZEROS + 1);
        value = json_number_to_double((struct json_text){text, (size_t)length});
        ok(same_double(value, 1.0), "zeros in front of all digits");
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void test_random_values(void)
{
    uint64_t state = 88172645463325252u;
    int wrong = 0;
    char text[64];
    for (int i = 0; i < 20000; i++) {
        uint64_t digits = next_random(&state) >> next_random(&state) % 64;
        int point = (int)(next_random(&state) % 20), exponent = (int)(next_random(&state) % 700) - 350;
        int length = i % 2 ? sprintf(text, "%d.%0*" PRIu64, i % 10, point, digits)
                           : sprintf(text, "%" PRIu64 "e%d", digits, exponent);
        wrong += !same_double(json_number_to_double((struct json_text){text, (size_t)length}), strtod(text, NULL));
    }
    is_int(wrong, 0, "20000 random numbers");
}

int main(void)
{
    test_is_number();
    test_same();
    test_value();
    test_long_value();
    test_random_values();
    return done();
}
