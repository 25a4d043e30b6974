#include <stdlib.h>

#include "files/append/batch.h"

#define TURNS       8    /* tries while others without lock write too, at least */
#define PATIENCE_MS 5000 /* and for so long where they were a little faster each time */
#define OPEN_SLICES 24   /* partitions that are open at once: a batch may have thousands */

/* ---- slices */

static void close_slice(struct slice *slice)
{
    partition_close(slice->partition);
    slice->partition = NULL;
}

void batch_release_slices(struct batch *batch)
{
    for (size_t i = 0; i < batch->slice_count; i++)
        close_slice(&batch->slices[i]);
    free(batch->slices);
    batch->slices = NULL;
    batch->slice_count = 0;
}

static enum status open_slice(struct batch *batch, struct slice *slice, bool create, struct error *err)
{
    bool created = false;
    enum status status =
        catalog_open_as(batch->store, slice->number, IO_APPEND, create, &slice->partition, &created, err);
    slice->created = slice->created || created;
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

/* Puts the lines of a slice, one after the other, into store->lines, and opens its partition, which has a row then. */
static enum status prepare(struct batch *batch, struct slice *slice)
{
    struct bytes *lines = &batch->store->lines;
    struct catalog_partition *row;
    slice->length = 0;
    for (size_t i = slice->from; i < slice->to; i++)
        slice->length += batch->items[batch->fresh.data[i].value].event.length + 1;
    bytes_clear(lines);
    if (!bytes_reserve(lines, slice->length))
        return error_set_memory(batch->err);
    for (size_t i = slice->from; i < slice->to; i++) {
        const struct event *event = &batch->items[batch->fresh.data[i].value].event;
        bytes_append(lines, event->line, event->length);
        bytes_append_char(lines, '\n');
    }
    enum status status = catalog_row_of(batch->store, slice->number, &row, batch->err);
    return status == STATUS_OK ? open_slice(batch, slice, true, batch->err) : status;
}

/* ---- beside somebody without lock */

/* They have written since we looked: look again, and mend what they left. */
static enum status catch_up(struct batch *batch, struct slice *slice)
{
    batch->caught_up = true;
    enum status status = catalog_look_again(batch->store, slice->number, batch->err);
    return status == STATUS_OK ? catalog_mend(batch->store, slice->number, true, batch->err) : status;
}

/* Asks again for the items of a slice that is not written yet. Those that are stored by now, or follow where the batch
 * stops, leave it. */
static enum status look_up_again(struct batch *batch, struct slice *slice)
{
    struct entry *fresh = batch->fresh.data;
    size_t kept = slice->from;
    enum status status = STATUS_OK;
    for (size_t i = slice->from; i < slice->to && status == STATUS_OK; i++) {
        struct entry entry = fresh[i];
        bool found;
        status = batch_find_again(batch, &batch->items[entry.value], false, &found);
        if (found && batch->stops && entry.value < batch->stop)
            batch->stop = entry.value;
        if (!found) {
            fresh[i] = fresh[kept];
            fresh[kept++] = entry;
        }
    }
    slice->to = kept;
    return status;
}

/* What somebody wrote meanwhile may be what this batch holds, in slices from this one on. */
static enum status start_again(struct batch *batch, struct slice *slice)
{
    size_t first = (size_t)(slice - batch->slices), kept = first;
    close_slice(slice);
    enum status status = catch_up(batch, slice);
    for (size_t i = first; i < batch->slice_count && status == STATUS_OK; i++)
        status = look_up_again(batch, &batch->slices[i]);
    catalog_close_files(batch->store);
    if (status != STATUS_OK)
        return status;
    for (size_t i = first; i < batch->slice_count; i++) {
        struct slice *other = &batch->slices[i];
        while (other->from < other->to && batch->fresh.data[other->to - 1].value > batch->stop)
            other->to--;
        if (i == first || other->from < other->to) /* the first one is at hand, empty or not */
            batch->slices[kept++] = *other;
    }
    batch->slice_count = kept;
    return prepare(batch, slice);
}

static enum status write_slice(struct batch *batch, struct slice *slice)
{
    struct catalog *store = batch->store;
    int64_t deadline = io_monotonic_ms() + PATIENCE_MS;
    enum status status = prepare(batch, slice);
    for (int turn = 0; status == STATUS_OK; turn++) {
        const struct catalog_partition *row = catalog_row(store, slice->number);
        slice->end = row->stat.size;
        if (!catalog_tail_is_open(row))
            status = partition_append(slice->partition, &row->stat, store->lines.data, slice->length, &slice->how,
                                      batch->err);
        slice->written = status == STATUS_OK && slice->how != PARTITION_MOVED;
        if (status != STATUS_OK || slice->written)
            return status;
        if (turn >= TURNS && io_monotonic_ms() >= deadline)
            return error_set(batch->err, STATUS_IO, "%s: another program keeps writing to it",
                             partition_label(slice->partition));
        status = start_again(batch, slice);
    }
    return status;
}

/*
 * After a write that somebody without lock mixed with, only reading tells what stands where: items whose own line is
 * found there are stored; those whose id has another first record by now are its duplicates; the others (glued to a
 * fragment of theirs) are written again.
 */
static enum status keep_missing(struct batch *batch)
{
    size_t kept = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->fresh.count && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[batch->fresh.data[i].value];
        bool found;
        if (item->outcome != STORE_APPENDED || batch->fresh.data[i].value > batch->stop)
            continue;
        status = batch_find_again(batch, item, true, &found);
        if (!found)
            batch->fresh.data[kept++] = batch->fresh.data[i];
        else if (status == STATUS_OK && !batch->store->options.no_sync) /* a line of theirs, after our sync, perhaps */
            status = catalog_sync_partition(batch->store, item->first.part, batch->err);
    }
    batch->fresh.count = kept;
    catalog_close_files(batch->store);
    return status;
}

