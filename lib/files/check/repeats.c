#include <string.h>

#include "files/check/state.h"

#define MERGE_AT ((size_t)1 << 20) /* staged entries, 16 MiB, after which they are put in order */
#define FIRSTS   1024              /* first records that are remembered, by the hash of their id */

static enum status note_repeat(void *context, uint64_t value, struct error *err)
{
    struct check *check = context;
    return entries_add(&check->repeated, (struct entry){0, value}) ? STATUS_OK : error_set_memory(err);
}

enum status check_note_id(struct check *check, const struct event *event, uint32_t number, uint64_t offset,
                          struct error *err)
{
    struct index *ids = check->ids;
    uint64_t hash;
    if (!event_id_hash(event, index_seed(ids), &check->scratch, &hash))
        return error_set_memory(err);
    if (!index_facts(ids, number)) {
        struct partition_facts all = {.partition = number, .known = INDEX_OFFSET_LIMIT};
        if (index_put_facts(ids, &all, err) != STATUS_OK)
            return STATUS_IO;
    }
    enum status status = index_add(ids, INDEX_IDS, (struct entry){hash, index_value(number, 0, offset)}, err);
    if (status != STATUS_OK)
        return status;
    if (index_unmerged(ids) >= MERGE_AT)
        status = index_merge(ids, note_repeat, check, err);
    return status;
}

/* Reads lines of one partition after the other, and knows their numbers where they are asked for in their order. */
struct reader {
    struct check *check;
    struct partition *partition; /* NULL: none is open */
    uint32_t number;
    uint64_t offset, line; /* the line that starts at `offset` has this number */
    struct bytes text, block;
};

/* Reads an event, which is valid until the next one is read. STATUS_ABSENT: there is none any more. */
static enum status read_event(struct reader *reader, uint64_t value, struct event *ret_event, struct error *err)
{
    uint32_t number = index_value_partition(value);
    enum event_kind kind = partition_number_kind(number);
    struct bytes *text = &reader->text;
    enum status status = STATUS_OK;
    uint64_t end;
    if (!reader->partition || reader->number != number) {
        partition_close(reader->partition);
        reader->partition = NULL;
        status = catalog_open_partition(reader->check->store, number, &reader->partition, err);
        reader->number = number;
        reader->offset = 0;
        reader->line = 1;
    }
    if (status != STATUS_OK)
        return status;
    status = partition_read_line(reader->partition, index_value_offset(value), UINT64_MAX, text, &end, err);
    if (status != STATUS_OK)
        return status;
    enum event_verdict verdict = event_read(text->data, text->length, kind, false, ret_event, NULL);
    return verdict == EVENT_NO_MEMORY ? error_set_memory(err) : verdict == EVENT_GOOD ? STATUS_OK : STATUS_ABSENT;
}

/* Moves reader->line on to the line that begins at `offset`. */
static enum status count_lines(struct reader *reader, uint64_t offset, struct error *err)
{
    struct chunk chunk = {.length = 1};
    while (reader->offset < offset && chunk.length > 0) {
        enum status status = partition_read_forward(reader->partition, reader->offset, offset, PARTITION_BLOCK,
                                                    &reader->block, &chunk, err);
        if (status != STATUS_OK)
            return status;
        for (const char *at = chunk.data, *end = at + chunk.length;
             at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
            reader->line++;
        reader->offset += chunk.length;
    }
    return STATUS_OK;
}

/* Goes through the repetitions. */
struct search {
    struct check *check;
    struct reader here, there;
    struct entry firsts[FIRSTS]; /* {hash, value}: an id that stands here often is looked up once */
};

static enum status has_same_id(struct search *search, uint64_t value, const struct event *event, bool *ret_same,
                               struct error *err)
{
    struct event other;
    enum status status = read_event(&search->there, value, &other, err);
    *ret_same = status == STATUS_OK && json_string_same(event->id, other.id);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* Equal hashes are a suspicion; equal ids prove it. STATUS_ABSENT: no such record stands before this one. */
static enum status find_first(struct search *search, const struct event *event, uint64_t value, uint64_t hash,
                              uint64_t *ret_first, struct error *err)
{
    struct entry *known = &search->firsts[hash % FIRSTS];
    struct entries matches = {0};
    bool same = false;
    *ret_first = known->value;
    enum status status = STATUS_OK;
    if (known->key == hash && known->value < value)
        status = has_same_id(search, known->value, event, &same, err);
    if (status == STATUS_OK && !same)
        status = index_find(search->check->ids, INDEX_IDS, hash, &matches, err);
    for (size_t i = 0; status == STATUS_OK && !same && i < matches.count && matches.data[i].value < value; i++) {
        *ret_first = matches.data[i].value;
        status = has_same_id(search, *ret_first, event, &same, err);
    }
    if (same)
        *known = (struct entry){hash, *ret_first};
    entries_release(&matches);
    return status == STATUS_OK && !same ? STATUS_ABSENT : status;
}

static enum status check_repeat(struct search *search, uint64_t value, struct error *err)
{
    struct check *check = search->check;
    struct event event;
    uint64_t hash, first, offset = index_value_offset(value);
    char quoted[QUOTED_SIZE];
    enum status status = read_event(&search->here, value, &event, err);
    if (status != STATUS_OK)
        return status;
    if (!event_id_hash(&event, index_seed(check->ids), &check->scratch, &hash))
        return error_set_memory(err);
    if ((status = find_first(search, &event, value, hash, &first, err)) != STATUS_OK ||
        (status = count_lines(&search->here, offset, err)) != STATUS_OK)
        return status;
    const char *path = check_path(check, index_value_partition(first));
    if (!path)
        return error_set_memory(err);
    check_report(check, partition_label(search->here.partition), search->here.line, offset,
                 "%s %s stands in %s already, at byte %llu", event.kind == EVENT_SIGNAL ? "signal_id" : "emission_id",
                 quote_bytes(quoted, event.id.data + 1, event.id.length - 2), path,
                 (unsigned long long)index_value_offset(first));
    struct checked *row = check_find(check, index_value_partition(value));
    const struct checked *other = check_find(check, index_value_partition(first));
    row->repeated += offset < row->indexed && index_value_offset(first) < other->indexed;
    return STATUS_OK;
}

static void reader_release(struct reader *reader)
{
    partition_close(reader->partition);
    bytes_release(&reader->text);
    bytes_release(&reader->block);
}

enum status check_repeats(struct check *check, struct error *err)
{
    struct search search = {.check = check, .here = {.check = check}, .there = {.check = check}};
    enum status status = index_merge(check->ids, note_repeat, check, err);
    entries_sort(&check->repeated);
    for (size_t i = 0; i < check->repeated.count && status == STATUS_OK && !check_is_interrupted(check); i++) {
        struct error why;
        enum status found = check_repeat(&search, check->repeated.data[i].value, &why);
        if (found != STATUS_OK && found != STATUS_ABSENT)
            check_fail(check, &why);
    }
    reader_release(&search.here);
    reader_release(&search.there);
    return status;
}
