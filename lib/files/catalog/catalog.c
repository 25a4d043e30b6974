#include "files/catalog/catalog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/mutant.h"
#include "files/catalog/state.h"

#define REBUILDS   2 /* times that a damaged index is rebuilt before it is done without */
#define LOCK_TURNS 8 /* lock files that are tried: a file system may tell inodes as it likes */

/* Nobody is told anything while the lock is held: whoever listens may be slow. */
void catalog_tell(struct catalog *store, enum notice notice, const char *format, ...)
{
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    if (!store->options.notice)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!store->locked) {
        store->options.notice(store->options.notice_context, notice, text);
    } else if (bytes_reserve(&store->untold, strlen(text) + 2)) { /* all of it or, without memory, nothing */
        bytes_append_char(&store->untold, notice == NOTICE_WARNING ? 'w' : 'n');
        bytes_append(&store->untold, text, strlen(text) + 1);
    }
}

static void tell_untold(struct catalog *store)
{
    const char *at = store->untold.data, *end = at + store->untold.length;
    while (at < end) {
        enum notice notice = *at == 'w' ? NOTICE_WARNING : NOTICE_NOTE;
        store->options.notice(store->options.notice_context, notice, at + 1);
        at += strlen(at) + 1;
    }
    bytes_clear(&store->untold);
}

static enum status open_index(struct catalog *store, struct index **ret_index, struct error *err)
{
    if (store->options.no_index)
        return index_open_memory(ret_index, err);
    /* a reader of another account leaves no files there that the writers could not write to */
    int directory = workspace_store(store->workspace);
    bool create = store->options.access == WORKSPACE_WRITE || io_is_owner(directory);
    return index_open(directory, workspace_store_path(store->workspace), create, ret_index, err);
}

enum status catalog_find_index(struct catalog *store, struct error *err)
{
    struct index *index;
    if (index_is_same_folder(store->index, workspace_store(store->workspace)))
        return STATUS_OK;
    enum status status = open_index(store, &index, err);
    if (status != STATUS_OK)
        return status;
    index_close(store->index);
    store->index = index;
    return STATUS_OK;
}

enum status catalog_open(const char *workspace, const struct catalog_options *options, struct catalog **ret_store,
                         struct error *err)
{
    struct catalog *store = calloc(1, sizeof *store);
    if (!store)
        return error_set_memory(err);
    store->options = *options;
    store->lock = -1;
    enum status status = workspace_open(workspace, options->access, &store->workspace, err);
    if (status == STATUS_OK)
        status = open_index(store, &store->index, err);
    if (status != STATUS_OK) {
        catalog_close(store);
        return status;
    }
    *ret_store = store;
    return STATUS_OK;
}

static void sync_late(struct catalog *store)
{
    struct partition *partition;
    for (size_t i = 0; i < store->count; i++)
        if (catalog_partition_at_hand(store, store->partitions[i].number, &partition, NULL) == STATUS_OK)
            (void)partition_sync(partition, NULL);
}

