#include "answers.h"

#include "document.h"

#define REPORTED_INVALID 10 /* invalid lines that are reported one by one under skip */
#define REPORTED_IDS     3  /* conflicts that the warning names */

static enum status print_item(struct answers *answers, const struct batch *batch, const struct store_item *item,
                              struct error *err)
{
    static const char *const words[] = {"appended", "duplicate", "conflict"};
    struct output *out = &answers->out;
    struct bytes *text = &answers->text, document = {0};
    enum print print = answers->print;
    bool is_new = item->outcome == STORE_APPENDED;
    enum status status = STATUS_OK;
    if (print == PRINT_NONE || (print == PRINT_NEW && !is_new))
        return STATUS_OK;
    if (print == PRINT_ALL && !is_new && item->first_item == SIZE_MAX) {
        status = store_first(answers->store, item, text, err);
        if (status == STATUS_OK)
            output_jsonl(out, text->data, text->length);
        return status;
    }
    if (print == PRINT_NEW || print == PRINT_ALL) {
        const struct event *first = is_new ? &item->event : &batch->items[item->first_item].event;
        output_jsonl(out, first->line, first->length);
        return STATUS_OK;
    }
    if (!store_name(answers->store, item, text))
        return error_set_memory(err);
    if (print == PRINT_PATH) {
        output_name(out, text->data);
        return STATUS_OK;
    }
    struct write_result result = {&item->event.id, event_kind_name(item->event.kind), text->data, words[item->outcome]};
    status = document_result(&result, &document, err);
    if (status != STATUS_OK)
        goto out;
    output_line(out, document.data, document.length);
out:
    bytes_release(&document);
    return status;
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

void answers_finish(struct answers *answers)
{
    struct cli *cli = answers->cli;
    uint64_t count = answers->conflicts;
    if (answers->invalid > REPORTED_INVALID)
        cli_error(cli, "%llu invalid lines in all", (unsigned long long)answers->invalid);
    if (answers->rejects_name) {
        struct error err;
        int error = output_close(&answers->rejects);
        if (error != 0)
            cli_fail(cli, error_set_errno(&err, error, "%s: cannot write", answers->rejects_name), &err);
        else if (answers->rejected > 0)
            cli_note(cli, "%llu invalid line%s put into %s", (unsigned long long)answers->rejected,
                     answers->rejected == 1 ? "" : "s", answers->rejects_name);
    }
    if (count > 0)
        cli_warning(cli, "%llu conflict%s (a stored id came with other content; the first record stands): %.*s%s",
                    (unsigned long long)count, count == 1 ? "" : "s", (int)answers->conflict_ids.length,
                    answers->conflict_ids.data ? answers->conflict_ids.data : "", count > REPORTED_IDS ? ", ..." : "");
    bytes_release(&answers->conflict_ids);
    bytes_release(&answers->text);
}
