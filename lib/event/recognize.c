#include "event/event.h"

/* Says why a line is no event of the kinds, in terms of the kind whose id it has. */
static enum status refuse(const char *line, size_t length, unsigned kinds, const struct json_fault *faults,
                          struct error *err)
{
    static const struct json_key keys[EVENT_KINDS] = {JSON_KEY("signal_id"), JSON_KEY("emission_id")};
    char text[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    struct json_text ids[EVENT_KINDS] = {0};
    struct json_scanned scan;
    bool only_signals = kinds == KIND_BIT(EVENT_SIGNAL), only_emissions = kinds == KIND_BIT(EVENT_EMISSION);
    enum event_kind kind = only_emissions ? EVENT_EMISSION : EVENT_SIGNAL;
    enum status status = json_scan(line, length, JSON_STORED, keys, EVENT_KINDS, ids, &scan);
    if (status == STATUS_IO)
        return error_set_memory(err);
    if (status == STATUS_OK && scan.type == JSON_OBJECT) {
        struct json_text other = ids[EVENT_SIGNAL].data ? ids[EVENT_SIGNAL] : ids[EVENT_EMISSION];
        if (!other.data)
            return error_set(err, STATUS_INVALID, "is no event: neither signal_id nor emission_id: %s",
                             json_quote(quoted, line, length));
        if (!ids[kind].data && (only_signals || only_emissions))
            return error_set(err, STATUS_INVALID, "is %s are accepted: %s",
                             only_signals ? "an emission, but only signals" : "a signal, but only emissions",
                             json_quote(quoted, other.data, other.length));
        kind = ids[kind].data ? kind : EVENT_EMISSION;
    }
    return error_set(err, STATUS_INVALID, "is no event: %s", json_fault_tell(&faults[kind], line, text));
}

enum status event_recognize(const char *line, size_t length, unsigned *kinds, struct event *ret_event, bool *ret_blank,
                            struct error *err)
{
    struct json_fault faults[EVENT_KINDS];
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
        if (!(*kinds & KIND_BIT(kind)))
            continue;
        enum event_verdict verdict = event_read(line, length, kind, false, ret_event, &faults[kind]);
        *ret_blank = verdict == EVENT_BLANK;
        if (verdict == EVENT_NO_MEMORY)
            return error_set_memory(err);
        if (verdict == EVENT_GOOD)
            *kinds = KIND_BIT(kind);
        if (verdict != EVENT_DAMAGED)
            return STATUS_OK;
    }
    return refuse(line, length, *kinds, faults, err);
}
