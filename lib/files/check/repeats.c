#include <string.h>

#include "files/check/state.h"

#define SETTLE_AT ((size_t)1 << 20) /* staged entries, 16 MiB, after which they are put in order */
#define FIRSTS    1024              /* first records that are remembered, by the hash of their id */

static enum status note_repeat(void *context, uint64_t value, struct error *err)
{
    struct check *check = context;
    return index_entries_add(&check->repeated, (struct index_entry){0, value}) ? STATUS_OK : error_set_memory(err);
}

enum status check_note_id(struct check *check, const struct event *event, uint32_t number, uint64_t offset,
                          struct error *err)
{
    uint64_t hash;
    enum status status = STATUS_OK;
    if (!event_id_hash(event, index_seed(check->ids), &check->scratch, &hash))
        return error_set_memory(err);
    if (!index_facts(check->ids, number)) {
        struct partition_facts all = {.partition = number, .known = INDEX_OFFSET_LIMIT};
        status = index_put_facts(check->ids, &all, err);
    }
    if (status == STATUS_OK)
        status = index_add(check->ids, INDEX_IDS, (struct index_entry){hash, index_value(number, 0, offset)}, err);
    if (status == STATUS_OK && index_unmerged(check->ids) >= SETTLE_AT)
        status = index_merge(check->ids, note_repeat, check, err);
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

static void reader_release(struct reader *reader)
{
    partition_close(reader->partition);
    bytes_release(&reader->text);
    bytes_release(&reader->block);
}

/* STATUS_ABSENT: there is no event any more. The event is valid until the next one is read. */
static enum status read_event(struct reader *reader, uint64_t value, struct event *ret_event, struct error *err)
{
    uint32_t number = index_value_partition(value);
    uint64_t end;
    enum status status = STATUS_OK;
    if (!reader->partition || reader->number != number) {
        partition_close(reader->partition);
        reader->partition = NULL;
        status = catalog_open_partition(reader->check->store, number, &reader->partition, err);
        reader->number = number;
        reader->offset = 0;
        reader->line = 1;
    }
    if (status == STATUS_OK)
        status =
            partition_read_line(reader->partition, index_value_offset(value), UINT64_MAX, &reader->text, &end, err);
    if (status != STATUS_OK)
        return status;
    enum event_kind kind = partition_number_kind(number);
    enum event_verdict verdict = event_read(reader->text.data, reader->text.length, kind, false, ret_event, NULL);
    return verdict == EVENT_NO_MEMORY ? error_set_memory(err) : verdict == EVENT_GOOD ? STATUS_OK : STATUS_ABSENT;
}

static enum status count_lines(struct reader *reader, uint64_t offset, struct error *err)
{
    struct chunk chunk = {.length = 1};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && reader->offset < offset && chunk.length > 0) {
        status = partition_read_forward(reader->partition, reader->offset, offset, PARTITION_BLOCK, &reader->block,
                                        &chunk, err);
        if (status != STATUS_OK)
            break;
        for (const char *at = chunk.data, *end = at + chunk.length;
             at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
            reader->line++;
        reader->offset += chunk.length;
    }
    return status;
}

static bool is_indexed(struct check *check, uint64_t value)
{
    const struct checked *row = check_find(check, index_value_partition(value));
    return row && index_value_offset(value) < row->indexed;
}

/* Replay finds repetitions in the index: where both records are known to it, it must know that they are. */
static enum status expect_repeat(struct check *check, uint64_t value, uint64_t first, struct error *err)
{
    if (!is_indexed(check, value) || !is_indexed(check, first))
        return STATUS_OK;
    struct checked *row = check_find(check, index_value_partition(value));
    if (row->repeats == 0) {
        check_note_missing(check, value);
        return STATUS_OK;
    }
    return check_expect(check, INDEX_REPEATS, row->number, row, index_value_offset(value), err);
}

static enum status report_repeat(struct reader *here, const struct event *event, uint64_t value, uint64_t first,
                                 struct error *err)
{
    struct check *check = here->check;
    char quoted[QUOTED_SIZE];
    enum status status = count_lines(here, index_value_offset(value), err);
    const char *path = check_path(check, index_value_partition(first));
    if (status == STATUS_OK && !path)
        status = error_set_memory(err);
    if (status != STATUS_OK)
        return status;
    check_report(check, partition_label(here->partition), here->line, index_value_offset(value),
                 "%s %s stands in %s already, at byte %llu", event->kind == EVENT_SIGNAL ? "signal_id" : "emission_id",
                 quote_bytes(quoted, event->id.data + 1, event->id.length - 2), path,
                 (unsigned long long)index_value_offset(first));
    return expect_repeat(check, value, first, err);
}

/* Goes through the repetitions. */
struct search {
    struct check *check;
    struct reader here, there;
    struct index_entry firsts[FIRSTS]; /* {hash, value}: an id that stands here often is looked up once */
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
    struct index_entry *known = &search->firsts[hash % FIRSTS];
    struct index_entries matches = {0};
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
        *known = (struct index_entry){hash, *ret_first};
    index_entries_release(&matches);
    return status == STATUS_OK && !same ? STATUS_ABSENT : status;
}

static enum status check_repeat(struct search *search, uint64_t value, struct error *err)
{
    struct check *check = search->check;
    struct event event;
    uint64_t hash, first;
    enum status status = read_event(&search->here, value, &event, err);
    if (status == STATUS_OK && !event_id_hash(&event, index_seed(check->ids), &check->scratch, &hash))
        status = error_set_memory(err);
    if (status == STATUS_OK)
        status = find_first(search, &event, value, hash, &first, err);
    if (status == STATUS_OK)
        status = report_repeat(&search->here, &event, value, first, err);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status check_repeats(struct check *check, struct error *err)
{
    struct search search = {.check = check, .here = {.check = check}, .there = {.check = check}};
    enum status status = index_merge(check->ids, note_repeat, check, err);
    index_entries_sort(&check->repeated);
    for (size_t i = 0; i < check->repeated.count && status == STATUS_OK && !check_is_interrupted(check); i++) {
        struct error why;
        if (check_repeat(&search, check->repeated.data[i].value, &why) != STATUS_OK)
            check_fail(check, &why);
    }
    reader_release(&search.here);
    reader_release(&search.there);
    return status;
}
