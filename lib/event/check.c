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

/* A value for a message: a string's text in quotes, anything else as it stands. */
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

static enum status need_string(const struct input *in, int member, struct error *err)
{
    if (json_type(in->members[member]) == JSON_STRING)
        return STATUS_OK;
    return wrong(keys[member].name, "a string", in->members[member], err);
}

static enum status need_text(const struct input *in, int member, struct error *err)
{
    struct json_text value = in->members[member];
    if (json_type(value) == JSON_STRING && !json_string_is_empty(value))
        return STATUS_OK;
    return wrong(keys[member].name, "a non-empty string", value, err);
}

static enum status allow_object(const struct input *in, int member, struct error *err)
{
    enum json_type type = json_type(in->members[member]);
    if (type == JSON_ABSENT || type == JSON_NULL || type == JSON_OBJECT)
        return STATUS_OK;
    return wrong(keys[member].name, "an object or null", in->members[member], err);
}

static enum status check_entity_refs(struct json_text refs, struct error *err)
{
    if (!refs.data)
        return STATUS_OK;
    if (json_type(refs) != JSON_ARRAY)
        return wrong(keys[ENTITY_REFS].name, "an array of objects", refs, err);
    struct json_walk walk = json_walk_start(refs);
    struct json_text element;
    char buffer[QUOTED_SIZE];
    for (size_t i = 0; json_walk_element(&walk, &element); i++)
        if (json_type(element) != JSON_OBJECT)
            return error_set(err, STATUS_INVALID, "entity_refs[%zu]: must be an object, not %s", i,
                             shown(buffer, element));
    return STATUS_OK;
}

static enum status check_time_text(const char *text, size_t length, struct input *in, struct error *err)
{
    char buffer[QUOTED_SIZE];
    if (!timestamp_parse_any_year(text, length, &in->timestamp))
        return error_set(err, STATUS_INVALID, "timestamp: not an RFC 3339 time: %s", quote_bytes(buffer, text, length));
    if (!timestamp_is_valid(in->timestamp))
        return error_set(err, STATUS_INVALID, "timestamp: outside the years 0001-9999: %s",
                         quote_bytes(buffer, text, length));
    return STATUS_OK;
}

static enum status check_timestamp(struct input *in, struct error *err)
{
    struct json_text string = in->members[TIMESTAMP];
    enum status status = need_string(in, TIMESTAMP, err);
    if (status != STATUS_OK)
        return status;
    if (!memchr(string.data, '\\', string.length))
        return check_time_text(string.data + 1, string.length - 2, in, err);
    struct bytes decoded = {0};
    struct json_text text;
    status = json_string_decode(string, &decoded, &text) ? check_time_text(text.data, text.length, in, err)
                                                         : error_set_memory(err);
    bytes_release(&decoded);
    return status;
}

/* Which kind it is, by its id, and whether that is wanted. */
static enum status check_kind(struct json_text text, struct input *in, unsigned kinds, struct error *err)
{
    char quoted[QUOTED_SIZE], other[QUOTED_SIZE];
    bool is_signal = in->members[SIGNAL_ID].data != NULL;
    bool is_emission = in->members[EMISSION_ID].data != NULL;
    if (is_signal && is_emission)
        return error_set(err, STATUS_INVALID, "both signal_id and emission_id: %s and %s",
                         shown(quoted, in->members[SIGNAL_ID]), shown(other, in->members[EMISSION_ID]));
    if (!is_signal && !is_emission)
        return error_set(err, STATUS_INVALID, "neither signal_id nor emission_id: %s",
                         json_quote(quoted, text.data, text.length));
    in->kind = is_signal ? EVENT_SIGNAL : EVENT_EMISSION;
    if (kinds & KIND_BIT(in->kind))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     is_signal ? "a signal, but only emissions are accepted: %s"
                               : "an emission, but only signals are accepted: %s",
                     shown(quoted, in->members[is_signal ? SIGNAL_ID : EMISSION_ID]));
}

