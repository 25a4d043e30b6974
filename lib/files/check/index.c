#include <stdarg.h>
#include <stdio.h>

#include "files/check/state.h"

static const char *index_path(const struct check *check)
{
    return workspace_folder_path(catalog_workspace(check->store), FOLDER_INDEX);
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

void check_open_index(struct check *check)
{
    struct workspace *workspace = catalog_workspace(check->store);
    struct error why;
    enum status status =
        index_open(workspace_store(workspace), workspace_store_path(workspace), false, &check->disk, &why);
    if (status == STATUS_OK && index_trouble(check->disk))
        status = error_set(&why, STATUS_INVALID, "%s", index_trouble(check->disk));
    else if (status == STATUS_OK)
        status = index_verify(check->disk, &why);
    if (status == STATUS_OK)
        return;
    if (status == STATUS_INVALID && !index_is_unreadable(check->disk)) {
        check->disagreements++;
        check_report(check, index_path(check), 0, 0, "%s", why.text);
    } else {
        struct error named;
        if (status == STATUS_INVALID)
            error_set(&named, STATUS_IO, "%s: %s", index_path(check), why.text);
        check_fail(check, status == STATUS_INVALID ? &named : &why);
    }
    index_close(check->disk);
    check->disk = NULL;
}

enum status check_index_facts(struct check *check, struct checked *row, const struct partition *partition,
                              const struct partition_stat *stat, const struct partition_facts **ret_facts,
                              struct error *err)
{
    const struct partition_facts *facts = check->disk ? index_facts(check->disk, row->number) : NULL;
    bool hold = false;
    uint64_t hash;
    *ret_facts = NULL;
    if (!facts || facts->known == 0)
        return STATUS_OK;
    enum status status = catalog_facts_hold(facts, stat, partition, &hold, err);
    if (status == STATUS_OK && hold)
        status = partition_hash_before(partition, facts->known, &hash, err);
    if (status == STATUS_OK && hold && hash != facts->hash)
        status = check_disagree(check, row->number, err, "other bytes stand before byte %llu",
                                (unsigned long long)facts->known);
    if (status != STATUS_OK || !hold)
        return status;
    row->indexed = facts->known;
    row->repeats = facts->repeats;
    *ret_facts = facts;
    return STATUS_OK;
}

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

/* Replay finds repeated ids in the index: it may suspect too many, and must not know of too few. */
enum status check_indexed_repeats(struct check *check, struct error *err)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct checked *row = &check->partitions[i];
        if (row->repeats >= row->repeated)
            continue;
        enum status status = check_disagree(check, row->number, err, "repeated ids: %llu, not %llu",
                                            (unsigned long long)row->repeated, (unsigned long long)row->repeats);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
