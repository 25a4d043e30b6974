#include <stdlib.h>

#include "base/io.h"
#include "ingest.h"
#include "json/document.h"

#define REPORTED_INVALID 10 /* invalid lines that are told one by one under skip */
#define REPORTED_IDS     3  /* conflicts that the warning names */

void ingest_notice(void *context, enum notice notice, const char *text)
{
    struct writer *writer = context;
    if (notice == NOTICE_WARNING)
        cli_warning(writer->cli, "%s", text);
    else
        cli_note(writer->cli, "%s", text);
}

/* DIR as it was given, then /store/signals/2026-02-05.jsonl. */
static bool first_path(struct writer *writer, const struct store_item *item)
{
    return catalog_partition_path(writer->store, item->first.part, &writer->text);
}

static enum status print_result(struct writer *writer, const struct store_item *item, struct error *err)
{
    static const char *const statuses[] = {"appended", "duplicate", "conflict"};
    struct bytes document = {0};
    if (!first_path(writer, item))
        return error_set_memory(err);
    struct write_result result = {&item->event.id, event_kind_name(item->event.kind), writer->text.data,
                                  statuses[item->outcome]};
    enum status status = document_result(&result, &document, err);
    if (status == STATUS_OK)
        output_line(&writer->out, document.data, document.length);
    bytes_release(&document);
    return status;
}

/* The first record's line: of this batch, or of the store, where the day may have been rewritten meanwhile. */
static enum status print_first(struct writer *writer, const struct store_item *item, struct error *err)
{
    if (item->outcome != STORE_APPENDED && item->first_item == SIZE_MAX) {
        enum status status = catalog_read_record(writer->store, item->first, &item->event, &writer->text, err);
        if (status == STATUS_OK)
            output_jsonl(&writer->out, writer->text.data, writer->text.length);
        return status == STATUS_ABSENT ? STATUS_IO : status;
    }
    if (item->outcome != STORE_APPENDED)
        item = &writer->batch.items[item->first_item];
    output_jsonl(&writer->out, item->event.line, item->event.length);
    return STATUS_OK;
}

static enum status print_item(struct writer *writer, const struct store_item *item, struct error *err)
{
    switch (writer->request->print) {
    case PRINT_NONE:
        break;
    case PRINT_PATH:
        if (!first_path(writer, item))
            return error_set_memory(err);
        output_name(&writer->out, writer->text.data);
        break;
    case PRINT_RESULT:
        return print_result(writer, item, err);
    case PRINT_NEW:
        if (item->outcome == STORE_APPENDED)
            output_jsonl(&writer->out, item->event.line, item->event.length);
        break;
    case PRINT_ALL:
        return print_first(writer, item, err);
    }
    return STATUS_OK;
}

static void note_conflict(struct writer *writer, size_t i)
{
    const struct origin *origin = &writer->batch.origins[i];
    const struct json_text *id = &writer->batch.items[i].event.id;
    char quoted[QUOTED_SIZE];
    if (writer->totals.conflicts++ < REPORTED_IDS)
        bytes_append_format(&writer->conflicts, "%s%s:%llu: %s", writer->conflicts.length > 0 ? ", " : "", origin->file,
                            (unsigned long long)origin->number, quote_bytes(quoted, id->data + 1, id->length - 2));
}

static void warn_of_conflicts(struct writer *writer)
{
    uint64_t count = writer->totals.conflicts;
    if (count > 0)
        cli_warning(writer->cli,
                    "%llu conflict%s (a stored id came with other content; the first record stands): %.*s%s",
                    (unsigned long long)count, count == 1 ? "" : "s", (int)writer->conflicts.length,
                    writer->conflicts.data ? writer->conflicts.data : "", count > REPORTED_IDS ? ", ..." : "");
}

static void say_stats(struct writer *writer, int64_t started_ms)
{
    const struct totals *t = &writer->totals;
    cli_figures("read=%llu appended=%llu duplicates=%llu conflicts=%llu invalid=%llu bytes=%llu seconds=%.3f",
                (unsigned long long)t->read, (unsigned long long)t->appended, (unsigned long long)t->duplicates,
                (unsigned long long)t->conflicts, (unsigned long long)t->invalid, (unsigned long long)t->bytes,
                (double)(io_monotonic_ms() - started_ms) / 1000);
}

