/*
 * ingest - the way in, of metaspn-write: lines of the input are checked and gathered into batches (batch.h), each batch
 * is stored, and what became of it is printed (answers.h).
 */
#ifndef METASPN_INGEST_H
#define METASPN_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "answers.h"
#include "batch.h"
#include "cli.h"
#include "event/event.h"
#include "input.h"
#include "progress.h"
#include "store/store.h"

struct ingest {
    struct cli *cli;
    struct store *store;
    struct input *input;
    struct event_rules rules;
    bool raise; /* the first duplicate is the end */
    bool skip;  /* an invalid line is not */
    struct answers *answers;
    struct progress *progress;

    struct batch batch;
    bool is_over; /* an invalid line was the end: */
    struct refusal end;
    uint64_t read, appended, duplicates; /* lines so far */
    uint64_t bytes, input_bytes;
};

/* Stores the whole input; what goes wrong is reported and noted at the cli. */
void ingest_run(struct ingest *ingest);

#endif
