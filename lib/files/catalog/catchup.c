#include <string.h>

#include "files/catalog/state.h"

#define READ_BLOCK  ((size_t)1 << 20)
#define MERGE_AT    ((size_t)1 << 20) /* staged entries, 16 MiB, after which they are merged */
#define MERGE_IDS   ((size_t)1 << 17) /* the same where they stay in memory: merging takes as much again */
#define KNOWN_LIMIT (INDEX_OFFSET_LIMIT - ((uint64_t)1 << 32)) /* nothing is indexed after it */
#define REBUILDS    2 /* times that a damaged index is rebuilt before it counts as a failure */

/* ---- facts and files */

void catalog_set_stat(struct partition_facts *facts, const struct partition_stat *stat)
{
    facts->device = stat->device;
    facts->inode = stat->inode;
    facts->size = stat->size;
    facts->changed = stat->changed;
    facts->modified = stat->modified;
}

bool catalog_same_file(const struct partition_facts *facts, const struct partition_stat *stat)
{
    return facts->size == stat->size && facts->inode == stat->inode && facts->device == stat->device &&
           facts->changed == stat->changed && facts->modified == stat->modified;
}

enum status catalog_facts_hold(const struct partition_facts *facts, const struct partition_stat *stat,
                               const struct partition *partition, bool *ret_hold, struct error *err)
{
    uint64_t hash;
    *ret_hold = catalog_same_file(facts, stat);
    /* a file of the same size that was modified is not believed */
    bool may_have_grown = facts->inode == stat->inode && stat->size >= facts->known &&
                          (stat->size != facts->size || stat->modified == facts->modified);
    if (*ret_hold || !may_have_grown)
        return STATUS_OK;
    enum status status = partition_hash_before(partition, facts->known, &hash, err);
    if (status != STATUS_OK)
        return status;
    *ret_hold = hash == facts->hash;
    return STATUS_OK;
}

enum status catalog_compare(struct catalog *store, struct catalog_partition *row, const struct partition *partition,
                            struct error *err)
{
    struct partition_facts *facts = &row->facts;
    bool holds;
    enum status status = partition_stat(partition, &row->stat, err);
    if (status == STATUS_OK && facts->known > 0 && !catalog_same_file(facts, &row->stat)) {
        status = catalog_facts_hold(facts, &row->stat, partition, &holds, err);
        /* A last line of zeros was damage while something stood after it; now the file may end in it. */
        bool may_end_in_zeros = row->stat.size == facts->known && facts->size > row->stat.size && facts->damaged > 0;
        if (status != STATUS_OK)
            return status;
        if (!holds || may_end_in_zeros)
            *facts = (struct partition_facts){.partition = row->number, .generation = facts->generation + 1};
        else if (row->stat.size == facts->known)
            catalog_set_stat(facts, &row->stat);
        if (facts->known == 0 || row->stat.size == facts->known)
            status = index_put_facts(store->index, facts, err);
    }
    row->end = facts->known;
    return status;
}

/* ---- reading on */

/* Stages what was read so far, and goes on from there. */
static enum status publish(struct intake *intake, struct partition *partition, const struct partition_stat *stat)
{
    struct index *index = intake->store->index;
    enum status status = partition_hash_before(partition, intake->facts.known, &intake->facts.hash, intake->err);
    if (status != STATUS_OK)
        return status;
    catalog_set_stat(&intake->facts, stat);
    status = index_put_facts(index, &intake->facts, intake->err);
    if (status != STATUS_OK || index_unmerged(index) < (index_is_persistent(index) ? MERGE_AT : MERGE_IDS))
        return status;
    status = catalog_merge(intake->store, false, intake->err);
    intake->facts = *index_facts(index, intake->facts.partition); /* repeats were counted */
    return status;
}

/* Takes in the whole lines from what is known on. A last line of zero bytes is as good as not written, newline or not.
 */