void catalog_close(struct catalog *store)
{
    if (!store)
        return;
    if (MUTANT(ACKNOWLEDGE_BEFORE_SYNC))
        sync_late(store);
    catalog_close_files(store);
    if (store->index && store->options.access == WORKSPACE_WRITE && index_lock(store->index, 0, NULL) == STATUS_OK) {
        (void)index_commit_folded(store->index, NULL);
        index_unlock(store->index);
    }
    index_close(store->index);
    if (store->lock >= 0)
        close(store->lock);
    workspace_close(store->workspace);
    index_entries_release(&store->matches);
    index_entries_release(&store->shadowed);
    index_entries_release(&store->fragments);
    bytes_release(&store->line);
    bytes_release(&store->slice);
    bytes_release(&store->untold);
    bytes_release(&store->kept);
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

/* ---- partitions */

const struct catalog_partition *catalog_partitions(const struct catalog *store, size_t *ret_count)
{
    *ret_count = store->count;
    return store->partitions;
}

struct catalog_partition *catalog_row(struct catalog *store, uint32_t number)
{
    size_t low = 0, high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->partitions[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < store->count && store->partitions[low].number == number ? &store->partitions[low] : NULL;
}

const struct catalog_partition *catalog_partition(const struct catalog *store, uint32_t number)
{
    union {
        const struct catalog *in;
        struct catalog *out;
    } plain = {.in = store};
    return catalog_row(plain.out, number);
}

enum status catalog_reserve_rows(struct catalog *store, size_t more, struct error *err)
{
    if (more <= store->capacity - store->count)
        return STATUS_OK;
    size_t capacity = store->count + store->count / 2 + more + 64;
    struct catalog_partition *grown = reallocarray(store->partitions, capacity, sizeof *grown);
    if (!grown)
        return error_set_memory(err);
    memory_populate(grown + store->count, more * sizeof *grown);
    store->partitions = grown;
    store->capacity = capacity;
    return STATUS_OK;
}

/* The rows are in order again after the caller sorted them, or put the new one where it belongs. */
enum status catalog_add_row(struct catalog *store, uint32_t number, struct catalog_partition **ret_row,
                            struct error *err)
{
    enum status status = catalog_reserve_rows(store, 1, err);
    if (status != STATUS_OK)
        return status;
    *ret_row = &store->partitions[store->count++];
    **ret_row = (struct catalog_partition){
        .number = number,
        .kind = partition_number_kind(number),
        .day = partition_number_day(number),
        .facts = {.partition = number},
    };
    return STATUS_OK;
}

enum status catalog_open_as(struct catalog *store, uint32_t number, enum io_open how, bool create,
                            struct partition **ret_partition, bool *ret_created, struct error *err)
{
    enum workspace_folder which = catalog_folder(number);
    int folder;
    enum status status = workspace_folder(store->workspace, which, create, &folder, err);
    if (status == STATUS_OK)
        status = partition_open(folder, workspace_folder_path(store->workspace, which), partition_number_day(number),
                                how, create, ret_partition, ret_created, err);
    return status;
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
}

enum status catalog_partition_at_hand(struct catalog *store, uint32_t number, struct partition **ret_partition,
                                      struct error *err)
{
    if (!store->open || store->open_number != number) {
        catalog_close_files(store);
        enum status status = catalog_open_partition(store, number, &store->open, err);
        if (status != STATUS_OK) {
            store->open = NULL;
            return status;
        }
        store->open_number = number;
    }
    *ret_partition = store->open;
    return STATUS_OK;
}

/* What went while the store was looked at has gone as a whole, though something may be known of it. */
static void drop_gone(struct catalog *store)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->count; i++)
        if (!store->partitions[i].is_gone)
            store->partitions[kept++] = store->partitions[i];
    store->count = kept;
}

enum status catalog_refresh(struct catalog *store, unsigned kinds, struct error *err)
{
    uint64_t pending;
    store->kept_listed = false;
    enum status status = catalog_find_index(store, err);
    if (status == STATUS_OK)
        status = index_reload(store->index, err);
    if (status == STATUS_OK)
        status = catalog_look(store, kinds, &pending, err);
    if (status == STATUS_OK)
        status = catalog_read_on(store, err);
    for (int turn = 0; status == STATUS_INVALID && turn < REBUILDS; turn++)
        status = catalog_rebuild(store, err);
    drop_gone(store);
    if (status == STATUS_OK)
        index_commit_if_alone(store->index);
    catalog_close_files(store);
    return status;
}

/* ---- looking up */

enum status catalog_read_line(struct catalog *store, struct store_place position, struct bytes *line, struct error *err)
{
    struct partition *partition;
    uint64_t end;
    enum status status = catalog_partition_at_hand(store, position.part, &partition, err);
    if (status == STATUS_OK)
        status = partition_read_line(partition, position.offset, UINT64_MAX, line, &end, err);
    return status;
}

enum status catalog_read_record(struct catalog *store, struct store_place position, const struct event *event,
                                struct bytes *line, struct error *err)
{
    struct event stored;
    enum status status = catalog_read_line(store, position, line, err);
    if (status != STATUS_OK)
        return status;
    enum event_verdict verdict = event_read(line->data, line->length, event->kind, false, &stored, NULL);
    if (verdict == EVENT_NO_MEMORY)
        return error_set_memory(err);
    if (verdict == EVENT_GOOD && json_string_same(stored.id, event->id))
        return STATUS_OK;
    return error_set(err, STATUS_ABSENT, "%s: was rewritten meanwhile", partition_label(store->open));
}