void ingest_say_duplicate(struct writer *writer, size_t i)
{
    const struct origin *origin = &writer->batch.origins[i];
    const struct store_item *item = &writer->batch.items[i];
    char quoted[QUOTED_SIZE];
    const struct json_text *id = &item->event.id;
    cli_error(writer->cli, "%s:%llu: duplicate %s %s: not stored, nor is what follows", origin->file,
              (unsigned long long)origin->number, item->event.kind == EVENT_SIGNAL ? "signal_id" : "emission_id",
              quote_bytes(quoted, id->data + 1, id->length - 2));
    cli_note_status(writer->cli, STATUS_DUPLICATE);
    writer->totals.duplicates++;
    writer->totals.read = origin->read;
    if (item->outcome == STORE_CONFLICT)
        note_conflict(writer, i);
}

void ingest_say_failure(struct writer *writer, const struct error *why)
{
    cli_error(writer->cli, "%s; %llu events of the input are stored", why->text,
              (unsigned long long)(writer->totals.appended + writer->totals.duplicates));
    cli_note_status(writer->cli, STATUS_IO);
}

bool ingest_print(struct writer *writer, size_t done)
{
    struct error why;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < done; i++)
        if (writer->batch.items[i].outcome == STORE_CONFLICT)
            note_conflict(writer, i);
    for (size_t i = 0; i < done && status == STATUS_OK && !output_failed(&writer->out); i++)
        status = print_item(writer, &writer->batch.items[i], &why);
    catalog_close_files(writer->store);
    if (status != STATUS_OK)
        cli_fail(writer->cli, status, &why);
    return status == STATUS_OK && output_flush(&writer->out);
}

void ingest_say_stop(struct writer *writer)
{
    cli_error(writer->cli, "%s:%llu: %s: not stored, nor is what follows", writer->stop.file,
              (unsigned long long)writer->stop.number, writer->stop.why.text);
    cli_note_status(writer->cli, STATUS_INVALID);
    writer->totals.invalid++;
}

static enum status reject_line(struct writer *writer, const struct input_line *line, const struct error *why,
                               struct error *err)
{
    struct bytes document = {0};
    struct rejected_line rejected = {
        line->file, line->number, why->text, options_moment(writer->options), line->data, line->length,
    };
    enum status status = document_rejected(&rejected, &document, err);
    if (status == STATUS_OK)
        output_line(&writer->rejects, document.data, document.length);
    bytes_release(&document);
    return status;
}

bool ingest_reject(struct writer *writer, const struct input_line *line, const struct error *why)
{
    if (++writer->totals.invalid <= REPORTED_INVALID)
        cli_error(writer->cli, "%s:%llu: %s", line->file, (unsigned long long)line->number, why->text);
    cli_note_status(writer->cli, STATUS_INVALID);
    if (!writer->request->rejects)
        return true;
    struct error err;
    if (cli_fail(writer->cli, reject_line(writer, line, why, &err), &err) != STATUS_OK)
        return false;
    writer->totals.rejected++;
    return !output_failed(&writer->rejects); /* finish_rejects() says why */
}

static void finish_rejects(struct writer *writer)
{
    if (!writer->request->rejects)
        return;
    uint64_t count = writer->totals.rejected;
    struct error err;
    int error = output_close(&writer->rejects);
    if (error != 0) {
        error_set_errno(&err, error, "%s: cannot write", writer->request->rejects);
        cli_fail(writer->cli, STATUS_IO, &err);
    } else if (count > 0) {
        cli_note(writer->cli, "%llu invalid line%s put into %s", (unsigned long long)count, count == 1 ? "" : "s",
                 writer->request->rejects);
    }
}

void ingest_finish(struct writer *writer, int64_t started_ms)
{
    progress_clear(&writer->progress);
    if (writer->request->skip && writer->totals.invalid > REPORTED_INVALID)
        cli_error(writer->cli, "%llu invalid lines in all", (unsigned long long)writer->totals.invalid);
    finish_rejects(writer);
    warn_of_conflicts(writer);
    if (writer->request->stats)
        say_stats(writer, started_ms);
    catalog_close(writer->store);
    free(writer->batch.items);
    free(writer->batch.origins);
    free(writer->batch.refusals);
    bytes_release(&writer->batch.scratch);
    bytes_release(&writer->text);
    bytes_release(&writer->conflicts);
}
