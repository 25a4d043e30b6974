#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/catalog/state.h"

#define LINE_SIZE 64                /* "emissions/2026-02-05.jsonl 18446744073709551615\n" */
#define LIMIT     ((size_t)1 << 28) /* of the lock file, bytes: a line for each of five million partitions */

/* ---- the lines */

static size_t print_unsynced(const struct catalog_unsynced *unsynced, char line[static LINE_SIZE])
{
    char name[PARTITION_NAME_SIZE];
    partition_name(partition_number_day(unsynced->number), name);
    return (size_t)snprintf(line, LINE_SIZE, "%s/%s %llu\n", event_kind_name(partition_number_kind(unsynced->number)),
                            name, (unsigned long long)unsynced->from);
}

/* What is no such line says nothing: a power cut may have left it. */
static bool parse_unsynced(const char *line, size_t length, struct catalog_unsynced *ret_unsynced)
{
    char text[LINE_SIZE], printed[LINE_SIZE];
    int32_t day;
    if (length >= sizeof text)
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    char *slash = strchr(text, '/'), *blank = slash ? strchr(slash, ' ') : NULL;
    if (!blank)
        return false;
    *slash = *blank = '\0';
    if (!partition_name_parse(slash + 1, &day))
        return false;
    enum event_kind kind = strcmp(text, event_kind_name(EVENT_SIGNAL)) == 0 ? EVENT_SIGNAL : EVENT_EMISSION;
    *ret_unsynced = (struct catalog_unsynced){partition_number(kind, day), strtoull(blank + 1, NULL, 10), true};
    return print_unsynced(ret_unsynced, printed) == length + 1 && memcmp(printed, line, length) == 0;
}

enum status catalog_load_unsynced(struct catalog *store, struct error *err)
{
    store->unsynced_count = 0;
    store->unsynced_length = 0;
    enum status status = io_read_all(store->lock, LIMIT, workspace_lock_path(store->workspace), &store->line, err);
    if (status != STATUS_OK || store->line.length == 0)
        return status;
    const char *at = store->line.data, *end = at + store->line.length;
    for (const char *newline; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        struct catalog_unsynced unsynced;
        if (!parse_unsynced(at, (size_t)(newline - at), &unsynced))
            continue;
        if (!ARRAY_RESERVE(store->unsynced, store->unsynced_count, store->unsynced_capacity, 1)) {
            store->unsynced_count = 0; /* what was not read is not taken out */
            return error_set_memory(err);
        }
        store->unsynced[store->unsynced_count++] = unsynced;
    }
    store->unsynced_length = (uint64_t)(at - store->line.data); /* what a power cut left after it is written over */
    return STATUS_OK;
}

/* Failure leaves lines that say too much, which costs the next sync a little. */
void catalog_save_unsynced(struct catalog *store)
{
    const char *path = workspace_lock_path(store->workspace);
    size_t kept = 0;
    for (size_t i = 0; i < store->unsynced_count; i++)
        if (store->unsynced[i].stands)
            store->unsynced[kept++] = store->unsynced[i];
    if (kept == store->unsynced_count && (kept > 0 || store->unsynced_length == 0))
        return;
    store->unsynced_count = kept;
    bytes_clear(&store->line);
    if (!bytes_reserve(&store->line, kept * LINE_SIZE))
        return;
    for (size_t i = 0; i < kept; i++)
        store->line.length += print_unsynced(&store->unsynced[i], store->line.data + store->line.length);
    if (io_write_at(store->lock, store->line.data, store->line.length, 0, path, NULL) == STATUS_OK)
        (void)io_truncate(store->lock, store->line.length, path, NULL);
}

/* ---- syncing */

/* The entry of a partition that is about to be synced, written to the lock file where it is new. */
static enum status raise_unsynced(struct catalog *store, uint32_t number, struct catalog_unsynced **ret_unsynced,
                                  struct error *err)
{
    char line[LINE_SIZE];
    for (size_t i = 0; i < store->unsynced_count; i++)
        if (store->unsynced[i].number == number) {
            *ret_unsynced = &store->unsynced[i];
            return STATUS_OK;
        }
    const struct partition_facts *facts = index_facts(store->index, number);
    struct catalog_unsynced unsynced = {.number = number, .from = facts ? facts->synced : 0};
    size_t length = print_unsynced(&unsynced, line);
    enum status status =
        io_write_at(store->lock, line, length, store->unsynced_length, workspace_lock_path(store->workspace), err);
    if (status != STATUS_OK)
        return status;
    if (!ARRAY_RESERVE(store->unsynced, store->unsynced_count, store->unsynced_capacity, 1))
        return error_set_memory(err);
    *ret_unsynced = &store->unsynced[store->unsynced_count++];
    **ret_unsynced = unsynced;
    store->unsynced_length += length;
    return STATUS_OK;
}

enum status catalog_sync(struct catalog *store, uint32_t number, struct partition *partition, struct error *err)
{
    struct catalog_unsynced *unsynced = NULL;
    struct partition *writing;
    struct partition_stat stat;
    enum status status = raise_unsynced(store, number, &unsynced, err);
    if (status != STATUS_OK)
        return status;
    if (unsynced->stands) {
        status = catalog_open_as(store, number, IO_UPDATE, false, &writing, NULL, err);
        if (status != STATUS_OK)
            return status;
        status = partition_stat(writing, &stat, err);
        if (status == STATUS_OK)
            status = partition_rewrite(writing, unsynced->from, stat.size, err);
        partition_close(writing);
        if (status != STATUS_OK)
            return status;
    }
    unsynced->stands = true;
    status = partition_sync(partition, err);
    unsynced->stands = status != STATUS_OK;
    return status;
}

enum status catalog_sync_partition(struct catalog *store, uint32_t number, struct error *err)
{
    struct partition *partition;
    struct partition_stat before, after;
    const struct partition_facts *known = index_facts(store->index, number);
    struct partition_facts facts = known ? *known : (struct partition_facts){.partition = number};
    enum status status = catalog_partition_at_hand(store, number, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = partition_stat(partition, &before, err);
    if (status != STATUS_OK || (known && facts.synced > 0 && facts.synced >= before.size))
        return status;
    status = catalog_sync(store, number, partition, err);
    if (status != STATUS_OK)
        return status;
    if (facts.synced == 0) {
        status = workspace_sync_folder(store->workspace, catalog_folder(number), err);
        if (status != STATUS_OK)
            return status;
    }
    status = partition_stat(partition, &after, err);
    if (status != STATUS_OK || !known)
        return status;
    /* a sync that writes bytes anew changes the file's times, and nothing else */
    if (facts.inode == before.inode && facts.size == before.size && facts.modified == before.modified &&
        after.size == before.size)
        catalog_set_stat(&facts, &after);
    facts.synced = facts.known;
    return catalog_put_facts(store, &facts, err);
}
