#include <stdlib.h>
#include <string.h>

#include "files/append/batch.h"

#define TURNS       8    /* tries while others without lock write too, at least */
#define PATIENCE_MS 5000 /* and for so long where they were a little faster each time */
#define OPEN_SHARES 24   /* partitions that are open at once: a batch may have thousands */

void batch_release_slices(struct batch *batch)
{
    for (size_t i = 0; i < batch->slice_count; i++)
        partition_close(batch->slices[i].partition);
    free(batch->slices);
    batch->slices = NULL;
    batch->slice_count = 0;
}

uint32_t batch_partition_of(const struct event *event)
{
    return partition_number(event->kind, timestamp_day(event->timestamp));
}

static enum status gather_fresh(struct batch *batch)
{
    batch->fresh.count = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].outcome == STORE_APPENDED &&
            !index_entries_add(&batch->fresh, (struct index_entry){batch_partition_of(&batch->items[i].event), i}))
            return error_set_memory(batch->err);
    index_entries_sort(&batch->fresh);
    return STATUS_OK;
}

static enum status gather_slices(struct batch *batch)
{
    const struct index_entries *fresh = &batch->fresh;
    size_t count = 0;
    for (size_t i = 0; i < fresh->count; i++)
        count += i == 0 || fresh->data[i - 1].key != fresh->data[i].key;
    batch_release_slices(batch);
    if (count == 0)
        return STATUS_OK;
    batch->slices = calloc(count, sizeof *batch->slices);
    if (!batch->slices)
        return error_set_memory(batch->err);
    for (size_t i = 0; i < fresh->count; i++) {
        if (i == 0 || fresh->data[i - 1].key != fresh->data[i].key)
            batch->slices[batch->slice_count++] =
                (struct slice){.number = (uint32_t)fresh->data[i].key, .from = i, .how = PARTITION_MOVED};
        batch->slices[batch->slice_count - 1].to = i + 1;
    }
    return STATUS_OK;
}

/* The lines of a slice, one behind the other, in store->slice. */
static enum status compose(struct batch *batch, struct slice *slice)
{
    struct bytes *lines = &batch->store->slice;
    size_t length = 0;
    for (size_t i = slice->from; i < slice->to; i++)
        length += batch->items[batch->fresh.data[i].value].event.length + 1;
    slice->length = length;
    bytes_clear(lines);
    if (!bytes_reserve(lines, length))
        return error_set_memory(batch->err);
    for (size_t i = slice->from; i < slice->to; i++) {
        const struct event *event = &batch->items[batch->fresh.data[i].value].event;
        bytes_append(lines, event->line, event->length);
        bytes_append_char(lines, '\n');
    }
    return STATUS_OK;
}

