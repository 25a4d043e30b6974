#include <stdlib.h>
#include <string.h>

#include "files/catalog/state.h"

#define READ_BLOCK  ((size_t)1 << 20)
#define SETTLE_AT   ((size_t)1 << 20) /* staged entries, 16 MiB, after which they are put in order */
#define SETTLE_IDS  ((size_t)1 << 17) /* the same where they stay in memory: putting in order takes as much again */
#define KNOWN_LIMIT (INDEX_OFFSET_LIMIT - ((uint64_t)1 << 32)) /* nothing is indexed behind it */

/* ---- reading on */

static bool is_zeros(const char *data, size_t length)
{
    return length > 0 && data[0] == '\0' && memcmp(data, data + 1, length - 1) == 0;
}

/* Takes in one line that ended in a newline. */
static enum status take_line(struct intake *intake, const char *line, size_t length, uint64_t offset)
{
    struct event event;
    uint64_t hash;
    switch (event_read(line, length, intake->kind, false, &event, NULL)) {
    case EVENT_GOOD: {
        if (!event_id_hash(&event, index_seed(intake->store->index), &intake->scratch, &hash))
            return error_set_memory(intake->err);
        enum status status = intake_event(intake, &event, hash, offset);
        intake->facts.known = offset + length + 1;
        return status;
    }
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
    return STATUS_OK;
}

/* Takes in the whole lines of a chunk. A last line of zero bytes is as good as not written, newline or not. */
static enum status take_chunk(struct intake *intake, const struct chunk *chunk, uint64_t size)
{
    const char *at = chunk->data, *end = chunk->data + chunk->length;
    enum status status = STATUS_OK;
    for (const char *newline; status == STATUS_OK && at < end && (newline = memchr(at, '\n', (size_t)(end - at)));
         at = newline + 1) {
        uint64_t offset = chunk->offset + (uint64_t)(at - chunk->data);
        size_t length = (size_t)(newline - at);
        if (offset + length + 1 == size && is_zeros(at, length))
            break;
        status = take_line(intake, at, length, offset);
    }
    return status;
}

void catalog_set_stat(struct partition_facts *facts, const struct partition_stat *stat)
{
    facts->device = stat->device;
    facts->inode = stat->inode;
    facts->size = stat->size;
    facts->changed = stat->changed;
    facts->modified = stat->modified;
}

/* Puts what was read so far where look-ups see it, and goes on from there. */
static enum status publish(struct intake *intake, struct partition *partition, const struct partition_stat *stat)
{
    struct catalog *store = intake->store;
    size_t settle_at = index_is_persistent(store->index) ? SETTLE_AT : SETTLE_IDS;
    enum status status = partition_hash_before(partition, intake->facts.known, &intake->facts.hash, intake->err);
    catalog_set_stat(&intake->facts, stat);
    if (status == STATUS_OK)
        status = index_put_facts(store->index, &intake->facts, intake->err);
    if (status == STATUS_OK && index_unmerged(store->index) >= settle_at) {
        status = catalog_merge(store, false, intake->err);
        const struct partition_facts *facts = index_facts(store->index, intake->facts.partition);
        if (facts)
            intake->facts = *facts;
    }
    return status;
}

/* What stands behind the last newline: one more event, or a fragment. */
static enum status take_tail(struct catalog *store, struct catalog_partition *row, struct partition *partition,
                             struct error *err)
{
    struct event event;
    uint64_t end, hash;
    row->end = row->facts.known;
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
        if (!json_is_blank(store->line.data, store->line.length))
            catalog_tell_fragment(store, row, partition_label(partition));
        return STATUS_OK;
    }
    row->end = row->stat.size;
    struct bytes scratch = {0};
    status = event_id_hash(&event, index_seed(store->index), &scratch, &hash) ? STATUS_OK : error_set_memory(err);
    bytes_release(&scratch);
    struct index_entry entry = {hash, index_value(row->number, row->facts.generation, row->facts.known)};
    return status == STATUS_OK ? index_add_volatile(store->index, entry, err) : status;
}

