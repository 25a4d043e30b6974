/*
 * reading - what the commands that read a store have in common: checkpoints, what is said of damage, and events on
 * their way to stdout.
 */
#ifndef METASPN_READING_H
#define METASPN_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "output.h"
#include "store/store.h"
#include "table.h"

/* Reads a stored checkpoint. STATUS_ABSENT: there is none of this name. STATUS_IO: it is damaged, or cannot be read. */
enum status reading_checkpoint(struct store *store, const char *name, struct checkpoint *ret_checkpoint,
                               struct error *err);

struct reading {
    struct cli *cli;
    bool skip_damaged; /* damage is named, but is no failure */
};

/* A store_reporter; the context is the struct reading. Damage that is not known notes STATUS_INVALID. */
void reading_report(void *context, const struct store_report *found);

/* Prints what a store hands out. */
struct printer {
    struct output *out;
    bool as_table; /* needs parsed events */
    struct table table;
    int64_t flush_ms; /* of io_monotonic_ms(): when the output is to be flushed */
};
void printer_start(struct printer *printer, struct output *out, bool as_table);
void printer_put(struct printer *printer, const struct store_lines *lines);
void printer_flush(struct printer *printer);
void printer_finish(struct printer *printer);

#endif