static enum status check_members(struct input *in, struct error *err)
{
    bool is_signal = in->kind == EVENT_SIGNAL;
    enum status status = need_text(in, is_signal ? SIGNAL_ID : EMISSION_ID, err);
    if (status == STATUS_OK)
        status = check_timestamp(in, err);
    if (status == STATUS_OK)
        status = need_string(in, is_signal ? SOURCE : CAUSED_BY, err);
    if (status == STATUS_OK)
        status = need_string(in, is_signal ? PAYLOAD_TYPE : EMISSION_TYPE, err);
    if (status == STATUS_OK && !in->members[PAYLOAD].data)
        status = wrong(keys[PAYLOAD].name, "there", in->members[PAYLOAD], err);
    if (status == STATUS_OK && in->members[SCHEMA_VERSION].data)
        status = need_text(in, SCHEMA_VERSION, err);
    if (status == STATUS_OK)
        status = check_entity_refs(in->members[ENTITY_REFS], err);
    if (status == STATUS_OK)
        status = allow_object(in, TRACE, err);
    if (status == STATUS_OK)
        status = allow_object(in, RAW, err);
    return status;
}

/* Validates the text as one JSON object. */
static enum status scan_line(struct json_text text, struct input *in, struct error *err)
{
    struct json_scan scan;
    char told[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    enum status status = json_scan(text.data, text.length, JSON_STRICT, keys, MEMBERS, in->members, &scan);
    if (status == STATUS_IO)
        return error_set_memory(err);
    if (status != STATUS_OK)
        return error_set(err, STATUS_INVALID, "invalid JSON at byte %zu: %s", scan.fault.offset + 1,
                         json_fault_tell(&scan.fault, text.data, told));
    if (scan.type != JSON_OBJECT)
        return error_set(err, STATUS_INVALID, "not a JSON object: %s", json_quote(quoted, text.data, text.length));
    in->canonical = scan.canonical;
    return STATUS_OK;
}

/* A time that was read and has no escape stands as timestamp_format() would write it. */
static bool is_canonical_time(struct json_text string)
{
    const char *text = string.data + 1;
    size_t length = string.length - 2;
    bool whole = length == 20, fraction = length == 27 && text[19] == '.' && memcmp(text + 20, "000000", 6) != 0;
    return (whole || fraction) && text[10] == 'T' && text[length - 1] == 'Z';
}

/* The line may be stored as it is. */
static bool stands_canonical(const struct input *in)
{
    return in->canonical && in->members[SCHEMA_VERSION].data && is_canonical_time(in->members[TIMESTAMP]);
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

/* The event of a line whose members are found. */
static struct event make_event(struct json_text line, const struct input *in)
{
    bool is_signal = in->kind == EVENT_SIGNAL;
    return (struct event){
        .kind = in->kind,
        .timestamp = in->timestamp,
        .line = line.data,
        .length = line.length,
        .id = in->members[is_signal ? SIGNAL_ID : EMISSION_ID],
        .source = is_signal ? in->members[SOURCE] : (struct json_text){0},
        .type = in->members[is_signal ? PAYLOAD_TYPE : EMISSION_TYPE],
        .caused_by = is_signal ? (struct json_text){0} : in->members[CAUSED_BY],
        .payload = in->members[PAYLOAD],
        .entity_refs = in->members[ENTITY_REFS],
    };
}

/* The line without the white space around it. */
static struct json_text trim(const char *line, size_t length)
{
    while (length > 0 && json_is_blank(line + length - 1, 1))
        length--;
    return (struct json_text){line, length};
}

enum status event_refuse_length(const char *line, size_t length, const struct event_rules *rules, struct error *err)
{
    char quoted[QUOTED_SIZE];
    return error_set(err, STATUS_INVALID, "line is longer than %zu bytes: %s", rules->max_line,
                     quote_bytes(quoted, line, length));
}

enum status event_check(const char *line, size_t length, const struct event_rules *rules, struct bytes *scratch,
                        struct event *ret_event, bool *ret_borrows_line, struct error *err)
{
    if (length > rules->max_line)
        return event_refuse_length(line, length, rules, err);
    struct json_text text = trim(line, length);
    struct input in = {0};
    enum status status = scan_line(text, &in, err);
    if (status == STATUS_OK)
        status = check_kind(text, &in, rules->kinds, err);
    if (status == STATUS_OK)
        status = check_members(&in, err);
    if (status != STATUS_OK)
        return status;
    bool borrows = stands_canonical(&in);
    if (!borrows) {
        status = write_canonical(text, &in, rules->max_line, scratch, &text, err);
        if (status != STATUS_OK)
            return status;
        json_find(text.data, text.length, keys, MEMBERS, in.members);
    }
    *ret_event = make_event(text, &in);
    *ret_borrows_line = borrows;
    return STATUS_OK;
}