static enum status read_lines(struct intake *intake, struct partition *partition, const struct partition_stat *stat)
{
    struct bytes buffer = {0};
    enum status status = STATUS_OK;
    uint64_t limit = stat->size < KNOWN_LIMIT ? stat->size : KNOWN_LIMIT, before;
    do {
        struct chunk chunk;
        before = intake->facts.known;
        status = partition_read_forward(partition, before, limit, READ_BLOCK, &buffer, &chunk, intake->err);
        if (status == STATUS_OK)
            status = take_chunk(intake, &chunk, stat->size);
        if (status == STATUS_OK && intake->facts.known != before)
            status = publish(intake, partition, stat);
    } while (status == STATUS_OK && intake->facts.known != before);
    if (status == STATUS_OK)
        status = publish(intake, partition, stat);
    bytes_release(&buffer);
    return status;
}

static bool same_file(const struct partition_facts *facts, const struct partition_stat *stat)
{
    return facts->size == stat->size && facts->inode == stat->inode && facts->device == stat->device &&
           facts->changed == stat->changed && facts->modified == stat->modified;
}

/* A file of the same size that was modified is not believed. */
static bool may_have_grown(const struct partition_facts *facts, const struct partition_stat *stat)
{
    return facts->inode == stat->inode && stat->size >= facts->known &&
           (stat->size != facts->size || stat->modified == facts->modified);
}

static enum status same_content(const struct partition_facts *facts, const struct partition *partition, bool *ret_same,
                                struct error *err)
{
    uint64_t hash;
    enum status status = partition_hash_before(partition, facts->known, &hash, err);
    if (status == STATUS_OK)
        *ret_same = hash == facts->hash;
    return status;
}

enum status catalog_facts_hold(const struct partition_facts *facts, const struct partition_stat *stat,
                               const struct partition *partition, bool *ret_hold, struct error *err)
{
    *ret_hold = same_file(facts, stat);
    if (*ret_hold || !may_have_grown(facts, stat))
        return STATUS_OK;
    return same_content(facts, partition, ret_hold, err);
}

/* The file was cut back to what is known of it. A last line of zeros was damage while something stood behind it. */
static bool may_end_in_zeros(const struct partition_facts *facts, const struct partition_stat *stat)
{
    return stat->size == facts->known && facts->size > stat->size && facts->damaged > 0;
}

static enum status forget_content(struct catalog *store, struct catalog_partition *row, struct error *err)
{
    row->facts = (struct partition_facts){.partition = row->number, .generation = row->facts.generation + 1};
    return index_put_facts(store->index, &row->facts, err);
}

/* Compares the file, which looks as row->stat says, with the row's facts, and forgets those that do not hold. `open`
 * may be NULL: it is opened where its bytes are needed. */
static enum status compare(struct catalog *store, struct catalog_partition *row, struct partition *open,
                           struct error *err)
{
    enum status status = STATUS_OK;
    bool same = false;
    if (!same_file(&row->facts, &row->stat) && row->facts.known > 0) {
        if (may_have_grown(&row->facts, &row->stat)) {
            status = open ? STATUS_OK : catalog_partition_at_hand(store, row->number, &open, err);
            if (status == STATUS_OK)
                status = same_content(&row->facts, open, &same, err);
        }
        same = same && !may_end_in_zeros(&row->facts, &row->stat);
        if (status == STATUS_OK && same && row->stat.size == row->facts.known) {
            catalog_set_stat(&row->facts, &row->stat);
            status = index_put_facts(store->index, &row->facts, err);
        } else if (status == STATUS_OK && !same) {
            status = forget_content(store, row, err);
        }
    }
    row->end = row->facts.known;
    return status;
}

/* Brings the row up to date with a file that is open: what is known of another, or of other bytes, is forgotten, and
 * what is not known is read. The index is yet to be merged. */
static enum status take_file(struct catalog *store, struct catalog_partition *row, struct partition *partition,
                             struct error *err)
{
    struct intake intake;
    const struct partition_facts *facts = index_facts(store->index, row->number);
    if (facts) /* repeats may have been counted since the look, while an earlier partition was read */
        row->facts = *facts;
    enum status status = partition_stat(partition, &row->stat, err);
    if (status == STATUS_OK)
        status = compare(store, row, partition, err);
    if (status != STATUS_OK || row->stat.size <= row->facts.known)
        return status;
    intake_start(&intake, store, row, err);
    status = read_lines(&intake, partition, &row->stat);
    intake_release(&intake);
    facts = index_facts(store->index, row->number);
    if (status == STATUS_OK && facts)
        row->facts = *facts;
    return status == STATUS_OK ? take_tail(store, row, partition, err) : status;
}

