#include "json_cases.h"
#include "tap.h"

/* The canonical form, as a C string to be freed; NULL: none. */
static char *canonical_with(const char *text, size_t length, const struct json_override *overrides, size_t count)
{
    struct bytes out = {0};
    char *copy = exact_copy(text, length), *form = NULL;
    if (json_canonical((struct json_text){copy, length}, overrides, count, &out, NULL) == STATUS_OK &&
        bytes_append_char(&out, '\0'))
        form = strdup(out.data);
    free(copy);
    bytes_release(&out);
    return form;
}

static char *canonical(const char *text)
{
    return canonical_with(text, strlen(text), NULL, 0);
}

static void is_form(const char *path, const char *text, const char *want, const char *what)
{
    char *form = canonical(text);
    is_text(form, want, "%s: %s", path, what);
    free(form);
}

static void test_cases(const char *path)
{
    int wrong = 0;
    for (size_t i = 0; i < JSON_CASES; i++) {
        const struct json_case *c = &json_cases[i];
        char *form = c->canonical ? canonical_with(c->text, c->length, NULL, 0) : NULL;
        if (c->canonical && strcmp(form, c->canonical) != 0 && ++wrong <= 10)
            printf("# %.*s: %s\n", (int)c->length, c->text, form);
        free(form);
    }
    is_int(wrong, 0, "%s: the form that Python gives", path);
}

/* The canonical form of a canonical form is itself, and a strict scan says that it is canonical. */
static void test_fixed_point(const char *path)
{
    int wrong = 0;
    struct json_scanned scan;
    for (size_t i = 0; i < JSON_CASES; i++) {
        const char *form = json_cases[i].canonical;
        if (!form || json_cases[i].verdict == STORED)
            continue;
        char *again = canonical(form);
        bool same = strcmp(again, form) == 0;
        bool told = json_scan(form, strlen(form), JSON_STRICT, NULL, 0, NULL, &scan) == STATUS_OK && scan.canonical;
        wrong += !same || !told;
        free(again);
    }
    is_int(wrong, 0, "%s: a form stays as it is", path);
}

static void test_appending(const char *path)
{
    struct bytes out = {0};
    bytes_append_string(&out, "before");
    static const char text[] = "{ \"b\" : 1, \"a\" : 2 }";
    json_canonical((struct json_text){text, sizeof text - 1}, NULL, 0, &out, NULL);
    json_canonical((struct json_text){"[ ]", 3}, NULL, 0, &out, NULL);
    bytes_append_char(&out, '\0');
    is_text(out.data, "before{\"a\":2,\"b\":1}[]", "%s: is appended, without a newline", path);
    bytes_release(&out);
}

