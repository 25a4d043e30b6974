#include "files/catalog/position.h"

#include <string.h>

#include "base/hash.h"

/* ---- fitting */

/* Whether the facts tell without the bytes whether a position fits. */
static bool fit_by_facts(const struct partition_facts *facts, uint64_t end, const struct checkpoint_position *position,
                         bool *ret_fits, uint64_t *ret_from)
{
    *ret_fits = false;
    *ret_from = position->offset;
    if (!position->has_hash || position->offset > end)
        return true;
    if (position->offset == 0) {
        *ret_fits = position->hash == hash_bytes("", 0, 0);
        return true;
    }
    *ret_fits = position->offset == facts->known && position->hash == facts->hash;
    return *ret_fits;
}

enum status position_fits_day(const struct day *day, const struct checkpoint_position *position, bool *ret_fits,
                              uint64_t *ret_from, struct error *err)
{
    uint64_t hash, offset = position->offset;
    struct bytes buffer = {0};
    struct chunk chunk;
    if (fit_by_facts(&day->facts, day->end, position, ret_fits, ret_from))
        return STATUS_OK;
    enum status status = partition_hash_before(day->file, offset, &hash, err);
    if (status != STATUS_OK || hash != position->hash)
        return status;
    status = partition_read_forward(day->file, offset - 1, offset, 1, &buffer, &chunk, err);
    if (status != STATUS_OK)
        goto out;
    *ret_fits = chunk.length > 0 && chunk.data[0] == '\n';
    if (!*ret_fits) /* the end of a line, without its newline */
        status = partition_skip_blanks(day->file, offset, day->end, ret_fits, ret_from, err);
out:
    bytes_release(&buffer);
    return status;
}

enum status position_fits(struct catalog *store, const struct catalog_partition *row,
                          const struct checkpoint_position *position, bool *ret_fits, uint64_t *ret_from,
                          struct error *err)
{
    struct day *day;
    if (fit_by_facts(&row->facts, row->end, position, ret_fits, ret_from))
        return STATUS_OK;
    enum status status = catalog_open_day(store, row->number, &day, err);
    if (status != STATUS_OK)
        return status;
    status = position_fits_day(day, position, ret_fits, ret_from, err);
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

enum status position_in_day(const struct day *day, uint64_t offset, struct checkpoint_position *ret_position,
                            struct error *err)
{
    const struct partition_facts *facts = &day->facts;
    struct checkpoint_position position = {.day = partition_number_day(day->number), .has_hash = true};
    uint64_t known = facts->hash;
    enum status status = STATUS_OK;
    if (offset == day->end && facts->blank > 0)
        status = skip_blank_lines(day->file, &offset, err);
    if (status != STATUS_OK)
        return status;
    position.offset = offset;
    position.hash = offset == 0 ? hash_bytes("", 0, 0) : facts->hash;
    if (offset > 0 && offset != facts->known) {
        status = partition_hash_before(day->file, offset, &position.hash, err);
        if (status != STATUS_OK)
            return status;
        if (facts->known > 0)
            status = partition_hash_before(day->file, facts->known, &known, err);
    }
    if (status != STATUS_OK)
        return status;
    if (known != facts->hash)
        return error_set(err, STATUS_ABSENT, "%s: was rewritten meanwhile", partition_label(day->file));
    *ret_position = position;
    return STATUS_OK;
}

enum status position_at(struct catalog *store, const struct catalog_partition *row, uint64_t offset,
                        struct checkpoint_position *ret_position, struct error *err)
{
    bool is_known = offset == row->facts.known && (offset != row->end || row->facts.blank == 0);
    if (offset == 0 || is_known) {
        uint64_t hash = offset == 0 ? hash_bytes("", 0, 0) : row->facts.hash;
        *ret_position = (struct checkpoint_position){.day = row->day, .has_hash = true, .offset = offset, .hash = hash};
        return STATUS_OK;
    }
    struct day *day;
    enum status status = catalog_open_day(store, row->number, &day, err);
    if (status != STATUS_OK)
        return status;
    if (day->is_other)
        status = error_set(err, STATUS_ABSENT, "%s: was rewritten meanwhile", partition_label(day->file));
    else
        status = position_in_day(day, offset, ret_position, err);
    day_close(day);
    return status;
}