static enum status read_partition(struct catalog *store, struct catalog_partition *row, struct error *err)
{
    struct partition *partition;
    enum status status = catalog_partition_at_hand(store, row->number, &partition, err);
    return status == STATUS_OK ? take_file(store, row, partition, err) : status;
}

/* Makes what was read visible, and takes over the repeats that were counted on the way. */
static enum status merge_read(struct catalog *store, bool may_change, struct error *err)
{
    enum status status = catalog_merge(store, false, err);
    if (status == STATUS_OK)
        status = catalog_note_shadowed(store, err);
    for (size_t i = 0; i < store->count && may_change && status == STATUS_OK; i++) {
        const struct partition_facts *facts = index_facts(store->index, store->partitions[i].number);
        if (facts)
            store->partitions[i].facts = *facts;
    }
    return status;
}

enum status catalog_read_on(struct catalog *store, struct error *err)
{
    enum status status = STATUS_OK;
    bool may_change = index_unmerged(store->index) > 0; /* facts, the repeats that they count */
    index_clear_volatile(store->index);
    memset(store->found, 0, sizeof store->found);
    for (size_t i = 0; i < store->count && status == STATUS_OK; i++) {
        struct catalog_partition *row = &store->partitions[i];
        if (row->stat.size <= row->facts.known)
            continue;
        may_change = true;
        status = read_partition(store, row, err);
        if (status == STATUS_ABSENT) { /* it went while we looked: what it had is no open end, should it come back */
            row->stat.size = row->facts.known;
            row->is_gone = true;
            status = STATUS_OK;
        }
    }
    if (status == STATUS_OK)
        status = merge_read(store, may_change, err);
    if (status != STATUS_OK)
        index_abandon(store->index); /* facts may be staged whose entries are not */
    return status;
}

/* The event on a last line without newline that was in this partition is forgotten; those of others stand. */
static enum status clear_tail(struct catalog *store, uint32_t number, struct error *err)
{
    size_t count, kept = 0;
    const struct index_entry *tails = index_volatile(store->index, &count);
    struct index_entry *others = reallocarray(NULL, count + 1, sizeof *others);
    enum status status = others ? STATUS_OK : error_set_memory(err);
    for (size_t i = 0; i < count && others; i++)
        if (index_value_partition(tails[i].value) != number)
            others[kept++] = tails[i];
    if (kept < count && others) {
        index_clear_volatile(store->index);
        for (size_t i = 0; i < kept && status == STATUS_OK; i++)
            status = index_add_volatile(store->index, others[i], err);
    }
    free(others);
    return status;
}

enum status catalog_take_file(struct catalog *store, struct catalog_partition *row, struct partition *partition,
                              struct error *err)
{
    for (int turn = 0;; turn++) {
        memset(store->found, 0, sizeof store->found);
        enum status status = clear_tail(store, row->number, err);
        if (status == STATUS_OK)
            status = take_file(store, row, partition, err);
        if (status == STATUS_OK)
            status = merge_read(store, true, err);
        if (status != STATUS_OK)
            index_abandon(store->index);
        if (status != STATUS_INVALID || turn == 2)
            return status;
        status = catalog_rebuild(store, err);
        if (status != STATUS_OK)
            return status;
    }
}

