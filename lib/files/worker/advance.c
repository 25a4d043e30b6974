#include "files/worker/advance.h"
#include "files/scan/scan.h"

/* The partition's position is put at `offset`. STATUS_ABSENT: the partition has gone. */
static enum status put_at(struct catalog *store, const struct catalog_partition *row, uint64_t offset,
                          struct checkpoint *checkpoint, struct error *err)
{
    struct checkpoint_position position;
    enum status status = checkpoint_position_at(store, row, NULL, offset, &position, err);
    return status == STATUS_OK ? checkpoint_put(checkpoint, &position, err) : status;
}

static enum status sync_partition(struct catalog *store, uint32_t number, struct error *err)
{
    enum status status = catalog_sync_partition(store, number, err);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status checkpoint_complete(struct catalog *store, enum event_kind kind, struct checkpoint *checkpoint,
                                struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(store, &count);
    enum status status = STATUS_OK;
    if (checkpoint->has_positions)
        return STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        uint64_t offset;
        if (rows[i].kind != kind)
            continue;
        status = checkpoint_first_due(store, checkpoint, &rows[i], &offset, err);
        if (status == STATUS_OK)
            status = put_at(store, &rows[i], offset, checkpoint, err);
        if (status == STATUS_OK)
            status = sync_partition(store, rows[i].number, err);
        if (status == STATUS_ABSENT) /* should it come back, it is due as a whole */
            status = STATUS_OK;
    }
    checkpoint->has_positions = true;
    return status;
}

/* ---- forward */

static bool same_position(const struct checkpoint_position *a, const struct checkpoint_position *b)
{
    return a->offset == b->offset && a->has_hash == b->has_hash && a->hash == b->hash;
}

/* Whether a position is to be replaced by another one of the same partition, which may have gone (NULL). */
static enum status is_ahead(struct catalog *store, const struct catalog_partition *row,
                            const struct checkpoint_position *old, const struct checkpoint_position *to,
                            bool *ret_ahead, struct error *err)
{
    bool fits = false;
    uint64_t from, to_from;
    *ret_ahead = false;
    if (same_position(old, to))
        return STATUS_OK;
    enum status status = row ? checkpoint_fit(store, row, old, &fits, &from, err) : STATUS_ABSENT;
    *ret_ahead = !fits;
    if (status == STATUS_OK && fits) {
        status = checkpoint_fit(store, row, to, &fits, &to_from, err);
        *ret_ahead = fits && to_from > from;
    }
    if (status == STATUS_ABSENT) {
        *ret_ahead = to->offset > old->offset;
        status = STATUS_OK;
    }
    return status;
}

static enum status advance_position(struct catalog *store, enum event_kind kind, struct checkpoint *checkpoint,
                                    const struct checkpoint_position *to, bool *moved, struct error *err)
{
    uint32_t number = partition_number(kind, to->day);
    const struct catalog_partition *row = catalog_partition(store, number);
    const struct checkpoint_position *old = checkpoint_find(checkpoint, to->day);
    struct checkpoint_position position = *to;
    bool ahead = true;
    enum status status = old ? is_ahead(store, row, old, to, &ahead, err) : STATUS_OK;
    if (status != STATUS_OK || !ahead)
        return status;
    *moved = true;
    position.text.data = NULL;
    if (row)
        status = sync_partition(store, number, err);
    return status == STATUS_OK ? checkpoint_put(checkpoint, &position, err) : status;
}

static enum status check_kinds(const struct checkpoint *checkpoint, const struct checkpoint *to, struct error *err)
{
    if (!checkpoint->has_kind || !to->has_kind || checkpoint->kind == to->kind)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "is a checkpoint of %s, not of %s", event_kind_name(to->kind),
                     event_kind_name(checkpoint->kind));
}

static enum status advance_to(struct catalog *store, enum event_kind kind, struct checkpoint *checkpoint,
                              const struct checkpoint *to, bool *moved, struct error *err)
{
    int64_t last = checkpoint->last_timestamp;
    size_t ids = checkpoint->ids.count;
    if (!checkpoint_note_all(checkpoint, to))
        return error_set_memory(err);
    *moved |= checkpoint->last_timestamp != last || checkpoint->ids.count != ids || !checkpoint->has_positions;
    checkpoint->has_positions = true;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < to->position_count && status == STATUS_OK; i++)
        status = advance_position(store, kind, checkpoint, &to->positions[i], moved, err);
    return status;
}

