#include <string.h>

#include "base/timestamp.h"
#include "event/event.h"

enum {
    SIGNAL_ID,
    EMISSION_ID,
    TIMESTAMP,
    SOURCE,
    PAYLOAD_TYPE,
    EMISSION_TYPE,
    CAUSED_BY,
    PAYLOAD,
    ENTITY_REFS,
    TRACE,
    RAW,
    SCHEMA_VERSION,
    MEMBERS,
};
static const struct json_key keys[MEMBERS] = {
    [SIGNAL_ID] = JSON_KEY("signal_id"),
    [EMISSION_ID] = JSON_KEY("emission_id"),
    [TIMESTAMP] = JSON_KEY("timestamp"),
    [SOURCE] = JSON_KEY("source"),
    [PAYLOAD_TYPE] = JSON_KEY("payload_type"),
    [EMISSION_TYPE] = JSON_KEY("emission_type"),
    [CAUSED_BY] = JSON_KEY("caused_by"),
    [PAYLOAD] = JSON_KEY("payload"),
    [ENTITY_REFS] = JSON_KEY("entity_refs"),
    [TRACE] = JSON_KEY("trace"),
    [RAW] = JSON_KEY("raw"),
    [SCHEMA_VERSION] = JSON_KEY("schema_version"),
};

#define DEFAULT_SCHEMA_VERSION "\"0.9\""

/* The members of a line, and what its timestamp says. */
struct input {
    struct json_text members[MEMBERS];
    enum event_kind kind;
    int64_t timestamp;
    bool canonical; /* the text of the line, whatever its members say */
};

/* A value for a message: a string's text in quotes, anything else unchanged. */
static const char *shown(char buffer[static QUOTED_SIZE], struct json_text value)
{
    if (json_type(value) == JSON_STRING)
        return quote_bytes(buffer, value.data + 1, value.length - 2);
    quote_bytes(buffer, value.data, value.length);
    buffer[strlen(buffer) - 1] = '\0';
    return buffer + 1;
}

static enum status wrong(const char *name, const char *must, struct json_text value, struct error *err)
{
    char buffer[QUOTED_SIZE];
    if (!value.data)
        return error_set(err, STATUS_INVALID, "%s: missing", name);
    return error_set(err, STATUS_INVALID, "%s: must be %s, not %s", name, must, shown(buffer, value));
}

static enum status check_entity_refs(struct json_text refs, struct error *err)
{
    struct json_walk walk = refs.data ? json_walk_start(refs) : (struct json_walk){0};
    struct json_text element;
    char buffer[QUOTED_SIZE];
    for (size_t i = 0; json_walk_element(&walk, &element); i++)
        if (json_type(element) != JSON_OBJECT)
            return error_set(err, STATUS_INVALID, "entity_refs[%zu]: must be an object, not %s", i,
                             shown(buffer, element));
    return STATUS_OK;
}

static enum status check_timestamp(struct input *in, struct error *err)
{
    struct json_text string = in->members[TIMESTAMP], text = {string.data + 1, string.length - 2};
    struct bytes decoded = {0};
    char buffer[QUOTED_SIZE];
    enum status status = STATUS_OK;
    if (memchr(string.data, '\\', string.length) && !json_string_decode(string, &decoded, &text))
        status = error_set_memory(err);
    else if (!timestamp_parse_any_year(text.data, text.length, &in->timestamp))
        status = error_set(err, STATUS_INVALID, "timestamp: not an RFC 3339 time: %s",
                           quote_bytes(buffer, text.data, text.length));
    else if (!timestamp_is_valid(in->timestamp))
        status = error_set(err, STATUS_INVALID, "timestamp: outside the years 0001-9999: %s",
                           quote_bytes(buffer, text.data, text.length));
    bytes_release(&decoded);
    return status;
}

#define ONE_OF(type) (1u << (type))

