#include "answers.h"

#include "document.h"

#define REPORTED_INVALID 10 /* invalid lines that are reported one by one under skip */
#define REPORTED_IDS     3  /* conflicts that the warning names */

static enum status print_result(struct answers *answers, const struct store_item *item, struct error *err)
{
    static const char *const words[] = {"appended", "duplicate", "conflict"};
    struct bytes document = {0};
    if (!store_name(answers->store, item, &answers->text))
        return error_set_memory(err);
    struct write_result result = {
        .id = &item->event.id,
        .kind = event_kind_name(item->event.kind),
        .path = answers->text.data,
        .status = words[item->outcome],
    };
    enum status status = document_result(&result, &document, err);
    if (status == STATUS_OK)
        output_line(&answers->out, document.data, document.length);
    bytes_release(&document);
    return status;
}

/* The first record's line, of this batch or of the store: another program may have rewritten the day meanwhile. */
static enum status print_first(struct answers *answers, const struct batch *batch, const struct store_item *item,
                               struct error *err)
{
    if (item->outcome == STORE_APPENDED || item->first_item != SIZE_MAX) {
        const struct store_item *first = item->outcome == STORE_APPENDED ? item : &batch->items[item->first_item];
        output_jsonl(&answers->out, first->event.line, first->event.length);
        return STATUS_OK;
    }
    enum status status = store_first(answers->store, item, &answers->text, err);
    if (status == STATUS_OK)
        output_jsonl(&answers->out, answers->text.data, answers->text.length);
    return status;
}

static enum status print_item(struct answers *answers, const struct batch *batch, const struct store_item *item,
                              struct error *err)
{
    switch (answers->print) {
    case PRINT_NONE:
        break;
    case PRINT_PATH:
        if (!store_name(answers->store, item, &answers->text))
            return error_set_memory(err);
        output_name(&answers->out, answers->text.data);
        break;
    case PRINT_RESULT:
        return print_result(answers, item, err);
    case PRINT_NEW:
        if (item->outcome == STORE_APPENDED)
            output_jsonl(&answers->out, item->event.line, item->event.length);
        break;
    case PRINT_ALL:
        return print_first(answers, batch, item, err);
    }
    return STATUS_OK;
}

/* Keeps "FILE:LINE: ID" for the warning at the end. */
static void note_conflict(struct answers *answers, const struct origin *origin, struct json_text id)
{
    char quoted[QUOTED_SIZE];
    if (answers->conflicts++ < REPORTED_IDS)
        bytes_append_format(&answers->conflict_ids, "%s%s:%llu: %s", answers->conflict_ids.length > 0 ? ", " : "",
                            origin->file, (unsigned long long)origin->number,
                            quote_bytes(quoted, id.data + 1, id.length - 2));
}

bool answers_print(struct answers *answers, const struct batch *batch, size_t done)
{
    struct error why;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < done; i++)
        if (batch->items[i].outcome == STORE_CONFLICT)
            note_conflict(answers, &batch->origins[i], batch->items[i].event.id);
    for (size_t i = 0; i < done && status == STATUS_OK && !output_failed(&answers->out); i++)
        status = print_item(answers, batch, &batch->items[i], &why);
    store_rest(answers->store);
    return cli_fail(answers->cli, status, &why) == STATUS_OK && output_flush(&answers->out);
}

bool answers_reject(struct answers *answers, const struct input_line *line, const struct error *why)
{
    if (++answers->invalid <= REPORTED_INVALID)
        cli_error(answers->cli, "%s:%llu: %s", line->file, (unsigned long long)line->number, why->text);
    cli_note_status(answers->cli, STATUS_INVALID);
    if (!answers->rejects_name)
        return true;
    struct rejected_line rejected = {
        .file = line->file,
        .line = line->number,
        .error = why->text,
        .time = options_moment(answers->options),
        .input = line->data,
        .input_length = line->length,
    };
    struct bytes document = {0};
    struct error err;
    enum status status = document_rejected(&rejected, &document, &err);
    if (cli_fail(answers->cli, status, &err) == STATUS_OK) {
        output_line(&answers->rejects, document.data, document.length);
        answers->rejected++;
    }
    bytes_release(&document);
    return status == STATUS_OK && !output_failed(&answers->rejects); /* answers_finish() says why */
}

void answers_end_duplicate(struct answers *answers, const struct batch *batch, size_t item)
{
    const struct event *event = &batch->items[item].event;
    char quoted[QUOTED_SIZE];
    cli_error(answers->cli, "%s:%llu: duplicate %s %s: not stored, nor is what follows", batch->origins[item].file,
              (unsigned long long)batch->origins[item].number,
              event->kind == EVENT_SIGNAL ? "signal_id" : "emission_id",
              quote_bytes(quoted, event->id.data + 1, event->id.length - 2));
    cli_note_status(answers->cli, STATUS_DUPLICATE);
    if (batch->items[item].outcome == STORE_CONFLICT)
        note_conflict(answers, &batch->origins[item], event->id);
}

void answers_end_invalid(struct answers *answers, const struct input_line *line, const struct error *why)
{
    cli_error(answers->cli, "%s:%llu: %s: not stored, nor is what follows", line->file,
              (unsigned long long)line->number, why->text);
    cli_note_status(answers->cli, STATUS_INVALID);
    answers->invalid++;
}

static void finish_rejects(struct answers *answers)
{
    struct error err;
    int error = output_close(&answers->rejects);
    if (error != 0)
        cli_fail(answers->cli, error_set_errno(&err, error, "%s: cannot write", answers->rejects_name), &err);
    else if (answers->rejected > 0)
        cli_note(answers->cli, "%llu invalid line%s put into %s", (unsigned long long)answers->rejected,
                 answers->rejected == 1 ? "" : "s", answers->rejects_name);
}

void answers_finish(struct answers *answers)
{
    if (answers->invalid > REPORTED_INVALID)
        cli_error(answers->cli, "%llu invalid lines in all", (unsigned long long)answers->invalid);
    if (answers->rejects_name)
        finish_rejects(answers);
    uint64_t count = answers->conflicts;
    if (count > 0)
        cli_warning(answers->cli,
                    "%llu conflict%s (a stored id came with other content; the first record stands): %.*s%s",
                    (unsigned long long)count, count == 1 ? "" : "s", (int)answers->conflict_ids.length,
                    answers->conflict_ids.data ? answers->conflict_ids.data : "", count > REPORTED_IDS ? ", ..." : "");
    bytes_release(&answers->conflict_ids);
    bytes_release(&answers->text);
}
