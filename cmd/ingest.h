/*
 * ingest - what metaspn-write does between its command line and its exit: gathers batches of lines, stores them, prints
 * what that made of them, and tells of what was invalid, a duplicate or a conflict.
 *
 * ingest.c reads and stores; ingest_print.c prints and tells.
 */
#ifndef METASPN_INGEST_H
#define METASPN_INGEST_H

#include "cli.h"
#include "files/append/append.h"
#include "files/catalog/catalog.h"
#include "input.h"
#include "options.h"
#include "progress.h"

enum print { PRINT_NONE, PRINT_PATH, PRINT_RESULT, PRINT_NEW, PRINT_ALL };

struct request {
    struct event_rules rules;
    struct catalog_options store;
    enum print print;
    bool raise, skip, stats;
    const char *rejects;
    enum progress_wish progress;
};

/* Where an item of the batch came from, and where its canonical line lies. */
struct origin {
    const char *file;
    uint64_t number;
    uint64_t read;  /* lines read when it had been */
    size_t scratch; /* offset in batch.scratch; SIZE_MAX: the line of the input itself */
};

/* An invalid line that is told with the batch, for a duplicate before it may be the end. */
struct refusal {
    size_t before; /* items that precede it */
    struct input_line line;
    struct error why;
};

struct batch {
    struct store_item *items;
    struct origin *origins;
    size_t count, capacity;
    struct refusal *refusals;
    size_t refusal_count;
    size_t bytes;         /* of input, whatever its lines were */
    struct bytes scratch; /* canonical lines of those that came otherwise */
};

struct totals {
    uint64_t read, appended, duplicates, conflicts, invalid, rejected, bytes, input_bytes;
};

/* The invalid line that ended the reading. */
struct stop {
    bool set;
    const char *file;
    uint64_t number;
    struct error why;
};

struct writer {
    struct cli *cli;
    const struct options *options;
    const struct request *request;
    struct catalog *store;
    struct output out, rejects;
    struct batch batch;
    struct totals totals;
    struct stop stop;
    struct progress progress;
    struct bytes text;
    struct bytes conflicts; /* the first few, for the warning */
};

/* Reads all input and stores it; what goes wrong is told and noted at writer->cli. */
void ingest_run(struct writer *writer, struct input *input);
/* Tells the sums, closes the store and gives the memory back. `started_ms`: of io_monotonic_ms(). */
void ingest_finish(struct writer *writer, int64_t started_ms);

/* A notice_say, its context the writer. */
void ingest_notice(void *context, enum notice notice, const char *text);
/* Prints what became of the first `done` items. False: it could not be printed, no more input is wanted. */
bool ingest_print(struct writer *writer, size_t done);
/* The duplicate that ended the batch, which is counted; why a batch could not be stored; the invalid line that ended
 * the reading. */
void ingest_say_duplicate(struct writer *writer, size_t item);
void ingest_say_failure(struct writer *writer, const struct error *why);
void ingest_say_stop(struct writer *writer);
/* Reports an invalid line that is skipped, and puts it among the rejects. False: that was not possible. */
bool ingest_reject(struct writer *writer, const struct input_line *line, const struct error *why);

#endif
