#include "reading.h"

#include <stdio.h>

#include "base/io.h"

#define FLUSH_MS   100 /* what is found does not wait longer than this for company */
#define PLACE_SIZE 64

enum status reading_checkpoint(struct store *store, const char *name, struct checkpoint *ret_checkpoint,
                               struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = name};
    struct document document;
    enum status status = store_get(store, &key, &document, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_read(&document, ret_checkpoint, err);
    document_release(&document);
    return status == STATUS_INVALID ? STATUS_IO : status;
}

void reading_report(void *context, const struct store_report *found)
{
    const struct reading *reading = context;
    struct cli *cli = reading->cli;
    char place[PLACE_SIZE] = "";
    if (found->line > 0)
        snprintf(place, sizeof place, ":%llu:%llu", (unsigned long long)found->line, (unsigned long long)found->offset);
    switch (found->finding) {
    case STORE_DAMAGED:
        if (reading->skip_damaged) {
            cli_warning(cli, "%s%s: %s", found->file, place, found->what);
            break;
        }
        cli_error(cli, "%s%s: %s", found->file, place, found->what);
        cli_note_status(cli, STATUS_INVALID);
        break;
    case STORE_QUARANTINED:
        cli_note(cli, "%s%s: known damage: %s", found->file, place, found->what);
        break;
    case STORE_MISFILED:
        if (cli_first(cli, "misfiled"))
            cli_warning(cli, "%s%s: %s", found->file, place, found->what);
        break;
    case STORE_REWRITTEN:
        cli_warning(cli, "%s: %s; it is read from its start", found->file, found->what);
        break;
    case STORE_CUT:
        cli_error(cli, "%s: %s", found->file, found->what);
        cli_note_status(cli, STATUS_IO);
        break;
    }
}

void printer_start(struct printer *printer, struct output *out, bool as_table)
{
    *printer = (struct printer){.out = out, .as_table = as_table};
    if (as_table)
        table_start(&printer->table, out);
}

void printer_put(struct printer *printer, const struct store_lines *lines)
{
    struct output *out = printer->out;
    if (printer->as_table)
        table_event(&printer->table, &lines->event, NULL);
    else
        output_lines(out, lines->data, lines->length);
    if (out->buffer.length > 0) {
        int64_t now = io_monotonic_ms();
        if (now >= printer->flush_ms) {
            output_flush(out);
            printer->flush_ms = now + FLUSH_MS;
        }
    }
}

void printer_flush(struct printer *printer)
{
    if (printer->as_table)
        table_flush(&printer->table);
    else
        output_flush(printer->out);
}

void printer_finish(struct printer *printer)
{
    if (printer->as_table)
        table_finish(&printer->table);
}
