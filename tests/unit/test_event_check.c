#include "event/event.h"

#include <stdlib.h>

#include "tap.h"

static const struct event_rules everything = {KIND_BITS_ALL, EVENT_MAX_LINE};

#define REST   "\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":\"a\",\"payload_type\":\"T\",\"payload\":{}"
#define SIGNAL "\"signal_id\":\"s1\"," REST
#define EMISSION                                                                                                       \
    "\"emission_id\":\"e1\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"emission_type\":\"T\",\"caused_by\":\"s1\""

/* What is said of an input; "" where it is accepted. */
static const char *verdict(const char *line, const struct event_rules *rules)
{
    static struct error err;
    struct event event = {.timestamp = -42};
    struct bytes scratch = {0};
    bool borrows = false;
    strcpy(err.text, "");
    enum status status = event_check(line, strlen(line), rules, &scratch, &event, &borrows, &err);
    if (status != STATUS_OK && (status != STATUS_INVALID || event.timestamp != -42 || scratch.length > 0))
        strcpy(err.text, "a failure that left traces");
    bytes_release(&scratch);
    return err.text;
}

static void test_messages(void)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"{" SIGNAL "}", ""},
        {"{" EMISSION ",\"payload\":null}", ""},
        {" \t{ " SIGNAL " } \r", ""},
        {"{" SIGNAL ",\"other\":[1,{\"x\":null}]}", ""},
        {"{" SIGNAL ",\"caused_by\":12}", ""}, /* any other member */
        {"{\"signal_id\":\"s1\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":\"\",\"payload_type\":\"\","
         "\"payload\":0}",
         ""},
        {"[]", "not a JSON object: \"[]\""},
        {"12 \r", "not a JSON object: \"12\""},
        {"{}", "neither signal_id nor emission_id: \"{}\""},
        {"{\"signal_id\":\"a\",\"emission_id\":\"b\"}", "both signal_id and emission_id: \"a\" and \"b\""},
        {"{\"signal\\u005fid\":\"a\",\"emission_id\":null}", "both signal_id and emission_id: \"a\" and null"},
        {"{\"signal_id\":12," REST "}", "signal_id: must be a non-empty string, not 12"},
        {"{\"signal_id\":null," REST "}", "signal_id: must be a non-empty string, not null"},
        {"{\"signal_id\":\"\"," REST "}", "signal_id: must be a non-empty string, not \"\""},
        {"{\"signal_id\":{\"a\":\"\\n\"}," REST "}", "signal_id: must be a non-empty string, not {\"a\":\"\\n\"}"},
        {"{\"emission_id\":false}", "emission_id: must be a non-empty string, not false"},
        {"{\"signal_id\":\"s\"}", "timestamp: missing"},
        {"{\"signal_id\":\"s\",\"timestamp\":1770285600}", "timestamp: must be a string, not 1770285600"},
        {"{\"signal_id\":\"s\",\"timestamp\":\"yesterday\"}", "timestamp: not an RFC 3339 time: \"yesterday\""},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:60Z\"}",
         "timestamp: not an RFC 3339 time: \"2026-02-05T10:00:60Z\""},
        {"{\"signal_id\":\"s\",\"timestamp\":\"0001-01-01T00:00:00+00:01\"}",
         "timestamp: outside the years 0001-9999: \"0001-01-01T00:00:00+00:01\""},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026\\u002d02-05\"}", "timestamp: not an RFC 3339 time: \"2026-02-05\""},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00Z\"}", "source: missing"},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":null}",
         "source: must be a string, not null"},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":\"a\"}", "payload_type: missing"},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":\"a\",\"payload_type\":[1]}",
         "payload_type: must be a string, not [1]"},
        {"{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":\"a\",\"payload_type\":\"T\"}",
         "payload: missing"},
        {"{\"emission_id\":\"e\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"emission_type\":\"T\",\"payload\":1}",
         "caused_by: missing"},
        {"{\"emission_id\":\"e\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"caused_by\":\"s\",\"payload\":1}",
         "emission_type: missing"},
        {"{" EMISSION "}", "payload: missing"},
        {"{" SIGNAL ",\"schema_version\":\"\"}", "schema_version: must be a non-empty string, not \"\""},
        {"{" SIGNAL ",\"schema_version\":null}", "schema_version: must be a non-empty string, not null"},
        {"{" SIGNAL ",\"entity_refs\":[]}", ""},
        {"{" SIGNAL ",\"entity_refs\":[{},{\"kind\":1}]}", ""},
        {"{" SIGNAL ",\"entity_refs\":null}", "entity_refs: must be an array of objects, not null"},
        {"{" SIGNAL ",\"entity_refs\":{}}", "entity_refs: must be an array of objects, not {}"},
        {"{" SIGNAL ",\"entity_refs\":[{}, \"x\"]}", "entity_refs[1]: must be an object, not \"x\""},
        {"{" SIGNAL ",\"trace\":null,\"raw\":null}", ""},
        {"{" SIGNAL ",\"trace\":{\"a\":1},\"raw\":{}}", ""},
        {"{" SIGNAL ",\"trace\":[]}", "trace: must be an object or null, not []"},
        {"{" EMISSION ",\"payload\":1,\"raw\":\"r\"}", "raw: must be an object or null, not \"r\""},
        {"{" SIGNAL ",\"x\":\""
         "\xc3\xa9\xf0\x9f\x94\xa5\\ud800"
         "\"}",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        is_text(verdict(cases[i].line, &everything), cases[i].message, "%s", cases[i].line);
}

