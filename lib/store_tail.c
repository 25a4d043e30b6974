#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store_private.h"

#define WAIT_TURNS 100 /* of 20 ms: how long somebody else's unfinished line is waited for, 2 s */
#define WAIT_NS    20000000

static enum status open_to_append(struct store *store, uint32_t number, struct partition **ret_partition,
                                  struct error *err)
{
    enum workspace_room room = store_room(number);
    int folder;
    enum status status = workspace_room(store->workspace, room, false, &folder, err);
    if (status == STATUS_OK)
        status = partition_open(folder, workspace_room_path(store->workspace, room), partition_number_day(number),
                                IO_APPEND, false, ret_partition, NULL, err);
    return status;
}

/* Adds the newline that the last line lacks. PARTITION_MOVED: the file has grown meanwhile, which is as good. */
static enum status add_newline(struct partition *partition, uint64_t size, struct error *err)
{
    enum partition_append how;
    enum status status = partition_append(partition, size, "\n", 1, &how, err);
    return status == STATUS_OK ? partition_sync(partition, err) : status;
}

static enum status terminate(struct store *store, const struct store_partition *row, struct partition *partition,
                             struct error *err)
{
    enum status status = add_newline(partition, row->stat.size, err);
    if (status == STATUS_OK)
        store_tell(store, NOTICE_NOTE, "%s: added the newline that its last line lacked", partition_label(partition));
    return status;
}

static enum status read_fragment(const struct store_partition *row, struct partition *partition, struct bytes *fragment,
                                 struct error *err)
{
    uint64_t end;
    return partition_read_line(partition, row->facts.known, row->stat.size, fragment, &end, err);
}

/* The fragment is copied, then cut off: nobody else has the file open, a lease tells. STATUS_ABSENT: somebody has. */
static enum status cut_off(struct store *store, const struct store_partition *row, struct partition *partition,
                           const struct bytes *fragment, struct error *err)
{
    enum status status = partition_cut(partition, row->stat.size, row->stat.size, err);
    if (status == STATUS_OK)
        status = store_quarantine(store, row->number, fragment->data, fragment->length, err);
    if (status == STATUS_OK)
        status = partition_cut(partition, row->stat.size, row->facts.known, err);
    if (status == STATUS_OK)
        status = partition_sync(partition, err);
    if (status == STATUS_OK)
        store_tell(store, NOTICE_WARNING,
                   "%s: cut off %llu bytes of a last line that was never finished; a copy is in %s",
                   partition_label(partition), (unsigned long long)(row->stat.size - row->facts.known),
                   workspace_room_path(store->workspace, ROOM_QUARANTINE));
    return status;
}

/* Waits for whoever writes there. True: the file has changed. */
static bool wait_for_change(const struct store *store, const struct partition *partition, uint64_t size)
{
    struct partition_stat stat;
    for (int turn = 0; turn < WAIT_TURNS; turn++) {
        if (partition_stat(partition, &stat, NULL) != STATUS_OK || stat.size != size)
            return true;
        if (store->options.interrupted && *store->options.interrupted)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
    return false;
}

/* Somebody has the file open and does not go on: the fragment is copied, ended with a newline and left. */
static enum status seal(struct store *store, const struct store_partition *row, struct partition *partition,
                        const struct bytes *fragment, struct error *err)
{
    if (wait_for_change(store, partition, row->stat.size))
        return STATUS_OK;
    enum status status = store_quarantine(store, row->number, fragment->data, fragment->length, err);
    if (status == STATUS_OK)
        status = add_newline(partition, row->stat.size, err);
    if (status == STATUS_OK)
        store_tell(store, NOTICE_WARNING,
                   "%s: ended a last line of %zu bytes that its writer did not finish; a copy is in %s",
                   partition_label(partition), fragment->length,
                   workspace_room_path(store->workspace, ROOM_QUARANTINE));
    return status;
}

static enum status mend_partition(struct store *store, const struct store_partition *row, bool wanted,
                                  struct error *err)
{
    struct partition *partition;
    struct bytes fragment = {0};
    enum status status = open_to_append(store, row->number, &partition, err);
    if (status != STATUS_OK)
        return status;
    if (row->end == row->stat.size) {
        status = terminate(store, row, partition, err);
    } else {
        status = read_fragment(row, partition, &fragment, err);
        if (status == STATUS_OK && json_is_blank(fragment.data, fragment.length))
            status = wanted ? add_newline(partition, row->stat.size, err) : STATUS_OK;
        else if (status == STATUS_OK)
            status = cut_off(store, row, partition, &fragment, err);
        if (status == STATUS_ABSENT)
            status = wanted ? seal(store, row, partition, &fragment, err) : STATUS_OK;
    }
    bytes_release(&fragment);
    partition_close(partition);
    return status;
}

enum status store_mend(struct store *store, store_wanted *wanted, void *context, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < store->count && status == STATUS_OK; i++) {
        struct store_partition *row = &store->partitions[i];
        if (row->stat.size <= row->facts.known || row->facts.known >= INDEX_OFFSET_LIMIT / 2)
            continue;
        bool must = wanted(context, row->number);
        store_close_files(store);
        status = mend_partition(store, row, must, must ? err : NULL);
        if (!must && status != STATUS_OK)
            status = STATUS_OK; /* it can wait for a writer that needs it */
        else if (status == STATUS_OK)
            status = store_look_again(store, row, err);
    }
    return status;
}
