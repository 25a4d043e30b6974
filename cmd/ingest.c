#include "ingest.h"

#include "base/io.h"

#define BATCH_MS 100 /* how long the first event of a batch waits for others */

/* An invalid line: the end, or reported and put aside; with the batch, where something before it may still be the end.
 * False: reading ends here. */
static bool refuse_line(struct ingest *ingest, const struct input_line *line, const struct error *why)
{
    struct error err;
    if (!ingest->skip) {
        ingest->is_over = true;
        ingest->end = (struct refusal){.line = *line, .why = *why};
        return false;
    }
    if (!ingest->raise)
        return answers_reject(ingest->answers, line, why);
    return batch_refuse(&ingest->batch, line, why) || cli_fail(ingest->cli, error_set_memory(&err), &err) == STATUS_OK;
}

/* Checks a line and adds it to the batch. False: reading ends here. */
static bool take_line(struct ingest *ingest, const struct input_line *line)
{
    struct batch *batch = &ingest->batch;
    struct event event;
    struct error why;
    bool borrowed = true;
    size_t scratch = batch->scratch.length;
    batch->bytes += line->length + 1;
    if (!line->too_long && json_is_blank(line->data, line->length))
        return true;
    ingest->read++;
    enum status status = line->too_long ? event_refuse_length(line->data, line->length, &ingest->rules, &why)
                                        : event_check(line->data, line->length, &ingest->rules, &batch->scratch, &event,
                                                      &borrowed, &why);
    if (status == STATUS_INVALID)
        return refuse_line(ingest, line, &why);
    struct origin origin = {line->file, line->number, ingest->read, borrowed ? SIZE_MAX : scratch};
    if (status == STATUS_OK && !batch_add(batch, &event, &origin))
        status = error_set_memory(&why);
    return cli_fail(ingest->cli, status, &why) == STATUS_OK;
}

/* Gathers lines until the batch is full or the first one has waited long enough. False: the input is at its end. */
static bool gather(struct ingest *ingest)
{
    const struct batch *batch = &ingest->batch;
    int64_t deadline = INPUT_FOR_EVER;
    while (!batch_is_full(batch)) {
        struct input_line line;
        enum input_result result = input_next(ingest->input, deadline, &line);
        if (result == INPUT_PENDING)
            return true;
        if (result != INPUT_LINE || !take_line(ingest, &line))
            return false;
        bool waits = batch->count > 0 || batch->refusal_count > 0 || ingest->answers->rejects.buffer.length > 0;
        if (deadline == INPUT_FOR_EVER && waits)
            deadline = io_monotonic_ms() + BATCH_MS;
    }
    return true;
}

/* Stores the batch, and prints what that made of it. False: no more input is wanted. */
static bool store_batch(struct ingest *ingest)
{
    struct batch *batch = &ingest->batch;
    struct store_result result;
    struct error why;
    batch_settle(batch);
    enum status status = store_append(ingest->store, batch->items, batch->count, ingest->raise, &result, &why);
    progress_clear(ingest->progress);
    if (status != STATUS_OK && status != STATUS_DUPLICATE) {
        cli_error(ingest->cli, "%s; %llu events of the input are stored", why.text,
                  (unsigned long long)(ingest->appended + ingest->duplicates));
        cli_note_status(ingest->cli, STATUS_IO);
        return false;
    }
    ingest->appended += result.appended;
    ingest->duplicates += result.duplicates;
    ingest->bytes += result.bytes;
    bool good = answers_print(ingest->answers, batch, result.done);
    for (size_t i = 0; good && i < batch->refusal_count && batch->refusals[i].before <= result.done; i++)
        good = answers_reject(ingest->answers, &batch->refusals[i].line, &batch->refusals[i].why);
    if (status == STATUS_DUPLICATE) {
        answers_end_duplicate(ingest->answers, batch, result.done);
        ingest->duplicates++;
        ingest->read = batch->origins[result.done].read;
    }
    ingest->input_bytes += batch->bytes;
    progress_update(ingest->progress, ingest->read, ingest->input_bytes);
    batch_clear(batch);
    return good && status == STATUS_OK;
}

void ingest_run(struct ingest *ingest)
{
    bool more = true, good = true;
    if (!ingest->skip)
        input_hand_out_excess(ingest->input);
    while (more && good) {
        more = gather(ingest);
        good = store_batch(ingest);
        if (more && good)
            input_release(ingest->input);
        if (good && ingest->answers->rejects_name)
            good = output_flush(&ingest->answers->rejects);
    }
    if (good && ingest->is_over)
        answers_end_invalid(ingest->answers, &ingest->end.line, &ingest->end.why);
    batch_release(&ingest->batch);
}