static void test_faults(void)
{
    ok(strncmp(verdict("{\"a\":1,\"a\":2}", &everything), "invalid JSON at byte 8: ", 24) == 0,
       "the second of two names");
    is_text(verdict("{\"a\":[-01]}", &everything), "invalid JSON at byte 7: invalid number: \"-01\"",
            "the word at fault is quoted");
    is_text(verdict("{'a':\x01}\r", &everything),
            "invalid JSON at byte 2: expected a member name or '}': \"'a':\\x01}\"",
            "or else the rest, made printable");
    is_text(verdict("{\"a\":", &everything), "invalid JSON at byte 6: ends too early, expected a value",
            "or nothing, where there is none");
    ok(strncmp(verdict("{\"a\":NaN}", &everything), "invalid JSON at byte 6: ", 24) == 0, "NaN");
    ok(strncmp(verdict("{\"a\":1,}", &everything), "invalid JSON at byte 8: ", 24) == 0, "a trailing comma");
    ok(strncmp(verdict("{\"a\":\"\xff\"}", &everything), "invalid JSON at byte 7: ", 24) == 0, "invalid UTF-8");
    ok(strncmp(verdict("\xef\xbb\xbf{}", &everything), "invalid JSON at byte 1: ", 24) == 0, "a byte-order mark");
    ok(strncmp(verdict("{\"signal_id\":\"s\" \r", &everything), "invalid JSON at byte ", 21) == 0, "an end too early");
    ok(!strchr(verdict("{\"signal_id\":\"s\",\"timestamp\":\"a\nb\"}", &everything), '\n'), "a message is one line");
    ok(!strchr(verdict("{\"signal_id\":[\n1]}", &everything), '\n'), "whatever the value holds");
}

static void test_long_value(void)
{
    char line[2048], digits[1001] = "";
    memset(digits, '7', 1000);
    snprintf(line, sizeof line, "{\"signal_id\":%s}", digits);
    const char *message = verdict(line, &everything);
    ok(strlen(message) < 160, "a long value is cut short");
    is_text(message + strlen(message) - 4, "7...", "and says so");
}

static void test_kinds(void)
{
    const struct event_rules signals = {KIND_BIT(EVENT_SIGNAL), EVENT_MAX_LINE};
    const struct event_rules emissions = {KIND_BIT(EVENT_EMISSION), EVENT_MAX_LINE};
    is_text(verdict("{" SIGNAL "}", &signals), "", "a signal among signals");
    is_text(verdict("{" EMISSION ",\"payload\":1}", &emissions), "", "an emission among emissions");
    is_text(verdict("{" EMISSION "}", &signals), "an emission, but only signals are accepted: \"e1\"",
            "an emission among signals");
    is_text(verdict("{" SIGNAL "}", &emissions), "a signal, but only emissions are accepted: \"s1\"",
            "a signal among emissions");
}

