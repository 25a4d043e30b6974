#include <stdlib.h>
#include <string.h>

#include "store_private.h"

#define TURNS 8 /* tries while others without lock write too */

/* One partition's share of a batch. */
struct share {
    uint32_t number;
    size_t from, to; /* of batch.fresh */
    struct partition *partition;
    uint64_t end; /* size of the file before */
    struct bytes lines;
    enum partition_append how;
    bool created, written;
};

struct batch {
    struct store *store;
    struct store_item *items;
    size_t count;                /* items that take part */
    struct index_entries hashes; /* {hash, item}, ascending */
    struct index_entries fresh;  /* {partition number, item} of new events, ascending */
    struct share *shares;
    size_t share_count;
    struct bytes scratch;
    struct error *err;
};

static void release_shares(struct batch *batch)
{
    for (size_t i = 0; i < batch->share_count; i++) {
        partition_close(batch->shares[i].partition);
        bytes_release(&batch->shares[i].lines);
    }
    free(batch->shares);
    batch->shares = NULL;
    batch->share_count = 0;
}

static void batch_release(struct batch *batch)
{
    release_shares(batch);
    index_entries_release(&batch->hashes);
    index_entries_release(&batch->fresh);
    bytes_release(&batch->scratch);
}

/* ---- which are new */

static enum status hash_ids(struct batch *batch)
{
    uint64_t seed = index_seed(batch->store->index), hash;
    batch->hashes.count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (!event_id_hash(&batch->items[i].event, seed, &batch->scratch, &hash) ||
            !index_entries_add(&batch->hashes, (struct index_entry){hash, i}))
            return error_set_memory(batch->err);
        batch->items[i].outcome = STORE_APPENDED;
        batch->items[i].first_item = i;
    }
    index_entries_sort(&batch->hashes);
    return STATUS_OK;
}

/* Compares an item with a stored line that its id's hash points to; takes it for the first record where the id is the
 * same. */
static enum status confirm(struct batch *batch, struct store_item *item, uint64_t value, const char *line,
                           size_t length)
{
    struct event stored;
    if (length == item->event.length && memcmp(line, item->event.line, length) == 0) {
        item->outcome = STORE_DUPLICATE;
    } else {
        enum event_verdict verdict = event_read(line, length, item->event.kind, false, &stored, NULL);
        if (verdict == EVENT_NO_MEMORY)
            return error_set_memory(batch->err);
        if (verdict != EVENT_GOOD || !json_string_same(stored.id, item->event.id))
            return STATUS_OK;
        item->outcome = event_conflicts(&stored, &item->event) ? STORE_CONFLICT : STORE_DUPLICATE;
    }
    item->first = (struct store_position){index_value_partition(value), index_value_offset(value)};
    item->first_item = SIZE_MAX;
    return STATUS_OK;
}

/* Reads stored lines in the order they lie, many from one block. */
struct line_reader {
    struct bytes block;
    uint32_t partition;
    uint64_t offset; /* of the block */
};

#define NEAR_BLOCK ((size_t)128 << 10)
#define FAR_BLOCK  ((size_t)4 << 10)

static const char *line_in_block(const struct line_reader *reader, uint32_t number, uint64_t offset, size_t *ret_length)
{
    if (reader->block.length == 0 || reader->partition != number || offset < reader->offset ||
        offset >= reader->offset + reader->block.length)
        return NULL;
    const char *line = reader->block.data + (offset - reader->offset);
    const char *newline = memchr(line, '\n', reader->block.length - (size_t)(line - reader->block.data));
    if (!newline)
        return NULL;
    *ret_length = (size_t)(newline - line);
    return line;
}

