#include <stdlib.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "tap.h"

static struct json_text text(const char *json)
{
    return (struct json_text){json, strlen(json)};
}

/* The document as it is printed, without its newline; "" where it cannot be read. */
static const char *printed(const struct checkpoint *checkpoint, char *buffer, size_t size)
{
    struct bytes out = {0};
    struct error err;
    buffer[0] = '\0';
    if (checkpoint_print(checkpoint, &out, &err) == STATUS_OK && out.length < size && out.data[out.length - 1] == '\n')
        snprintf(buffer, size, "%.*s", (int)out.length - 1, out.data);
    bytes_release(&out);
    return buffer;
}

static void reads_as(const char *document, const char *want)
{
    struct checkpoint checkpoint, copy;
    struct error err;
    char buffer[2048];
    if (!ok(checkpoint_parse(document, strlen(document), &checkpoint, &err) == STATUS_OK, "reads %s", document))
        return;
    is_text(printed(&checkpoint, buffer, sizeof buffer), want, "prints it");
    ok(checkpoint_copy(&checkpoint, &copy, &err) == STATUS_OK, "copies it");
    is_text(printed(&copy, buffer, sizeof buffer), want, "and the copy is the same");
    checkpoint_release(&copy);
    checkpoint_release(&checkpoint);
}

static void refuses(const char *document, const char *why)
{
    struct checkpoint checkpoint = {.has_kind = true};
    struct error err;
    is_int(checkpoint_parse(document, strlen(document), &checkpoint, &err), STATUS_INVALID, "refuses %s", document);
    is_text(err.text, why, "and says why");
    ok(checkpoint.has_kind, "and leaves the result alone");
}

