#include "files/append/batch.h"

enum status batch_sync_slices(struct batch *batch, size_t from, size_t to)
{
    struct catalog *store = batch->store;
    bool synced[WORKSPACE_FOLDERS] = {false};
    enum status status = STATUS_OK;
    if (store->options.no_sync || MUTANT(ACKNOWLEDGE_BEFORE_SYNC))
        return STATUS_OK;
    /* A file of which nothing was ever synced may have a name that was not either: its maker may have been killed. */
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        const struct slice *slice = &batch->slices[i];
        const struct partition_facts *facts = index_facts(store->index, slice->number);
        enum workspace_folder which = catalog_folder(slice->number);
        if (synced[which] || (!slice->created && facts && facts->synced > 0))
            continue;
        status = workspace_sync_folder(store->workspace, which, batch->err);
        synced[which] = true;
    }
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        status = catalog_sync(store, batch->slices[i].number, batch->slices[i].partition, batch->err);
    return status;
}

/* Stages the lines of a slice for the index, at the places where they now stand. */
static enum status stage_slice(struct batch *batch, struct slice *slice)
{
    struct catalog_partition *row;
    struct intake intake;
    uint64_t offset = slice->end;
    enum status status = catalog_row_of(batch->store, slice->number, &row, batch->err);
    if (status != STATUS_OK)
        return status;
    intake_start(&intake, batch->store, row, batch->err);
    for (size_t i = slice->from; i < slice->to && status == STATUS_OK; i++) {
        uint64_t place = batch->fresh.data[i].value;
        struct store_item *item = &batch->items[place];
        item->first = (struct store_place){slice->number, offset};
        status = intake_event(&intake, &item->event, batch->id_hashes[place], offset);
        offset += item->event.length + 1;
    }
    intake_release(&intake);
    if (status != STATUS_OK)
        return status;
    intake.facts.known = row->end = offset;
    return catalog_put_facts(batch->store, &intake.facts, batch->err);
}

/* Most of what there is to note is noted while the disk is at work already. */
enum status batch_sync_and_note(struct batch *batch, size_t from, size_t to)
{
    struct catalog *store = batch->store;
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && !store->options.no_sync; i++)
        partition_start_sync(batch->slices[i].partition);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        if (batch->slices[i].how == PARTITION_APPENDED)
            status = stage_slice(batch, &batch->slices[i]);
    if (status == STATUS_OK && !MUTANT(INDEX_BEFORE_JSONL))
        status = batch_sync_slices(batch, from, to);
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        struct slice *slice = &batch->slices[i];
        struct catalog_partition *row;
        status = partition_stat(slice->partition, &slice->stat, batch->err);
        if (status != STATUS_OK || slice->how != PARTITION_APPENDED)
            continue;
        status = catalog_row_of(store, slice->number, &row, batch->err);
        if (status != STATUS_OK)
            break;
        struct partition_facts facts = row->facts;
        row->stat = slice->stat;
        catalog_set_stat(&facts, &slice->stat);
        if (!store->options.no_sync)
            facts.synced = facts.known;
        if (slice->stat.size >= facts.known)
            status = partition_hash_before(slice->partition, facts.known, &facts.hash, batch->err);
        if (status != STATUS_OK)
            break;
        status = catalog_put_facts(store, &facts, batch->err);
    }
    if (status != STATUS_OK)
        index_abandon(store->index);
    return status;
}
