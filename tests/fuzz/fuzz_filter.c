/*
 * Entity and where specs: the first line of the input is the spec, the rest an event line. Whatever the spec means, an
 * event that matches passes the quick look, and has one of the keys by which the index would find it.
 */
#include "event/event.h"
#include "event/filter.h"
#include "fuzz.h"

#define SEED 7

struct key_search {
    struct filter_keys keys;
    bool found;
};

static void look_for_key(void *context, uint64_t key, bool block)
{
    struct key_search *search = context;
    (void)block;
    for (size_t i = 0; i < search->keys.count; i++)
        search->found |= search->keys.keys[i] == key;
}

static bool matches(const struct filter *filter, const struct event *event)
{
    bool answer = false;
    require(filter_matches(filter, event, &answer));
    return answer;
}

static void check_keys(struct filter *filter, const struct event *event)
{
    struct key_search search = {.keys = filter_index_keys(filter, event->kind, SEED)};
    struct bytes scratch = {0};
    uint64_t id;
    if (search.keys.count == 0 || !matches(filter, event))
        return;
    require(event_id_hash(event, SEED, &scratch, &id));
    require(event_index_keys(event, SEED, &scratch, look_for_key, &search));
    look_for_key(&search, id, false);
    require(search.found);
    bytes_release(&scratch);
}

static void check_line(struct filter *filter, const char *line, size_t length)
{
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        struct event event;
        if (event_read(line, length, (enum event_kind)kind, false, &event, NULL) != EVENT_GOOD)
            continue;
        size_t at = 1;
        bool may = filter_may_match(filter, line, length, &at);
        require(!matches(filter, &event) || (may && at == 0));
        check_keys(filter, &event);
    }
    filter_may_match(filter, line, length, NULL);
}

typedef enum status add_spec(struct filter *filter, const char *spec, struct error *err);

static void check_spec(add_spec *add, const char *spec, const char *line, size_t length)
{
    struct filter *filter = filter_new();
    struct error err = {.text = ""};
    require(filter);
    enum status status = add(filter, spec, &err);
    require(status == STATUS_OK || (status == STATUS_USAGE && err.text[0] && !strchr(err.text, '\n')));
    require(filter_is_empty(filter) == (status != STATUS_OK));
    if (status == STATUS_OK)
        check_line(filter, line, length);
    filter_free(filter);
}

static enum status add_source_and_type(struct filter *filter, const char *spec, struct error *err)
{
    enum status status = filter_add(filter, FILTER_STAGE, spec, err);
    return status == STATUS_OK ? filter_add(filter, FILTER_SOURCE, spec, err) : status;
}

static enum status add_type(struct filter *filter, const char *spec, struct error *err)
{
    return filter_add(filter, FILTER_TYPE, spec, err);
}

static enum status add_id(struct filter *filter, const char *spec, struct error *err)
{
    return filter_add(filter, FILTER_ID, spec, err);
}

static enum status add_cause(struct filter *filter, const char *spec, struct error *err)
{
    return filter_add(filter, FILTER_CAUSED_BY, spec, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static add_spec *const adds[] = {filter_add_entity, filter_add_where, filter_add_number, add_source_and_type,
                                     add_type,          add_id,           add_cause};
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t spec_length = newline ? (size_t)(newline - data) : size, rest = newline ? size - spec_length - 1 : 0;
    const uint8_t *line_end = rest > 0 ? memchr(newline + 1, '\n', rest) : NULL;
    if (line_end) /* JSON's white space, but never within a line */
        rest = (size_t)(line_end - newline) - 1;
    char *spec = malloc(spec_length + 1), *line = malloc(rest ? rest : 1);
    require(spec && line);
    memcpy(spec, data, spec_length);
    spec[spec_length] = '\0';
    if (rest > 0)
        memcpy(line, newline + 1, rest);
    for (size_t i = 0; i < sizeof adds / sizeof *adds; i++)
        check_spec(adds[i], spec, line, rest);
    free(spec);
    free(line);
    return 0;
}