/* SPEC section 3: the members that input must have, and what the optional ones may be. */
static enum status check_members(struct input *in, struct error *err)
{
    const unsigned optional = ONE_OF(JSON_ABSENT), string = ONE_OF(JSON_STRING);
    const unsigned object = ONE_OF(JSON_OBJECT) | ONE_OF(JSON_NULL) | optional;
    const bool is_signal = in->kind == EVENT_SIGNAL;
    const struct {
        int member;
        unsigned types;
        const char *must;
        bool not_empty;
    } rules[] = {
        {is_signal ? SIGNAL_ID : EMISSION_ID, string, "a non-empty string", true},
        {TIMESTAMP, string, "a string", false},
        {is_signal ? SOURCE : CAUSED_BY, string, "a string", false},
        {is_signal ? PAYLOAD_TYPE : EMISSION_TYPE, string, "a string", false},
        {PAYLOAD, ~optional, "there", false},
        {SCHEMA_VERSION, string | optional, "a non-empty string", true},
        {ENTITY_REFS, ONE_OF(JSON_ARRAY) | optional, "an array of objects", false},
        {TRACE, object, "an object or null", false},
        {RAW, object, "an object or null", false},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        int member = rules[i].member;
        struct json_text value = in->members[member];
        bool empty = rules[i].not_empty && value.data && json_string_is_empty(value);
        if (!(rules[i].types & ONE_OF(json_type(value))) || empty)
            return wrong(keys[member].name, rules[i].must, value, err);
        enum status status = member == TIMESTAMP     ? check_timestamp(in, err)
                             : member == ENTITY_REFS ? check_entity_refs(value, err)
                                                     : STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Validates the text as one JSON object, and its kind, which its id tells, as one of `kinds`. */
static enum status scan_line(struct json_text text, unsigned kinds, struct input *in, struct error *err)
{
    struct json_scanned scan;
    char what[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE], other[QUOTED_SIZE];
    enum status status = json_scan(text.data, text.length, JSON_STRICT, keys, MEMBERS, in->members, &scan);
    if (status == STATUS_IO)
        return error_set_memory(err);
    if (status != STATUS_OK)
        return error_set(err, STATUS_INVALID, "invalid JSON at byte %zu: %s", scan.fault.offset + 1,
                         json_fault_tell(&scan.fault, text.data, what));
    if (scan.type != JSON_OBJECT)
        return error_set(err, STATUS_INVALID, "not a JSON object: %s", json_quote(quoted, text.data, text.length));
    in->canonical = scan.canonical;
    struct json_text signal = in->members[SIGNAL_ID], emission = in->members[EMISSION_ID];
    if (signal.data && emission.data)
        return error_set(err, STATUS_INVALID, "both signal_id and emission_id: %s and %s", shown(quoted, signal),
                         shown(other, emission));
    if (!signal.data && !emission.data)
        return error_set(err, STATUS_INVALID, "neither signal_id nor emission_id: %s",
                         json_quote(quoted, text.data, text.length));
    in->kind = signal.data ? EVENT_SIGNAL : EVENT_EMISSION;
    if (kinds & KIND_BIT(in->kind))
        return STATUS_OK;
    if (signal.data)
        return error_set(err, STATUS_INVALID, "a signal, but only emissions are accepted: %s", shown(quoted, signal));
    return error_set(err, STATUS_INVALID, "an emission, but only signals are accepted: %s", shown(quoted, emission));
}

static enum status write_canonical(struct json_text text, const struct input *in, size_t max_line,
                                   struct bytes *scratch, struct json_text *ret_line, struct error *err)
{
    char time[TIMESTAMP_TEXT_SIZE + 2] = "\"", quoted[QUOTED_SIZE];
    size_t time_length = timestamp_format(in->timestamp, time + 1) + 2;
    time[time_length - 1] = '"';
    struct json_override overrides[2] = {
        {keys[TIMESTAMP].name, {time, time_length}},
        {keys[SCHEMA_VERSION].name, {DEFAULT_SCHEMA_VERSION, sizeof DEFAULT_SCHEMA_VERSION - 1}},
    };
    size_t before = scratch->length, count = in->members[SCHEMA_VERSION].data ? 1 : 2;
    enum status status = json_canonical(text, overrides, count, scratch, err);
    if (status != STATUS_OK)
        return status;
    size_t length = scratch->length - before;
    if (length > max_line) {
        scratch->length = before;
        return error_set(err, STATUS_INVALID, "canonical line is longer than %zu bytes: %s", max_line,
                         json_quote(quoted, text.data, text.length));
    }
    *ret_line = (struct json_text){scratch->data + before, length};
    return STATUS_OK;
}

enum status event_refuse_length(const char *line, size_t length, const struct event_rules *rules, struct error *err)
{
    char quoted[QUOTED_SIZE];
    return error_set(err, STATUS_INVALID, "line is longer than %zu bytes: %s", rules->max_line,
                     quote_bytes(quoted, line, length));
}

/* The line may be stored as it is. A valid time of one of these two lengths is spelled as timestamp_format() does. */
static bool is_canonical(const struct input *in)
{
    const char *time = in->members[TIMESTAMP].data + 1;
    size_t length = in->members[TIMESTAMP].length - 2;
    bool whole = length == 20, fraction = length == 27 && time[19] == '.' && memcmp(time + 20, "000000", 6) != 0;
    return in->canonical && in->members[SCHEMA_VERSION].data && (whole || fraction) && time[10] == 'T' &&
           time[length - 1] == 'Z';
}

enum status event_check(const char *line, size_t length, const struct event_rules *rules, struct bytes *scratch,
                        struct event *ret_event, bool *ret_borrows_line, struct error *err)
{
    if (length > rules->max_line)
        return event_refuse_length(line, length, rules, err);
    while (length > 0 && json_is_blank(line + length - 1, 1))
        length--;
    struct json_text text = {line, length};
    struct input in = {0};
    enum status status = scan_line(text, rules->kinds, &in, err);
    if (status != STATUS_OK)
        return status;
    status = check_members(&in, err);
    if (status != STATUS_OK)
        return status;
    *ret_borrows_line = is_canonical(&in);
    if (!*ret_borrows_line) {
        status = write_canonical(text, &in, rules->max_line, scratch, &text, err);
        if (status != STATUS_OK)
            return status;
        json_find(text.data, text.length, keys, MEMBERS, in.members);
    }
    bool is_signal = in.kind == EVENT_SIGNAL;
    *ret_event = (struct event){
        .kind = in.kind,
        .timestamp = in.timestamp,
        .line = text.data,
        .length = text.length,
        .id = in.members[is_signal ? SIGNAL_ID : EMISSION_ID],
        .source = is_signal ? in.members[SOURCE] : (struct json_text){0},
        .type = in.members[is_signal ? PAYLOAD_TYPE : EMISSION_TYPE],
        .caused_by = is_signal ? (struct json_text){0} : in.members[CAUSED_BY],
        .payload = in.members[PAYLOAD],
        .entity_refs = in.members[ENTITY_REFS],
    };
    return STATUS_OK;
}