/* Whether the line at a position is a record of this event's id. What has gone is none. */
static enum status holds_id(struct catalog *store, const struct event *event, uint64_t value, bool *ret_holds,
                            struct error *err)
{
    struct store_place position = {index_value_partition(value), index_value_offset(value)};
    enum status status = catalog_read_record(store, position, event, &store->line, err);
    *ret_holds = status == STATUS_OK;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status catalog_find_matches(struct catalog *store, enum index_table table, uint64_t key, struct error *err)
{
    enum status status = index_find(store->index, table, key, &store->matches, err);
    for (int turn = 0; status == STATUS_INVALID && turn < REBUILDS; turn++) {
        status = catalog_rebuild(store, err);
        if (status == STATUS_OK)
            status = index_find(store->index, table, key, &store->matches, err);
    }
    return status;
}

/* The first of the matches that holds the id. */
static enum status find_holder(struct catalog *store, const struct event *event, struct index_entry *ret_found,
                               struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < store->matches.count && status == STATUS_OK; i++) {
        bool holds;
        *ret_found = store->matches.data[i];
        status = holds_id(store, event, ret_found->value, &holds, err);
        if (status == STATUS_OK && holds)
            return STATUS_OK;
    }
    return status == STATUS_OK ? error_set(err, STATUS_ABSENT, "the id is not stored") : status;
}

enum status catalog_find_first(struct catalog *store, const struct event *event, struct store_place *ret_position,
                               struct error *err)
{
    struct bytes scratch = {0};
    uint64_t hash;
    bool hashed = event_id_hash(event, index_seed(store->index), &scratch, &hash);
    bytes_release(&scratch);
    if (!hashed)
        return error_set_memory(err);
    bool holds = false;
    struct index_entry found = store->found[hash % CATALOG_FOUND];
    enum status status = STATUS_OK;
    if (found.key == hash)
        status = holds_id(store, event, found.value, &holds, err);
    if (status == STATUS_OK && !holds) {
        status = catalog_find_matches(store, INDEX_IDS, hash, err);
        if (status == STATUS_OK)
            status = find_holder(store, event, &found, err);
    }
    if (status != STATUS_OK)
        return status;
    store->found[hash % CATALOG_FOUND] = found;
    *ret_position = (struct store_place){index_value_partition(found.value), index_value_offset(found.value)};
    return STATUS_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = ((const struct index_entry *)a)->value, y = ((const struct index_entry *)b)->value;
    return (x > y) - (x < y);
}

enum status catalog_candidates(struct catalog *store, bool are_ids, const uint64_t *keys, size_t count,
                               struct index_entries *ret, struct error *err)
{
    enum status status = STATUS_OK;
    ret->count = 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = catalog_find_matches(store, are_ids ? INDEX_IDS : INDEX_REFS, keys[i], err);
        if (status == STATUS_OK && !index_entries_append(ret, store->matches.data, store->matches.count))
            status = error_set_memory(err);
    }
    if (status == STATUS_OK && ret->count > 1)
        qsort(ret->data, ret->count, sizeof *ret->data, by_value);
    return status;
}

/* ---- the writers' lock */

/* A copy of another store may have brought its own lock file: then the one that is open keeps nobody out. */
static enum status take_lock(struct catalog *store, struct error *err)
{
    int directory = workspace_store(store->workspace);
    for (int turn = 1;; turn++) {
        enum status status = turn > 1 ? workspace_look_again(store->workspace, err) : STATUS_OK;
        if (status == STATUS_OK && store->lock < 0)
            status = workspace_open_lock(store->workspace, &store->lock, err);
        if (status == STATUS_OK)
            status = io_lock(store->lock, store->options.lock_timeout_ms, store->options.interrupted,
                             workspace_lock_path(store->workspace), err);
        if (status != STATUS_OK || turn == LOCK_TURNS || io_is_same_file(store->lock, directory, "lock", false))
            return status;
        close(store->lock);
        store->lock = -1;
    }
}

enum status catalog_lock(struct catalog *store, struct error *err)
{
    enum status status = take_lock(store, err);
    store->locked = status == STATUS_OK;
    if (status == STATUS_OK)
        status = catalog_load_unsynced(store, err);
    if (status == STATUS_OK)
        return STATUS_OK;
    catalog_unlock(store);
    return STATUS_IO;
}

void catalog_unlock(struct catalog *store)
{
    if (store->locked) {
        catalog_save_unsynced(store);
        io_unlock(store->lock, workspace_lock_path(store->workspace), NULL);
    }
    store->locked = false;
    if (store->untold.length > 0)
        tell_untold(store);
}