static void test_limits(void)
{
    const char *line = "{" SIGNAL ",\"x\":\"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\"}";
    size_t length = strlen(line);
    struct event_rules rules = {KIND_BITS_ALL, length - 1};
    char message[256];
    snprintf(message, sizeof message, "line is longer than %zu bytes: \"%.60s...\"", rules.max_line, line);
    is_text(verdict(line, &rules), message, "a line one byte too long");
    rules.max_line = length;
    snprintf(message, sizeof message, "canonical line is longer than %zu bytes: \"%.60s...\"", rules.max_line, line);
    is_text(verdict(line, &rules), message, "a line that is too long once it is escaped");
    rules.max_line = length + 10 * 5 + strlen(",\"schema_version\":\"0.9\"");
    is_text(verdict(line, &rules), "", "a line that just fits");
    rules.max_line--;
    ok(strlen(verdict(line, &rules)) > 0, "and the same with a limit one lower");
}

static void is_piece(struct json_text piece, const char *want, const char *name)
{
    char got[256] = "(absent)";
    if (piece.data)
        snprintf(got, sizeof got, "%.*s", (int)piece.length, piece.data);
    is_text(got, want, "%s", name);
}

static void test_canonical_is_borrowed(void)
{
    const char *line = "{\"entity_refs\":[{\"kind\":\"k\"}],\"payload\":{\"a\":1.10},\"payload_type\":\"T\",\"schema_"
                       "version\":\"0.1\","
                       "\"signal_id\":\"s\\u00e9\",\"source\":\"x\",\"timestamp\":\"2026-02-05T10:00:00.000001Z\"} \r";
    struct bytes scratch = {0};
    struct event event;
    bool borrows = false;
    is_int(event_check(line, strlen(line), &everything, &scratch, &event, &borrows, NULL), STATUS_OK, "accepted");
    ok(borrows && event.line == line, "a canonical line is taken as it is");
    ok(!scratch.data, "nothing is allocated");
    is_int(event.length, strlen(line) - 2, "without the white space behind it");
    is_int(event.kind, EVENT_SIGNAL, "kind");
    is_int(event.timestamp, INT64_C(1770285600000001), "timestamp");
    is_piece(event.id, "\"s\\u00e9\"", "id");
    is_piece(event.source, "\"x\"", "source");
    is_piece(event.type, "\"T\"", "type");
    is_piece(event.caused_by, "(absent)", "caused_by");
    is_piece(event.payload, "{\"a\":1.10}", "payload");
    is_piece(event.entity_refs, "[{\"kind\":\"k\"}]", "entity_refs");
}

/* The canonical line made of an input, in scratch behind what is there. */
static const char *canonical(const char *line)
{
    static char got[1024];
    struct bytes scratch = {0};
    struct event event;
    bool borrows = true;
    struct error err = {.text = "refused"};
    bytes_append_string(&scratch, "first\n");
    enum status status = event_check(line, strlen(line), &everything, &scratch, &event, &borrows, &err);
    if (status != STATUS_OK)
        snprintf(got, sizeof got, "%s", err.text);
    else if (borrows || event.line != scratch.data + 6 || event.length != scratch.length - 6 ||
             (size_t)(event.payload.data - event.line) >= event.length)
        snprintf(got, sizeof got, "pieces outside the canonical line");
    else
        snprintf(got, sizeof got, "%.*s", (int)event.length, event.line);
    bytes_release(&scratch);
    return got;
}