static enum status read_line(struct batch *batch, struct line_reader *reader, uint64_t value, const char **ret_line,
                             size_t *ret_length)
{
    uint32_t number = index_value_partition(value);
    uint64_t offset = index_value_offset(value);
    if ((*ret_line = line_in_block(reader, number, offset, ret_length)))
        return STATUS_OK;
    bool near = reader->partition == number && reader->block.length > 0 &&
                offset < reader->offset + reader->block.length + NEAR_BLOCK;
    struct partition *partition;
    struct chunk chunk;
    enum status status = store_partition_at_hand(batch->store, number, &partition, batch->err);
    if (status == STATUS_OK)
        status = partition_read_forward(partition, offset, INDEX_OFFSET_LIMIT, near ? NEAR_BLOCK : FAR_BLOCK,
                                        &reader->block, &chunk, batch->err);
    if (status != STATUS_OK)
        return status;
    reader->partition = number;
    reader->offset = offset;
    if (!(*ret_line = line_in_block(reader, number, offset, ret_length))) {
        *ret_line = reader->block.data ? reader->block.data : "";
        *ret_length = reader->block.length;
    }
    return STATUS_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = ((const struct index_entry *)a)->value, y = ((const struct index_entry *)b)->value;
    return (x > y) - (x < y);
}

/* Follows the index's hits to the lines; the first that has the id is the first record, for they come in that order. */
static enum status confirm_hits(struct batch *batch, struct index_entries *hits)
{
    struct line_reader reader = {0};
    enum status status = STATUS_OK;
    if (hits->count > 1)
        qsort(hits->data, hits->count, sizeof *hits->data, by_value);
    for (size_t i = 0; i < hits->count && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[batch->hashes.data[hits->data[i].key].value];
        const char *line;
        size_t length;
        if (item->outcome != STORE_APPENDED)
            continue;
        status = read_line(batch, &reader, hits->data[i].value, &line, &length);
        if (status == STATUS_OK)
            status = confirm(batch, item, hits->data[i].value, line, length);
        else if (status == STATUS_ABSENT)
            status = STATUS_OK; /* the file has gone: no record */
    }
    bytes_release(&reader.block);
    return status;
}

/* Items with the same id inside the batch: the first stands, the others are its duplicates. */
static void compare_items(struct batch *batch)
{
    const struct index_entry *hashes = batch->hashes.data;
    for (size_t i = 1; i < batch->hashes.count; i++) {
        struct store_item *item = &batch->items[hashes[i].value];
        for (size_t j = i; j > 0 && hashes[j - 1].key == hashes[i].key && item->outcome == STORE_APPENDED; j--) {
            struct store_item *before = &batch->items[hashes[j - 1].value];
            if (before->outcome != STORE_APPENDED || !json_string_same(before->event.id, item->event.id))
                continue;
            item->outcome = event_conflicts(&before->event, &item->event) ? STORE_CONFLICT : STORE_DUPLICATE;
            item->first_item = (size_t)hashes[j - 1].value;
        }
    }
}

static enum status look_up(struct batch *batch)
{
    struct index_entries hits = {0};
    uint64_t *keys = reallocarray(NULL, batch->count + 1, sizeof *keys);
    enum status status = keys ? hash_ids(batch) : error_set_memory(batch->err);
    for (size_t i = 0; i < batch->hashes.count && status == STATUS_OK; i++)
        keys[i] = batch->hashes.data[i].key;
    if (status == STATUS_OK)
        status = index_lookup(batch->store->index, keys, batch->hashes.count, &hits, batch->err);
    if (status == STATUS_OK)
        status = confirm_hits(batch, &hits);
    if (status == STATUS_OK)
        compare_items(batch);
    free(keys);
    index_entries_release(&hits);
    return status;
}

/* The damaged index of somebody else is no reason to fail. */
static enum status find_duplicates(struct batch *batch)
{
    enum status status = look_up(batch);
    for (int turn = 0; status == STATUS_INVALID && turn < 2; turn++) {
        status = store_rebuild(batch->store, batch->err);
        if (status == STATUS_OK)
            status = look_up(batch);
    }
    store_close_files(batch->store);
    return status;
}

/* ---- writing */

static uint32_t number_of(const struct event *event)
{
    return partition_number(event->kind, timestamp_day(event->timestamp));
}

static enum status gather_fresh(struct batch *batch)
{
    batch->fresh.count = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome == STORE_APPENDED &&
            !index_entries_add(&batch->fresh, (struct index_entry){number_of(&batch->items[i].event), i}))
            return error_set_memory(batch->err);
    index_entries_sort(&batch->fresh);
    return STATUS_OK;
}

