/*
 * batch - events on their way from the input into the store, with where each came from.
 */
#ifndef METASPN_BATCH_H
#define METASPN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "input.h"
#include "store/store.h"

struct origin {
    const char *file;
    uint64_t number;
    uint64_t read;  /* lines read when it had been */
    size_t scratch; /* offset of its canonical line in batch.scratch; SIZE_MAX: the line of the input itself */
};

/* An invalid line that is reported with the batch, for a duplicate before it may be the end. */
struct refusal {
    size_t before; /* items that precede it */
    struct input_line line;
    struct error why;
};

/* `struct batch batch = {0};` is empty. */
struct batch {
    struct store_item *items;
    struct origin *origins; /* of each item */
    size_t count, item_capacity, origin_capacity;
    struct refusal *refusals;
    size_t refusal_count, refusal_capacity;
    size_t bytes;         /* of input, whatever its lines were */
    struct bytes scratch; /* canonical lines of those that came otherwise */
};

/* False: no memory. */
bool batch_add(struct batch *batch, const struct event *event, const struct origin *origin);
bool batch_refuse(struct batch *batch, const struct input_line *line, const struct error *why);

bool batch_is_full(const struct batch *batch);
/* The last line was added: canonical lines have moved while the batch grew. */
void batch_settle(struct batch *batch);
void batch_clear(struct batch *batch);
void batch_release(struct batch *batch);

#endif
