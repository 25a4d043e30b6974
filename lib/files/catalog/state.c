#include "files/catalog/state.h"

#include <string.h>

/* ---- rows */

static int compare_number(const void *row, const void *key)
{
    uint32_t number = ((const struct catalog_partition *)row)->number, wanted = *(const uint32_t *)key;
    return (number > wanted) - (number < wanted);
}

static size_t row_place(const struct catalog *store, uint32_t number)
{
    return array_lower_bound(store->partitions, store->count, sizeof *store->partitions, &number, compare_number);
}

struct catalog_partition *catalog_row(const struct catalog *store, uint32_t number)
{
    size_t place = row_place(store, number);
    return place < store->count && store->partitions[place].number == number ? &store->partitions[place] : NULL;
}

enum status catalog_add_row(struct catalog *store, uint32_t number, const struct partition_facts *facts,
                            struct catalog_partition **ret_row, struct error *err)
{
    if (!ARRAY_RESERVE(store->partitions, store->count, store->capacity, 1))
        return error_set_memory(err);
    bool is_last = store->count == 0 || store->partitions[store->count - 1].number < number;
    size_t place = is_last ? store->count : row_place(store, number);
    struct catalog_partition *row = &store->partitions[place];
    memmove(row + 1, row, (store->count++ - place) * sizeof *row);
    *row = (struct catalog_partition){
        .number = number,
        .kind = partition_number_kind(number),
        .day = partition_number_day(number),
        .facts = facts ? *facts : (struct partition_facts){.partition = number},
    };
    *ret_row = row;
    return STATUS_OK;
}

enum status catalog_row_of(struct catalog *store, uint32_t number, struct catalog_partition **ret_row,
                           struct error *err)
{
    *ret_row = catalog_row(store, number);
    return *ret_row ? STATUS_OK : catalog_add_row(store, number, index_facts(store->index, number), ret_row, err);
}

void catalog_show_facts(struct catalog *store)
{
    for (size_t i = 0; i < store->count; i++) {
        const struct partition_facts *facts = index_facts(store->index, store->partitions[i].number);
        if (facts)
            store->partitions[i].facts = *facts;
    }
}

enum status catalog_put_facts(struct catalog *store, const struct partition_facts *facts, struct error *err)
{
    struct catalog_partition *row = catalog_row(store, facts->partition);
    if (row)
        row->facts = *facts;
    return index_put_facts(store->index, facts, err);
}

/* ---- files */

enum status catalog_open_as(struct catalog *store, uint32_t number, enum io_open how, bool create,
                            struct partition **ret_partition, bool *ret_created, struct error *err)
{
    enum workspace_folder which = catalog_folder(number);
    int folder;
    enum status status = workspace_folder(store->workspace, which, create, &folder, err);
    if (status != STATUS_OK)
        return status;
    return partition_open(folder, workspace_folder_path(store->workspace, which), partition_number_day(number), how,
                          create, ret_partition, ret_created, err);
}

enum status catalog_open_partition(struct catalog *store, uint32_t number, struct partition **ret_partition,
                                   struct error *err)
{
    return catalog_open_as(store, number, IO_READ, false, ret_partition, NULL, err);
}

bool catalog_partition_path(const struct catalog *store, uint32_t number, struct bytes *out)
{
    char name[PARTITION_NAME_SIZE];
    partition_name(partition_number_day(number), name);
    return workspace_path(store->workspace, catalog_folder(number), name, out);
}

void catalog_close_files(struct catalog *store)
{
    partition_close(store->open);
    store->open = NULL;
    bytes_clear(&store->block);
}

enum status catalog_partition_at_hand(struct catalog *store, uint32_t number, struct partition **ret_partition,
                                      struct error *err)
{
    if (!store->open || store->open_number != number) {
        catalog_close_files(store);
        enum status status = catalog_open_partition(store, number, &store->open, err);
        if (status != STATUS_OK)
            return status;
        store->open_number = number;
    }
    *ret_partition = store->open;
    return STATUS_OK;
}

/* ---- the index */

enum status catalog_find_index(struct catalog *store, struct error *err)
{
    int directory = workspace_store(store->workspace);
    struct index *index;
    enum status status;
    if (store->index && index_is_same_folder(store->index, directory))
        return STATUS_OK;
    /* a reader of another account leaves no files there that the writers could not write to */
    bool create = store->options.access == WORKSPACE_WRITE || io_is_owner(directory);
    if (store->options.no_index)
        status = index_open_memory(&index, err);
    else
        status = index_open(directory, workspace_store_path(store->workspace), create, &index, err);
    if (status != STATUS_OK)
        return status;
    index_close(store->index);
    store->index = index;
    return STATUS_OK;
}