static enum status gather_shares(struct batch *batch)
{
    const struct index_entries *fresh = &batch->fresh;
    size_t count = 0;
    for (size_t i = 0; i < fresh->count; i++)
        count += i == 0 || fresh->data[i - 1].key != fresh->data[i].key;
    release_shares(batch);
    if (count == 0)
        return STATUS_OK;
    batch->shares = calloc(count, sizeof *batch->shares);
    if (!batch->shares)
        return error_set_memory(batch->err);
    for (size_t i = 0; i < fresh->count; i++) {
        if (i == 0 || fresh->data[i - 1].key != fresh->data[i].key)
            batch->shares[batch->share_count++] =
                (struct share){.number = (uint32_t)fresh->data[i].key, .from = i, .how = PARTITION_MOVED};
        batch->shares[batch->share_count - 1].to = i + 1;
    }
    return STATUS_OK;
}

static enum status compose(struct batch *batch, struct share *share)
{
    size_t length = 0;
    for (size_t i = share->from; i < share->to; i++)
        length += batch->items[batch->fresh.data[i].value].event.length + 1;
    bytes_clear(&share->lines);
    if (!bytes_reserve(&share->lines, length))
        return error_set_memory(batch->err);
    for (size_t i = share->from; i < share->to; i++) {
        const struct event *event = &batch->items[batch->fresh.data[i].value].event;
        bytes_append(&share->lines, event->line, event->length);
        bytes_append_char(&share->lines, '\n');
    }
    return STATUS_OK;
}