static void test_overrides(const char *path)
{
    const struct json_override overrides[] = {{"timestamp", {"\"2026-02-05T10:00:00Z\"", 22}},
                                              {"schema_version", {"\"0.9\"", 5}}};
    static const struct {
        const char *text, *want, *what;
    } cases[] = {
        {"{}", "{\"schema_version\":\"0.9\",\"timestamp\":\"2026-02-05T10:00:00Z\"}", "added to nothing"},
        {"{\"timestamp\":\"x\",\"a\":{\"timestamp\":1},\"z\":2}",
         "{\"a\":{\"timestamp\":1},\"schema_version\":\"0.9\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"z\":2}",
         "one replaced, one added, only at the top"},
        {"{\"schema_version\":null,\"timestamp\":[1,2]}",
         "{\"schema_version\":\"0.9\",\"timestamp\":\"2026-02-05T10:00:00Z\"}", "both replaced"},
        {"{\"\\u0074imestamp\":1,\"schema_version2\":2,\"schema_\":3}",
         "{\"schema_\":3,\"schema_version\":\"0.9\",\"schema_version2\":2,\"timestamp\":\"2026-02-05T10:00:00Z\"}",
         "a name that is written with an escape; names that are nearly the same"},
        {"{\"timestamp\":1,\"timestamp\":2}", "{\"schema_version\":\"0.9\",\"timestamp\":\"2026-02-05T10:00:00Z\"}",
         "a repeated one"},
        {"[{}]", "[{}]", "no object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *form = canonical_with(cases[i].text, strlen(cases[i].text), overrides, 2);
        is_text(form, cases[i].want, "%s: override: %s", path, cases[i].what);
        free(form);
    }
}

static void test_repeated(const char *path)
{
    is_form(path, "{\"a\":1,\"a\":2,\"a\":3}", "{\"a\":3}", "of repeated members the last");
    is_form(path, "{\"b\":0,\"a\":1,\"\\u0061\":2,\"b\":{\"c\":1,\"c\":[2]}}", "{\"a\":2,\"b\":{\"c\":[2]}}",
            "of repeated members the last, decoded, at every depth");
    is_form(path, "{\"longer_name\":1,\"longer_name\":2,\"longer_nam\":3}", "{\"longer_nam\":3,\"longer_name\":2}",
            "of repeated longer members the last");
}

/* Text that repeats, forwards or backwards, as long as it takes. */
static char *pile(size_t times, const char *part, const char *middle, const char *closing)
{
    size_t n = strlen(part), c = strlen(closing);
    char *text = malloc(times * (n + c) + strlen(middle) + 1), *to = text;
    for (size_t i = 0; i < times; i++, to += n)
        memcpy(to, part, n);
    to = stpcpy(to, middle);
    for (size_t i = 0; i < times; i++, to += c)
        memcpy(to, closing, c);
    *to = '\0';
    return text;
}

static void is_piled(const char *path, size_t times, const char *part, const char *closing, const char *want_part,
                     const char *want_closing)
{
    char *text = pile(times, part, "0", closing), *want = pile(times, want_part, "0", want_closing);
    char *form = canonical(text);
    ok(form && strcmp(form, want) == 0, "%s: %zu deep: %s", path, times, part);
    free(text);
    free(want);
    free(form);
}

static void test_depth(const char *path)
{
    for (size_t times = 512; times <= 200000; times *= 390) {
        is_piled(path, times, "[", "]", "[", "]");
        is_piled(path, times, "[ ", "]", "[", "]");
        is_piled(path, times, "{\"a\":[1,", "]}", "{\"a\":[1,", "]}");
        is_piled(path, times, "{\"b\":", ",\"a\":1}", "{\"a\":1,\"b\":", "}");
        is_piled(path, times, "{\"b\": [", "], \"a\\/\":\"\xc3\xa9\"}", "{\"a/\":\"\\u00e9\",\"b\":[", "]}");
    }
}

/* Members n<i * step mod count>; with step 1 and six digits in ascending order. */
static char *members(size_t count, size_t step)
{
    char *text = malloc(count * 24 + 3), *to = text;
    *to++ = '{';
    for (size_t i = 0; i < count; i++)
        to += sprintf(to, "%s\"n%06zu\":%zu", i > 0 ? "," : "", i * step % count, i * step % count);
    strcpy(to, "}");
    return text;
}

static void test_many_members(const char *path)
{
    static const size_t counts[] = {1, 2, 15, 16, 17, 24, 25, 26, 64, 100, 1000, 100000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char *text = members(counts[i], 77773), *want = members(counts[i], 1), *form = canonical(text);
        ok(strcmp(form, want) == 0, "%s: %zu members in disorder", path, counts[i]);
        free(text);
        free(want);
        free(form);
    }
}

/* {"TEXT":"TEXT"} */
static char *doubled(const char *text)
{
    char *object = malloc(2 * strlen(text) + 8);
    sprintf(object, "{\"%s\":\"%s\"}", text, text);
    return object;
}

static void test_long_strings(const char *path)
{
    char *raw = pile(20000, "\xe2\x82\xac\\/", "", ""), *escaped = pile(20000, "\\u20ac/", "", "");
    char *text = doubled(raw), *want = doubled(escaped), *form = canonical(text);
    ok(strcmp(form, want) == 0, "%s: strings that are rewritten from end to end", path);
    free(raw);
    free(escaped);
    free(text);
    free(want);
    free(form);
}

static void test_all(const char *path)
{
    test_cases(path);
    test_fixed_point(path);
    test_appending(path);
    test_overrides(path);
    test_repeated(path);
    test_depth(path);
    test_many_members(path);
    test_long_strings(path);
}

int main(void)
{
    test_all("native");
    json_use(JSON_PORTABLE);
    test_all("portable");
    return done();
}
