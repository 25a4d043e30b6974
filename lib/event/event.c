#include "event/event.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/timestamp.h"

/* What is looked for in a stored line, in the order of the keys below. */
enum { MEMBER_ID, MEMBER_TIMESTAMP, MEMBER_ORIGIN, MEMBER_TYPE, MEMBER_PAYLOAD, MEMBER_ENTITIES, MEMBERS };
static const struct json_key member_keys[EVENT_KINDS][MEMBERS] = {
    {JSON_KEY("signal_id"), JSON_KEY("timestamp"), JSON_KEY("source"), JSON_KEY("payload_type"), JSON_KEY("payload"),
     JSON_KEY("entity_refs")},
    {JSON_KEY("emission_id"), JSON_KEY("timestamp"), JSON_KEY("caused_by"), JSON_KEY("emission_type"),
     JSON_KEY("payload"), JSON_KEY("entity_refs")},
};

const char *event_kind_name(enum event_kind kind)
{
    return kind == EVENT_SIGNAL ? "signals" : "emissions";
}

static enum event_verdict damaged(struct json_fault *fault, const char *line, struct json_text at, const char *member,
                                  const char *what)
{
    if (fault) {
        fault->offset = at.data ? (size_t)(at.data - line) : 0;
        fault->length = at.length;
        snprintf(fault->what, sizeof fault->what, "%s: %s", member, what);
    }
    return EVENT_DAMAGED;
}

/* The time in a JSON string. */
static enum event_verdict read_timestamp(struct json_text string, int64_t *ret_time)
{
    if (json_type(string) != JSON_STRING)
        return EVENT_DAMAGED;
    if (!memchr(string.data, '\\', string.length))
        return timestamp_parse_stored(string.data + 1, string.length - 2, ret_time) ? EVENT_GOOD : EVENT_DAMAGED;
    struct bytes decoded = {0};
    struct json_text text;
    enum event_verdict verdict = EVENT_NO_MEMORY;
    if (json_string_decode(string, &decoded, &text))
        verdict = timestamp_parse_stored(text.data, text.length, ret_time) ? EVENT_GOOD : EVENT_DAMAGED;
    bytes_release(&decoded);
    return verdict;
}

enum event_verdict event_read(const char *line, size_t length, enum event_kind kind, bool known_good,
                              struct event *ret_event, struct json_fault *fault)
{
    const struct json_key *keys = member_keys[kind];
    struct json_text found[MEMBERS] = {0};
    if (known_good) {
        json_find(line, length, keys, MEMBERS, found);
    } else if (json_is_blank(line, length)) {
        return EVENT_BLANK;
    } else {
        struct json_scanned scan;
        enum status status = json_scan(line, length, JSON_STORED, keys, MEMBERS, found, &scan);
        if (status == STATUS_IO)
            return EVENT_NO_MEMORY;
        if (status != STATUS_OK || scan.type != JSON_OBJECT) {
            if (fault)
                *fault = status == STATUS_OK ? (struct json_fault){0, length, "not a JSON object"} : scan.fault;
            return EVENT_DAMAGED;
        }
    }
    struct json_text id = found[MEMBER_ID], time_text = found[MEMBER_TIMESTAMP];
    if (json_type(id) != JSON_STRING || json_string_is_empty(id))
        return damaged(fault, line, id, keys[MEMBER_ID].name, id.data ? "not a non-empty string" : "missing");
    int64_t timestamp;
    enum event_verdict verdict = read_timestamp(time_text, &timestamp);
    if (verdict == EVENT_DAMAGED)
        damaged(fault, line, time_text, keys[MEMBER_TIMESTAMP].name, time_text.data ? "not a time" : "missing");
    if (verdict != EVENT_GOOD)
        return verdict;
    bool is_signal = kind == EVENT_SIGNAL, has_array = json_type(found[MEMBER_ENTITIES]) == JSON_ARRAY;
    *ret_event = (struct event){
        .kind = kind,
        .timestamp = timestamp,
        .line = line,
        .length = length,
        .id = id,
        .source = is_signal ? found[MEMBER_ORIGIN] : (struct json_text){0},
        .type = found[MEMBER_TYPE],
        .caused_by = is_signal ? (struct json_text){0} : found[MEMBER_ORIGIN],
        .payload = found[MEMBER_PAYLOAD],
        .entity_refs = has_array ? found[MEMBER_ENTITIES] : (struct json_text){0},
    };
    return EVENT_GOOD;
}

static void rebase(struct json_text *piece, const char *from, const char *to)
{
    if (piece->data)
        piece->data = to + (piece->data - from);
}

void event_rebase(struct event *event, const char *line)
{
    rebase(&event->id, event->line, line);
    rebase(&event->source, event->line, line);
    rebase(&event->type, event->line, line);
    rebase(&event->caused_by, event->line, line);
    rebase(&event->payload, event->line, line);
    rebase(&event->entity_refs, event->line, line);
    event->line = line;
}

struct json_text event_payload_at(const struct event *event, const char *path, size_t length)
{
    struct json_text value = event->payload;
    for (const char *at = path, *end = path + length;; at++) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot ? dot : end;
        value = json_member(value, at, (size_t)(stop - at));
        if (!dot || !value.data)
            return value;
        at = dot;
    }
}

uint64_t event_id_hash_of(enum event_kind kind, const char *id, size_t length, uint64_t seed)
{
    return hash_bytes(id, length, seed ^ (UINT64_C(0x9e3779b97f4a7c15) * (kind + 1)));
}

bool event_id_hash(const struct event *event, uint64_t seed, struct bytes *scratch, uint64_t *ret_hash)
{
    struct json_text id;
    if (!json_string_decode(event->id, scratch, &id))
        return false;
    *ret_hash = event_id_hash_of(event->kind, id.data, id.length, seed);
    return true;
}
