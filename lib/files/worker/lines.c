#include "files/worker/lines.h"

#include <stdlib.h>
#include <string.h>

#include "files/worker/advance.h"

#define AHEAD ((size_t)64 << 10) /* bytes that are read on at least */

/*
 * The position in the partition at hand gets the hash of the file in which its lines were found, as it was when the
 * store was looked at: by the time that it is stored, others may stand there, in another file or in the same one. Where
 * they do, what was passed is no more, and no position fits what came. That it cannot be read is told by
 * checkpoint_lines_take().
 */
static void hash_passed(struct checkpoint_lines *lines)
{
    const struct catalog_partition *row = lines->open ? catalog_partition(lines->store, lines->next.part) : NULL;
    const struct checkpoint_position *passed = row ? checkpoint_find(&lines->passed, row->day) : NULL;
    if (!passed || passed->has_hash || passed->offset == 0)
        return;
    struct checkpoint_position position = {.day = row->day};
    struct error why;
    enum status status = checkpoint_position_at(lines->store, row, lines->open, passed->offset, &position, &why);
    if (status == STATUS_OK || status == STATUS_ABSENT)
        status = checkpoint_put(&lines->passed, &position, &why);
    if (status != STATUS_OK && lines->trouble == STATUS_OK) {
        lines->trouble = status;
        lines->why = why;
    }
}

static void forget_next(struct checkpoint_lines *lines)
{
    hash_passed(lines);
    partition_close(lines->open);
    lines->open = NULL;
    free(lines->suspects);
    lines->suspects = NULL;
    lines->suspect_count = 0;
    bytes_clear(&lines->ahead);
}

static enum status refresh(struct checkpoint_lines *lines, struct error *err)
{
    forget_next(lines);
    return catalog_refresh(lines->store, lines->kinds, err);
}

/* ---- reading on */

