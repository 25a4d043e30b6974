#include <stdlib.h>

#include "base/array.h"
#include "files/replay/state.h"

struct key {
    int64_t time;
    uint64_t offset;
};

struct keys {
    struct key *data; /* owned */
    size_t count, capacity;
    size_t low, high; /* those that are not out yet */
};

/*
 * Most lines of a day stand in the order of time, and a few came late. So the keys of those that follow in order are
 * kept apart from the others, only the others are sorted, and the two are merged as they go out.
 */
struct sorted {
    bool backward, need_events;
    struct keys punctual, late;
    struct line_reader reader;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum status collect(struct sorted *sorted, struct scan *scan, struct error *err)
{
    struct keys *punctual = &sorted->punctual, *late = &sorted->late;
    struct scan_item item;
    enum store_step step;
    while ((step = scan_next(scan, &item, err)) == STORE_LINES) {
        bool is_late = punctual->count > 0 && item.event.timestamp < punctual->data[punctual->count - 1].time;
        struct keys *keys = is_late ? late : punctual;
        if (!ARRAY_RESERVE(keys->data, keys->count, keys->capacity, 1))
            return error_set_memory(err);
        keys->data[keys->count++] = (struct key){item.event.timestamp, item.offset};
    }
    if (step == STORE_FAILED)
        return STATUS_IO;
    if (late->count > 1)
        qsort(late->data, late->count, sizeof *late->data, compare_keys);
    late->high = late->count;
    punctual->high = punctual->count;
    return STATUS_OK;
}

enum status sorted_open(struct catalog *catalog, struct day *day, const struct scan_options *options,
                        struct sorted **ret_sorted, struct error *err)
{
    struct scan_options forward = *options;
    struct scan *scan;
    forward.backward = false;
    forward.need_events = true;
    struct sorted *sorted = calloc(1, sizeof *sorted);
    if (!sorted)
        return error_set_memory(err);
    sorted->backward = options->backward;
    sorted->need_events = options->need_events;
    line_reader_init(&sorted->reader, catalog, options);
    line_reader_turn(&sorted->reader, day);
    enum status status = scan_open(catalog, day, &forward, &scan, err);
    if (status == STATUS_OK) {
        status = collect(sorted, scan, err);
        scan_close(scan);
    }
    if (status != STATUS_OK)
        sorted_close(sorted);
    else
        *ret_sorted = sorted;
    return status;
}

void sorted_close(struct sorted *sorted)
{
    if (!sorted)
        return;
    line_reader_release(&sorted->reader);
    free(sorted->punctual.data);
    free(sorted->late.data);
    free(sorted);
}

/* The next key forward, or backward. False: no more. */
static bool next_key(struct sorted *sorted, struct key *ret_key)
{
    struct keys *keys = &sorted->punctual, *late = &sorted->late;
    bool backward = sorted->backward;
    if (late->low < late->high) {
        if (keys->low == keys->high)
            keys = late;
        else if (backward ? compare_keys(&late->data[late->high - 1], &keys->data[keys->high - 1]) > 0
                          : compare_keys(&late->data[late->low], &keys->data[keys->low]) < 0)
            keys = late;
    }
    if (keys->low == keys->high)
        return false;
    *ret_key = keys->data[backward ? --keys->high : keys->low++];
    return true;
}

enum store_step sorted_next(struct sorted *sorted, struct scan_item *ret_item, struct error *err)
{
    struct key key;
    enum store_step step = STORE_NONE;
    while (step == STORE_NONE && next_key(sorted, &key))
        step = line_reader_read(&sorted->reader, key.offset, sorted->need_events, ret_item, err);
    return step;
}
