#include <string.h>

#include "base/hash.h"
#include "files/scan/scan.h"
#include "files/worker/advance.h"

/* ---- fitting */

/* Where the offset lies among the lines: *ret_from the start of a line, or the end. False: inside a line. */
static enum status look_around(const struct partition *open, const struct catalog_partition *row, uint64_t offset,
                               bool *ret_good, uint64_t *ret_from, struct error *err)
{
    struct bytes buffer = {0};
    struct chunk chunk;
    enum status status = partition_read_forward(open, offset - 1, offset, 1, &buffer, &chunk, err);
    *ret_good = chunk.length > 0 && chunk.data[0] == '\n';
    *ret_from = offset;
    if (status == STATUS_OK && !*ret_good)
        status = partition_skip_blanks(open, offset, row->end, ret_good, ret_from, err);
    bytes_release(&buffer);
    return status;
}

static enum status fit_by_reading(struct catalog *store, const struct catalog_partition *row,
                                  const struct checkpoint_position *position, bool *ret_fits, uint64_t *ret_from,
                                  struct error *err)
{
    struct partition *open;
    uint64_t hash = 0;
    enum status status = catalog_open_partition(store, row->number, &open, err);
    if (status != STATUS_OK)
        return status;
    status = partition_hash_before(open, position->offset, &hash, err);
    if (status == STATUS_OK && hash == position->hash)
        status = look_around(open, row, position->offset, ret_fits, ret_from, err);
    partition_close(open);
    return status;
}

enum status checkpoint_fit(struct catalog *store, const struct catalog_partition *partition,
                           const struct checkpoint_position *position, bool *ret_fits, uint64_t *ret_from,
                           struct error *err)
{
    const struct partition_facts *facts = &partition->facts;
    *ret_fits = false;
    *ret_from = position->offset;
    if (!position->has_hash || position->offset > partition->end)
        return STATUS_OK;
    if (position->offset == 0) {
        *ret_fits = position->hash == hash_bytes("", 0, 0);
        return STATUS_OK;
    }
    if (position->offset == facts->known && position->hash == facts->hash) {
        *ret_fits = true;
        return STATUS_OK;
    }
    return fit_by_reading(store, partition, position, ret_fits, ret_from, err);
}

/* ---- making */

#define TAIL_BLOCK ((size_t)4 << 10)

/* *end moves before the blank lines that end there. */
static enum status skip_blank_lines(const struct partition *open, uint64_t *end, struct error *err)
{
    struct bytes buffer = {0};
    struct chunk chunk;
    enum status status = STATUS_OK;
    for (bool blank = true; blank && *end > 0 && status == STATUS_OK;) {
        status = partition_read_backward(open, 0, *end, TAIL_BLOCK, &buffer, &chunk, err);
        if (status != STATUS_OK || chunk.length == 0)
            break;
        const char *at = chunk.data + chunk.length, *line;
        while (blank && at > chunk.data) {
            const char *newline = memrchr(chunk.data, '\n', (size_t)(at - chunk.data) - 1);
            line = newline ? newline + 1 : chunk.data;
            blank = json_is_blank(line, (size_t)(at - line));
            at = blank ? line : at;
        }
        *end = chunk.offset + (uint64_t)(at - chunk.data);
    }
    bytes_release(&buffer);
    return status;
}

enum status checkpoint_end(struct catalog *store, const struct catalog_partition *partition,
                           const struct partition *open, uint64_t *ret_end, struct error *err)
{
    struct partition *opened = NULL;
    enum status status = STATUS_OK;
    uint64_t end = partition->end;
    if (partition->facts.blank > 0) {
        status = open ? STATUS_OK : catalog_open_seen(store, partition, &opened, err);
        if (status == STATUS_OK)
            status = skip_blank_lines(open ? open : opened, &end, err);
        partition_close(opened);
    }
    if (status == STATUS_OK)
        *ret_end = end;
    return status;
}

/* STATUS_ABSENT too where the file does not hold any more what is known of it: others were read than would be hashed.
 */
