#include "files/catalog/state.h"

/* Between the look at a store and the reading of a partition there may be much time: is it still what was seen? */

enum status catalog_open_seen(struct catalog *store, const struct catalog_partition *row,
                              struct partition **ret_partition, struct error *err)
{
    struct partition *partition;
    struct partition_stat stat;
    enum status status = catalog_open_partition(store, row->number, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = partition_stat(partition, &stat, err);
    if (status == STATUS_OK && stat.inode != row->stat.inode)
        status = error_set(err, STATUS_ABSENT, "%s: was replaced meanwhile", partition_label(partition));
    if (status == STATUS_OK)
        *ret_partition = partition;
    else
        partition_close(partition);
    return status;
}

void catalog_note_unread(struct catalog *store, uint32_t number)
{
    struct catalog_partition *row = catalog_row(store, number);
    if (row)
        row->is_unread = true;
}

/* Looked at by name, for most are as they were: nothing is opened for that. */
static enum status stat_now(struct catalog *store, const struct catalog_partition *row, struct partition_stat *ret_stat,
                            struct error *err)
{
    enum workspace_folder which = catalog_folder(row->number);
    int folder;
    enum status status = workspace_folder(store->workspace, which, false, &folder, err);
    if (status == STATUS_OK)
        status = partition_stat_at(folder, workspace_folder_path(store->workspace, which), row->day, ret_stat, err);
    return status;
}

/* Something was written to the file: what is known of it may stand there still. */
static enum status still_holds(struct catalog *store, const struct catalog_partition *row, bool *ret_holds,
                               struct error *err)
{
    struct partition *partition;
    struct partition_stat stat;
    enum status status = catalog_open_seen(store, row, &partition, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status; /* the next look tells */
    status = partition_stat(partition, &stat, err);
    if (status == STATUS_OK && stat.size >= row->stat.size)
        status = catalog_facts_hold(&row->facts, &stat, partition, ret_holds, err);
    partition_close(partition);
    return status;
}

enum status catalog_confirm(struct catalog *store, const struct catalog_partition *row, bool *ret_changed,
                            struct error *err)
{
    const struct partition_stat *seen = &row->stat;
    struct partition_stat now;
    bool holds = false;
    *ret_changed = false;
    enum status status = stat_now(store, row, &now, err);
    bool same_file = status == STATUS_OK && now.device == seen->device && now.inode == seen->inode;
    if (same_file && now.size == seen->size && now.modified == seen->modified)
        return STATUS_OK;
    if (same_file)
        status = still_holds(store, row, &holds, err);
    if (status != STATUS_OK || holds)
        return status;
    *ret_changed = true;
    return catalog_look_again(store, row->number, err);
}
