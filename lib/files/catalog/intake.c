#include "event/filter.h"
#include "files/catalog/state.h"

void intake_start(struct intake *intake, struct catalog *store, const struct catalog_partition *row, struct error *err)
{
    *intake = (struct intake){.store = store, .facts = row->facts, .kind = row->kind, .day = row->day, .err = err};
    intake->facts.partition = row->number;
}

void intake_release(struct intake *intake)
{
    bytes_release(&intake->scratch);
}

static void add_entry(struct intake *intake, enum index_table table, uint64_t key, uint64_t offset)
{
    struct entry entry = {key, index_value(intake->facts.partition, intake->facts.generation, offset)};
    if (intake->status == STATUS_OK)
        intake->status = index_add(intake->store->index, table, entry, intake->err);
}

/* Receives the secondary keys of the event at intake->facts.known. */
static void add_key(void *context, uint64_t key, bool block)
{
    struct intake *intake = context;
    uint64_t offset = intake->facts.known;
    if (block) {
        offset -= offset % CATALOG_KEY_BLOCK;
        struct entry *recent = &intake->recent[key % (sizeof intake->recent / sizeof *intake->recent)];
        if (recent->key == key && recent->value == offset + 1)
            return;
        *recent = (struct entry){key, offset + 1};
    }
    add_entry(intake, INDEX_REFS, key, offset);
}

enum status intake_event(struct intake *intake, const struct event *event, uint64_t id_hash, uint64_t offset)
{
    struct partition_facts *facts = &intake->facts;
    uint64_t seed = index_seed(intake->store->index);
    facts->known = offset;
    add_entry(intake, INDEX_IDS, id_hash, offset);
    if (!index_is_persistent(intake->store->index))
        index_leave_out_refs(intake->store->index);
    else if (!event_index_keys(event, seed, &intake->scratch, add_key, intake) && intake->status == STATUS_OK)
        intake->status = error_set_memory(intake->err);
    if (facts->records == 0 || event->timestamp < facts->least)
        facts->least = event->timestamp;
    if (facts->records > 0 && event->timestamp < facts->greatest)
        facts->late++;
    else
        facts->greatest = event->timestamp;
    facts->records++;
    facts->misfiled += timestamp_day(event->timestamp) != intake->day;
    facts->known = offset + event->length + 1;
    return intake->status;
}

enum status intake_line(struct intake *intake, const char *line, size_t length, uint64_t offset)
{
    struct event event;
    uint64_t hash;
    enum status status = STATUS_OK;
    switch (event_read(line, length, intake->kind, false, &event, NULL)) {
    case EVENT_GOOD:
        if (!event_id_hash(&event, index_seed(intake->store->index), &intake->scratch, &hash))
            return error_set_memory(intake->err);
        status = intake_event(intake, &event, hash, offset);
        break;
    case EVENT_BLANK:
        intake->facts.blank++;
        break;
    case EVENT_DAMAGED:
        intake->facts.damaged++;
        break;
    case EVENT_NO_MEMORY:
        return error_set_memory(intake->err);
    }
    intake->facts.known = offset + length + 1;
    return status;
}

static enum status note_repeat(void *context, uint64_t value, struct error *err)
{
    struct catalog *store = context;
    const struct partition_facts *facts = index_facts(store->index, index_value_partition(value));
    if (!facts)
        return STATUS_OK;
    struct partition_facts counted = *facts;
    counted.repeats++;
    enum status status = index_add(store->index, INDEX_REPEATS, (struct entry){facts->partition, value}, err);
    return status == STATUS_OK ? index_put_facts(store->index, &counted, err) : status;
}

enum status catalog_merge(struct catalog *store, bool known, struct error *err)
{
    return index_merge(store->index, known ? NULL : note_repeat, store, err);
}
