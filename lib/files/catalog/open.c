#include "files/catalog/catalog.h"

#include <stdlib.h>
#include <unistd.h>

#include "files/catalog/state.h"

enum status catalog_open(const char *workspace, const struct catalog_options *options, struct catalog **ret_store,
                         struct error *err)
{
    struct catalog *store = calloc(1, sizeof *store);
    if (!store)
        return error_set_memory(err);
    store->options = *options;
    store->notices = (struct notices){.say = options->notice, .context = options->notice_context};
    store->lock = -1;
    enum status status = workspace_open(workspace, options->access, &store->workspace, err);
    if (status != STATUS_OK)
        goto fail;
    status = catalog_find_index(store, err);
    if (status != STATUS_OK)
        goto fail;
    *ret_store = store;
    return STATUS_OK;
fail:
    catalog_close(store);
    return status;
}

void catalog_close(struct catalog *store)
{
    struct partition *partition;
    if (!store)
        return;
    for (size_t i = 0; MUTANT(ACKNOWLEDGE_BEFORE_SYNC) && i < store->count; i++)
        if (catalog_partition_at_hand(store, store->partitions[i].number, &partition, NULL) == STATUS_OK)
            (void)partition_sync(partition, NULL);
    catalog_close_files(store);
    if (store->index && store->options.access == WORKSPACE_WRITE && index_lock(store->index, 0, NULL) == STATUS_OK) {
        (void)index_commit_folded(store->index, NULL);
        index_unlock(store->index);
    }
    index_close(store->index);
    if (store->lock >= 0)
        close(store->lock);
    workspace_close(store->workspace);
    entries_release(&store->matches);
    entries_release(&store->shadowed);
    bytes_release(&store->block);
    bytes_release(&store->line);
    bytes_release(&store->lines);
    bytes_release(&store->kept);
    notices_release(&store->notices);
    free(store->unsynced);
    free(store->partitions);
    free(store);
}

struct workspace *catalog_workspace(struct catalog *store)
{
    return store->workspace;
}

struct index *catalog_index(struct catalog *store)
{
    return store->index;
}

const struct catalog_partition *catalog_partitions(const struct catalog *store, size_t *ret_count)
{
    *ret_count = store->count;
    return store->partitions;
}

const struct catalog_partition *catalog_partition(const struct catalog *store, uint32_t number)
{
    return catalog_row(store, number);
}

enum status catalog_refresh(struct catalog *store, unsigned kinds, struct error *err)
{
    uint64_t pending;
    store->kept_listed = false;
    enum status status = catalog_find_index(store, err);
    if (status != STATUS_OK)
        goto out;
    status = index_reload(store->index, err);
    if (status != STATUS_OK)
        goto out;
    status = catalog_look(store, kinds, &pending, err);
    if (status != STATUS_OK)
        goto out;
    status = catalog_read_on(store, err);
    if (status != STATUS_OK)
        goto out;
    index_commit_if_alone(store->index);
out:
    catalog_close_files(store);
    return status;
}

enum status catalog_open_day(struct catalog *store, uint32_t number, struct day **ret_day, struct error *err)
{
    const struct catalog_partition *row = catalog_row(store, number);
    struct partition_stat now;
    bool holds = false;
    if (!row)
        return error_set(err, STATUS_ABSENT, "no such partition");
    struct day *day = calloc(1, sizeof *day);
    if (!day)
        return error_set_memory(err);
    enum status status = catalog_open_partition(store, number, &day->file, err);
    if (status != STATUS_OK)
        goto fail;
    status = partition_stat(day->file, &now, err);
    if (status != STATUS_OK)
        goto fail;
    bool same_file = now.device == row->stat.device && now.inode == row->stat.inode;
    if (same_file && now.size == row->stat.size && now.modified == row->stat.modified)
        holds = true;
    else if (same_file && now.size >= row->stat.size)
        status = catalog_facts_hold(&row->facts, &now, day->file, &holds, err);
    if (status != STATUS_OK)
        goto fail;
    if (!holds) {
        status = catalog_take_file(store, number, day->file, err);
        if (status != STATUS_OK)
            goto fail;
        row = catalog_row(store, number);
    }
    day->number = number;
    day->stat = row->stat;
    day->facts = row->facts;
    day->end = row->end;
    day->is_other = !holds;
    *ret_day = day;
    return STATUS_OK;
fail:
    day_close(day);
    return status;
}

void catalog_note_unread(struct catalog *store, uint32_t number)
{
    struct catalog_partition *row = catalog_row(store, number);
    if (row)
        row->is_unread = true;
}