static enum status open_slice(struct batch *batch, struct slice *slice, bool create, struct error *err)
{
    bool created = false;
    enum status status =
        catalog_open_as(batch->store, slice->number, IO_APPEND, create, &slice->partition, &created, err);
    slice->created = slice->created || created;
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

static void close_slice(struct slice *slice)
{
    partition_close(slice->partition);
    slice->partition = NULL;
}

enum status batch_row(struct batch *batch, uint32_t number, struct catalog_partition **ret_row)
{
    struct catalog *store = batch->store;
    *ret_row = catalog_row(store, number);
    if (*ret_row)
        return STATUS_OK;
    const struct partition_facts *facts = index_facts(store->index, number);
    enum status status = catalog_add_row(store, number, ret_row, batch->err);
    if (status != STATUS_OK)
        return status;
    if (facts)
        (*ret_row)->facts = *facts;
    struct catalog_partition row = **ret_row;
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
static enum status catch_up(struct batch *batch, struct slice *slice)
{
    struct catalog_partition *row;
    enum status status = batch_row(batch, slice->number, &row);
    if (status == STATUS_OK)
        status = catalog_look_again(batch->store, row, batch->err);
    if (status == STATUS_OK)
        status = catalog_mend(batch->store, has_this_number, &slice->number, batch->err);
    return status;
}

/* Shares from `first` on are not written yet: what of them is stored by now, or behind where the batch stops, goes. */
static enum status look_up_again(struct batch *batch, size_t first)
{
    enum status status = STATUS_OK;
    for (size_t i = first; i < batch->slice_count && status == STATUS_OK; i++)
        status = batch_look_up_again(batch, batch->slices[i].from, &batch->slices[i].to);
    size_t kept = first;
    for (size_t i = first; i < batch->slice_count && status == STATUS_OK; i++) {
        struct slice *slice = &batch->slices[i];
        while (slice->from < slice->to && batch->fresh.data[slice->to - 1].value > batch->stop)
            slice->to--;
        if (i == first || slice->from < slice->to) /* the first one is at hand, empty or not */
            batch->slices[kept++] = *slice;
    }
    if (status == STATUS_OK)
        batch->slice_count = kept;
    return status;
}

/* What somebody wrote meanwhile may be what this batch holds. */
static enum status start_again(struct batch *batch, struct slice *slice)
{
    close_slice(slice);
    batch->caught_up = true;
    enum status status = catch_up(batch, slice);
    if (status == STATUS_OK)
        status = look_up_again(batch, (size_t)(slice - batch->slices));
    if (status == STATUS_OK)
        status = compose(batch, slice);
    return status == STATUS_OK ? open_slice(batch, slice, true, batch->err) : status;
}

static enum status write_slice(struct batch *batch, struct slice *slice)
{
    struct catalog_partition *row;
    enum status status = compose(batch, slice);
    if (status == STATUS_OK)
        status = open_slice(batch, slice, true, batch->err);
    int64_t deadline = io_monotonic_ms() + PATIENCE_MS;
    for (int turn = 0; status == STATUS_OK && slice->how == PARTITION_MOVED; turn++) {
        status = batch_row(batch, slice->number, &row);
        if (status != STATUS_OK)
            break;
        slice->end = row->stat.size;
        if (!catalog_tail_is_open(row))
            status = partition_append(slice->partition, &row->stat, batch->store->slice.data, slice->length,
                                      &slice->how, batch->err);
        slice->written = status == STATUS_OK && slice->how != PARTITION_MOVED;
        if (status == STATUS_OK && slice->how == PARTITION_MOVED) {
            if (turn >= TURNS && io_monotonic_ms() >= deadline)
                return error_set(batch->err, STATUS_IO, "%s: another program keeps writing to it",
                                 partition_label(slice->partition));
            status = start_again(batch, slice);
        }
    }
    return status;
}

/* A file that this batch made, that holds nothing and that nobody else has open is as if it had never been; another
 * that has come in its place is not ours. */
static void remove_empty(struct batch *batch, const struct slice *slice)
{
    char name[PARTITION_NAME_SIZE];
    enum workspace_folder which = catalog_folder(slice->number);
    int folder;
    partition_name(partition_number_day(slice->number), name);
    if (slice->created && slice->partition && partition_cut(slice->partition, 0, 0, NULL) == STATUS_OK &&
        workspace_folder(batch->store->workspace, which, false, &folder, NULL) == STATUS_OK &&
        partition_is_same_file(slice->partition, folder, name))
        (void)io_remove(folder, name, true, name, NULL);
}

/* Opens a slice that was closed once more: what has come in its place since is not ours to take back. */
static void open_to_undo(struct batch *batch, struct slice *slice)
{
    struct partition_stat now;
    if (open_slice(batch, slice, false, NULL) == STATUS_OK && slice->written &&
        (partition_stat(slice->partition, &now, NULL) != STATUS_OK || now.device != slice->stat.device ||
         now.inode != slice->stat.inode))
        close_slice(slice);
}

/* Takes back what this batch wrote, where that can be done. */
static void undo(struct batch *batch)
{
    index_abandon(batch->store->index); /* it may know of lines that are cut off now */
    (void)index_reload(batch->store->index, NULL);
    for (size_t i = 0; i < batch->slice_count; i++) {
        struct slice *slice = &batch->slices[i];
        uint64_t length = slice->length;
        if (!slice->partition && (slice->written || slice->created))
            open_to_undo(batch, slice);
        if (slice->written && slice->partition && slice->how == PARTITION_APPENDED)
            (void)partition_cut(slice->partition, slice->end + length, slice->end, NULL);
        slice->written = false;
        remove_empty(batch, slice);
        close_slice(slice);
    }
}

/* Writes and syncs slices that are open together. */
static enum status write_slices(struct batch *batch, size_t from, size_t to)
{
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && i < batch->slice_count && status == STATUS_OK; i++)
        status = write_slice(batch, &batch->slices[i]);
    to = to < batch->slice_count ? to : batch->slice_count;
    return status == STATUS_OK ? batch_sync_and_note(batch, from, to) : status;
}

static enum status write_fresh(struct batch *batch)
{
    enum status status = gather_slices(batch);
    for (size_t from = 0, to; from < batch->slice_count && status == STATUS_OK; from = to) {
        to = from + OPEN_SHARES < batch->slice_count ? from + OPEN_SHARES : batch->slice_count;
        status = write_slices(batch, from, to);
        for (size_t i = from; i < to && to < batch->slice_count && status == STATUS_OK; i++)
            close_slice(&batch->slices[i]);
    }
    return status;
}

/* What is noted is found from here on. True: some of the new events must be written again. */
static enum status settle_batch(struct batch *batch, bool *ret_again)
{
    enum status status = catalog_merge(batch->store, !batch->caught_up, batch->err);
    for (int turn = 0; status == STATUS_INVALID && turn < 2; turn++)
        status = catalog_rebuild(batch->store, batch->err);
    if (status != STATUS_OK)
        index_abandon(batch->store->index);
    *ret_again = false;
    for (size_t i = 0; i < batch->slice_count && status == STATUS_OK; i++)
        if (batch->slices[i].how != PARTITION_APPENDED) {
            *ret_again = batch->caught_up = true;
            status = catch_up(batch, &batch->slices[i]);
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
        if (item->outcome != STORE_APPENDED || batch->fresh.data[i].value > batch->stop)
            continue;
        status = batch_find_item(batch, item);
        if (status == STATUS_ABSENT) {
            batch->fresh.data[kept++] = batch->fresh.data[i];
            status = STATUS_OK;
        } else if (status == STATUS_OK &&
                   !batch->store->options.no_sync) { /* it may be a line of theirs, after our sync */
            status = catalog_sync_partition(batch->store, item->first.part, batch->err);
        }
    }
    batch->fresh.count = kept;
    catalog_close_files(batch->store);
    return status;
}

enum status batch_append(struct batch *batch)
{
    enum status status = gather_fresh(batch);
    for (int turn = 0; status == STATUS_OK && batch->fresh.count > 0; turn++) {
        bool again = false;
        if (turn == TURNS)
            return error_set(batch->err, STATUS_IO, "another program keeps writing to the same partitions");
        status = write_fresh(batch);
        if (status == STATUS_OK)
            status = settle_batch(batch, &again);
        if (status == STATUS_OK && MUTANT(INDEX_BEFORE_JSONL)) {
            (void)index_commit(batch->store->index, NULL);
            status = batch_sync_slices(batch, (batch->slice_count - 1) / OPEN_SHARES * OPEN_SHARES, batch->slice_count);
        }
        if (status != STATUS_OK)
            undo(batch);
        batch_release_slices(batch);
        if (status == STATUS_OK && again)
            status = keep_missing(batch);
        else
            batch->fresh.count = 0;
    }
    return status;
}