/* ---- undoing */

/* Takes back what this batch wrote, where that can be done. */
static void undo(struct batch *batch)
{
    index_abandon(batch->store->index); /* it may know of lines that are cut off now */
    (void)index_reload(batch->store->index, NULL);
    for (size_t i = 0; i < batch->slice_count; i++) {
        struct slice *slice = &batch->slices[i];
        enum workspace_folder which = catalog_folder(slice->number);
        char name[PARTITION_NAME_SIZE];
        struct partition_stat now;
        int folder;
        /* one that was closed is opened once more: what has come in its place since is not ours to take back */
        if (!slice->partition && (slice->written || slice->created) &&
            open_slice(batch, slice, false, NULL) == STATUS_OK && slice->written &&
            (partition_stat(slice->partition, &now, NULL) != STATUS_OK || now.device != slice->stat.device ||
             now.inode != slice->stat.inode))
            close_slice(slice);
        if (slice->written && slice->partition && slice->how == PARTITION_APPENDED)
            (void)partition_cut(slice->partition, slice->end + slice->length, slice->end, NULL);
        slice->written = false;
        /* A file that we made, that holds nothing and that nobody else has open is as if it had never been. */
        partition_name(partition_number_day(slice->number), name);
        if (slice->created && slice->partition && partition_cut(slice->partition, 0, 0, NULL) == STATUS_OK &&
            workspace_folder(batch->store->workspace, which, false, &folder, NULL) == STATUS_OK &&
            partition_is_same_file(slice->partition, folder, name))
            (void)io_remove(folder, name, true, name, NULL);
        close_slice(slice);
    }
}

/* ---- the batch */

/* Writes, syncs and notes what is fresh in slices, a few at a time that are open together. */
static enum status write_fresh(struct batch *batch)
{
    const struct entries *fresh = &batch->fresh;
    enum status status = STATUS_OK;
    size_t capacity = 0;
    for (size_t i = 0; i < fresh->count; i++) {
        if (i == 0 || fresh->data[i - 1].key != fresh->data[i].key) {
            if (!ARRAY_RESERVE(batch->slices, batch->slice_count, capacity, 1))
                return error_set_memory(batch->err);
            batch->slices[batch->slice_count++] =
                (struct slice){.number = (uint32_t)fresh->data[i].key, .from = i, .how = PARTITION_MOVED};
        }
        batch->slices[batch->slice_count - 1].to = i + 1;
    }
    for (size_t from = 0, to; from < batch->slice_count && status == STATUS_OK; from = to) {
        for (to = from; to < from + OPEN_SLICES && to < batch->slice_count && status == STATUS_OK; to++)
            status = write_slice(batch, &batch->slices[to]);
        if (status != STATUS_OK)
            break;
        status = batch_sync_and_note(batch, from, to);
        for (size_t i = from; i < to && to < batch->slice_count && status == STATUS_OK; i++)
            close_slice(&batch->slices[i]);
    }
    return status;
}

/* What is noted is found from here on. *ret_again: somebody mixed with it, so some events may have to be written again.
 */
static enum status merge_batch(struct batch *batch, bool *ret_again)
{
    enum status status;
    int turn = 0;
    do
        status = catalog_merge(batch->store, !batch->caught_up, batch->err);
    while (catalog_repair(batch->store, &status, &turn, batch->err));
    if (status != STATUS_OK)
        index_abandon(batch->store->index);
    for (size_t i = 0; i < batch->slice_count && status == STATUS_OK; i++)
        if (batch->slices[i].how != PARTITION_APPENDED) {
            *ret_again = true;
            status = catch_up(batch, &batch->slices[i]);
        }
    return status;
}

enum status batch_write(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome == STORE_APPENDED &&
            !entries_add(&batch->fresh, (struct entry){batch_partition_of(&batch->items[i].event), i}))
            return error_set_memory(batch->err);
    entries_sort(&batch->fresh);
    for (int turn = 0; batch->fresh.count > 0; turn++) {
        bool again = false;
        if (turn == TURNS)
            return error_set(batch->err, STATUS_IO, "another program keeps writing to the same partitions");
        enum status status = write_fresh(batch);
        if (status == STATUS_OK)
            status = merge_batch(batch, &again);
        if (status == STATUS_OK && MUTANT(INDEX_BEFORE_JSONL)) {
            (void)index_commit(batch->store->index, NULL);
            status = batch_sync_slices(batch, (batch->slice_count - 1) / OPEN_SLICES * OPEN_SLICES, batch->slice_count);
        }
        if (status != STATUS_OK)
            undo(batch);
        batch_release_slices(batch);
        if (status == STATUS_OK && again)
            status = keep_missing(batch);
        else
            batch->fresh.count = 0;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
