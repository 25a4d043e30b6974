#include "files/check/check.h"

#include <stdlib.h>

#include "files/check/state.h"

/* ---- what there is to look at */

struct listing {
    struct check *check;
    enum event_kind kind;
    bool no_memory;
};

static bool list_day(void *context, const char *name, unsigned char type)
{
    struct listing *listing = context;
    struct check *check = listing->check;
    int32_t day;
    (void)type;
    if (!partition_name_parse(name, &day))
        return true;
    listing->no_memory = !ARRAY_RESERVE(check->partitions, check->count, check->capacity, 1);
    if (listing->no_memory)
        return false;
    check->partitions[check->count++] = (struct checked){.number = partition_number(listing->kind, day)};
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const struct checked *)a)->number, y = ((const struct checked *)b)->number;
    return (x > y) - (x < y);
}

static enum workspace_folder folder_of(enum event_kind kind)
{
    return kind == EVENT_SIGNAL ? FOLDER_SIGNALS : FOLDER_EMISSIONS;
}

/* Lists and measures the partitions. A folder that cannot be read is reported, and the rest is looked at all the same.
 */
static enum status list_partitions(struct check *check, struct error *err)
{
    struct workspace *workspace = catalog_workspace(check->store);
    struct error why;
    int folder;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
        struct listing listing = {check, kind, false};
        const char *path = workspace_folder_path(workspace, folder_of(kind));
        enum status status = workspace_folder(workspace, folder_of(kind), false, &folder, &why);
        if (status == STATUS_OK)
            status = io_list(folder, path, list_day, &listing, &why);
        if (status != STATUS_OK && status != STATUS_ABSENT)
            check_fail(check, &why);
        if (listing.no_memory)
            return error_set_memory(err);
    }
    if (check->count > 1)
        qsort(check->partitions, check->count, sizeof *check->partitions, by_number);
    for (size_t i = 0; i < check->count; i++) {
        uint32_t number = check->partitions[i].number;
        enum workspace_folder which = folder_of(partition_number_kind(number));
        const char *path = workspace_folder_path(workspace, which);
        struct partition_stat stat;
        if (workspace_folder(workspace, which, false, &folder, NULL) == STATUS_OK &&
            partition_stat_at(folder, path, partition_number_day(number), &stat, NULL) == STATUS_OK)
            check->total += stat.size;
    }
    return STATUS_OK;
}

/* ---- the whole */

static enum status look(struct check *check, struct error *err)
{
    const struct workspace *workspace = catalog_workspace(check->store);
    struct error why;
    /* The lock is not taken, only looked at: with something else in its place no writer can work. */
    if (io_check_type(workspace_store(workspace), "lock", S_IFREG, workspace_lock_path(workspace), &why) != STATUS_OK)
        check_fail(check, &why);
    check_open_index(check);
    enum status status = list_partitions(check, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < check->count && !check_is_interrupted(check); i++)
        check_partition(check, &check->partitions[i]);
    if (!check_is_interrupted(check))
        status = check_repeats(check, err);
    if (status != STATUS_OK)
        return status;
    if (!check_is_interrupted(check))
        status = check_indexed_repeats(check, err);
    if (status != STATUS_OK)
        return status;
    if (!check_is_interrupted(check))
        check_documents(check);
    if (status != STATUS_OK)
        return status;
    if (check->mender && !check_is_interrupted(check))
        check_repair(check);
    return status;
}

/* Where the store cannot be written to, that is reported, and it is looked at all the same. */
static enum status open_stores(struct check *check, const char *workspace, struct error *err)
{
    const struct store_options *options = check->options;
    struct catalog_options reading = {.access = WORKSPACE_READ, .no_index = true};
    struct catalog_options writing = {
        .access = WORKSPACE_WRITE,
        .lock_timeout_ms = options->lock_timeout_ms,
        .interrupted = options->interrupted,
        .notice = options->notice,
        .notice_context = options->notice_context,
    };
    struct error why;
    enum status status = catalog_open(workspace, &reading, &check->store, err);
    if (status != STATUS_OK)
        return status;
    if (check->request->repair && catalog_open(workspace, &writing, &check->mender, &why) != STATUS_OK) {
        if (why.no_memory)
            return error_set_memory(err);
        check_fail(check, &why);
    }
    return index_open_memory(&check->ids, err);
}

enum status check_store(const char *workspace, const struct store_options *options, struct store_check *request,
                        struct error *err)
{
    struct check check = {
        .options = options,
        .request = request,
        .notices = {.say = options->notice, .context = options->notice_context},
    };
    request->flaws = request->mended = request->parts = request->lines = 0;
    request->quarantined = request->uncanonical = request->late = 0;
    enum status status = open_stores(&check, workspace, err);
    if (status == STATUS_OK)
        status = look(&check, err);
    index_close(check.disk);
    index_close(check.ids);
    catalog_close(check.store);
    catalog_close(check.mender);
    entries_release(&check.repeated);
    notices_release(&check.notices);
    free(check.partitions);
    bytes_release(&check.copied);
    bytes_release(&check.path);
    bytes_release(&check.scratch);
    return status == STATUS_OK ? STATUS_OK : STATUS_IO;
}
