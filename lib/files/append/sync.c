#include "files/append/batch.h"

/* A file of which nothing was ever synced may have a name that was not either: whoever made it may have been killed. */
static enum status sync_names(struct batch *batch, size_t from, size_t to)
{
    bool synced[WORKSPACE_ROOMS] = {false};
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        const struct slice *slice = &batch->slices[i];
        const struct partition_facts *facts = index_facts(batch->store->index, slice->number);
        enum workspace_folder which = catalog_folder(slice->number);
        if (synced[which] || (!slice->created && facts && facts->synced > 0))
            continue;
        status = workspace_sync_folder(batch->store->workspace, which, batch->err);
        synced[which] = true;
    }
    return status;
}

enum status batch_sync_slices(struct batch *batch, size_t from, size_t to)
{
    if (batch->store->options.no_sync || MUTANT(ACKNOWLEDGE_BEFORE_SYNC))
        return STATUS_OK;
    enum status status = sync_names(batch, from, to);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        status = catalog_sync(batch->store, batch->slices[i].number, batch->slices[i].partition, batch->err);
    return status;
}

/* Stages the lines of a slice for the index, at the places where they now stand. */
static enum status stage_slice(struct batch *batch, struct slice *slice)
{
    struct catalog_partition *row;
    struct intake intake;
    enum status status = batch_hash_ids(batch);
    if (status == STATUS_OK)
        status = batch_row(batch, slice->number, &row);
    if (status != STATUS_OK)
        return status;
    intake_start(&intake, batch->store, row, batch->err);
    uint64_t offset = slice->end;
    for (size_t i = slice->from; i < slice->to && status == STATUS_OK; i++) {
        uint64_t place = batch->fresh.data[i].value;
        struct store_item *item = &batch->items[place];
        item->first = (struct store_place){slice->number, offset};
        status = intake_event(&intake, &item->event, batch->id_hashes[place], offset);
        offset += item->event.length + 1;
    }
    intake_release(&intake);
    slice->facts = intake.facts;
    slice->facts.known = offset;
    return status;
}

/* Looks at a slice's file while it is open: what its facts still lack. */
static enum status measure_slice(struct batch *batch, struct slice *slice)
{
    struct partition_facts *facts = &slice->facts;
    enum status status = partition_stat(slice->partition, &slice->stat, batch->err);
    if (status != STATUS_OK || slice->how != PARTITION_APPENDED)
        return status;
    catalog_set_stat(facts, &slice->stat);
    if (!batch->store->options.no_sync)
        facts->synced = facts->known;
    return slice->stat.size < facts->known
               ? STATUS_OK
               : partition_hash_before(slice->partition, facts->known, &facts->hash, batch->err);
}

static enum status put_facts(struct batch *batch, const struct slice *slice)
{
    struct catalog_partition *row;
    enum status status = batch_row(batch, slice->number, &row);
    if (status != STATUS_OK)
        return status;
    row->stat = slice->stat;
    row->facts = slice->facts;
    row->end = slice->facts.known;
    return index_put_facts(batch->store->index, &slice->facts, batch->err);
}

/* Most of what there is to note is noted while the disk is at work already. */
enum status batch_sync_and_note(struct batch *batch, size_t from, size_t to)
{
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && !batch->store->options.no_sync; i++)
        partition_start_sync(batch->slices[i].partition);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        if (batch->slices[i].how == PARTITION_APPENDED)
            status = stage_slice(batch, &batch->slices[i]);
    if (status == STATUS_OK && !MUTANT(INDEX_BEFORE_JSONL))
        status = batch_sync_slices(batch, from, to);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        status = measure_slice(batch, &batch->slices[i]);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        if (batch->slices[i].how == PARTITION_APPENDED)
            status = put_facts(batch, &batch->slices[i]);
    if (status != STATUS_OK)
        index_abandon(batch->store->index);
    return status;
}