/* The least number of 65 bits must not be the least of all. */
static void test_offsets(void)
{
    static const struct {
        const char *text;
        uint64_t offset;
    } offsets[] = {
        {"0", 0},
        {"18446744073709551614", UINT64_MAX - 1},
        {"18446744073709551615", UINT64_MAX},
        {"18446744073709551616", UINT64_MAX},
        {"18446744073709551623", UINT64_MAX},
        {"184467440737095516167", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct checkpoint checkpoint;
        struct error err;
        char document[256];
        int length =
            snprintf(document, sizeof document,
                     "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{\"2026-02-05\":{\"offset\":%s}}}",
                     offsets[i].text);
        if (!ok(checkpoint_parse(document, (size_t)length, &checkpoint, &err) == STATUS_OK, "reads %s", document))
            continue;
        ok(checkpoint.positions[0].offset == offsets[i].offset, "as %" PRIu64, offsets[i].offset);
        checkpoint_release(&checkpoint);
    }
}

static void test_documents(void)
{
    reads_as(" {\"last_timestamp\":\"2026-02-05T10:00:00\"} ",
             "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"schema_version\":\"0.1\",\"seen_ids_at_timestamp\":[]}");
    reads_as("{\"seen_ids_at_timestamp\":[\"b\",\"\\u0061\",\"a\",\"\\ud800\",\"\"],\"z\":1.0e400,\"schema_version\":2,"
             "\"last_timestamp\":\"2026-02-05T10:00:00.5+00:00\",\"kind\":\"emissions\"}",
             "{\"kind\":\"emissions\",\"last_timestamp\":\"2026-02-05T10:00:00.500000Z\",\"schema_version\":2,"
             "\"seen_ids_at_timestamp\":[\"b\",\"a\",\"\\ud800\",\"\"],\"z\":1.0e400}");
    reads_as("{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{}}",
             "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{},\"schema_version\":\"0.1\","
             "\"seen_ids_at_timestamp\":[]}");
    reads_as("{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{"
             "\"2026-02-06\":{\"offset\":7,\"note\":\"kept\",\"hash\":\"v2:x\"},"
             "\"2026-02-05\":{\"offset\":99999999999999999999999,\"hash\":\"0123456789abcdef\"}}}",
             "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{"
             "\"2026-02-05\":{\"hash\":\"0123456789abcdef\",\"offset\":99999999999999999999999},"
             "\"2026-02-06\":{\"hash\":\"v2:x\",\"note\":\"kept\",\"offset\":7}},"
             "\"schema_version\":\"0.1\",\"seen_ids_at_timestamp\":[]}");
}

static void test_faults(void)
{
    refuses("", "is empty");
    refuses("  ", "is empty");
    refuses("[]\n", "not a JSON object: \"[]\"");
    refuses("{}", "last_timestamp: missing");
    refuses("{\"last_timestamp\":null}", "last_timestamp: must be a time, not null");
    refuses("{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"kind\":\"all\"}",
            "kind: must be signals or emissions, not \"all\"");
    refuses("{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{\"2026-02-05\":{\"offset\":\"7\"}}}",
            "positions.2026-02-05.offset: must be a whole number from 0, not \"7\"");
    refuses("{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"seen_ids_at_timestamp\":null}",
            "seen_ids_at_timestamp: must be an array of strings, not null");
}

static void test_hashes(void)
{
    static const struct {
        const char *hash;
        bool is_known;
    } cases[] = {
        {"\"0123456789abcdef\"", true},
        {"\"ffffffffffffffff\"", true},
        {"\"0123456789ABCDEF\"", false},
        {"\"0123456789abcde\"", false},
        {"\"0123456789abcdef0\"", false},
        {"\"0123456789abcdeg\"", false},
        {"\"\\u0030123456789ab\"", false},
        {"17", false},
        {"null", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char document[256];
        struct checkpoint checkpoint;
        snprintf(
            document, sizeof document,
            "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"positions\":{\"2026-02-05\":{\"hash\":%s,\"offset\":1}}}",
            cases[i].hash);
        if (!ok(checkpoint_parse(document, strlen(document), &checkpoint, NULL) == STATUS_OK, "%s is read", document))
            continue;
        is_int(checkpoint.positions[0].has_hash, cases[i].is_known, "%s is known or not", cases[i].hash);
        checkpoint_release(&checkpoint);
    }
}

static void test_positions(void)
{
    struct checkpoint checkpoint;
    struct error err;
    bool sorted = true;
    checkpoint_init(&checkpoint);
    ok(!checkpoint_find(&checkpoint, 7), "none is found in an empty one");
    for (int32_t i = 0; i < 100; i++) {
        struct checkpoint_position position = {.day = i * 37 % 100, .has_hash = true, .offset = (uint64_t)i};
        checkpoint_put(&checkpoint, &position, &err);
    }
    for (size_t i = 0; i < checkpoint.position_count; i++)
        sorted = sorted && checkpoint.positions[i].day == (int32_t)i;
    ok(sorted && checkpoint.position_count == 100, "positions stand by day, however they come");
    is_int(checkpoint_find(&checkpoint, 37)->offset, 1, "each is found");
    struct checkpoint_position other = {.day = 37, .offset = 1000};
    checkpoint_put(&checkpoint, &other, &err);
    is_int(checkpoint_find(&checkpoint, 37)->offset, 1000, "and replaced");
    is_int(checkpoint.position_count, 100, "not added");
    ok(!checkpoint_find(&checkpoint, 100) && !checkpoint_find(&checkpoint, -1), "what is not there is not found");
    checkpoint_release(&checkpoint);
}

/* ids "0" to "999", each twice */
static void test_ids(void)
{
    struct checkpoint checkpoint;
    char id[32];
    bool good = true, has = false;
    checkpoint_init(&checkpoint);
    for (int i = 0; i < 2000; i++) {
        snprintf(id, sizeof id, "\"%d\"", i % 1000);
        good = checkpoint_note(&checkpoint, 1, text(id)) && good;
    }
    ok(good, "2000 ids are taken");
    is_int(checkpoint.ids.count, 1000, "each once");
    for (int i = 0; i < 1000; i++) {
        char number[8];
        snprintf(number, sizeof number, "%d", i % 1000);
        snprintf(id, sizeof id, "\"\\u%04x%s\"", (unsigned)number[0], number + 1);
        good = checkpoint_has_id(&checkpoint, text(id), &has) && has && good;
    }
    ok(good, "an id is the same however it is spelled");
    good = checkpoint_has_id(&checkpoint, text("\"1000\""), &has);
    ok(good && !has, "what was not added is not there");
    checkpoint_note(&checkpoint, 2, text("\"2000\""));
    good = checkpoint_has_id(&checkpoint, text("\"1\""), &has);
    ok(good && !has && checkpoint.ids.count == 1, "those of an earlier time are not there");
    checkpoint_release(&checkpoint);
}

static void test_notes(void)
{
    struct checkpoint a, b;
    char buffer[256];
    checkpoint_init(&a);
    checkpoint_init(&b);
    checkpoint_note(&a, 1000000, text("\"x\""));
    checkpoint_note(&a, 999999, text("\"y\""));
    checkpoint_note(&a, 1000000, text("\"z\""));
    is_text(printed(&a, buffer, sizeof buffer),
            "{\"last_timestamp\":\"1970-01-01T00:00:01Z\",\"schema_version\":\"0.1\",\"seen_ids_at_timestamp\":[\"x\","
            "\"z\"]}",
            "the greatest timestamp and its ids are noted");
    checkpoint_note(&b, 1000000, text("\"z\""));
    checkpoint_note(&b, 1000000, text("\"w\""));
    checkpoint_note_all(&a, &b);
    is_int(a.ids.count, 3, "those of another one of the same time are added");
    checkpoint_note(&b, 2000000, text("\"v\""));
    checkpoint_note_all(&b, &a);
    is_int(b.ids.count, 1, "those of an earlier one are not");
    checkpoint_note_all(&a, &b);
    is_text(
        printed(&a, buffer, sizeof buffer),
        "{\"last_timestamp\":\"1970-01-01T00:00:02Z\",\"schema_version\":\"0.1\",\"seen_ids_at_timestamp\":[\"v\"]}",
        "those of a later one take the place of all");
    checkpoint_release(&a);
    checkpoint_release(&b);
}

int main(void)
{
    test_documents();
    test_offsets();
    test_faults();
    test_hashes();
    test_positions();
    test_ids();
    test_notes();
    return done();
}
