#include "document.h"

#include <stdlib.h>

#include "tap.h"
#include "json/json.h"

static struct bytes out;

static const char *text_of(enum status status)
{
    if (status != STATUS_OK || !bytes_append_char(&out, '\0'))
        exit(1);
    bytes_clear(&out);
    return out.data;
}

static struct json_text text(const char *string)
{
    return (struct json_text){string, strlen(string)};
}

static void test_result(void)
{
    struct error err;
    struct json_text id = text("\"\\ud800\\u00e9\"");
    struct write_result result = {.id = &id, .kind = "signals", .path = "w\xff\"\xc3\xa9/store", .status = "appended"};
    is_text(text_of(document_result(&result, &out, &err)),
            "{\"id\":\"\\ud800\\u00e9\",\"kind\":\"signals\",\"path\":\"w\\ufffd\\\"\\u00e9/"
            "store\",\"status\":\"appended\"}",
            "a result, its id untouched, its path as text");
}

static void test_digest(void)
{
    struct error err;
    struct json_text ids[] = {text("\"b\""), text("\"\\ud800\""), text("\"\xc3\xa9\\/\"")};
    is_text(text_of(document_digest(ids, 3, &out, &err)), "{\"top_candidates\":[\"b\",\"\\ud800\",\"\\u00e9/\"]}",
            "a digest has the ids in their order, in canonical form");
    is_text(text_of(document_digest(NULL, 0, &out, &err)), "{\"top_candidates\":[]}", "an empty digest");
}

static void test_rejected(void)
{
    struct error err;
    struct rejected_line line = {.file = "-",
                                 .line = UINT64_C(5000000000),
                                 .error = "timestamp: missing",
                                 .time = 0,
                                 .input = "\0\x7f\xff\xc3|\xed\xa0\x80",
                                 .input_length = 8};
    is_text(text_of(document_rejected(&line, &out, &err)),
            "{\"error\":\"timestamp: "
            "missing\",\"file\":\"-\",\"input\":\"\\u0000\\u007f\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd\","
            "\"line\":5000000000,\"time\":\"1970-01-01T00:00:00Z\"}",
            "a rejected line: members sorted, bytes that are not UTF-8 as U+FFFD");
    line = (struct rejected_line){.file = "a\nb\xff", .line = 1, .error = "", .input = "", .input_length = 0};
    is_text(text_of(document_rejected(&line, &out, &err)),
            "{\"error\":\"\",\"file\":\"a\\nb\\ufffd\",\"input\":\"\",\"line\":1,\"time\":\"1970-01-01T00:00:00Z\"}",
            "an empty line");
}

/* The input of a rejected line of `length` bytes, all 'x' but for `tail` at `at`: what is kept of it. */
static struct json_text kept_input(size_t length, size_t at, const char *tail)
{
    static struct bytes copy;
    struct error err;
    char *data = malloc(length);
    if (!data)
        exit(1);
    memset(data, 'x', length);
    memcpy(data + at, tail, strlen(tail));
    struct rejected_line line = {.file = "-", .line = 1, .error = "", .input = data, .input_length = length};
    const char *document = text_of(document_rejected(&line, &out, &err));
    bytes_clear(&copy);
    bytes_append_string(&copy, document);
    free(data);
    return json_member((struct json_text){copy.data, copy.length}, "input", strlen("input"));
}

static void test_cut(void)
{
    const size_t limit = DOCUMENT_INPUT_LIMIT;
    is_int(kept_input(limit, 0, "x").length, limit + 2, "an input as long as the limit is whole");
    is_int(kept_input(limit + 1, 0, "x").length, limit + 2, "a longer one is cut");
    is_int(kept_input(limit, 10, "\xff").length, limit - 3 + 6 + 2, "what replaces bytes counts, and is not split");
    is_int(kept_input(limit, limit - 1, "\xff").length, limit - 1 + 2, "at the end neither");
    is_int(kept_input(limit + 2, limit - 2, "\xc3\xa9").length, limit - 2 + 6 + 2, "a character that ends there stays");
    is_int(kept_input(limit + 2, limit - 1, "\xc3\xa9").length, limit - 1 + 2, "one that would be split goes");
    is_int(kept_input(limit + 4, limit - 3, "\xf0\x9f\x91\x8d").length, limit - 3 + 2, "a long one too");
    is_int(kept_input(limit + 4, limit - 4, "\xf0\x9f\x91\x8d").length, limit - 4 + 12 + 2, "or stays whole");
    is_int(kept_input(limit + 4, limit - 4, "\x80\x80\x80\x80\x80").length, limit - 4 + 6 + 2,
           "bytes that are none are replaced, as far as there is room");
}

static void test_finding(void)
{
    struct error err;
    struct finding finding = {.file = "w/store/signals/2026-02-05.jsonl",
                              .line = 3,
                              .byte = 997,
                              .what = "not an event"};
    is_text(text_of(document_finding(&finding, &out, &err)),
            "{\"byte\":997,\"file\":\"w/store/signals/2026-02-05.jsonl\",\"line\":3,\"what\":\"not an event\"}",
            "a finding");
    finding = (struct finding){.file = "w/store/lock", .what = "is a symbolic link"};
    is_text(text_of(document_finding(&finding, &out, &err)),
            "{\"file\":\"w/store/lock\",\"what\":\"is a symbolic link\"}", "a finding about a whole file");
}

int main(void)
{
    test_result();
    test_digest();
    test_rejected();
    test_cut();
    test_finding();
    bytes_release(&out);
    return done();
}