enum status checkpoint_advance(struct catalog *store, struct checkpoint *checkpoint, const struct checkpoint *to,
                               bool *ret_moved, struct error *err)
{
    enum event_kind kind = checkpoint->has_kind ? checkpoint->kind : to->has_kind ? to->kind : EVENT_SIGNAL;
    struct checkpoint settled;
    checkpoint_init(&settled);
    enum status status = check_kinds(checkpoint, to, err);
    if (status != STATUS_OK)
        return status;
    *ret_moved = !checkpoint->has_kind;
    checkpoint->has_kind = true;
    checkpoint->kind = kind;
    if (!to->has_positions) {
        status = checkpoint_copy(to, &settled, err);
        if (status == STATUS_OK && !checkpoint->has_positions && !checkpoint_note_all(&settled, checkpoint))
            status = error_set_memory(err);
        if (status == STATUS_OK)
            status = checkpoint_complete(store, kind, &settled, err);
    }
    if (status == STATUS_OK)
        status = advance_to(store, kind, checkpoint, to->has_positions ? to : &settled, ret_moved, err);
    checkpoint_release(&settled);
    return status;
}

/* ---- back */

/* The offset of the first event at or after `time`, or the end. */
static enum status first_since(struct catalog *store, const struct catalog_partition *row, int64_t time,
                               uint64_t *ret_offset, struct error *err)
{
    struct checkpoint since;
    checkpoint_init(&since);
    since.last_timestamp = time;
    return checkpoint_first_due(store, &since, row, ret_offset, err);
}

/* On the day of the time itself: not forward from where it is. */
static enum status reset_day(struct catalog *store, const struct catalog_partition *row, int64_t time,
                             struct checkpoint *checkpoint, struct error *err)
{
    const struct checkpoint_position *old = checkpoint_find(checkpoint, row->day);
    uint64_t offset, from;
    bool fits;
    enum status status = first_since(store, row, time, &offset, err);
    if (status == STATUS_OK && old) {
        status = checkpoint_fit(store, row, old, &fits, &from, err);
        if (status == STATUS_OK && fits && from <= offset)
            return STATUS_OK;
        if (!fits)
            offset = 0;
    }
    if (status == STATUS_OK)
        status = put_at(store, row, offset, checkpoint, err);
    if (status == STATUS_ABSENT) /* just now: see reset_gone() */
        status = put_at(store, row, 0, checkpoint, err);
    return status;
}

static enum status reset_partition(struct catalog *store, const struct catalog_partition *row, int64_t time,
                                   struct checkpoint *checkpoint, struct error *err)
{
    int32_t day = timestamp_day(time);
    if (row->day > day)
        return put_at(store, row, 0, checkpoint, err);
    bool is_new = !checkpoint_find(checkpoint, row->day);
    enum status status = STATUS_OK;
    if (row->day == day)
        status = reset_day(store, row, time, checkpoint, err);
    else if (is_new)
        status = put_at(store, row, row->end, checkpoint, err);
    if (status == STATUS_ABSENT)
        status = STATUS_OK;
    return status == STATUS_OK && is_new ? sync_partition(store, row->number, err) : status;
}

/* Where a partition has gone, what comes in its place is due as a whole. */
static void reset_gone(struct catalog *store, enum event_kind kind, int32_t day, struct checkpoint *checkpoint)
{
    size_t kept = 0;
    for (size_t i = 0; i < checkpoint->position_count; i++) {
        int32_t other = checkpoint->positions[i].day;
        if (other < day || catalog_partition(store, partition_number(kind, other)))
            checkpoint->positions[kept++] = checkpoint->positions[i];
    }
    checkpoint->position_count = kept;
}

enum status checkpoint_reset(struct catalog *store, enum event_kind kind, int64_t time, struct checkpoint *checkpoint,
                             struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(store, &count);
    enum status status = checkpoint_complete(store, kind, checkpoint, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (rows[i].kind == kind)
            status = reset_partition(store, &rows[i], time, checkpoint, err);
    reset_gone(store, kind, timestamp_day(time), checkpoint);
    checkpoint->has_kind = true;
    checkpoint->kind = kind;
    checkpoint->last_timestamp = time;
    string_set_clear(&checkpoint->ids);
    return status;
}

/* ---- how far */

static enum status position_of(struct catalog *store, const struct catalog_partition *row,
                               const struct checkpoint *checkpoint, uint64_t *ret_from, struct error *err)
{
    const struct checkpoint_position *position = checkpoint_find(checkpoint, row->day);
    bool fits = false;
    enum status status = STATUS_OK;
    if (!checkpoint->has_positions)
        return checkpoint_first_due(store, checkpoint, row, ret_from, err);
    if (position)
        status = checkpoint_fit(store, row, position, &fits, ret_from, err);
    if (!fits)
        *ret_from = 0;
    return status;
}

enum status checkpoint_bytes_behind(struct catalog *store, enum event_kind kind, const struct checkpoint *checkpoint,
                                    uint64_t *ret_bytes, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(store, &count);
    uint64_t bytes = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        uint64_t from = 0, end = 0;
        if (rows[i].kind != kind)
            continue;
        status = position_of(store, &rows[i], checkpoint, &from, err);
        if (status == STATUS_OK)
            status = checkpoint_end(store, &rows[i], NULL, &end, err);
        if (status == STATUS_ABSENT) /* it has gone */
            status = STATUS_OK;
        bytes += end > from ? end - from : 0;
    }
    if (status == STATUS_OK)
        *ret_bytes = bytes;
    return status;
}