static enum status open_share(struct batch *batch, struct share *share)
{
    struct store *store = batch->store;
    enum workspace_room room = partition_number_kind(share->number) == EVENT_SIGNAL ? ROOM_SIGNALS : ROOM_EMISSIONS;
    int folder;
    enum status status = workspace_room(store->workspace, room, true, &folder, batch->err);
    if (status == STATUS_OK)
        status =
            partition_open(folder, workspace_room_path(store->workspace, room), partition_number_day(share->number),
                           IO_APPEND, true, &share->partition, &share->created, batch->err);
    if (status == STATUS_OK && share->created)
        status = io_sync_directory(folder, workspace_room_path(store->workspace, room), batch->err);
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

/* The row of a share's partition, made where the partition is new. */
static enum status row_of(struct batch *batch, uint32_t number, struct store_partition **ret_row)
{
    struct store *store = batch->store;
    *ret_row = store_row(store, number);
    if (*ret_row)
        return STATUS_OK;
    const struct partition_facts *facts = index_facts(store->index, number);
    enum status status = store_add_row(store, number, ret_row, batch->err);
    if (status != STATUS_OK)
        return status;
    if (facts)
        (*ret_row)->facts = *facts;
    struct store_partition row = **ret_row;
    size_t place = store->count - 1;
    while (place > 0 && store->partitions[place - 1].number > number)
        place--;
    memmove(store->partitions + place + 1, store->partitions + place,
            (store->count - 1 - place) * sizeof *store->partitions);
    store->partitions[place] = row;
    *ret_row = &store->partitions[place];
    return STATUS_OK;
}

static bool has_this_number(void *context, uint32_t number)
{
    return *(const uint32_t *)context == number;
}

/* Somebody without lock has written since we looked: look again, and mend what they left. */
static enum status catch_up(struct batch *batch, struct share *share)
{
    struct store_partition *row;
    enum status status = row_of(batch, share->number, &row);
    if (status == STATUS_OK)
        status = store_look_again(batch->store, row, batch->err);
    if (status == STATUS_OK)
        status = store_mend(batch->store, has_this_number, &share->number, batch->err);
    return status;
}

static enum status write_share(struct batch *batch, struct share *share)
{
    struct store_partition *row;
    enum status status = compose(batch, share);
    if (status == STATUS_OK)
        status = open_share(batch, share);
    for (int turn = 0; status == STATUS_OK && share->how == PARTITION_MOVED; turn++) {
        status = row_of(batch, share->number, &row);
        if (status != STATUS_OK)
            break;
        share->end = row->stat.size;
        status = partition_append(share->partition, share->end, share->lines.data, share->lines.length, &share->how,
                                  batch->err);
        share->written = status == STATUS_OK && share->how != PARTITION_MOVED;
        if (status == STATUS_OK && share->how == PARTITION_MOVED) {
            if (turn == TURNS)
                return error_set(batch->err, STATUS_IO, "%s: another program keeps writing to it",
                                 partition_label(share->partition));
            partition_close(share->partition);
            share->partition = NULL;
            status = catch_up(batch, share);
            if (status == STATUS_OK)
                status = open_share(batch, share);
        }
    }
    return status;
}

/* Remembers that what stands from here on was written, but that its sync failed. */
static void note_doubt(struct batch *batch, const struct share *share)
{
    const struct partition_facts *facts = index_facts(batch->store->index, share->number);
    struct partition_facts doubtful = facts ? *facts : (struct partition_facts){.partition = share->number};
    if (doubtful.doubt == 0 || doubtful.doubt > share->end)
        doubtful.doubt = share->end + 1;
    (void)index_put_facts(batch->store->index, &doubtful, NULL);
    (void)index_commit(batch->store->index, NULL);
}

/* A file that this batch made and that holds nothing is as if it had never been. */
static void remove_empty(struct batch *batch, const struct share *share)
{
    struct partition_stat stat;
    char name[PARTITION_NAME_SIZE];
    enum workspace_room room = partition_number_kind(share->number) == EVENT_SIGNAL ? ROOM_SIGNALS : ROOM_EMISSIONS;
    int folder;
    partition_name(partition_number_day(share->number), name);
    if (share->created && share->partition && partition_stat(share->partition, &stat, NULL) == STATUS_OK &&
        stat.size == 0 && workspace_room(batch->store->workspace, room, false, &folder, NULL) == STATUS_OK)
        (void)io_remove(folder, name, true, name, NULL);
}

/* Takes back what this batch wrote. What cannot be taken back is in doubt. */
static void undo(struct batch *batch)
{
    for (size_t i = 0; i < batch->share_count; i++) {
        struct share *share = &batch->shares[i];
        uint64_t length = share->lines.length;
        if (share->written && (share->how != PARTITION_APPENDED ||
                               partition_cut(share->partition, share->end + length, share->end, NULL) != STATUS_OK))
            note_doubt(batch, share);
        share->written = false;
        remove_empty(batch, share);
    }
}

/* The doubtful bytes are written once more, so that this sync says something about them. */
static enum status settle_doubt(struct batch *batch, uint32_t number, struct partition_facts *facts)
{
    struct store *store = batch->store;
    enum workspace_room room = partition_number_kind(number) == EVENT_SIGNAL ? ROOM_SIGNALS : ROOM_EMISSIONS;
    struct partition *partition = NULL;
    struct partition_stat stat;
    int folder;
    enum status status = workspace_room(store->workspace, room, false, &folder, batch->err);
    if (status == STATUS_OK)
        status = partition_open(folder, workspace_room_path(store->workspace, room), partition_number_day(number),
                                IO_UPDATE, false, &partition, NULL, batch->err);
    if (status == STATUS_OK)
        status = partition_stat(partition, &stat, batch->err);
    if (status == STATUS_OK)
        status = partition_rewrite(partition, facts->doubt - 1, stat.size, batch->err);
    if (status == STATUS_OK)
        status = partition_sync(partition, batch->err);
    partition_close(partition);
    if (status == STATUS_OK)
        facts->doubt = 0;
    return status;
}

static enum status sync_shares(struct batch *batch)
{
    enum status status = STATUS_OK;
    if (batch->store->options.no_sync)
        return STATUS_OK;
    for (size_t i = 0; i < batch->share_count && batch->share_count > 1; i++)
        partition_start_sync(batch->shares[i].partition);
    for (size_t i = 0; i < batch->share_count && status == STATUS_OK; i++)
        status = partition_sync(batch->shares[i].partition, batch->err);
    return status;
}

/* ---- telling the index */

static void set_stat(struct partition_facts *facts, const struct partition_stat *stat)
{
    facts->device = stat->device;
    facts->inode = stat->inode;
    facts->size = stat->size;
    facts->changed = stat->changed;
    facts->modified = stat->modified;
}

static enum status note_share(struct batch *batch, const struct share *share)
{
    struct store *store = batch->store;
    struct store_partition *row;
    struct intake intake;
    enum status status = row_of(batch, share->number, &row);
    if (status == STATUS_OK)
        status = partition_stat(share->partition, &row->stat, batch->err);
    if (status != STATUS_OK)
        return status;
    intake_start(&intake, store, row, batch->err);
    uint64_t offset = share->end;
    for (size_t i = share->from; i < share->to && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[batch->fresh.data[i].value];
        item->first = (struct store_position){share->number, offset};
        status = intake_event(&intake, &item->event, offset);
        offset += item->event.length + 1;
    }
    intake_release(&intake);
    if (status == STATUS_OK && row->stat.size >= offset)
        status = partition_hash_before(share->partition, offset, &intake.facts.hash, batch->err);
    if (status != STATUS_OK)
        return status;
    intake.facts.known = offset;
    if (!store->options.no_sync && intake.facts.doubt == 0)
        intake.facts.synced = offset;
    set_stat(&intake.facts, &row->stat);
    row->facts = intake.facts;
    row->end = offset;
    return index_put_facts(store->index, &intake.facts, batch->err);
}

/* True: all new events of the batch stand in the store; false: some must be written again. */
static enum status note_shares(struct batch *batch, bool *ret_again)
{
    enum status status = STATUS_OK;
    *ret_again = false;
    for (size_t i = 0; i < batch->share_count && status == STATUS_OK; i++) {
        struct share *share = &batch->shares[i];
        if (share->how == PARTITION_APPENDED) {
            status = note_share(batch, share);
        } else {
            *ret_again = true;
        }
    }
    if (status == STATUS_OK)
        status = store_settle(batch->store, true, batch->err);
    for (size_t i = 0; i < batch->share_count && status == STATUS_OK; i++)
        if (batch->shares[i].how != PARTITION_APPENDED)
            status = catch_up(batch, &batch->shares[i]);
    return status;
}

static enum status write_fresh(struct batch *batch)
{
    enum status status = gather_shares(batch);
    for (size_t i = 0; i < batch->share_count && status == STATUS_OK; i++)
        status = write_share(batch, &batch->shares[i]);
    if (status == STATUS_OK)
        status = sync_shares(batch);
    if (status != STATUS_OK)
        undo(batch);
    return status;
}

/*
 * After a write that somebody without lock mixed with, only reading tells what stands where: items whose own line is
 * found there are stored, the others (glued to a fragment of theirs) are written again.
 */
static enum status keep_missing(struct batch *batch)
{
    size_t kept = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->fresh.count && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[batch->fresh.data[i].value];
        status = store_find_first(batch->store, &item->event, &item->first, batch->err);
        if (status == STATUS_ABSENT) {
            batch->fresh.data[kept++] = batch->fresh.data[i];
            status = STATUS_OK;
        }
    }
    batch->fresh.count = kept;
    store_close_files(batch->store);
    return status;
}

