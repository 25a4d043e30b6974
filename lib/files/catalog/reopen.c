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