static enum status read_lines(struct catalog *store, const struct catalog_partition *row, struct partition *partition,
                              struct error *err)
{
    struct intake intake;
    struct bytes buffer = {0};
    uint64_t size = row->stat.size, limit = size < KNOWN_LIMIT ? size : KNOWN_LIMIT, before;
    enum status status;
    intake_start(&intake, store, row, err);
    do {
        struct chunk chunk;
        before = intake.facts.known;
        status = partition_read_forward(partition, before, limit, READ_BLOCK, &buffer, &chunk, err);
        const char *at = chunk.data, *end = chunk.data + chunk.length, *newline;
        while (status == STATUS_OK && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
            uint64_t offset = chunk.offset + (uint64_t)(at - chunk.data);
            size_t length = (size_t)(newline - at);
            bool is_zeros = length > 0 && at[0] == '\0' && memcmp(at, at + 1, length - 1) == 0;
            if (is_zeros && offset + length + 1 == size)
                break;
            status = intake_line(&intake, at, length, offset);
            at = newline + 1;
        }
        if (status != STATUS_OK)
            break;
        status = publish(&intake, partition, &row->stat);
    } while (status == STATUS_OK && intake.facts.known != before);
    bytes_release(&buffer);
    intake_release(&intake);
    return status;
}

/* What stands after the last newline: one more event, or a fragment. */
static enum status take_tail(struct catalog *store, struct catalog_partition *row, struct partition *partition,
                             struct error *err)
{
    struct event event;
    struct bytes scratch = {0};
    uint64_t end, hash;
    if (row->facts.known >= row->stat.size)
        return STATUS_OK;
    enum status status = partition_read_line(partition, row->facts.known, row->stat.size, &store->line, &end, err);
    if (status != STATUS_OK)
        return status;
    enum event_verdict verdict = EVENT_DAMAGED;
    if (end == row->stat.size)
        verdict = event_read(store->line.data, store->line.length, row->kind, false, &event, NULL);
    if (verdict == EVENT_NO_MEMORY)
        return error_set_memory(err);
    if (verdict != EVENT_GOOD) {
        /* told once a partition: one that is just being written is so at many a look */
        if (!json_is_blank(store->line.data, store->line.length) &&
            notices_first(&store->notices, &row->number, sizeof row->number))
            notices_tell(&store->notices, NOTICE_NOTE,
                         "%s: the last line is not whole yet (%llu bytes from byte %llu on)",
                         partition_label(partition), (unsigned long long)(row->stat.size - row->facts.known),
                         (unsigned long long)row->facts.known);
        return STATUS_OK;
    }
    row->end = row->stat.size;
    bool hashed = event_id_hash(&event, index_seed(store->index), &scratch, &hash);
    bytes_release(&scratch);
    if (!hashed)
        return error_set_memory(err);
    struct entry entry = {hash, index_value(row->number, row->facts.generation, row->facts.known)};
    return index_add_volatile(store->index, entry, err);
}

/* Brings the row up to date with the open file: what is known of another, or of other bytes, is forgotten, and what is
 * not known is read. */
static enum status take_file(struct catalog *store, struct catalog_partition *row, struct partition *partition,
                             struct error *err)
{
    const struct partition_facts *facts = index_facts(store->index, row->number);
    if (facts) /* repeats may have been counted since the look, while an earlier partition was read */
        row->facts = *facts;
    enum status status = catalog_compare(store, row, partition, err);
    if (status != STATUS_OK || row->stat.size <= row->facts.known)
        return status;
    status = read_lines(store, row, partition, err);
    if (status != STATUS_OK)
        return status;
    row->facts = *index_facts(store->index, row->number);
    row->end = row->facts.known;
    return take_tail(store, row, partition, err);
}

/*
 * Makes what was read visible. An event on a last line without newline is in no index yet: the records of its id in
 * later partitions, which it makes repeats, are noted. On failure facts may be staged whose entries are not: nothing of
 * it is committed.
 */