static enum status append_fresh(struct batch *batch)
{
    enum status status = gather_fresh(batch);
    for (int turn = 0; status == STATUS_OK && batch->fresh.count > 0; turn++) {
        bool again = false;
        if (turn == TURNS)
            return error_set(batch->err, STATUS_IO, "another program keeps writing to the same partitions");
        status = write_fresh(batch);
        if (status == STATUS_OK)
            status = note_shares(batch, &again);
        release_shares(batch);
        if (status == STATUS_OK && again)
            status = keep_missing(batch);
        else
            batch->fresh.count = 0;
    }
    return status;
}

/* ---- acknowledging duplicates */

/* A duplicate is acknowledged only when its first record is durable, whoever wrote that. */
static enum status sync_duplicates(struct batch *batch)
{
    struct store *store = batch->store;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->count && status == STATUS_OK && !store->options.no_sync; i++) {
        const struct store_item *item = &batch->items[i];
        if (item->outcome == STORE_APPENDED || item->first_item != SIZE_MAX)
            continue;
        const struct partition_facts *facts = index_facts(store->index, item->first.partition);
        if (!facts || item->first.offset >= facts->synced)
            status = store_sync_partition(store, item->first.partition, batch->err);
    }
    return status;
}

enum status store_sync_partition(struct store *store, uint32_t number, struct error *err)
{
    struct batch batch = {.store = store, .err = err};
    struct partition *partition;
    const struct partition_facts *known = index_facts(store->index, number);
    struct partition_facts facts = known ? *known : (struct partition_facts){.partition = number};
    if (known && facts.doubt == 0 && facts.synced >= facts.known && facts.known > 0)
        return STATUS_OK;
    enum status status = facts.doubt != 0 ? settle_doubt(&batch, number, &facts) : STATUS_OK;
    if (status == STATUS_OK)
        status = store_partition_at_hand(store, number, &partition, err);
    if (status == STATUS_OK)
        status = partition_sync(partition, err);
    if (status != STATUS_OK || !known)
        return status;
    facts.synced = facts.known;
    struct store_partition *row = store_row(store, number);
    if (row)
        row->facts = facts;
    return index_put_facts(store->index, &facts, err);
}