static bool is_suspect(const struct checkpoint_lines *lines, uint64_t offset)
{
    size_t low = 0, high = lines->suspect_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines->suspects[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < lines->suspect_count && lines->suspects[low] == offset;
}

/* Has the bytes [offset, offset + length] of the partition at hand, as far as it has them. */
static enum status look_ahead(struct checkpoint_lines *lines, uint64_t offset, size_t length, struct error *err)
{
    struct chunk chunk;
    if (lines->ahead.length > 0 && offset >= lines->ahead_offset &&
        offset + length < lines->ahead_offset + lines->ahead.length)
        return STATUS_OK;
    size_t block = length < AHEAD ? AHEAD : length + 1;
    enum status status = partition_read_forward(lines->open, offset, offset + block, block, &lines->ahead, &chunk, err);
    lines->ahead_offset = offset;
    return status;
}

/* Whether this line stands at `offset` of the partition at hand; *ret_ended: with its newline. */
static enum status stands_at(struct checkpoint_lines *lines, uint64_t offset, const struct event *event,
                             bool *ret_stands, bool *ret_ended, struct error *err)
{
    size_t length = event->length;
    enum status status = look_ahead(lines, offset, length, err);
    if (status != STATUS_OK)
        return status;
    size_t at = (size_t)(offset - lines->ahead_offset);
    *ret_stands = lines->ahead.length >= at + length && memcmp(lines->ahead.data + at, event->line, length) == 0;
    *ret_ended = lines->ahead.length > at + length && lines->ahead.data[at + length] == '\n';
    return STATUS_OK;
}

/* Whether the next line of the partition that is open is this one and, as the facts have it, a first record. */
static enum status is_next_line(struct checkpoint_lines *lines, const struct event *event, bool *ret_is_next,
                                struct error *err)
{
    const struct catalog_partition *row = lines->open ? catalog_partition(lines->store, lines->next.part) : NULL;
    uint64_t offset = lines->next.offset;
    *ret_is_next = false;
    if (!row || offset >= row->facts.known || is_suspect(lines, offset))
        return STATUS_OK;
    bool ended = false;
    enum status status = stands_at(lines, offset, event, ret_is_next, &ended, err);
    *ret_is_next = *ret_is_next && ended;
    return status;
}

/* ---- by the id */

static enum status same_bytes(struct checkpoint_lines *lines, struct store_place position, const char *line,
                              size_t length, bool *ret_same, struct error *err)
{
    enum status status = catalog_read_line(lines->store, position, &lines->scratch, err);
    *ret_same =
        status == STATUS_OK && lines->scratch.length == length && memcmp(lines->scratch.data, line, length) == 0;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* Among all records of the id. */
static enum status find_among(struct checkpoint_lines *lines, const struct event *event,
                              struct store_place *ret_position, struct error *err)
{
    struct entries entries = {0};
    uint64_t hash;
    bool same = false;
    if (!event_id_hash(event, index_seed(catalog_index(lines->store)), &lines->scratch, &hash))
        return error_set_memory(err);
    enum status status = catalog_candidates(lines->store, true, &hash, 1, &entries, err);
    for (size_t i = 0; i < entries.count && status == STATUS_OK && !same; i++) {
        uint64_t value = entries.data[i].value;
        *ret_position = (struct store_place){index_value_partition(value), index_value_offset(value)};
        status = same_bytes(lines, *ret_position, event->line, event->length, &same, err);
    }
    entries_release(&entries);
    return status == STATUS_OK && !same ? error_set(err, STATUS_ABSENT, "nowhere") : status;
}

/* The first line with the bytes of the event: mostly it is the first record of its id. */
static enum status find_line(struct checkpoint_lines *lines, const struct event *event,
                             struct store_place *ret_position, struct error *err)
{
    bool same = false;
    enum status status = catalog_find_first(lines->store, event, ret_position, err);
    if (status == STATUS_OK)
        status = same_bytes(lines, *ret_position, event->line, event->length, &same, err);
    if (status == STATUS_OK && !same)
        status = find_among(lines, event, ret_position, err);
    return status;
}

static enum status take_in_hand(struct checkpoint_lines *lines, uint32_t number, struct error *err)
{
    forget_next(lines);
    lines->next.part = number;
    enum status status = catalog_open_partition(lines->store, number, &lines->open, err);
    if (status == STATUS_OK)
        status = catalog_suspects(lines->store, number, &lines->suspects, &lines->suspect_count, err);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* From here on lines are expected as they lie. The file that is at hand has the line, or none is. */
static enum status expect_from(struct checkpoint_lines *lines, struct store_place position, const struct event *event,
                               struct error *err)
{
    bool stands = false, ended;
    enum status status = STATUS_OK;
    if (lines->open && lines->next.part == position.part)
        status = stands_at(lines, position.offset, event, &stands, &ended, err);
    if (status != STATUS_OK || stands)
        return status;
    status = take_in_hand(lines, position.part, err);
    if (status == STATUS_OK && lines->open)
        status = stands_at(lines, position.offset, event, &stands, &ended, err);
    if (status == STATUS_OK && !stands)
        forget_next(lines);
    return status;
}

static enum status find(struct checkpoint_lines *lines, const struct event *event, struct store_place *ret_position,
                        struct error *err)
{
    bool is_next;
    enum status status = is_next_line(lines, event, &is_next, err);
    if (status != STATUS_OK || is_next) {
        *ret_position = lines->next;
        return status;
    }
    status = find_line(lines, event, ret_position, err);
    if (status == STATUS_ABSENT) {
        status = refresh(lines, err);
        if (status == STATUS_OK)
            status = find_line(lines, event, ret_position, err);
    }
    if (status == STATUS_ABSENT)
        return error_set(err, STATUS_INVALID, "is not in the store");
    return status == STATUS_OK ? expect_from(lines, *ret_position, event, err) : status;
}

/* ---- passing */

static enum status move_behind(struct checkpoint_lines *lines, struct store_place position, size_t length,
                               struct error *err)
{
    const struct catalog_partition *row = catalog_partition(lines->store, position.part);
    int32_t day = partition_number_day(position.part);
    uint64_t end = position.offset + length + 1;
    if (row && end > row->end) /* the last line has no newline yet */
        end = row->end;
    lines->next = (struct store_place){position.part, end};
    const struct checkpoint_position *old = checkpoint_find(&lines->passed, day);
    struct checkpoint_position behind = {.day = day, .offset = lines->open ? end : 0}; /* 0: it has gone again */
    return old && old->offset >= behind.offset ? STATUS_OK : checkpoint_put(&lines->passed, &behind, err);
}

/* Finds the line as an event of one kind; of which ones it may be is narrowed to that one. */
static enum status find_as(struct checkpoint_lines *lines, const char *line, size_t length, unsigned *kinds,
                           struct event *ret_event, struct store_place *ret_position, bool *ret_blank,
                           struct error *err)
{
    enum status status = event_recognize(line, length, kinds, ret_event, ret_blank, err);
    return status == STATUS_OK && !*ret_blank ? find(lines, ret_event, ret_position, err) : status;
}

enum status checkpoint_lines_pass(struct checkpoint_lines *lines, const char *line, size_t length, struct error *err)
{
    struct event event;
    struct store_place position;
    bool blank;
    unsigned kinds = lines->kinds;
    enum status status = find_as(lines, line, length, &kinds, &event, &position, &blank, err);
    unsigned others = lines->kinds & ~kinds;
    if (status == STATUS_INVALID && others != 0) { /* it has both ids, and lies in the other kind's folder */
        struct error why;
        enum status other = find_as(lines, line, length, &others, &event, &position, &blank, &why);
        status = other == STATUS_INVALID ? status : other;
        *err = other == STATUS_IO ? why : *err;
    }
    if (status != STATUS_OK || blank)
        return status;
    if (!lines->passed.has_kind) {
        checkpoint_init(&lines->passed);
        lines->passed.has_kind = true;
        lines->passed.kind = event.kind;
    }
    lines->kinds = KIND_BIT(event.kind);
    status = move_behind(lines, position, length, err);
    if (status == STATUS_OK && !checkpoint_note(&lines->passed, event.timestamp, event.id))
        status = error_set_memory(err);
    return status;
}

bool checkpoint_lines_pending(const struct checkpoint_lines *lines)
{
    return lines->passed.position_count > 0;
}

enum status checkpoint_lines_take(struct checkpoint_lines *lines, struct checkpoint *ret_passed, struct error *err)
{
    forget_next(lines); /* the store is looked at next, and may hold other bytes than those that were read ahead */
    if (lines->trouble != STATUS_OK) {
        *err = lines->why;
        return lines->trouble;
    }
    *ret_passed = lines->passed;
    lines->passed = (struct checkpoint){0};
    return STATUS_OK;
}

void checkpoint_lines_rest(struct checkpoint_lines *lines)
{
    forget_next(lines);
    catalog_close_files(lines->store);
}

void checkpoint_lines_release(struct checkpoint_lines *lines)
{
    forget_next(lines);
    checkpoint_release(&lines->passed);
    bytes_release(&lines->ahead);
    bytes_release(&lines->scratch);
}