static void test_canonical_is_made(void)
{
#define TAIL(time) "\"schema_version\":\"0.9\",\"signal_id\":\"s1\",\"source\":\"a\",\"timestamp\":\"" time "\"}"
    is_text(canonical("{" SIGNAL "}"), "{\"payload\":{},\"payload_type\":\"T\"," TAIL("2026-02-05T10:00:00Z"),
            "members are sorted and the schema version is filled in");
    static const struct {
        const char *input, *stored;
    } times[] = {
        {"2026-02-05T10:00:00", "2026-02-05T10:00:00Z"},
        {"2026-02-05 10:00:00z", "2026-02-05T10:00:00Z"},
        {"2026-02-05t12:00:00+02:00", "2026-02-05T10:00:00Z"},
        {"2026-02-05T10:00:00.000Z", "2026-02-05T10:00:00Z"},
        {"2026-02-05T10:00:00.000000Z", "2026-02-05T10:00:00Z"},
        {"2026-02-05T10:00:00.000001z", "2026-02-05T10:00:00.000001Z"},
        {"2026-02-05 10:00:00.000001Z", "2026-02-05T10:00:00.000001Z"},
        {"2026-02-05 10:00:00Z", "2026-02-05T10:00:00Z"},
        {"2026-02-05T10:00:00.\\u0035Z", "2026-02-05T10:00:00.500000Z"},
        {"2026-02-05T10:00:00.1+0000", "2026-02-05T10:00:00.100000Z"},
        {"2026-02-05T10:00:00.1Z", "2026-02-05T10:00:00.100000Z"},
        {"2026-02-05T10:00:00.12345678Z", "2026-02-05T10:00:00.123456Z"},
        {"2026-02-05T10:00:00\\u005a", "2026-02-05T10:00:00Z"},
        {"2026-02-06T00:30:00+01:00", "2026-02-05T23:30:00Z"},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char line[256], want[256];
        snprintf(
            line, sizeof line,
            "{\"payload\":{},\"payload_type\":\"T\",\"schema_version\":\"0.9\",\"signal_id\":\"s1\",\"source\":\"a\","
            "\"timestamp\":\"%s\"}",
            times[i].input);
        snprintf(
            want, sizeof want,
            "{\"payload\":{},\"payload_type\":\"T\",\"schema_version\":\"0.9\",\"signal_id\":\"s1\",\"source\":\"a\","
            "\"timestamp\":\"%s\"}",
            times[i].stored);
        is_text(canonical(line), want, "timestamp %s", times[i].input);
    }
    is_text(canonical(
                "{\"payload\":{\"timestamp\":\"x\",\"n\":[1.10, -0, 1e400]},\"source\":\"a\",\"signal_id\":\"s1\","
                "\"payload_type\":\"T\",\"timestamp\":\"2026-02-05T10:00:00Z\"}"),
            "{\"payload\":{\"n\":[1.10,-0,1e400],\"timestamp\":\"x\"},\"payload_type\":\"T\"," TAIL(
                "2026-02-05T10:00:00Z"),
            "inside the payload nothing but the layout changes");
    is_text(canonical("{\"schema_version\":\"0.1\"," SIGNAL "}"),
            "{\"payload\":{},\"payload_type\":\"T\",\"schema_version\":\"0.1\",\"signal_id\":\"s1\",\"source\":\"a\","
            "\"timestamp\":\"2026-02-05T10:00:00Z\"}",
            "a schema version that is there stays");
}

static void test_canonical_needs_its_schema(void)
{
    const char *line =
        "{\"payload\":{},\"payload_type\":\"T\",\"signal_id\":\"s1\",\"source\":\"a\",\"timestamp\":\"2026-02-05T10:"
        "00:00Z\"}";
    is_text(canonical(line), "{\"payload\":{},\"payload_type\":\"T\"," TAIL("2026-02-05T10:00:00Z"),
            "a canonical line without a schema version is not stored as it is");
}

static void test_canonical_is_stable(void)
{
    char once[1024];
    struct bytes scratch = {0};
    struct event event;
    bool borrows = false;
    snprintf(once, sizeof once, "%s", canonical("{" EMISSION ",\"payload\":\"\xc3\xa9\",\"\\u0041\":1}"));
    is_int(event_check(once, strlen(once), &everything, &scratch, &event, &borrows, NULL), STATUS_OK, "read again");
    ok(borrows, "what was made canonical is canonical");
    is_piece(event.caused_by, "\"s1\"", "an emission has its cause");
    is_piece(event.source, "(absent)", "and no source");
    bytes_release(&scratch);
}

int main(void)
{
    test_messages();
    test_faults();
    test_long_value();
    test_kinds();
    test_limits();
    test_canonical_is_borrowed();
    test_canonical_is_made();
    test_canonical_needs_its_schema();
    test_canonical_is_stable();
    return done();
}
