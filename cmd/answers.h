/*
 * answers - what metaspn-write prints and reports: of each item of a batch once it is stored (--print), and of what was
 * invalid, a duplicate or a conflict.
 */
#ifndef METASPN_ANSWERS_H
#define METASPN_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "batch.h"
#include "cli.h"
#include "options.h"
#include "output.h"
#include "store/store.h"

enum print { PRINT_NONE, PRINT_PATH, PRINT_RESULT, PRINT_NEW, PRINT_ALL };

struct answers {
    struct cli *cli;
    const struct options *options;
    struct store *store;
    enum print print;
    struct output out;
    const char *rejects_name; /* NULL: no --rejects */
    struct output rejects;
    uint64_t conflicts, invalid, rejected; /* lines so far */
    struct bytes conflict_ids;             /* of the first few, for the warning */
    struct bytes text;
};

/* Prints what became of the first `done` items. False: it could not be printed, no more input is wanted. */
bool answers_print(struct answers *answers, const struct batch *batch, size_t done);
/* Reports an invalid line that is skipped, and puts it among the rejects. False: that was not possible. */
bool answers_reject(struct answers *answers, const struct input_line *line, const struct error *why);
/* Reports the item that ended everything as a duplicate, and the line that did as an invalid one. */
void answers_end_duplicate(struct answers *answers, const struct batch *batch, size_t item);
void answers_end_invalid(struct answers *answers, const struct input_line *line, const struct error *why);
/* Reports the sums, closes the rejects and gives the memory back. */
void answers_finish(struct answers *answers);

#endif
