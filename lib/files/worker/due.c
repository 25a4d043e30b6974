#include "files/worker/due.h"

#include "files/scan/scan.h"

bool checkpoint_time_due(const struct checkpoint *checkpoint, const struct event *event, bool *ret_due)
{
    bool seen = false;
    if (event->timestamp == checkpoint->last_timestamp && !checkpoint_has_id(checkpoint, event->id, &seen))
        return false;
    *ret_due = event->timestamp >= checkpoint->last_timestamp && !seen;
    return true;
}

enum checkpoint_share checkpoint_share_due(const struct checkpoint *checkpoint, const struct partition_facts *facts,
                                           uint64_t end)
{
    if (facts->known < end)
        return CHECKPOINT_SOME_DUE;
    if (facts->records == 0 || facts->greatest < checkpoint->last_timestamp)
        return CHECKPOINT_NONE_DUE;
    bool all = facts->least > checkpoint->last_timestamp ||
               (facts->least == checkpoint->last_timestamp && checkpoint->ids.count == 0);
    return all ? CHECKPOINT_ALL_DUE : CHECKPOINT_SOME_DUE;
}

/*
 * A repetition counts as the event that it repeats: where that one is still due in an earlier partition, its copy must
 * not be passed either.
 */
static enum status scan_for_due(struct scan *scan, const struct checkpoint *checkpoint, uint64_t *ret_offset,
                                struct error *err)
{
    struct scan_item item;
    bool due = false;
    enum store_step step = STORE_NONE;
    while (!due && (step = scan_next(scan, &item, err)) == STORE_LINES)
        if (!checkpoint_time_due(checkpoint, &item.event, &due))
            return error_set_memory(err);
    if (due)
        *ret_offset = item.offset;
    else if (step == STORE_FAILED)
        return STATUS_IO;
    return due || !scan_was_cut(scan) ? STATUS_OK : error_set(err, STATUS_ABSENT, "was cut while it was read");
}

enum status checkpoint_first_due(struct catalog *store, const struct checkpoint *checkpoint,
                                 const struct catalog_partition *partition, uint64_t *ret_offset, struct error *err)
{
    struct scan_options options = {
        .window = {checkpoint->last_timestamp, TIMESTAMP_MAX},
        .need_events = true,
        .need_repeats = true,
    };
    struct scan *scan;
    enum checkpoint_share share = checkpoint_share_due(checkpoint, &partition->facts, partition->end);
    bool events_only = partition->facts.blank == 0 && partition->facts.damaged == 0;
    *ret_offset = share == CHECKPOINT_ALL_DUE ? 0 : partition->end;
    if (share == CHECKPOINT_NONE_DUE || (share == CHECKPOINT_ALL_DUE && events_only))
        return STATUS_OK;
    struct day *day;
    enum status status = catalog_open_day(store, partition->number, &day, err);
    if (status != STATUS_OK)
        return status;
    options.to = *ret_offset = day->end;
    status = scan_open(store, day, &options, &scan, err);
    if (status == STATUS_OK) {
        status = scan_for_due(scan, checkpoint, ret_offset, err);
        scan_close(scan);
    }
    day_close(day);
    return status;
}