/* ---- a batch */

static bool has_share(void *context, uint32_t number)
{
    const struct batch *batch = context;
    for (size_t i = 0; i < batch->count; i++)
        if (number_of(&batch->items[i].event) == number)
            return true;
    return false;
}

static unsigned kinds_of(const struct store_item *items, size_t count)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < count; i++)
        kinds |= KIND_BIT(items[i].event.kind);
    return kinds;
}

/* What comes behind the first duplicate is left alone. */
static enum status cut_at_duplicate(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome != STORE_APPENDED) {
            batch->count = i;
            return STATUS_DUPLICATE;
        }
    return STATUS_OK;
}

static void fill_result(const struct batch *batch, struct store_result *result)
{
    *result = (struct store_result){.done = batch->count};
    for (size_t i = 0; i < batch->count; i++) {
        struct store_item *item = &batch->items[i];
        if (item->outcome != STORE_APPENDED && item->first_item != SIZE_MAX)
            item->first = batch->items[item->first_item].first;
        result->appended += item->outcome == STORE_APPENDED;
        result->duplicates += item->outcome != STORE_APPENDED;
        result->conflicts += item->outcome == STORE_CONFLICT;
        if (item->outcome == STORE_APPENDED)
            result->bytes += item->event.length + 1;
    }
}

static enum status append_locked(struct batch *batch, bool stop_at_duplicate, struct store_result *ret_result)
{
    enum status status = store_mend(batch->store, has_share, batch, batch->err), stopped = STATUS_OK;
    if (status == STATUS_OK)
        status = find_duplicates(batch);
    if (status == STATUS_OK && stop_at_duplicate)
        stopped = cut_at_duplicate(batch);
    if (status == STATUS_OK)
        status = append_fresh(batch);
    if (status == STATUS_OK)
        status = sync_duplicates(batch);
    if (status == STATUS_OK)
        fill_result(batch, ret_result);
    if (status == STATUS_OK)
        (void)index_commit(batch->store->index, NULL);
    return status == STATUS_OK ? stopped : status;
}

enum status store_append(struct store *store, struct store_item *items, size_t count, bool stop_at_duplicate,
                         struct store_result *ret_result, struct error *err)
{
    *ret_result = (struct store_result){0};
    if (count == 0)
        return STATUS_OK;
    struct batch batch = {.store = store, .items = items, .count = count, .err = err};
    enum status status = store_begin_turn(store, kinds_of(items, count), err);
    if (status != STATUS_OK)
        return status;
    status = append_locked(&batch, stop_at_duplicate, ret_result);
    batch_release(&batch);
    store_end_turn(store);
    return status == STATUS_ABSENT || status == STATUS_INVALID ? STATUS_IO : status;
}
