#include "files/append/batch.h"

/* A file of which nothing was ever synced may have a name that was not either: whoever made it may have been killed. */
static enum status sync_names(struct batch *batch, size_t from, size_t to)
{
    bool synced[WORKSPACE_ROOMS] = {false};
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        const struct share *share = &batch->shares[i];
        const struct partition_facts *facts = index_facts(batch->store->index, share->number);
        enum workspace_room room = catalog_room(share->number);
        if (synced[room] || (!share->created && facts && facts->synced > 0))
            continue;
        status = workspace_sync_room(batch->store->workspace, room, batch->err);
        synced[room] = true;
    }
    return status;
}

enum status batch_sync_shares(struct batch *batch, size_t from, size_t to)
{
    if (batch->store->options.no_sync || MUTANT(ACKNOWLEDGE_BEFORE_SYNC))
        return STATUS_OK;
    enum status status = sync_names(batch, from, to);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        status = catalog_sync(batch->store, batch->shares[i].number, batch->shares[i].partition, batch->err);
    return status;
}

/* Stages the lines of a share for the index, at the places where they now stand. */
static enum status stage_share(struct batch *batch, struct share *share)
{
    struct catalog_partition *row;
    struct intake intake;
    enum status status = batch_hash_ids(batch);
    if (status == STATUS_OK)
        status = batch_row(batch, share->number, &row);
    if (status != STATUS_OK)
        return status;
    intake_start(&intake, batch->store, row, batch->err);
    uint64_t offset = share->end;
    for (size_t i = share->from; i < share->to && status == STATUS_OK; i++) {
        uint64_t place = batch->fresh.data[i].value;
        struct store_item *item = &batch->items[place];
        item->first = (struct catalog_position){share->number, offset};
        status = intake_event(&intake, &item->event, batch->id_hashes[place], offset);
        offset += item->event.length + 1;
    }
    intake_release(&intake);
    share->facts = intake.facts;
    share->facts.known = offset;
    return status;
}

/* Looks at a share's file while it is open: what its facts still lack. */
static enum status measure_share(struct batch *batch, struct share *share)
{
    struct partition_facts *facts = &share->facts;
    enum status status = partition_stat(share->partition, &share->stat, batch->err);
    if (status != STATUS_OK || share->how != PARTITION_APPENDED)
        return status;
    catalog_set_stat(facts, &share->stat);
    if (!batch->store->options.no_sync)
        facts->synced = facts->known;
    return share->stat.size < facts->known
               ? STATUS_OK
               : partition_hash_before(share->partition, facts->known, &facts->hash, batch->err);
}

static enum status put_facts(struct batch *batch, const struct share *share)
{
    struct catalog_partition *row;
    enum status status = batch_row(batch, share->number, &row);
    if (status != STATUS_OK)
        return status;
    row->stat = share->stat;
    row->facts = share->facts;
    row->end = share->facts.known;
    return index_put_facts(batch->store->index, &share->facts, batch->err);
}

/* Most of what there is to note is noted while the disk is at work already. */
enum status batch_sync_and_note(struct batch *batch, size_t from, size_t to)
{
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && !batch->store->options.no_sync; i++)
        partition_start_sync(batch->shares[i].partition);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        if (batch->shares[i].how == PARTITION_APPENDED)
            status = stage_share(batch, &batch->shares[i]);
    if (status == STATUS_OK && !MUTANT(INDEX_BEFORE_JSONL))
        status = batch_sync_shares(batch, from, to);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        status = measure_share(batch, &batch->shares[i]);
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        if (batch->shares[i].how == PARTITION_APPENDED)
            status = put_facts(batch, &batch->shares[i]);
    if (status != STATUS_OK)
        index_abandon(batch->store->index);
    return status;
}
