/*
 * replay_run - the parts of metaspn-replay: what was asked for, and the ways in which it is answered.
 *
 * metaspn-replay.c reads the options and chooses; each of the functions prints to run->printer or run->out, and says
 * and notes at run->cli what fails.
 */
#ifndef METASPN_REPLAY_RUN_H
#define METASPN_REPLAY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "files/replay/replay.h"
#include "options.h"
#include "output.h"
#include "reading.h"
#include "replay_resume.h"
#include "selection.h"

struct replay_request {
    struct selection selection;
    unsigned kinds; /* 0: not said */
    enum replay_order order;
    bool order_given, reverse, count, no_index, skip_damaged, follow, as_table;
    bool limited, tailed;
    uint64_t limit, tail;
    const char *checkpoint, *checkpoint_file, *next; /* NULL: not given */
};

struct replay_run {
    struct cli *cli;
    const struct options *options;
    const struct replay_request *request;
    struct worker *worker; /* where a checkpoint was named (replay_resume.h) */
    struct reading reading;
    struct output out;
    struct printer printer;
    uint64_t left; /* lines that may still be printed; UINT64_MAX: any number */
};

/* The options of a replay as they were asked for. */
struct replay_options replay_run_options(struct replay_run *run);
/* Prints a replay with these options, and takes what is printed from run->left. */
void replay_run_print(struct replay_run *run, const struct replay_options *options);
void replay_run_count(struct replay_run *run);

/* After `begin` has printed what is to come first: what is appended, until the limit, an error, or the reader has gone.
 * (replay_follow.c) */
void replay_run_follow(struct replay_run *run, void (*begin)(struct replay_run *run));

#endif