static enum status finish(struct catalog *store, enum status status, bool changed, struct error *err)
{
    size_t count;
    const struct entry *tails = index_volatile(store->index, &count);
    store->shadowed.count = 0;
    if (status == STATUS_OK)
        status = catalog_merge(store, false, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = index_find(store->index, INDEX_IDS, tails[i].key, &store->matches, err);
        for (size_t k = 0; status == STATUS_OK && k < store->matches.count; k++) {
            uint64_t value = store->matches.data[k].value;
            uint32_t other = index_value_partition(value);
            if (other > index_value_partition(tails[i].value) &&
                !entries_add(&store->shadowed, (struct entry){other, value}))
                status = error_set_memory(err);
        }
    }
    entries_sort(&store->shadowed);
    if (status != STATUS_OK)
        index_abandon(store->index);
    else if (changed)
        catalog_show_facts(store);
    return status;
}

static enum status read_all(struct catalog *store, struct error *err)
{
    enum status status = STATUS_OK;
    size_t kept = 0;
    bool changed = index_unmerged(store->index) > 0;
    index_clear_volatile(store->index);
    memset(store->found, 0, sizeof store->found);
    for (size_t i = 0; i < store->count; i++) {
        struct catalog_partition *row = &store->partitions[i];
        struct partition *partition;
        if (status == STATUS_OK && row->stat.size > row->facts.known) {
            changed = true;
            status = catalog_partition_at_hand(store, row->number, &partition, err);
            if (status == STATUS_OK)
                status = take_file(store, row, partition, err);
        }
        if (status == STATUS_ABSENT) { /* it went while we looked */
            status = STATUS_OK;
            continue;
        }
        if (kept++ != i)
            store->partitions[kept - 1] = *row;
    }
    store->count = kept;
    return finish(store, status, changed, err);
}

bool catalog_repair(struct catalog *store, enum status *status, int *turn, struct error *err)
{
    if (*status != STATUS_INVALID)
        return false;
    *status = STATUS_IO;
    if (++*turn > REBUILDS)
        return false;
    notices_tell(&store->notices, NOTICE_NOTE, "%s/index: damaged; rebuilding it",
                 workspace_store_path(store->workspace));
    index_reset(store->index);
    for (size_t i = 0; i < store->count; i++)
        store->partitions[i].facts = (struct partition_facts){.partition = store->partitions[i].number};
    *status = read_all(store, err);
    return *status == STATUS_OK || catalog_repair(store, status, turn, err);
}

enum status catalog_read_on(struct catalog *store, struct error *err)
{
    int turn = 0;
    enum status status = read_all(store, err);
    (void)catalog_repair(store, &status, &turn, err);
    return status;
}

enum status catalog_take_file(struct catalog *store, uint32_t number, struct partition *partition, struct error *err)
{
    struct entries *others = &store->matches;
    enum status status;
    int turn = 0;
    do {
        struct catalog_partition *row = catalog_row(store, number);
        size_t count;
        const struct entry *tails = index_volatile(store->index, &count);
        if (!row) /* it went while the index was rebuilt */
            return error_set(err, STATUS_ABSENT, "%s: has gone", partition_label(partition));
        memset(store->found, 0, sizeof store->found);
        /* the event on a last line without newline that was in it is forgotten; those of others stand */
        others->count = 0;
        for (size_t i = 0; i < count; i++)
            if (index_value_partition(tails[i].value) != number && !entries_add(others, tails[i]))
                return error_set_memory(err);
        index_clear_volatile(store->index);
        status = STATUS_OK;
        for (size_t i = 0; i < others->count && status == STATUS_OK; i++)
            status = index_add_volatile(store->index, others->data[i], err);
        if (status == STATUS_OK)
            status = take_file(store, row, partition, err);
        status = finish(store, status, true, err);
    } while (catalog_repair(store, &status, &turn, err));
    return status;
}

enum status catalog_look_again(struct catalog *store, uint32_t number, struct error *err)
{
    struct partition *partition;
    catalog_close_files(store);
    enum status status = catalog_open_partition(store, number, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_take_file(store, number, partition, err);
    partition_close(partition);
    catalog_close_files(store);
    return status;
}
