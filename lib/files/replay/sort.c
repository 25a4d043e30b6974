#include <stdlib.h>

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
 * Most lines of a partition stand in the order of time, and a few came late. So the keys of those that follow in order
 * are kept apart from the others, only the others are sorted, and the two are merged as they go out.
 */
struct sorted {
    uint32_t partition;
    bool backward, need_events;
    struct keys punctual, late;
    struct reader reader;
};

static bool add_key(struct keys *keys, struct key key)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity + keys->capacity / 2 + 1024;
        struct key *data = reallocarray(keys->data, capacity, sizeof *data);
        if (!data)
            return false;
        keys->data = data;
        keys->capacity = capacity;
    }
    keys->data[keys->count++] = key;
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum status collect(struct sorted *sorted, struct scan *scan, struct error *err)
{
    struct scan_item item;
    enum status status;
    while ((status = scan_next(scan, &item, err)) == STATUS_OK) {
        const struct keys *punctual = &sorted->punctual;
        struct key key = {item.event.timestamp, item.offset};
        bool is_late = punctual->count > 0 && key.time < punctual->data[punctual->count - 1].time;
        if (!add_key(is_late ? &sorted->late : &sorted->punctual, key))
            return error_set_memory(err);
    }
    if (status != STATUS_ABSENT)
        return status;
    if (sorted->late.count > 1)
        qsort(sorted->late.data, sorted->late.count, sizeof *sorted->late.data, compare_keys);
    sorted->late.high = sorted->late.count;
    sorted->punctual.high = sorted->punctual.count;
    return STATUS_OK;
}

enum status sorted_open(struct catalog *store, const struct scan_options *options, struct sorted **ret_sorted,
                        struct error *err)
{
    struct sorted *sorted = calloc(1, sizeof *sorted);
    if (!sorted)
        return error_set_memory(err);
    sorted->partition = options->partition;
    sorted->backward = options->backward;
    sorted->need_events = options->need_events;
    reader_init(&sorted->reader, store, options->backward);
    sorted->reader.report = options->report;
    sorted->reader.report_context = options->report_context;
    struct scan_options forward = *options;
    forward.backward = false;
    forward.need_events = true;
    struct scan *scan = NULL;
    enum status status = reader_turn(&sorted->reader, options->partition, err); /* it is read twice: let it stay */
    if (status == STATUS_OK)
        status = scan_open(store, &forward, &scan, err);
    if (status == STATUS_OK)
        status = collect(sorted, scan, err);
    scan_close(scan);
    if (status != STATUS_OK) {
        sorted_close(sorted);
        return status;
    }
    *ret_sorted = sorted;
    return STATUS_OK;
}

void sorted_close(struct sorted *sorted)
{
    if (!sorted)
        return;
    reader_release(&sorted->reader);
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

enum status sorted_next(struct sorted *sorted, struct scan_item *ret_item, struct error *err)
{
    struct key key;
    enum status status = STATUS_ABSENT;
    while (status == STATUS_ABSENT) {
        if (!next_key(sorted, &key))
            return error_set(err, STATUS_ABSENT, "no more events");
        struct store_place position = {sorted->partition, key.offset};
        status = reader_read(&sorted->reader, position, sorted->need_events, ret_item, err);
    }
    return status;
}