static enum status hash_as_known(const struct catalog_partition *partition, const struct partition *open,
                                 uint64_t offset, uint64_t *ret_hash, struct error *err)
{
    const struct partition_facts *facts = &partition->facts;
    uint64_t hash, known = facts->hash;
    enum status status = partition_hash_before(open, offset, &hash, err);
    if (status == STATUS_OK && facts->known > 0)
        status = partition_hash_before(open, facts->known, &known, err);
    if (status == STATUS_OK && known != facts->hash)
        return error_set(err, STATUS_ABSENT, "%s: was rewritten meanwhile", partition_label(open));
    if (status == STATUS_OK)
        *ret_hash = hash;
    return status;
}

static enum status read_hash(struct catalog *store, const struct catalog_partition *partition,
                             const struct partition *open, uint64_t offset, uint64_t *ret_hash, struct error *err)
{
    struct partition *opened = NULL;
    enum status status = open ? STATUS_OK : catalog_open_seen(store, partition, &opened, err);
    if (status == STATUS_OK)
        status = hash_as_known(partition, open ? open : opened, offset, ret_hash, err);
    partition_close(opened);
    return status;
}

enum status checkpoint_position_at(struct catalog *store, const struct catalog_partition *partition,
                                   const struct partition *open, uint64_t offset,
                                   struct checkpoint_position *ret_position, struct error *err)
{
    struct checkpoint_position position = {.day = partition->day, .has_hash = true, .offset = offset};
    enum status status = STATUS_OK;
    if (offset == partition->end)
        status = checkpoint_end(store, partition, open, &position.offset, err);
    if (status != STATUS_OK)
        return status;
    if (position.offset == 0)
        position.hash = hash_bytes("", 0, 0);
    else if (position.offset == partition->facts.known)
        position.hash = partition->facts.hash;
    else
        status = read_hash(store, partition, open, position.offset, &position.hash, err);
    if (status == STATUS_OK)
        *ret_position = position;
    return status;
}

/* ---- without positions */

bool checkpoint_time_due(const struct checkpoint *checkpoint, const struct event *event, bool *ret_due)
{
    bool seen = false;
    if (event->timestamp == checkpoint->last_timestamp && !checkpoint_has_id(checkpoint, event->id, &seen))
        return false;
    *ret_due = event->timestamp >= checkpoint->last_timestamp && !seen;
    return true;
}

enum checkpoint_share checkpoint_share_due(const struct checkpoint *checkpoint,
                                           const struct catalog_partition *partition)
{
    const struct partition_facts *facts = &partition->facts;
    if (facts->known < partition->end)
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
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !due) {
        status = scan_next(scan, &item, err);
        if (status == STATUS_OK && !checkpoint_time_due(checkpoint, &item.event, &due))
            status = error_set_memory(err);
    }
    if (due)
        *ret_offset = item.offset;
    return status == STATUS_ABSENT && !scan_was_cut(scan) ? STATUS_OK : status;
}

enum status checkpoint_first_due(struct catalog *store, const struct checkpoint *checkpoint,
                                 const struct catalog_partition *partition, uint64_t *ret_offset, struct error *err)
{
    struct scan_options options = {
        .partition = partition->number,
        .to = partition->end,
        .window = {checkpoint->last_timestamp, TIMESTAMP_MAX},
        .need_events = true,
        .need_repeats = true,
    };
    struct scan *scan;
    enum checkpoint_share share = checkpoint_share_due(checkpoint, partition);
    bool events_only = partition->facts.blank == 0 && partition->facts.damaged == 0;
    *ret_offset = share == CHECKPOINT_ALL_DUE ? 0 : partition->end;
    if (share == CHECKPOINT_NONE_DUE || (share == CHECKPOINT_ALL_DUE && events_only))
        return STATUS_OK;
    enum status status = scan_open(store, &options, &scan, err);
    if (status != STATUS_OK)
        return status;
    status = scan_for_due(scan, checkpoint, ret_offset, err);
    scan_close(scan);
    return status;
}
