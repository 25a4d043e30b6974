#include "files/worker/advance.h"

#include "files/catalog/position.h"
#include "files/worker/due.h"

/* Puts the partition's position at `offset`. STATUS_ABSENT: the partition has gone. */
static enum status put_at(struct catalog *store, const struct catalog_partition *row, uint64_t offset,
                          struct checkpoint *checkpoint, struct error *err)
{
    struct checkpoint_position position;
    enum status status = position_at(store, row, offset, &position, err);
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
    if (checkpoint->has_positions)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        uint64_t offset;
        if (rows[i].kind != kind)
            continue;
        enum status status = checkpoint_first_due(store, checkpoint, &rows[i], &offset, err);
        if (status == STATUS_OK)
            status = put_at(store, &rows[i], offset, checkpoint, err);
        if (status == STATUS_OK)
            status = sync_partition(store, rows[i].number, err);
        if (status != STATUS_OK && status != STATUS_ABSENT) /* should it come back, it is due as a whole */
            return status;
    }
    checkpoint->has_positions = true;
    return STATUS_OK;
}

/* ---- forward */

/* Whether the position `old` is to be replaced by `to` of the same partition, which may have gone (NULL). */
static enum status is_ahead(struct catalog *store, const struct catalog_partition *row,
                            const struct checkpoint_position *old, const struct checkpoint_position *to,
                            bool *ret_ahead, struct error *err)
{
    bool fits = false;
    uint64_t from, to_from;
    *ret_ahead = false;
    if (old->offset == to->offset && old->has_hash == to->has_hash && old->hash == to->hash)
        return STATUS_OK;
    enum status status = row ? position_fits(store, row, old, &fits, &from, err) : STATUS_ABSENT;
    *ret_ahead = !fits;
    if (status == STATUS_OK && fits) {
        status = position_fits(store, row, to, &fits, &to_from, err);
        *ret_ahead = fits && to_from > from;
    }
    if (status != STATUS_ABSENT)
        return status;
    *ret_ahead = to->offset > old->offset;
    return STATUS_OK;
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
    if (row && (status = sync_partition(store, number, err)) != STATUS_OK)
        return status;
    return checkpoint_put(checkpoint, &position, err);
}

enum status checkpoint_advance(struct catalog *store, struct checkpoint *checkpoint, const struct checkpoint *to,
                               bool *ret_moved, struct error *err)
{
    enum event_kind kind = checkpoint->has_kind ? checkpoint->kind : to->has_kind ? to->kind : EVENT_SIGNAL;
    int64_t last = checkpoint->last_timestamp;
    size_t ids = checkpoint->ids.count;
    bool moved = !checkpoint->has_kind || !checkpoint->has_positions;
    struct checkpoint completed;
    enum status status = STATUS_OK;
    if (to->has_kind && to->kind != kind)
        return error_set(err, STATUS_INVALID, "is a checkpoint of %s, not of %s", event_kind_name(to->kind),
                         event_kind_name(kind));
    checkpoint_init(&completed);
    if (!to->has_positions) {
        status = checkpoint_copy(to, &completed, err);
        if (status == STATUS_OK && !checkpoint->has_positions && !checkpoint_note_all(&completed, checkpoint))
            status = error_set_memory(err);
        if (status == STATUS_OK)
            status = checkpoint_complete(store, kind, &completed, err);
        to = &completed;
    }
    if (status == STATUS_OK && !checkpoint_note_all(checkpoint, to))
        status = error_set_memory(err);
    moved |= checkpoint->last_timestamp != last || checkpoint->ids.count != ids;
    for (size_t i = 0; status == STATUS_OK && i < to->position_count; i++)
        status = advance_position(store, kind, checkpoint, &to->positions[i], &moved, err);
    checkpoint->has_kind = checkpoint->has_positions = true;
    checkpoint->kind = kind;
    *ret_moved = moved;
    checkpoint_release(&completed);
    return status;
}

/* ---- back */

static enum status reset_partition(struct catalog *store, const struct catalog_partition *row, int64_t time,
                                   struct checkpoint *checkpoint, struct error *err)
{
    const struct checkpoint_position *old = checkpoint_find(checkpoint, row->day);
    bool is_new = old == NULL, fits = false;
    int32_t day = timestamp_day(time);
    uint64_t offset = row->day > day ? 0 : row->end, from;
    enum status status = STATUS_OK;
    if (row->day < day && old)
        return STATUS_OK;
    if (row->day == day) {
        struct checkpoint since;
        checkpoint_init(&since);
        since.last_timestamp = time;
        status = checkpoint_first_due(store, &since, row, &offset, err);
        if (status == STATUS_OK && old)
            status = position_fits(store, row, old, &fits, &from, err);
        if (status == STATUS_OK && fits && from <= offset)
            return STATUS_OK; /* no position moves forward */
        if (old && !fits)
            offset = 0;
    }
    if (status == STATUS_OK)
        status = put_at(store, row, offset, checkpoint, err);
    if (status == STATUS_ABSENT && row->day == day) /* it has gone just now: what comes in its place is due */
        status = put_at(store, row, 0, checkpoint, err);
    if (status == STATUS_ABSENT)
        status = STATUS_OK;
    return status == STATUS_OK && is_new && row->day <= day ? sync_partition(store, row->number, err) : status;
}

enum status checkpoint_reset(struct catalog *store, enum event_kind kind, int64_t time, struct checkpoint *checkpoint,
                             struct error *err)
{
    size_t count, kept = 0;
    const struct catalog_partition *rows = catalog_partitions(store, &count);
    enum status status = checkpoint_complete(store, kind, checkpoint, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (rows[i].kind == kind)
            status = reset_partition(store, &rows[i], time, checkpoint, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < checkpoint->position_count; i++) {
        int32_t day = checkpoint->positions[i].day;
        /* Where a partition has gone, what comes in its place is due as a whole. */
        if (day < timestamp_day(time) || catalog_partition(store, partition_number(kind, day)))
            checkpoint->positions[kept++] = checkpoint->positions[i];
    }
    checkpoint->position_count = kept;
    checkpoint->has_kind = true;
    checkpoint->kind = kind;
    checkpoint->last_timestamp = time;
    string_set_clear(&checkpoint->ids);
    return STATUS_OK;
}

/* ---- how far */

enum status checkpoint_bytes_behind(struct catalog *store, enum event_kind kind, const struct checkpoint *checkpoint,
                                    uint64_t *ret_bytes, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(store, &count);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct checkpoint_position *position = checkpoint_find(checkpoint, rows[i].day);
        struct checkpoint_position end;
        uint64_t from = 0;
        bool fits = !checkpoint->has_positions;
        enum status status = STATUS_OK;
        if (rows[i].kind != kind)
            continue;
        if (!checkpoint->has_positions)
            status = checkpoint_first_due(store, checkpoint, &rows[i], &from, err);
        else if (position)
            status = position_fits(store, &rows[i], position, &fits, &from, err);
        if (status == STATUS_OK)
            status = position_at(store, &rows[i], rows[i].end, &end, err);
        if (status == STATUS_ABSENT) /* it has gone */
            continue;
        if (status != STATUS_OK)
            return status;
        from = fits ? from : 0;
        bytes += end.offset > from ? end.offset - from : 0;
    }
    *ret_bytes = bytes;
    return STATUS_OK;
}
