/*
 * An event line: what event_check() takes is stored in a form that is its own canonical form and that is read again as
 * the same event, checked or known to be good; what a filter matches, its quick look lets through.
 */
#include "event/event.h"
#include "event/filter.h"
#include "fuzz.h"
#include "samples.h"

static bool same_text(struct json_text a, struct json_text b)
{
    if (!a.data || !b.data)
        return a.data == b.data;
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static void check_same(const struct event *a, const struct event *b)
{
    require(a->kind == b->kind && a->timestamp == b->timestamp);
    require(same_text(a->id, b->id) && same_text(a->source, b->source) && same_text(a->type, b->type));
    require(same_text(a->caused_by, b->caused_by) && same_text(a->payload, b->payload));
    require(same_text(a->entity_refs, b->entity_refs));
}

static void keep_key(void *context, uint64_t key, bool block)
{
    *(uint64_t *)context ^= key ^ block;
}

static bool matches(const struct filter *filter, const struct event *event)
{
    bool answer = false;
    require(filter_matches(filter, event, &answer));
    return answer;
}

static bool conflicts(const struct event *a, const struct event *b)
{
    bool answer = true;
    require(event_conflicts(a, b, &answer));
    return answer;
}

/* Every accessor, for the sanitizers to watch. */
static void look_around(const struct event *event)
{
    struct bytes scratch = {0};
    uint64_t hash, keys = 0;
    struct entity_ref ref;
    struct json_walk walk = event_entities(event);
    while (event_next_entity(&walk, &ref))
        require(ref.object.data >= event->line && ref.object.length <= event->length);
    event_has_entity(event);
    event_payload_at(event, "a.b", 3);
    require(event_id_hash(event, 1, &scratch, &hash));
    require(event_index_keys(event, 1, &scratch, keep_key, &keys));
    for (size_t i = 0; i < SAMPLE_FILTERS; i++)
        matches(sample_filter(i), event);
    conflicts(event, event);
    bytes_release(&scratch);
}

/* A whole line, with its newline, as it stands in a block of a partition. */
static void check_filters(const struct event *event)
{
    char *block = malloc(event->length + 1);
    require(block);
    memcpy(block, event->line, event->length);
    block[event->length] = '\n';
    for (size_t i = 0; i < SAMPLE_FILTERS; i++) {
        size_t at = 1;
        bool may = filter_may_match(sample_filter(i), block, event->length + 1, &at);
        require(!matches(sample_filter(i), event) || (may && at == 0));
    }
    free(block);
}

static void check_stored(const char *line, size_t length)
{
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        struct event event, known;
        struct json_fault fault;
        enum event_verdict verdict = event_read(line, length, (enum event_kind)kind, false, &event, &fault);
        require(verdict != EVENT_DAMAGED || (fault.offset <= length && fault.what[0]));
        /* Bytes that were good when they were looked at may be others by now. */
        enum event_verdict as_known = event_read(line, length, (enum event_kind)kind, true, &known, NULL);
        if (as_known == EVENT_GOOD)
            look_around(&known);
        if (verdict != EVENT_GOOD)
            continue;
        require(as_known == EVENT_GOOD);
        check_same(&event, &known);
        look_around(&event);
        if (!memchr(line, '\n', length))
            check_filters(&event);
    }
}

static void check_canonical(const struct event *event, const struct event_rules *rules)
{
    struct bytes scratch = {0};
    struct event again, stored;
    bool borrows;
    require(event_check(event->line, event->length, rules, &scratch, &again, &borrows, NULL) == STATUS_OK);
    require(borrows && again.length == event->length && scratch.length == 0);
    check_same(event, &again);
    require(!conflicts(event, &again));
    require(event_read(event->line, event->length, event->kind, false, &stored, NULL) == EVENT_GOOD);
    check_same(event, &stored);
    check_stored(event->line, event->length);
    bytes_release(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data;
    const struct event_rules rules = {KIND_BITS_ALL, EVENT_MAX_LINE};
    struct bytes scratch = {0};
    struct event event;
    struct error err = {.text = ""};
    bool borrows;
    enum status status = event_check(line, size, &rules, &scratch, &event, &borrows, &err);
    require(status == STATUS_OK || (status == STATUS_INVALID && err.text[0] && !strchr(err.text, '\n')));
    if (status == STATUS_OK) {
        require(borrows ? event.line == line : event.line == scratch.data);
        check_canonical(&event, &rules);
        struct event stored;
        require(event_read(line, size, event.kind, false, &stored, NULL) == EVENT_GOOD);
        require(stored.timestamp == event.timestamp && json_string_same(stored.id, event.id));
        require(!conflicts(&stored, &event));
    }
    check_stored(line, size);
    bytes_release(&scratch);
    return 0;
}
