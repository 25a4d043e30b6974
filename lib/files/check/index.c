#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/filter.h"
#include "files/check/state.h"

#define LOOK_UP_AT ((size_t)1 << 16) /* entries that are looked up at once */

static const char *index_path(const struct check *check)
{
    return workspace_folder_path(catalog_workspace(check->store), FOLDER_INDEX);
}

/* Said once; after that the index is asked nothing more. */
static void report_trouble(struct check *check, const char *what)
{
    struct error why;
    if (check->disk_is_bad)
        return;
    check->disk_is_bad = true;
    if (index_is_unreadable(check->disk)) {
        error_set(&why, STATUS_IO, "%s: %s", index_path(check), what);
        check_fail(check, &why);
        return;
    }
    check->disagreements++;
    check_report(check, index_path(check), 0, 0, "%s", what);
}

enum status check_disagree(struct check *check, uint32_t number, struct error *err, const char *format, ...)
{
    char what[ERROR_TEXT_SIZE / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    const char *path = check_path(check, number);
    if (!path)
        return error_set_memory(err);
    check->disagreements++;
    check_report(check, index_path(check), 0, 0, "%s: %s", path, what);
    return STATUS_OK;
}

static void verify_index(struct check *check)
{
    struct error why;
    enum status status = index_verify(check->disk, &why);
    if (status == STATUS_INVALID) {
        report_trouble(check, why.text);
    } else if (status != STATUS_OK) {
        check_fail(check, &why);
        index_close(check->disk);
        check->disk = NULL;
    }
}

void check_open_index(struct check *check)
{
    struct workspace *workspace = catalog_workspace(check->store);
    struct error why;
    enum status status =
        index_open(workspace_store(workspace), workspace_store_path(workspace), false, &check->disk, &why);
    if (status != STATUS_OK) {
        check_fail(check, &why);
        return;
    }
    if (index_trouble(check->disk))
        report_trouble(check, index_trouble(check->disk));
    else
        verify_index(check);
}

enum status check_index_facts(struct check *check, struct checked *row, const struct partition *partition,
                              const struct partition_stat *stat, const struct partition_facts **ret_facts,
                              struct error *err)
{
    *ret_facts = NULL;
    if (!check->disk || check->disk_is_bad)
        return STATUS_OK;
    const struct partition_facts *facts = index_facts(check->disk, row->number);
    bool hold = false;
    uint64_t hash = 0;
    if (!facts || facts->known == 0)
        return STATUS_OK;
    enum status status = catalog_facts_hold(facts, stat, partition, &hold, err);
    if (status == STATUS_OK && hold)
        status = partition_hash_before(partition, facts->known, &hash, err);
    if (status != STATUS_OK || !hold)
        return status;
    if (hash != facts->hash)
        status = check_disagree(check, row->number, err, "other bytes stand before byte %llu",
                                (unsigned long long)facts->known);
    if (status != STATUS_OK)
        return status;
    row->indexed = facts->known;
    row->generation = facts->generation;
    row->repeats = facts->repeats;
    *ret_facts = facts;
    return STATUS_OK;
}

/* ---- what is known of a partition */

static bool compare(struct bytes *out, const char *name, uint64_t known, uint64_t counted)
{
    return known == counted || bytes_append_format(out, "%s%s %llu, not %llu", out->length > 0 ? ", " : "", name,
                                                   (unsigned long long)counted, (unsigned long long)known);
}

enum status check_compare_facts(struct check *check, const struct partition_facts *facts,
                                const struct partition_facts *counted, struct error *err)
{
    struct bytes text = {0};
    bool good = compare(&text, "the end is at byte", facts->known, counted->known) &&
                compare(&text, "events:", facts->records, counted->records) &&
                compare(&text, "blank lines:", facts->blank, counted->blank) &&
                compare(&text, "damaged lines:", facts->damaged, counted->damaged) &&
                compare(&text, "events of other days:", facts->misfiled, counted->misfiled) &&
                compare(&text, "events out of order:", facts->late, counted->late);
    if (good && facts->records > 0 && (facts->least != counted->least || facts->greatest != counted->greatest))
        good = bytes_append_format(&text, "%sother times", text.length > 0 ? ", " : "");
    enum status status = good ? STATUS_OK : error_set_memory(err);
    if (good && text.length > 0)
        status = check_disagree(check, facts->partition, err, "%.*s", (int)text.length, text.data);
    bytes_release(&text);
    return status;
}

/* ---- entries */

void check_note_missing(struct check *check, uint64_t value)
{
    struct checked *row = check_find(check, index_value_partition(value));
    uint64_t offset = index_value_offset(value);
    if (row && (row->missing++ == 0 || offset < row->first_missing))
        row->first_missing = offset;
}

/* Both ascend by key; hits name the key by its number. */
static void compare_entries(struct check *check, const struct index_entries *expected, const uint64_t *keys,
                            const struct index_entries *hits)
{
    size_t key = 0, hit = 0;
    for (size_t i = 0; i < expected->count; i++) {
        struct index_entry entry = expected->data[i];
        while (keys[key] != entry.key)
            key++;
        while (hit < hits->count &&
               (hits->data[hit].key < key || (hits->data[hit].key == key && hits->data[hit].value < entry.value)))
            hit++;
        if (hit == hits->count || hits->data[hit].key != key || hits->data[hit].value != entry.value)
            check_note_missing(check, entry.value);
    }
}

/* Looks up what the index should have. */
static enum status look_up(struct check *check, enum index_table table, struct error *err)
{
    struct index_entries *expected = &check->expected[table], hits = {0};
    if (expected->count == 0)
        return STATUS_OK;
    index_entries_sort(expected);
    uint64_t *keys = reallocarray(NULL, expected->count, sizeof *keys);
    if (!keys)
        return error_set_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < expected->count; i++)
        if (i == 0 || expected->data[i].key != expected->data[i - 1].key)
            keys[count++] = expected->data[i].key;
    enum status status = index_lookup_in(check->disk, table, keys, count, &hits, err);
    if (status == STATUS_OK)
        compare_entries(check, expected, keys, &hits);
    if (status == STATUS_INVALID)
        report_trouble(check, err->text);
    expected->count = 0;
    index_entries_release(&hits);
    free(keys);
    return status == STATUS_INVALID ? STATUS_OK : status;
}

