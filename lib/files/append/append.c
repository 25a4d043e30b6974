#include "files/append/append.h"

#include <stdlib.h>

#include "files/append/batch.h"

/* Last lines are mended: those of the batch's partitions for certain, others where nobody has to be waited for. */
static enum status mend(struct batch *batch)
{
    struct catalog *store = batch->store;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < store->count && status == STATUS_OK; i++) {
        uint32_t number = store->partitions[i].number;
        bool wanted = false;
        if (!catalog_tail_is_open(&store->partitions[i]))
            continue;
        for (size_t k = 0; k < batch->count && !wanted; k++)
            wanted = batch_partition_of(&batch->items[k].event) == number;
        status = catalog_mend(store, number, wanted, batch->err);
    }
    return status;
}

/* What follows the first duplicate is left alone. */
static enum status cut_at_duplicate(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome != STORE_APPENDED) {
            batch->count = i;
            return STATUS_DUPLICATE;
        }
    return STATUS_OK;
}

/* A duplicate is acknowledged only when its first record is durable, whoever wrote that. */
static enum status acknowledge(struct batch *batch, struct store_result *ret_result)
{
    struct catalog *store = batch->store;
    struct store_result result = {.done = batch->count};
    for (size_t i = 0; i < batch->count; i++) {
        struct store_item *item = &batch->items[i];
        if (item->outcome == STORE_APPENDED) {
            result.appended++;
            result.bytes += item->event.length + 1;
            continue;
        }
        result.duplicates++;
        result.conflicts += item->outcome == STORE_CONFLICT;
        if (item->first_item != SIZE_MAX) {
            item->first = batch->items[item->first_item].first;
            continue;
        }
        const struct partition_facts *facts = index_facts(store->index, item->first.part);
        if (store->options.no_sync || (facts && item->first.offset < facts->synced))
            continue;
        enum status status = catalog_sync_partition(store, item->first.part, batch->err);
        if (status != STATUS_OK)
            return status;
    }
    *ret_result = result;
    return STATUS_OK;
}

/*
 * Somebody without lock may store an id between our look-up and our write. What is not written then is asked for again;
 * a slice of another day that is written already, and follows a duplicate at which the batch stops, stays.
 */
static enum status append_locked(struct batch *batch, struct store_result *ret_result)
{
    enum status stopped = STATUS_OK, status = mend(batch);
    if (status != STATUS_OK)
        return status;
    status = batch_find_duplicates(batch);
    if (status != STATUS_OK)
        return status;
    if (batch->stops)
        stopped = cut_at_duplicate(batch);
    status = batch_write(batch);
    if (status != STATUS_OK)
        return status;
    if (batch->caught_up)
        status = batch_compare_repetitions(batch);
    if (status != STATUS_OK)
        return status;
    if (batch->caught_up && batch->stops && stopped == STATUS_OK)
        stopped = cut_at_duplicate(batch);
    status = acknowledge(batch, ret_result);
    if (status != STATUS_OK)
        return status;
    (void)index_commit(batch->store->index, NULL);
    return stopped;
}

enum status catalog_append(struct catalog *store, struct store_item *items, size_t count, bool stop_at_duplicate,
                           struct store_result *ret_result, struct error *err)
{
    struct batch batch =
        {.store = store, .items = items, .count = count, .stops = stop_at_duplicate, .stop = SIZE_MAX, .err = err};
    unsigned kinds = 0;
    *ret_result = (struct store_result){0};
    if (count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++)
        kinds |= KIND_BIT(items[i].event.kind);
    enum status status = catalog_begin_turn(store, kinds, err);
    if (status != STATUS_OK)
        return status;
    status = append_locked(&batch, ret_result);
    batch_release_slices(&batch);
    free(batch.id_hashes);
    entries_release(&batch.hashes);
    entries_release(&batch.fresh);
    catalog_end_turn(store);
    return status == STATUS_ABSENT ? STATUS_IO : status;
}
