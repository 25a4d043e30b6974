#include <stdlib.h>

#include "files/append/batch.h"

static void batch_release(struct batch *batch)
{
    batch_release_slices(batch);
    free(batch->id_hashes);
    index_entries_release(&batch->hashes);
    index_entries_release(&batch->fresh);
    bytes_release(&batch->scratch);
}

/* A duplicate is acknowledged only when its first record is durable, whoever wrote that. */
static enum status sync_duplicates(struct batch *batch)
{
    struct catalog *store = batch->store;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->count && status == STATUS_OK && !store->options.no_sync; i++) {
        const struct store_item *item = &batch->items[i];
        if (item->outcome == STORE_APPENDED || item->first_item != SIZE_MAX)
            continue;
        const struct partition_facts *facts = index_facts(store->index, item->first.part);
        if (!facts || item->first.offset >= facts->synced)
            status = catalog_sync_partition(store, item->first.part, batch->err);
    }
    return status;
}

/* Whether the facts are of the file as it is: a sync that writes bytes anew changes its times, and nothing else. */
static bool facts_are_of(const struct partition_facts *facts, const struct partition_stat *stat)
{
    return facts->inode == stat->inode && facts->size == stat->size && facts->modified == stat->modified;
}

enum status catalog_sync_partition(struct catalog *store, uint32_t number, struct error *err)
{
    struct partition *partition;
    struct partition_stat before, after;
    const struct partition_facts *known = index_facts(store->index, number);
    struct partition_facts facts = known ? *known : (struct partition_facts){.partition = number};
    enum status status = catalog_partition_at_hand(store, number, &partition, err);
    if (status == STATUS_OK)
        status = partition_stat(partition, &before, err);
    if (status == STATUS_OK && known && facts.synced > 0 && facts.synced >= before.size)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = catalog_sync(store, number, partition, err);
    if (status == STATUS_OK && facts.synced == 0)
        status = workspace_sync_folder(store->workspace, catalog_folder(number), err);
    if (status == STATUS_OK)
        status = partition_stat(partition, &after, err);
    if (status != STATUS_OK || !known)
        return status;
    if (facts_are_of(&facts, &before) && after.size == before.size)
        catalog_set_stat(&facts, &after);
    facts.synced = facts.known;
    struct catalog_partition *row = catalog_row(store, number);
    if (row)
        row->facts = facts;
    return index_put_facts(store->index, &facts, err);
}

static bool has_slice(void *context, uint32_t number)
{
    const struct batch *batch = context;
    for (size_t i = 0; i < batch->count; i++)
        if (batch_partition_of(&batch->items[i].event) == number)
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

/*
 * Somebody without lock may store an id between our look-up and our write. What is not written then is asked for again;
 * a slice of another day that is written already, and lies behind a duplicate at which the batch stops, stays.
 */
static enum status append_locked(struct batch *batch, struct store_result *ret_result)
{
    enum status status = catalog_mend(batch->store, has_slice, batch, batch->err), stopped = STATUS_OK;
    if (status == STATUS_OK)
        status = batch_find_duplicates(batch);
    if (status == STATUS_OK && batch->stops)
        stopped = cut_at_duplicate(batch);
    if (status == STATUS_OK)
        status = batch_append(batch);
    if (status == STATUS_OK && batch->caught_up)
        status = batch_compare_repetitions(batch);
    if (status == STATUS_OK && batch->caught_up && batch->stops && stopped == STATUS_OK)
        stopped = cut_at_duplicate(batch);
    if (status == STATUS_OK)
        status = sync_duplicates(batch);
    if (status == STATUS_OK)
        fill_result(batch, ret_result);
    if (status == STATUS_OK)
        (void)index_commit(batch->store->index, NULL);
    return status == STATUS_OK ? stopped : status;
}

enum status catalog_append(struct catalog *store, struct store_item *items, size_t count, bool stop_at_duplicate,
                           struct store_result *ret_result, struct error *err)
{
    *ret_result = (struct store_result){0};
    if (count == 0)
        return STATUS_OK;
    struct batch batch =
        {.store = store, .items = items, .count = count, .stops = stop_at_duplicate, .stop = SIZE_MAX, .err = err};
    enum status status = catalog_begin_turn(store, kinds_of(items, count), err);
    if (status != STATUS_OK)
        return status;
    status = append_locked(&batch, ret_result);
    batch_release(&batch);
    catalog_end_turn(store);
    return status == STATUS_ABSENT || status == STATUS_INVALID ? STATUS_IO : status;
}