enum status check_expect(struct check *check, enum index_table table, uint64_t key, const struct checked *row,
                         uint64_t offset, struct error *err)
{
    struct index_entries *expected = &check->expected[table];
    struct index_entry entry = {key, index_value(row->number, row->generation, offset)};
    if (check->disk_is_bad)
        return STATUS_OK;
    if (!index_entries_add(expected, entry))
        return error_set_memory(err);
    return expected->count >= LOOK_UP_AT ? look_up(check, table, err) : STATUS_OK;
}

/* Receives the secondary keys of an event. */
struct keys {
    struct check *check;
    const struct checked *row;
    uint64_t offset;
    enum status status;
    struct error *err;
};

static void expect_key(void *context, uint64_t key, bool block)
{
    struct keys *keys = context;
    uint64_t offset = block ? keys->offset - keys->offset % CATALOG_KEY_BLOCK : keys->offset;
    if (keys->status == STATUS_OK)
        keys->status = check_expect(keys->check, INDEX_REFS, key, keys->row, offset, keys->err);
}

enum status check_expect_event(struct check *check, const struct checked *row, const struct event *event,
                               uint64_t offset, struct error *err)
{
    struct keys keys = {.check = check, .row = row, .offset = offset, .status = STATUS_OK, .err = err};
    uint64_t seed, hash;
    if (check->disk_is_bad)
        return STATUS_OK;
    seed = index_seed(check->disk);
    if (!event_id_hash(event, seed, &check->scratch, &hash))
        return error_set_memory(err);
    enum status status = check_expect(check, INDEX_IDS, hash, row, offset, err);
    if (status == STATUS_OK && !event_index_keys(event, seed, &check->scratch, expect_key, &keys))
        status = error_set_memory(err);
    return status == STATUS_OK ? keys.status : status;
}

enum status check_finish_index(struct check *check, struct error *err)
{
    enum status status = STATUS_OK;
    for (enum index_table t = 0; t < INDEX_TABLES && status == STATUS_OK && !check->disk_is_bad; t++)
        status = look_up(check, t, err);
    for (size_t i = 0; i < check->count && status == STATUS_OK && !check->disk_is_bad; i++) {
        const struct checked *row = &check->partitions[i];
        if (row->missing > 0)
            status = check_disagree(check, row->number, err, "%llu entr%s missing, the first for byte %llu",
                                    (unsigned long long)row->missing, row->missing == 1 ? "y is" : "ies are",
                                    (unsigned long long)row->first_missing);
    }
    return status;
}