enum status catalog_look_again(struct catalog *store, struct catalog_partition *row, struct error *err)
{
    struct partition *partition;
    catalog_close_files(store);
    enum status status = catalog_open_partition(store, row->number, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_take_file(store, row, partition, err);
    partition_close(partition);
    catalog_close_files(store);
    return status;
}

enum status catalog_rebuild(struct catalog *store, struct error *err)
{
    catalog_tell(store, NOTICE_NOTE, "%s/index: damaged; rebuilding it", workspace_store_path(store->workspace));
    enum status status = index_reset(store->index, err);
    for (size_t i = 0; i < store->count && status == STATUS_OK; i++)
        store->partitions[i].facts = (struct partition_facts){.partition = store->partitions[i].number};
    return status == STATUS_OK ? catalog_read_on(store, err) : status;
}

/* ---- looking */

/* The partitions of one kind as they are listed, and how far they have been gone through. */
struct listing {
    struct partition_listed *files; /* owned */
    size_t count, place;
};

static enum status list_kind(struct catalog *store, enum event_kind kind, struct listing *listing, struct error *err)
{
    enum workspace_folder which = kind == EVENT_SIGNAL ? FOLDER_SIGNALS : FOLDER_EMISSIONS;
    int folder;
    enum status status = workspace_folder(store->workspace, which, false, &folder, err);
    if (status == STATUS_OK)
        status = partition_list(folder, workspace_folder_path(store->workspace, which), &listing->files,
                                &listing->count, err);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* The next file of both kinds in the order of their numbers; NULL: there is none. */
static const struct partition_listed *next_file(struct listing lists[static EVENT_KINDS], uint32_t *ret_number)
{
    struct listing *least = NULL;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
        struct listing *list = &lists[kind];
        if (list->place == list->count)
            continue;
        uint32_t number = partition_number(kind, list->files[list->place].day);
        if (least && number > *ret_number)
            continue;
        least = list;
        *ret_number = number;
    }
    return least ? &least->files[least->place++] : NULL;
}

/* The facts of this partition among all, which are in order, as the numbers are that are asked for: *place moves on. */
static const struct partition_facts *next_facts(const struct index *index, uint32_t number, size_t *place)
{
    size_t count;
    const struct partition_facts *all = index_all_facts(index, &count);
    while (*place < count && all[*place].partition < number)
        ++*place;
    return *place < count && all[*place].partition == number ? &all[*place] : NULL;
}

static enum status look_at_files(struct catalog *store, struct listing lists[static EVENT_KINDS], uint64_t *pending,
                                 struct error *err)
{
    const struct partition_listed *file;
    uint32_t number;
    size_t place = 0, count = 0;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
        count += lists[kind].count;
    enum status status = catalog_reserve_rows(store, count, err);
    while (status == STATUS_OK && (file = next_file(lists, &number))) {
        struct catalog_partition *row;
        if (!file->is_there)
            continue;
        status = catalog_add_row(store, number, &row, err);
        if (status != STATUS_OK)
            break;
        row->stat = file->stat;
        const struct partition_facts *facts = next_facts(store->index, number, &place);
        row->facts = facts ? *facts : (struct partition_facts){.partition = number};
        status = compare(store, row, NULL, err);
        if (status == STATUS_ABSENT) { /* it went just now */
            store->count--;
            status = STATUS_OK;
            continue;
        }
        *pending += row->stat.size - row->facts.known;
    }
    return status;
}

/* What is known of files that are no longer there is forgotten. */
static enum status forget_gone(struct catalog *store, unsigned kinds, struct error *err)
{
    size_t count, row = 0;
    enum status status = STATUS_OK;
    index_all_facts(store->index, &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct partition_facts *facts = &index_all_facts(store->index, &count)[i];
        while (row < store->count && store->partitions[row].number < facts->partition)
            row++;
        if (facts->known == 0 || !(kinds & KIND_BIT(partition_number_kind(facts->partition))) ||
            (row < store->count && store->partitions[row].number == facts->partition))
            continue;
        struct partition_facts gone = {.partition = facts->partition, .generation = facts->generation + 1};
        status = index_put_facts(store->index, &gone, err);
    }
    return status;
}

enum status catalog_look(struct catalog *store, unsigned kinds, uint64_t *ret_pending, struct error *err)
{
    struct listing lists[EVENT_KINDS] = {0};
    uint64_t pending = 0;
    catalog_close_files(store);
    store->count = 0;
    enum status status = workspace_look_again(store->workspace, err);
    store->kinds = kinds;
    for (enum event_kind kind = 0; kind < EVENT_KINDS && status == STATUS_OK; kind++)
        if (kinds & KIND_BIT(kind))
            status = list_kind(store, kind, &lists[kind], err);
    if (status == STATUS_OK)
        status = look_at_files(store, lists, &pending, err);
    if (status == STATUS_OK)
        status = forget_gone(store, kinds, err);
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
        free(lists[kind].files);
    *ret_pending = pending;
    return status;
}
