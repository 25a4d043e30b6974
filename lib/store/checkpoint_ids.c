#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/checkpoint.h"

#define FEW 8 /* ids that are simply looked through */

static struct json_text id_at(const struct checkpoint_ids *ids, size_t i)
{
    size_t start = i == 0 ? 0 : ids->ends[i - 1];
    const char *text = ids->text.data ? ids->text.data : ""; /* the empty id has no memory of its own */
    return (struct json_text){text + start, ids->ends[i] - start};
}

static bool same(struct json_text a, struct json_text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* The slot that holds this id, or the empty one in which it belongs. */
static size_t *slot_of(const struct checkpoint_ids *ids, struct json_text decoded)
{
    size_t mask = ids->slot_count - 1, i = (size_t)hash_bytes(decoded.data, decoded.length, 0) & mask;
    while (ids->slots[i] != 0 && !same(id_at(ids, ids->slots[i] - 1), decoded))
        i = (i + 1) & mask;
    return &ids->slots[i];
}

static bool find(const struct checkpoint_ids *ids, struct json_text decoded)
{
    if (ids->slot_count > 0)
        return *slot_of(ids, decoded) != 0;
    for (size_t i = 0; i < ids->count; i++)
        if (same(id_at(ids, i), decoded))
            return true;
    return false;
}

/* Makes the table large enough for one id more; at most half of it is in use. */
static bool make_slots(struct checkpoint_ids *ids)
{
    if (ids->count < FEW || 2 * (ids->count + 1) <= ids->slot_count)
        return true;
    size_t count = ids->slot_count > 0 ? 2 * ids->slot_count : 8 * FEW;
    size_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(ids->slots);
    ids->slots = slots;
    ids->slot_count = count;
    for (size_t i = 0; i < ids->count; i++)
        *slot_of(ids, id_at(ids, i)) = i + 1;
    return true;
}

static bool make_room(struct checkpoint_ids *ids)
{
    if (ids->count < ids->capacity)
        return true;
    size_t capacity = ids->capacity > 0 ? 2 * ids->capacity : FEW;
    size_t *ends = reallocarray(ids->ends, capacity, sizeof *ends);
    if (!ends)
        return false;
    ids->ends = ends;
    ids->capacity = capacity;
    return true;
}

static bool add(struct checkpoint_ids *ids, struct json_text decoded)
{
    if (find(ids, decoded))
        return true;
    if (!make_room(ids) || !make_slots(ids) || !bytes_append(&ids->text, decoded.data, decoded.length))
        return false;
    if (ids->slot_count > 0)
        *slot_of(ids, decoded) = ids->count + 1;
    ids->ends[ids->count++] = ids->text.length;
    return true;
}

bool checkpoint_ids_add(struct checkpoint_ids *ids, struct json_text id)
{
    struct bytes scratch = {0};
    struct json_text decoded;
    bool good = json_string_decode(id, &scratch, &decoded) && add(ids, decoded);
    bytes_release(&scratch);
    return good;
}

bool checkpoint_ids_have(const struct checkpoint_ids *ids, struct json_text id, bool *ret_has)
{
    struct bytes scratch = {0};
    struct json_text decoded;
    bool good = json_string_decode(id, &scratch, &decoded);
    if (good)
        *ret_has = find(ids, decoded);
    bytes_release(&scratch);
    return good;
}

void checkpoint_ids_clear(struct checkpoint_ids *ids)
{
    free(ids->slots);
    ids->slots = NULL;
    ids->slot_count = ids->count = 0;
    bytes_clear(&ids->text);
}

void checkpoint_ids_release(struct checkpoint_ids *ids)
{
    free(ids->slots);
    free(ids->ends);
    bytes_release(&ids->text);
    *ids = (struct checkpoint_ids){0};
}

bool checkpoint_note(struct checkpoint *checkpoint, int64_t timestamp, struct json_text id)
{
    if (timestamp < checkpoint->last_timestamp)
        return true;
    if (timestamp > checkpoint->last_timestamp)
        checkpoint_ids_clear(&checkpoint->ids);
    checkpoint->last_timestamp = timestamp;
    return checkpoint_ids_add(&checkpoint->ids, id);
}

bool checkpoint_note_all(struct checkpoint *checkpoint, const struct checkpoint *other)
{
    if (other->last_timestamp < checkpoint->last_timestamp)
        return true;
    if (other->last_timestamp > checkpoint->last_timestamp)
        checkpoint_ids_clear(&checkpoint->ids);
    checkpoint->last_timestamp = other->last_timestamp;
    for (size_t i = 0; i < other->ids.count; i++)
        if (!add(&checkpoint->ids, id_at(&other->ids, i)))
            return false;
    return true;
}
