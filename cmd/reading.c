#include "reading.h"

#include "base/io.h"
#include "told.h"

#define FLUSH_MS 100 /* what is found does not wait longer than this for company */

/* Whoever follows a store looks again and again: what was said of a file then is not said once more. */
static void tell(void *context, enum notice notice, const char *text)
{
    struct reading *reading = context;
    if (told_before(&reading->told, text))
        return;
    if (notice == NOTICE_WARNING)
        cli_warning(reading->cli, "%s", text);
    else
        cli_note(reading->cli, "%s", text);
}

void reading_open(struct reading *reading, struct cli *cli, const struct options *options, bool no_index,
                  unsigned kinds)
{
    struct error err;
    struct catalog_options store = {
        .access = WORKSPACE_READ,
        .no_index = no_index,
        .notice = tell,
        .notice_context = reading,
    };
    *reading = (struct reading){.cli = cli};
    enum status status = catalog_open(options->workspace, &store, &reading->store, &err);
    if (status == STATUS_OK)
        status = catalog_refresh(reading->store, kinds, &err);
    if (status != STATUS_OK) {
        reading_close(reading);
        cli_die(cli, status, &err);
    }
}

void reading_close(struct reading *reading)
{
    catalog_close(reading->store);
    reading->store = NULL;
    bytes_release(&reading->told);
}

static void say_misfiled(struct reading *reading, const struct scan_report_line *found)
{
    if (reading->told_misfiled)
        return;
    reading->told_misfiled = true;
    if (found->line > 0)
        cli_warning(reading->cli, "%s:%llu:%llu: %s", found->file, (unsigned long long)found->line,
                    (unsigned long long)found->offset, found->what);
    else
        cli_warning(reading->cli, "%s: %s", found->file, found->what);
}

void reading_report(void *context, const struct scan_report_line *found)
{
    struct reading *reading = context;
    unsigned long long line = found->line, offset = found->offset;
    switch (found->finding) {
    case SCAN_DAMAGED:
        if (reading->skip_damaged) {
            cli_warning(reading->cli, "%s:%llu:%llu: %s", found->file, line, offset, found->what);
            break;
        }
        cli_error(reading->cli, "%s:%llu:%llu: %s", found->file, line, offset, found->what);
        cli_note_status(reading->cli, STATUS_INVALID);
        break;
    case SCAN_QUARANTINED:
        cli_note(reading->cli, "%s:%llu:%llu: known damage: %s", found->file, line, offset, found->what);
        break;
    case SCAN_MISFILED:
        say_misfiled(reading, found);
        break;
    case SCAN_CUT:
        if (reading->goes_on)
            break;
        cli_error(reading->cli, "%s: %s", found->file, found->what);
        cli_note_status(reading->cli, STATUS_IO);
        break;
    case SCAN_REWRITTEN:
        cli_warning(reading->cli, "%s: %s; it is read from its start", found->file, found->what);
        break;
    }
}

void printer_start(struct printer *printer, struct output *out, bool as_table)
{
    *printer = (struct printer){.out = out, .as_table = as_table};
    if (as_table)
        table_start(&printer->table, out);
}

bool printer_put(struct printer *printer, const struct scan_item *item)
{
    struct output *out = printer->out;
    if (printer->as_table)
        table_event(&printer->table, &item->event, NULL);
    else
        output_lines(out, item->data, item->length);
    if (out->buffer.length > 0) {
        int64_t now = io_monotonic_ms();
        if (now >= printer->flush_ms) {
            output_flush(out);
            printer->flush_ms = now + FLUSH_MS;
        }
    }
    return !output_failed(out);
}

bool printer_is_due(const struct printer *printer)
{
    return io_monotonic_ms() >= printer->flush_ms;
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
