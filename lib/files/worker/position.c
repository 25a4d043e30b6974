#include <string.h>

#include "base/hash.h"
#include "files/scan/scan.h"
#include "files/worker/advance.h"

/* ---- fitting */

/* Where the offset lies among the lines: *ret_from the start of a line, or the end. False: inside a line. */
static enum status look_around(const struct partition *open, uint64_t end, uint64_t offset, bool *ret_good,
                               uint64_t *ret_from, struct error *err)
{
    struct bytes buffer = {0};
    struct chunk chunk;
    enum status status = partition_read_forward(open, offset - 1, offset, 1, &buffer, &chunk, err);
    *ret_good = chunk.length > 0 && chunk.data[0] == '\n';
    *ret_from = offset;
    if (status == STATUS_OK && !*ret_good)
        status = partition_skip_blanks(open, offset, end, ret_good, ret_from, err);
    bytes_release(&buffer);
    return status;
}

/* What the facts tell without the bytes. False: nothing. */
static bool fit_by_facts(const struct partition_facts *facts, uint64_t end, const struct checkpoint_position *position,
                         bool *ret_fits, uint64_t *ret_from)
{
    bool empty = position->offset == 0 && position->hash == hash_bytes("", 0, 0);
    bool whole = position->offset == facts->known && position->hash == facts->hash;
    bool possible = position->has_hash && position->offset <= end;
    *ret_fits = possible && (empty || whole);
    *ret_from = position->offset;
    return *ret_fits || !possible || position->offset == 0;
}

enum status checkpoint_fit_day(const struct day *day, const struct checkpoint_position *position, bool *ret_fits,
                               uint64_t *ret_from, struct error *err)
{
    uint64_t hash;
    if (fit_by_facts(&day->facts, day->end, position, ret_fits, ret_from))
        return STATUS_OK;
    enum status status = partition_hash_before(day->file, position->offset, &hash, err);
    if (status != STATUS_OK || hash != position->hash)
        return status;
    return look_around(day->file, day->end, position->offset, ret_fits, ret_from, err);
}

enum status checkpoint_fit(struct catalog *store, const struct catalog_partition *partition,
                           const struct checkpoint_position *position, bool *ret_fits, uint64_t *ret_from,
                           struct error *err)
{
    struct day *day;
    if (fit_by_facts(&partition->facts, partition->end, position, ret_fits, ret_from))
        return STATUS_OK;
    enum status status = catalog_open_day(store, partition->number, &day, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_fit_day(day, position, ret_fits, ret_from, err);
    day_close(day);
    return status;
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

enum status checkpoint_position_in(const struct day *day, uint64_t offset, struct checkpoint_position *ret_position,
                                   struct error *err)
{
    const struct partition_facts *facts = &day->facts;
    struct checkpoint_position position = {.day = partition_number_day(day->number), .has_hash = true};
    uint64_t known = facts->hash;
    enum status status = STATUS_OK;
    if (offset == day->end && facts->blank > 0)
        status = skip_blank_lines(day->file, &offset, err);
    position.offset = offset;
    position.hash = offset == 0 ? hash_bytes("", 0, 0) : facts->hash;
    if (status == STATUS_OK && offset > 0 && offset != facts->known) {
        status = partition_hash_before(day->file, offset, &position.hash, err);
        if (status == STATUS_OK && facts->known > 0)
            status = partition_hash_before(day->file, facts->known, &known, err);
    }
    if (status != STATUS_OK)
        return status;
    if (known != facts->hash)
        return error_set(err, STATUS_ABSENT, "%s: was rewritten meanwhile", partition_label(day->file));
    *ret_position = position;
    return STATUS_OK;
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
