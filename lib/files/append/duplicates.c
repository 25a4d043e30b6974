#include <stdlib.h>
#include <string.h>

#include "files/append/batch.h"

#define LOOK_TURNS 3 /* times that files which went meanwhile are looked for */

/* Items whose ids have the same hash, almost always one: batch.hashes.data[from .. to). */
struct group {
    size_t from, to, open; /* how many of them have no first record yet */
};

/* Takes every item for new, hashes the ids, and groups them: *ret_count groups, and the hash of each in `keys`. */
static enum status group_items(struct batch *batch, struct group *groups, uint64_t *keys, size_t *ret_count)
{
    uint64_t seed = index_seed(batch->store->index);
    struct entries *hashes = &batch->hashes;
    struct bytes scratch = {0};
    bool good = true;
    size_t count = 0;
    hashes->count = 0;
    for (size_t i = 0; i < batch->count && good; i++) {
        good = event_id_hash(&batch->items[i].event, seed, &scratch, &batch->id_hashes[i]) &&
               entries_add(hashes, (struct entry){batch->id_hashes[i], i});
        batch->items[i].outcome = STORE_APPENDED;
        batch->items[i].first_item = i;
    }
    bytes_release(&scratch);
    entries_sort(hashes);
    for (size_t i = 0; i < hashes->count; i++) {
        if (i == 0 || hashes->data[i - 1].key != hashes->data[i].key) {
            keys[count] = hashes->data[i].key;
            groups[count++] = (struct group){.from = i};
        }
        groups[count - 1].to = i + 1;
        groups[count - 1].open++;
    }
    *ret_count = count;
    return good ? STATUS_OK : error_set_memory(batch->err);
}

static void set_first(struct store_item *item, struct store_place first, bool conflicts)
{
    item->outcome = conflicts ? STORE_CONFLICT : STORE_DUPLICATE;
    item->first = first;
    item->first_item = SIZE_MAX;
}

/* Compares the items of a group with a line that the hash of their ids points to. */
static enum status confirm_group(struct batch *batch, struct group *group, uint64_t value)
{
    struct store_place position = catalog_place_of(value);
    for (size_t i = group->from; i < group->to && group->open > 0; i++) {
        struct store_item *item = &batch->items[batch->hashes.data[i].value];
        bool holds, conflicts;
        if (item->outcome != STORE_APPENDED)
            continue;
        enum status status = catalog_holds_id(batch->store, position, &item->event, &holds, &conflicts, batch->err);
        if (status != STATUS_OK)
            return status;
        if (holds) {
            set_first(item, position, conflicts);
            group->open--;
        }
    }
    return STATUS_OK;
}

/* Items with the same id inside the batch: the first stands, the others are its duplicates. */
static enum status compare_items(struct batch *batch, const struct group *group)
{
    const struct entry *hashes = batch->hashes.data;
    for (size_t i = group->from + 1; i < group->to; i++) {
        struct store_item *item = &batch->items[hashes[i].value];
        for (size_t j = group->from; j < i && item->outcome == STORE_APPENDED; j++) {
            const struct store_item *before = &batch->items[hashes[j].value];
            bool conflicts;
            if (before->outcome != STORE_APPENDED || !json_string_same(before->event.id, item->event.id))
                continue;
            if (!event_conflicts(&before->event, &item->event, &conflicts))
                return error_set_memory(batch->err);
            item->outcome = conflicts ? STORE_CONFLICT : STORE_DUPLICATE;
            item->first_item = (size_t)hashes[j].value;
        }
    }
    return STATUS_OK;
}

/* Follows the index's hits to the lines, in the order in which they lie; the first that has an id is its first record.
 * STATUS_ABSENT: a file has gone. */
static enum status look_up(struct batch *batch)
{
    struct entries hits = {0};
    uint64_t *keys = reallocarray(NULL, batch->count + 1, sizeof *keys);
    struct group *groups = reallocarray(NULL, batch->count + 1, sizeof *groups);
    size_t count = 0;
    if (!batch->id_hashes)
        batch->id_hashes = reallocarray(NULL, batch->count + 1, sizeof *batch->id_hashes);
    bool good = keys && groups && batch->id_hashes;
    enum status status = good ? group_items(batch, groups, keys, &count) : error_set_memory(batch->err);
    if (status == STATUS_OK)
        status = catalog_find_many(batch->store, keys, count, &hits, batch->err);
    for (size_t i = 0; i < hits.count; i++) /* {group, value} becomes {value, group} */
        hits.data[i] = (struct entry){hits.data[i].value, hits.data[i].key};
    entries_sort(&hits);
    for (size_t i = 0; i < hits.count && status == STATUS_OK; i++)
        status = confirm_group(batch, &groups[hits.data[i].value], hits.data[i].key);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = compare_items(batch, &groups[i]);
    free(keys);
    free(groups);
    entries_release(&hits);
    return status;
}

/* A file that has gone since the store was looked at may be there again. */
enum status batch_find_duplicates(struct batch *batch)
{
    struct catalog *store = batch->store;
    enum status status = look_up(batch);
    for (int turn = 1; status == STATUS_ABSENT && turn < LOOK_TURNS; turn++) {
        status = catalog_see(store, store->kinds, NULL, batch->err);
        if (status == STATUS_OK)
            status = look_up(batch);
    }
    catalog_close_files(store);
    return status;
}

enum status batch_find_again(struct batch *batch, struct store_item *item, bool own, bool *ret_found)
{
    struct store_place position;
    bool conflicts;
    const char *line;
    size_t length;
    *ret_found = false;
    enum status status = catalog_find_record(batch->store, &item->event, &position, &conflicts, batch->err);
    if (status == STATUS_OK)
        status = catalog_line_at(batch->store, position, &line, &length, batch->err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status; /* it is nowhere */
    *ret_found = true;
    if (own && length == item->event.length && memcmp(line, item->event.line, length) == 0)
        item->first = position;
    else
        set_first(item, position, conflicts);
    return STATUS_OK;
}

enum status batch_compare_repetitions(struct batch *batch)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
        struct store_item *item = &batch->items[i];
        bool found;
        if (item->first_item != i && item->first_item != SIZE_MAX &&
            batch->items[item->first_item].outcome != STORE_APPENDED)
            status = batch_find_again(batch, item, false, &found);
    }
    catalog_close_files(batch->store);
    return status;
}
