#include "files/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "files/check/state.h"

void check_report(struct check *check, const char *file, uint64_t line, uint64_t byte, const char *format, ...)
{
    char what[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    struct finding finding = {.file = file, .line = line, .byte = byte, .what = what};
    check->totals.findings++;
    check->options->found(check->options->context, &finding);
}

void check_fail(struct check *check, const struct error *why)
{
    check->totals.failures++;
    check->options->failed(check->options->context, why);
}

bool check_is_interrupted(const struct check *check)
{
    return check->options->interrupted && *check->options->interrupted;
}

struct checked *check_find(struct check *check, uint32_t number)
{
    size_t low = 0, high = check->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->partitions[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < check->count && check->partitions[low].number == number ? &check->partitions[low] : NULL;
}

const char *check_path(struct check *check, uint32_t number)
{
    return catalog_partition_path(check->store, number, &check->path) ? check->path.data : NULL;
}

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
    if (check->count == check->capacity) {
        size_t capacity = check->capacity * 2 + 64;
        struct checked *grown = reallocarray(check->partitions, capacity, sizeof *grown);
        listing->no_memory = !grown;
        if (!grown)
            return false;
        check->partitions = grown;
        check->capacity = capacity;
    }
    check->partitions[check->count++] = (struct checked){.number = partition_number(listing->kind, day)};
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const struct checked *)a)->number, y = ((const struct checked *)b)->number;
    return (x > y) - (x < y);
}

/* A folder that cannot be read is told, and the rest looked at all the same. */
static enum status list_kind(struct check *check, enum event_kind kind, struct error *err)
{
    struct workspace *workspace = catalog_workspace(check->store);
    enum workspace_folder which = kind == EVENT_SIGNAL ? FOLDER_SIGNALS : FOLDER_EMISSIONS;
    struct listing listing = {check, kind, false};
    struct error why;
    int folder;
    enum status status = workspace_folder(workspace, which, false, &folder, &why);
    if (status == STATUS_ABSENT)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = io_list(folder, workspace_folder_path(workspace, which), list_day, &listing, &why);
    if (status != STATUS_OK)
        check_fail(check, &why);
    return listing.no_memory ? error_set_memory(err) : STATUS_OK;
}

static enum status list_partitions(struct check *check, struct error *err)
{
    enum status status = STATUS_OK;
    for (enum event_kind kind = 0; kind < EVENT_KINDS && status == STATUS_OK; kind++)
        status = list_kind(check, kind, err);
    if (check->count > 1)
        qsort(check->partitions, check->count, sizeof *check->partitions, by_number);
    return status;
}

static int folder_of(const struct check *check, uint32_t number, const char **ret_path)
{
    struct workspace *workspace = catalog_workspace(check->store);
    enum workspace_folder which = partition_number_kind(number) == EVENT_SIGNAL ? FOLDER_SIGNALS : FOLDER_EMISSIONS;
    int folder = -1;
    *ret_path = workspace_folder_path(workspace, which);
    return workspace_folder(workspace, which, false, &folder, NULL) == STATUS_OK ? folder : -1;
}

static void measure_partitions(struct check *check)
{
    for (size_t i = 0; i < check->count; i++) {
        struct partition_stat stat;
        const char *path;
        int folder = folder_of(check, check->partitions[i].number, &path);
        if (folder >= 0 && partition_stat_at(folder, path, partition_number_day(check->partitions[i].number), &stat,
                                             NULL) == STATUS_OK)
            check->total += stat.size;
    }
}

/* It is not locked, only looked at: with something else in its place no writer can work. */
static void look_at_lock(struct check *check)
{
    const struct workspace *workspace = catalog_workspace(check->store);
    struct error why;
    if (io_check_type(workspace_store(workspace), "lock", S_IFREG, workspace_lock_path(workspace), &why) != STATUS_OK)
        check_fail(check, &why);
}

static enum status look(struct check *check, struct error *err)
{
    look_at_lock(check);
    check_open_index(check);
    enum status status = list_partitions(check, err);
    measure_partitions(check);
    for (size_t i = 0; i < check->count && status == STATUS_OK && !check_is_interrupted(check); i++)
        check_partition(check, &check->partitions[i]);
    if (status == STATUS_OK && !check_is_interrupted(check))
        status = check_repeats(check, err);
    if (status == STATUS_OK && !check_is_interrupted(check))
        status = check_finish_index(check, err);
    if (status == STATUS_OK && !check_is_interrupted(check))
        check_documents(check);
    if (status == STATUS_OK && check->mender && !check_is_interrupted(check))
        check_repair(check);
    return status;
}

/* ---- the whole */

/* Where the store cannot be written to, that is told, and it is looked at all the same. */
static enum status open_mender(struct check *check, const char *workspace, struct error *err)
{
    const struct check_options *options = check->options;
    struct catalog_options writing = {
        .access = WORKSPACE_WRITE,
        .lock_timeout_ms = options->lock_timeout_ms,
        .interrupted = options->interrupted,
        .notice = options->notice,
        .notice_context = options->context,
    };
    struct error why;
    enum status status = catalog_open(workspace, &writing, &check->mender, &why);
    if (status != STATUS_OK && why.no_memory)
        return error_set_memory(err);
    if (status != STATUS_OK)
        check_fail(check, &why);
    return STATUS_OK;
}

static enum status open_stores(struct check *check, const char *workspace, struct error *err)
{
    struct catalog_options reading = {.access = WORKSPACE_READ, .no_index = true};
    enum status status = catalog_open(workspace, &reading, &check->store, err);
    if (status == STATUS_OK && check->options->repair)
        status = open_mender(check, workspace, err);
    if (status == STATUS_OK)
        status = index_open_memory(&check->ids, err);
    return status;
}

static void release(struct check *check)
{
    index_close(check->disk);
    index_close(check->ids);
    catalog_close(check->store);
    catalog_close(check->mender);
    index_entries_release(&check->repeated);
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        index_entries_release(&check->expected[t]);
    free(check->partitions);
    bytes_release(&check->copied);
    bytes_release(&check->path);
    bytes_release(&check->scratch);
}

enum status check_store(const char *workspace, const struct check_options *options, struct check_totals *ret_totals,
                        struct error *err)
{
    struct check check = {.options = options};
    enum status status = open_stores(&check, workspace, err);
    if (status == STATUS_OK)
        status = look(&check, err);
    release(&check);
    if (status != STATUS_OK)
        return STATUS_IO;
    *ret_totals = check.totals;
    return STATUS_OK;
}
