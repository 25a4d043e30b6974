#include "files/catalog/state.h"

/* The partitions that are listed. */
struct listing {
    struct entries numbers; /* {partition number} */
    enum event_kind kind;
    bool failed; /* no memory */
};

static bool add_name(void *context, const char *name, unsigned char type)
{
    struct listing *listing = context;
    int32_t day;
    (void)type;
    if (partition_name_parse(name, &day))
        listing->failed = !entries_add(&listing->numbers, (struct entry){partition_number(listing->kind, day), 0});
    return !listing->failed;
}

static enum status list_days(struct catalog *store, unsigned kinds, struct listing *listing, struct error *err)
{
    enum status status = workspace_refresh(store->workspace, err);
    for (enum event_kind kind = 0; kind < EVENT_KINDS && status == STATUS_OK && !listing->failed; kind++) {
        enum workspace_folder which = catalog_folder(partition_number(kind, 0));
        int folder;
        if (!(kinds & KIND_BIT(kind)))
            continue;
        listing->kind = kind;
        status = workspace_folder(store->workspace, which, false, &folder, err);
        if (status == STATUS_OK)
            status = io_list(folder, workspace_folder_path(store->workspace, which), add_name, listing, err);
        if (status == STATUS_ABSENT)
            status = STATUS_OK;
    }
    entries_sort(&listing->numbers);
    return listing->failed ? error_set_memory(err) : status;
}

/* Makes the row of a file that was listed. Only what does not look as its facts (NULL: none) say is opened.
 * STATUS_ABSENT: it has just gone. */
static enum status look_at(struct catalog *store, uint32_t number, const struct partition_facts *facts,
                           uint64_t *pending, struct error *err)
{
    enum workspace_folder which = catalog_folder(number);
    struct partition *partition;
    struct partition_stat stat;
    struct catalog_partition *row;
    int folder;
    enum status status = workspace_folder(store->workspace, which, false, &folder, err);
    if (status != STATUS_OK)
        return status;
    status = partition_stat_at(folder, workspace_folder_path(store->workspace, which), partition_number_day(number),
                               &stat, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_add_row(store, number, facts, &row, err);
    if (status != STATUS_OK)
        return status;
    row->stat = stat;
    row->end = row->facts.known;
    if (row->facts.known > 0 && !catalog_same_file(&row->facts, &stat)) {
        status = catalog_partition_at_hand(store, number, &partition, err);
        if (status != STATUS_OK)
            goto fail;
        status = catalog_compare(store, row, partition, err);
        if (status != STATUS_OK)
            goto fail;
    }
    *pending += row->stat.size - row->facts.known;
    return STATUS_OK;
fail:
    store->count--;
    return status;
}

/* Goes on among the facts, which are in order, to the first that are not of a partition below `number`. What is known
 * of files that are no longer there is forgotten on the way. */
static enum status pass_gone(struct catalog *store, uint32_t number, size_t *at, struct error *err)
{
    size_t count;
    enum status status = STATUS_OK;
    const struct partition_facts *all = index_all_facts(store->index, &count);
    for (; *at < count && all[*at].partition < number && status == STATUS_OK; ++*at) {
        struct partition_facts gone = {.partition = all[*at].partition, .generation = all[*at].generation + 1};
        if (all[*at].known > 0 && store->kinds & KIND_BIT(partition_number_kind(gone.partition)))
            status = index_put_facts(store->index, &gone, err);
    }
    return status;
}

enum status catalog_look(struct catalog *store, unsigned kinds, uint64_t *ret_pending, struct error *err)
{
    struct listing listing = {0};
    size_t at = 0, count;
    catalog_close_files(store);
    *ret_pending = store->count = 0;
    store->kinds = kinds;
    enum status status = list_days(store, kinds, &listing, err);
    for (size_t i = 0; i < listing.numbers.count && status == STATUS_OK; i++) {
        uint32_t number = (uint32_t)listing.numbers.data[i].key;
        status = pass_gone(store, number, &at, err);
        if (status != STATUS_OK)
            break;
        const struct partition_facts *all = index_all_facts(store->index, &count);
        bool known = at < count && all[at].partition == number;
        status = look_at(store, number, known ? &all[at] : NULL, ret_pending, err);
        if (status == STATUS_OK)
            at += known;
        else if (status == STATUS_ABSENT)
            status = STATUS_OK;
    }
    entries_release(&listing.numbers);
    return status == STATUS_OK ? pass_gone(store, UINT32_MAX, &at, err) : status;
}
