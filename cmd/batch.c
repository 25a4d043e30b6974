#include "batch.h"

#include <stdlib.h>

#include "base/array.h"

#define BATCH_BYTES ((size_t)8 << 20) /* of input, in one batch */
#define REFUSALS    256               /* invalid lines in one batch, where they are reported with it */

bool batch_add(struct batch *batch, const struct event *event, const struct origin *origin)
{
    if (!ARRAY_RESERVE(batch->items, batch->count, batch->item_capacity, 1) ||
        !ARRAY_RESERVE(batch->origins, batch->count, batch->origin_capacity, 1))
        return false;
    batch->items[batch->count] = (struct store_item){.event = *event};
    batch->origins[batch->count++] = *origin;
    return true;
}

bool batch_refuse(struct batch *batch, const struct input_line *line, const struct error *why)
{
    if (!ARRAY_RESERVE(batch->refusals, batch->refusal_count, batch->refusal_capacity, 1))
        return false;
    batch->refusals[batch->refusal_count++] = (struct refusal){batch->count, *line, *why};
    return true;
}

bool batch_is_full(const struct batch *batch)
{
    return batch->bytes >= BATCH_BYTES || batch->scratch.length >= BATCH_BYTES || batch->refusal_count == REFUSALS;
}

void batch_settle(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->origins[i].scratch != SIZE_MAX)
            event_rebase(&batch->items[i].event, batch->scratch.data + batch->origins[i].scratch);
}

void batch_clear(struct batch *batch)
{
    batch->count = batch->refusal_count = batch->bytes = 0;
    bytes_clear(&batch->scratch);
}

void batch_release(struct batch *batch)
{
    free(batch->items);
    free(batch->origins);
    free(batch->refusals);
    bytes_release(&batch->scratch);
}
