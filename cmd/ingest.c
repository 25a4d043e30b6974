#include "ingest.h"

#include <stdlib.h>

#include "base/io.h"

#define BATCH_BYTES ((size_t)8 << 20) /* of input, in one batch */
#define BATCH_MS    100               /* how long the first event of a batch waits for others */
#define REFUSALS    256               /* invalid lines in one batch, where they are told with it */

static bool batch_add(struct batch *batch, const struct input_line *line, uint64_t read, const struct event *event,
                      size_t scratch)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity * 2 + 1024;
        struct store_item *items = reallocarray(batch->items, capacity, sizeof *items);
        if (items)
            batch->items = items;
        struct origin *origins = items ? reallocarray(batch->origins, capacity, sizeof *origins) : NULL;
        if (!origins)
            return false;
        batch->origins = origins;
        batch->capacity = capacity;
    }
    batch->items[batch->count] = (struct store_item){.event = *event};
    batch->origins[batch->count++] = (struct origin){line->file, line->number, read, scratch};
    return true;
}

static bool batch_add_refusal(struct batch *batch, const struct input_line *line, const struct error *why)
{
    if (!batch->refusals)
        batch->refusals = reallocarray(NULL, REFUSALS, sizeof *batch->refusals);
    if (!batch->refusals)
        return false;
    batch->refusals[batch->refusal_count++] = (struct refusal){batch->count, *line, *why};
    return true;
}

static void batch_clear(struct batch *batch)
{
    batch->count = batch->refusal_count = batch->bytes = 0;
    bytes_clear(&batch->scratch);
}

/* Canonical lines have moved while the batch grew. */
static void rebase_items(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->origins[i].scratch != SIZE_MAX)
            event_rebase(&batch->items[i].event, batch->scratch.data + batch->origins[i].scratch);
}

/* Tells the invalid lines of the batch that have at most `done` items before them. */
static bool reject_refusals(struct writer *writer, size_t done)
{
    const struct batch *batch = &writer->batch;
    bool good = true;
    for (size_t i = 0; good && i < batch->refusal_count && batch->refusals[i].before <= done; i++)
        good = ingest_reject(writer, &batch->refusals[i].line, &batch->refusals[i].why);
    return good;
}

/* Stores what was gathered, and prints what that made of it. False: no more input is wanted. */
static bool catalog_batch(struct writer *writer)
{
    struct batch *batch = &writer->batch;
    struct store_result result;
    struct error why;
    rebase_items(batch);
    enum status status =
        catalog_append(writer->store, batch->items, batch->count, writer->request->raise, &result, &why);
    progress_clear(&writer->progress);
    if (status != STATUS_OK && status != STATUS_DUPLICATE) {
        ingest_say_failure(writer, &why);
        return false;
    }
    writer->totals.appended += result.appended;
    writer->totals.duplicates += result.duplicates;
    writer->totals.bytes += result.bytes;
    bool good = ingest_print(writer, result.done);
    good &= reject_refusals(writer, result.done);
    if (status == STATUS_DUPLICATE)
        ingest_say_duplicate(writer, result.done);
    writer->totals.input_bytes += batch->bytes;
    progress_update(&writer->progress, writer->totals.read, writer->totals.input_bytes);
    batch_clear(batch);
    return good && status == STATUS_OK;
}

/* An invalid line: the end, or told and put aside; with the batch, where something before it may still be the end. */
static bool refuse_line(struct writer *writer, const struct input_line *line, const struct error *why)
{
    struct error err;
    if (writer->request->skip && !writer->request->raise)
        return ingest_reject(writer, line, why);
    if (writer->request->skip)
        return batch_add_refusal(&writer->batch, line, why) ||
               cli_fail(writer->cli, error_set_memory(&err), &err) == STATUS_OK;
    writer->stop = (struct stop){true, line->file, line->number, *why};
    return false;
}

/* False: reading ends here. */
static bool take_line(struct writer *writer, const struct input_line *line)
{
    struct batch *batch = &writer->batch;
    struct event event;
    struct error why;
    bool borrowed = true;
    size_t before = batch->scratch.length;
    batch->bytes += line->length + 1;
    if (!line->too_long && json_is_blank(line->data, line->length))
        return true;
    writer->totals.read++;
    enum status status = line->too_long ? event_refuse_length(line->data, line->length, &writer->request->rules, &why)
                                        : event_check(line->data, line->length, &writer->request->rules,
                                                      &batch->scratch, &event, &borrowed, &why);
    if (status == STATUS_INVALID)
        return refuse_line(writer, line, &why);
    if (status == STATUS_OK && !batch_add(batch, line, writer->totals.read, &event, borrowed ? SIZE_MAX : before))
        status = error_set_memory(&why);
    return cli_fail(writer->cli, status, &why) == STATUS_OK;
}

static bool batch_is_full(const struct batch *batch)
{
    return batch->bytes >= BATCH_BYTES || batch->scratch.length >= BATCH_BYTES || batch->refusal_count == REFUSALS;
}

/* Something is to be stored or written. */
static bool is_at_work(const struct writer *writer)
{
    return writer->batch.count > 0 || writer->batch.refusal_count > 0 || writer->rejects.buffer.length > 0;
}

/* Gathers lines until the batch is full or the first one has waited long enough. False: the input is at its end. */
static bool gather_batch(struct writer *writer, struct input *input)
{
    int64_t deadline = INPUT_FOR_EVER;
    while (!batch_is_full(&writer->batch)) {
        struct input_line line;
        switch (input_next(input, deadline, &line)) {
        case INPUT_LINE:
            if (!take_line(writer, &line))
                return false;
            if (deadline == INPUT_FOR_EVER && is_at_work(writer))
                deadline = io_monotonic_ms() + BATCH_MS;
            break;
        case INPUT_PENDING:
            return true;
        case INPUT_END:
        case INPUT_INTERRUPTED:
            return false;
        }
    }
    return true;
}

void ingest_run(struct writer *writer, struct input *input)
{
    if (!writer->request->skip)
        input_hand_out_excess(input);
    for (bool more = true; more;) {
        more = gather_batch(writer, input);
        if (!catalog_batch(writer))
            return;
        if (more)
            input_release(input);
        if (writer->request->rejects && !output_flush(&writer->rejects))
            return;
    }
    if (writer->stop.set)
        ingest_say_stop(writer);
}
