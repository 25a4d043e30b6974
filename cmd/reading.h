/*
 * reading - what the commands that read events have in common: opening the store, what is said of damage, and events on
 * their way to stdout.
 *
 *     struct reading reading;
 *     reading_open(&reading, &cli, &options, no_index);        ends the process where that fails
 *     replay_options.report = reading_report; .report_context = &reading; ...
 *     printer_start(&printer, &out, as_table);
 *     while (replay_next(...) == STATUS_OK && printer_put(&printer, &item)) ...
 *     printer_finish(&printer);
 *     reading_close(&reading);
 */
#ifndef METASPN_READING_H
#define METASPN_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "cli.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"
#include "options.h"
#include "output.h"
#include "table.h"

struct reading {
    struct cli *cli;
    struct catalog *store; /* owned */
    bool skip_damaged;     /* damage is named, but is no failure */
    bool goes_on;          /* what could not be read comes again, and is told then: it follows the store */
    bool told_misfiled;
    struct bytes told; /* what the store has had to say */
};

/* Opens the store to read and looks at the partitions of these kinds. */
void reading_open(struct reading *reading, struct cli *cli, const struct options *options, bool no_index,
                  unsigned kinds);
void reading_close(struct reading *reading);

/* A scan_report; the context is the struct reading. Damage that is not known notes STATUS_INVALID. */
void reading_report(void *context, const struct scan_report_line *found);

/* Prints what a replay hands out. */
struct printer {
    struct output *out;
    bool as_table;
    struct table table;
    int64_t flush_ms; /* of io_monotonic_ms(): when the output is to be flushed */
};
void printer_start(struct printer *printer, struct output *out, bool as_table);
/* A table needs items with events. False: the output has failed. */
bool printer_put(struct printer *printer, const struct scan_item *item);
/* What was put last has waited long enough for company. */
bool printer_is_due(const struct printer *printer);
void printer_flush(struct printer *printer);
void printer_finish(struct printer *printer);

#endif
