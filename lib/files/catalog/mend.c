#include <time.h>

#include "files/catalog/state.h"

#define WAIT_TURNS 100 /* of 20 ms: how long somebody else's unfinished line is waited for, 2 s */
#define WAIT_NS    20000000
#define MEND_TURNS 8

/* Adds the newline that the last line lacks; *ret_added is false where the file has grown meanwhile, which is as good.
 */
static enum status add_newline(struct catalog *store, uint32_t number, struct partition *partition,
                               const struct partition_stat *seen, bool *ret_added, struct error *err)
{
    enum partition_append how;
    enum status status = partition_append(partition, seen, "\n", 1, &how, err);
    *ret_added = status == STATUS_OK && how == PARTITION_APPENDED;
    return status == STATUS_OK ? catalog_sync(store, number, partition, err) : status;
}

/* The fragment is copied, then cut off: nobody else has the file open, a lease tells. STATUS_ABSENT: somebody has, or
 * the file may only grow. */
static enum status cut_off(struct catalog *store, const struct catalog_partition *row, struct partition *partition,
                           const struct bytes *fragment, struct error *err)
{
    enum status status = partition_cut(partition, row->stat.size, row->stat.size, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_quarantine(store, row->number, fragment->data, fragment->length, err);
    if (status != STATUS_OK)
        return status;
    status = partition_cut(partition, row->stat.size, row->facts.known, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_sync(store, row->number, partition, err);
    if (status != STATUS_OK)
        return status;
    notices_tell(&store->notices, NOTICE_WARNING,
                 "%s: cut off %llu bytes of a last line that was never finished; a copy is in %s",
                 partition_label(partition), (unsigned long long)(row->stat.size - row->facts.known),
                 workspace_folder_path(store->workspace, FOLDER_QUARANTINE));
    return STATUS_OK;
}

/*
 * Somebody may have the file open. They are waited for, to end the line; a signal does not shorten that, for the line
 * that would be cut in two is theirs. Where they do not go on, the fragment, as it is after the whole time, is copied,
 * ended with a newline and left. Where it has a newline by then, or the file was cut, the caller looks again.
 */
static enum status seal(struct catalog *store, const struct catalog_partition *row, struct partition *partition,
                        struct bytes *fragment, struct error *err)
{
    struct partition_stat stat = row->stat, now;
    bool added = false;
    enum status status = STATUS_OK;
    for (int turn = 0; turn < WAIT_TURNS; turn++) {
        uint64_t end;
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        if (partition_stat(partition, &now, NULL) != STATUS_OK || now.size < stat.size)
            return STATUS_OK;
        if (now.size == stat.size)
            continue;
        stat = now;
        status = partition_read_line(partition, row->facts.known, stat.size, fragment, &end, err);
        if (status != STATUS_OK || fragment->length != stat.size - row->facts.known)
            return status;
    }
    status = catalog_quarantine(store, row->number, fragment->data, fragment->length, err);
    if (status != STATUS_OK)
        return status;
    status = add_newline(store, row->number, partition, &stat, &added, err);
    if (status != STATUS_OK)
        return status;
    if (added)
        notices_tell(&store->notices, NOTICE_WARNING,
                     "%s: ended a last line of %zu bytes that its writer did not finish; a copy is in %s",
                     partition_label(partition), fragment->length,
                     workspace_folder_path(store->workspace, FOLDER_QUARANTINE));
    return STATUS_OK;
}

/* An event gets its newline; so do blanks, where the partition is `wanted`; a fragment is cut off or sealed. */
static enum status mend_end(struct catalog *store, const struct catalog_partition *row, struct partition *partition,
                            bool wanted, struct error *err)
{
    struct bytes fragment = {0};
    uint64_t end;
    bool added;
    enum status status;
    if (row->end == row->stat.size) {
        status = add_newline(store, row->number, partition, &row->stat, &added, err);
        if (status != STATUS_OK)
            return status;
        if (added)
            notices_tell(&store->notices, NOTICE_NOTE, "%s: added the newline that its last line lacked",
                         partition_label(partition));
        return STATUS_OK;
    }
    status = partition_read_line(partition, row->facts.known, row->stat.size, &fragment, &end, err);
    if (status != STATUS_OK)
        goto out;
    if (json_is_blank(fragment.data, fragment.length))
        status = wanted ? add_newline(store, row->number, partition, &row->stat, &added, err) : STATUS_OK;
    else
        status = cut_off(store, row, partition, &fragment, err);
    if (status == STATUS_ABSENT)
        status = wanted ? seal(store, row, partition, &fragment, err) : STATUS_OK;
out:
    bytes_release(&fragment);
    return status;
}

/* What has been replaced since it was looked at is not touched: where its end is, the next look tells. */
static enum status mend_partition(struct catalog *store, const struct catalog_partition *row, bool wanted,
                                  struct error *err)
{
    struct partition *partition;
    struct partition_stat stat;
    bool holds = false;
    enum status status = catalog_open_as(store, row->number, IO_APPEND, false, &partition, NULL, err);
    if (status != STATUS_OK)
        return status;
    status = partition_stat(partition, &stat, err);
    if (status != STATUS_OK)
        goto out;
    status = catalog_facts_hold(&row->facts, &stat, partition, &holds, err);
    if (status != STATUS_OK)
        goto out;
    if (holds)
        status = mend_end(store, row, partition, wanted, err);
out:
    partition_close(partition);
    return status;
}

enum status catalog_mend(struct catalog *store, uint32_t number, bool wanted, struct error *err)
{
    /* once may not be enough: whoever writes there without lock may have begun the next line */
    for (int turn = 0; turn < MEND_TURNS; turn++) {
        const struct catalog_partition *row = catalog_row(store, number);
        struct error why;
        if (!row || !catalog_tail_is_open(row))
            return STATUS_OK;
        catalog_close_files(store);
        enum status status = mend_partition(store, row, wanted, wanted ? err : &why);
        if (!wanted && status != STATUS_OK) /* it can wait for a writer that needs it */
            return status == STATUS_IO && why.no_memory ? error_set_memory(err) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        status = catalog_look_again(store, number, err);
        if (status != STATUS_OK || !wanted)
            return status;
    }
    return STATUS_OK;
}

enum status catalog_mend_all(struct catalog *store, struct error *err)
{
    enum status first = catalog_begin_turn(store, KIND_BITS_ALL, err);
    if (first != STATUS_OK)
        return first;
    for (size_t i = 0; i < store->count; i++) { /* one that cannot be mended does not keep the others from it */
        struct error why;
        enum status status = catalog_mend(store, store->partitions[i].number, true, first == STATUS_OK ? err : &why);
        first = first == STATUS_OK ? status : first;
    }
    if (first == STATUS_OK)
        (void)index_commit(store->index, NULL);
    catalog_end_turn(store);
    return first == STATUS_ABSENT ? STATUS_IO : first;
}
