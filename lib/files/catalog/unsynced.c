#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/catalog/state.h"

#define LINE_SIZE 64                /* "emissions/2026-02-05.jsonl 18446744073709551615\n" */
#define LIMIT     ((size_t)1 << 28) /* of the lock file, bytes: a line for each of five million partitions */

/* ---- the lines */

static size_t print_unsynced(const struct catalog_unsynced *doubt, char line[static LINE_SIZE])
{
    char name[PARTITION_NAME_SIZE];
    partition_name(partition_number_day(doubt->number), name);
    return (size_t)snprintf(line, LINE_SIZE, "%s/%s %llu\n", event_kind_name(partition_number_kind(doubt->number)),
                            name, (unsigned long long)doubt->from);
}

/* What is no such line says nothing: a power cut may have left it. */
static bool parse_unsynced(const char *line, size_t length, struct catalog_unsynced *ret_unsynced)
{
    char text[LINE_SIZE], name[PARTITION_NAME_SIZE];
    int32_t day;
    if (length >= sizeof text)
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
        size_t at = strlen(event_kind_name(kind));
        if (strncmp(text, event_kind_name(kind), at) != 0 || text[at] != '/' || length < at + 1 + sizeof name)
            continue;
        memcpy(name, text + at + 1, sizeof name - 1);
        name[sizeof name - 1] = '\0';
        char *end;
        uint64_t from = strtoull(text + at + sizeof name, &end, 10);
        if (text[at + sizeof name] != ' ' || *end != '\0' || !partition_name_parse(name, &day))
            return false;
        *ret_unsynced = (struct catalog_unsynced){partition_number(kind, day), from, true};
        return true;
    }
    return false;
}

/* ---- in memory */

static struct catalog_unsynced *find_unsynced(struct catalog *store, uint32_t number)
{
    for (size_t i = 0; i < store->unsynced_count; i++)
        if (store->unsynced[i].number == number)
            return &store->unsynced[i];
    return NULL;
}

static enum status add_unsynced(struct catalog *store, const struct catalog_unsynced *doubt, struct error *err)
{
    if (store->unsynced_count == store->unsynced_capacity) {
        size_t capacity = store->unsynced_capacity * 2 + 16;
        struct catalog_unsynced *grown = reallocarray(store->unsynced, capacity, sizeof *grown);
        if (!grown)
            return error_set_memory(err);
        store->unsynced = grown;
        store->unsynced_capacity = capacity;
    }
    store->unsynced[store->unsynced_count++] = *doubt;
    return STATUS_OK;
}

static enum status take_lines(struct catalog *store, struct error *err)
{
    const char *at = store->line.data, *end = at + store->line.length;
    enum status status = STATUS_OK;
    struct catalog_unsynced doubt;
    for (const char *newline; status == STATUS_OK && at < end && (newline = memchr(at, '\n', (size_t)(end - at)));
         at = newline + 1)
        if (parse_unsynced(at, (size_t)(newline - at), &doubt))
            status = add_unsynced(store, &doubt, err);
    store->unsynced_length = (uint64_t)(at - store->line.data); /* what a power cut left behind it is written over */
    return status;
}

enum status catalog_load_unsynced(struct catalog *store, struct error *err)
{
    store->unsynced_count = 0;
    store->unsynced_length = 0;
    enum status status = io_read_all(store->lock, LIMIT, workspace_lock_path(store->workspace), &store->line, err);
    if (status == STATUS_OK && store->line.length > 0)
        status = take_lines(store, err);
    if (status != STATUS_OK)
        store->unsynced_length = store->unsynced_count = 0; /* what was not read is not taken out */
    return status;
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

/* The doubt about a partition that is about to be synced, told to the lock file: what could not be told is none. */
static enum status raise_unsynced(struct catalog *store, uint32_t number, struct catalog_unsynced **ret_unsynced,
                                  struct error *err)
{
    char line[LINE_SIZE];
    *ret_unsynced = find_unsynced(store, number);
    if (*ret_unsynced)
        return STATUS_OK;
    const struct partition_facts *facts = index_facts(store->index, number);
    struct catalog_unsynced doubt = {.number = number, .from = facts ? facts->synced : 0};
    size_t length = print_unsynced(&doubt, line);
    enum status status =
        io_write_at(store->lock, line, length, store->unsynced_length, workspace_lock_path(store->workspace), err);
    if (status == STATUS_OK)
        status = add_unsynced(store, &doubt, err);
    if (status != STATUS_OK)
        return status;
    store->unsynced_length += length;
    *ret_unsynced = &store->unsynced[store->unsynced_count - 1];
    return STATUS_OK;
}

static enum status write_anew(struct catalog *store, const struct catalog_unsynced *doubt, struct error *err)
{
    struct partition *partition = NULL;
    struct partition_stat stat;
    enum status status = catalog_open_as(store, doubt->number, IO_UPDATE, false, &partition, NULL, err);
    if (status == STATUS_OK)
        status = partition_stat(partition, &stat, err);
    if (status == STATUS_OK)
        status = partition_rewrite(partition, doubt->from, stat.size, err);
    partition_close(partition);
    return status;
}

enum status catalog_sync(struct catalog *store, uint32_t number, struct partition *partition, struct error *err)
{
    struct catalog_unsynced *doubt;
    enum status status = raise_unsynced(store, number, &doubt, err);
    if (status == STATUS_OK && doubt->stands)
        status = write_anew(store, doubt, err);
    if (status != STATUS_OK)
        return status;
    doubt->stands = true;
    status = partition_sync(partition, err);
    if (status == STATUS_OK)
        doubt->stands = false;
    return status;
}
