#include "store_private.h"

/* Between the look at a store and the reading of a partition there may be much time: is it still what was seen? */

enum status store_open_seen(struct store *store, const struct store_partition *row, struct partition **ret_partition,
                            struct error *err)
{
    struct partition *partition;
    struct partition_stat stat;
    enum status status = store_open_partition(store, row->number, &partition, err);
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

/* The file is the one of the row, as it was seen or with something behind that. */
static enum status is_seen(const struct store_partition *row, const struct partition *partition, bool *ret_seen,
                           struct error *err)
{
    struct partition_stat stat;
    enum status status = partition_stat(partition, &stat, err);
    *ret_seen = false;
    if (status != STATUS_OK || stat.device != row->stat.device || stat.inode != row->stat.inode ||
        stat.size < row->stat.size)
        return status;
    if (stat.size == row->stat.size && stat.modified == row->stat.modified) {
        *ret_seen = true;
        return STATUS_OK;
    }
    return store_facts_hold(&row->facts, &stat, partition, ret_seen, err);
}

enum status store_confirm(struct store *store, const struct store_partition *row, bool *ret_changed, struct error *err)
{
    struct partition *partition;
    bool seen;
    *ret_changed = false;
    enum status status = store_open_partition(store, row->number, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = is_seen(row, partition, &seen, err);
    partition_close(partition);
    if (status != STATUS_OK || seen)
        return status;
    *ret_changed = true;
    return store_look_again(store, store_row(store, row->number), err);
}
