#include "files/worker/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "files/catalog/position.h"

#define AHEAD ((size_t)64 << 10) /* bytes that are read on at least */

/*
 * The position in the day in hand gets the hash of the file in which its lines were found, as it was when it was
 * opened: by the time that it is stored, other bytes may be there, in another file or in the same one. Where they are,
 * what was passed is no more, and no position fits what came. That it cannot be read is reported by
 * checkpoint_lines_take().
 */
static void hash_passed(struct checkpoint_lines *lines)
{
    if (!lines->day)
        return;
    int32_t day = partition_number_day(lines->day->number);
    const struct checkpoint_position *passed = checkpoint_find(&lines->passed, day);
    if (!passed || passed->has_hash || passed->offset == 0)
        return;
    struct checkpoint_position position = {.day = day};
    struct error why;
    enum status status = position_in_day(lines->day, passed->offset, &position, &why);
    if (status == STATUS_OK || status == STATUS_ABSENT)
        status = checkpoint_put(&lines->passed, &position, &why);
    if (status != STATUS_OK && lines->trouble == STATUS_OK) {
        lines->trouble = status;
        lines->why = why;
    }
}

static void close_day(struct checkpoint_lines *lines)
{
    hash_passed(lines);
    day_close(lines->day);
    lines->day = NULL;
    free(lines->suspects);
    lines->suspects = NULL;
    lines->suspect_count = 0;
    bytes_clear(&lines->ahead);
}

/* ---- reading on */

static int compare_offset(const void *element, const void *key)
{
    uint64_t offset = *(const uint64_t *)element, wanted = *(const uint64_t *)key;
    return (offset > wanted) - (offset < wanted);
}

/* Whether this line is at `offset` of the day in hand; *ret_ended: with its newline. */
static enum status is_at(struct checkpoint_lines *lines, uint64_t offset, const struct event *event, bool *ret_is,
                         bool *ret_ended, struct error *err)
{
    struct bytes *ahead = &lines->ahead;
    size_t length = event->length;
    if (ahead->length == 0 || offset < lines->ahead_offset || offset + length >= lines->ahead_offset + ahead->length) {
        size_t block = length < AHEAD ? AHEAD : length + 1;
        struct chunk chunk;
        enum status status =
            partition_read_forward(lines->day->file, offset, offset + block, block, ahead, &chunk, err);
        if (status != STATUS_OK)
            return status;
        lines->ahead_offset = offset;
    }
    size_t at = (size_t)(offset - lines->ahead_offset);
    *ret_is = ahead->length >= at + length && memcmp(ahead->data + at, event->line, length) == 0;
    *ret_ended = ahead->length > at + length && ahead->data[at + length] == '\n';
    return STATUS_OK;
}

/* Whether the next line of the day in hand is this one and, as the facts have it, a first record. */
static enum status is_next_line(struct checkpoint_lines *lines, const struct event *event, bool *ret_is_next,
                                struct error *err)
{
    uint64_t offset = lines->next.offset;
    *ret_is_next = false;
    if (!lines->day || offset >= lines->day->facts.known)
        return STATUS_OK;
    size_t i =
        array_lower_bound(lines->suspects, lines->suspect_count, sizeof *lines->suspects, &offset, compare_offset);
    if (i < lines->suspect_count && lines->suspects[i] == offset)
        return STATUS_OK;
    bool is = false, ended = false;
    enum status status = is_at(lines, offset, event, &is, &ended, err);
    *ret_is_next = is && ended;
    return status;
}

/* ---- by the id */

static enum status has_same_bytes(struct checkpoint_lines *lines, struct store_place place, const struct event *event,
                                  bool *ret_same, struct error *err)
{
    const char *line;
    size_t length;
    enum status status = catalog_line_at(lines->store, place, &line, &length, err);
    *ret_same = status == STATUS_OK && length == event->length && memcmp(line, event->line, length) == 0;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* The first line with the bytes of the event: mostly it is the first record of its id. */
static enum status find_line(struct checkpoint_lines *lines, const struct event *event, struct store_place *ret_place,
                             struct error *err)
{
    struct entries entries = {0};
    uint64_t hash;
    bool same = false;
    enum status status = catalog_find_first(lines->store, event, ret_place, err);
    if (status != STATUS_OK)
        return status;
    status = has_same_bytes(lines, *ret_place, event, &same, err);
    if (status != STATUS_OK || same)
        return status;
    if (!event_id_hash(event, index_seed(catalog_index(lines->store)), &lines->scratch, &hash))
        return error_set_memory(err);
    status = catalog_candidates(lines->store, true, &hash, 1, &entries, err);
    for (size_t i = 0; i < entries.count && status == STATUS_OK && !same; i++) {
        uint64_t value = entries.data[i].value;
        *ret_place = (struct store_place){index_value_partition(value), index_value_offset(value)};
        status = has_same_bytes(lines, *ret_place, event, &same, err);
    }
    entries_release(&entries);
    return status == STATUS_OK && !same ? error_set(err, STATUS_ABSENT, "nowhere") : status;
}

/* From here on lines are expected as they lie. The day in hand has the line, or none is in hand. */
static enum status take_in_hand(struct checkpoint_lines *lines, struct store_place place, const struct event *event,
                                struct error *err)
{
    bool is = false, ended;
    enum status status = STATUS_OK;
    if (lines->day && lines->day->number == place.part)
        status = is_at(lines, place.offset, event, &is, &ended, err);
    if (status != STATUS_OK || is)
        return status;
    close_day(lines);
    status = catalog_open_day(lines->store, (uint32_t)place.part, &lines->day, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = catalog_suspects(lines->store, lines->day->number, &lines->suspects, &lines->suspect_count, err);
    if (status != STATUS_OK)
        return status;
    status = is_at(lines, place.offset, event, &is, &ended, err);
    if (status != STATUS_OK)
        return status;
    if (!is)
        close_day(lines);
    return status;
}

/* Finds the line as an event of one kind; of which ones it may be is narrowed to that one. */
static enum status find(struct checkpoint_lines *lines, const char *line, size_t length, unsigned *kinds,
                        struct event *ret_event, struct store_place *ret_place, bool *ret_blank, struct error *err)
{
    bool is_next;
    enum status status = event_recognize(line, length, kinds, ret_event, ret_blank, err);
    if (status != STATUS_OK || *ret_blank)
        return status;
    status = is_next_line(lines, ret_event, &is_next, err);
    *ret_place = lines->next;
    if (status != STATUS_OK || is_next)
        return status;
    status = find_line(lines, ret_event, ret_place, err);
    if (status == STATUS_ABSENT) {
        close_day(lines);
        status = catalog_refresh(lines->store, lines->kinds, err);
        if (status == STATUS_OK)
            status = find_line(lines, ret_event, ret_place, err);
    }
    if (status == STATUS_ABSENT)
        return error_set(err, STATUS_INVALID, "is not in the store");
    return status == STATUS_OK ? take_in_hand(lines, *ret_place, ret_event, err) : status;
}

/* ---- passing */

enum status checkpoint_lines_pass(struct checkpoint_lines *lines, const char *line, size_t length, struct error *err)
{
    struct event event;
    struct store_place place;
    bool blank;
    unsigned kinds = lines->kinds;
    enum status status = find(lines, line, length, &kinds, &event, &place, &blank, err);
    unsigned others = lines->kinds & ~kinds;
    if (status == STATUS_INVALID && others != 0) { /* it has both ids, and lies in the other kind's folder */
        struct error why;
        enum status other = find(lines, line, length, &others, &event, &place, &blank, &why);
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
    const struct catalog_partition *row = catalog_partition(lines->store, (uint32_t)place.part);
    uint64_t end = place.offset + length + 1;
    if (row && end > row->end) /* the last line has no newline yet */
        end = row->end;
    lines->next = (struct store_place){place.part, end};
    struct checkpoint_position position = {
        .day = partition_number_day((uint32_t)place.part),
        .offset = lines->day ? end : 0, /* 0: the day has gone again */
    };
    const struct checkpoint_position *old = checkpoint_find(&lines->passed, position.day);
    if (!old || old->offset < position.offset)
        status = checkpoint_put(&lines->passed, &position, err);
    if (status != STATUS_OK)
        return status;
    if (!checkpoint_note(&lines->passed, event.timestamp, event.id))
        status = error_set_memory(err);
    return status;
}

enum status checkpoint_lines_take(struct checkpoint_lines *lines, struct checkpoint *ret_passed, struct error *err)
{
    close_day(lines);
    *ret_passed = lines->passed;
    lines->passed = (struct checkpoint){0};
    if (lines->trouble != STATUS_OK)
        *err = lines->why;
    return lines->trouble;
}

void checkpoint_lines_release(struct checkpoint_lines *lines)
{
    close_day(lines);
    checkpoint_release(&lines->passed);
    bytes_release(&lines->ahead);
    bytes_release(&lines->scratch);
}
