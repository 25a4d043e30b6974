/*
 * replay_resume - metaspn-replay for a worker: from a checkpoint, and the checkpoint behind what was read (SPEC section
 * 6).
 *
 *     worker_check(&cli, &request)                what does not go together ends the process
 *     worker_load(&worker, &cli, &options, &request)   before the store is looked at: no position may seem to lie past
 * an end
 *     ... reading_open() ...
 *     replay_run_resume(&run) or replay_run_resume_count(&run)
 *     ... all lines are out ...
 *     worker_write_next(&worker, &cli, &request, &out)
 *     worker_release(&worker)
 */
#ifndef METASPN_REPLAY_RESUME_H
#define METASPN_REPLAY_RESUME_H

#include <stdbool.h>

#include "cli.h"
#include "options.h"
#include "output.h"
#include "store/checkpoint.h"

struct replay_request;
struct replay_run;

struct worker {
    bool resumes;   /* a checkpoint was named */
    bool is_absent; /* but there is none: everything is due */
    struct checkpoint checkpoint;
    bool has_next;
    struct checkpoint next; /* behind what was read */
};

void worker_check(const struct cli *cli, const struct replay_request *request);
/* Reads the checkpoint, and takes the kind from it where none was said. */
void worker_load(struct worker *worker, const struct cli *cli, const struct options *options,
                 struct replay_request *request);
void worker_release(struct worker *worker);

/* Prints what is due, and keeps the checkpoint behind it where that is wanted. */
void replay_run_resume(struct replay_run *run);
void replay_run_resume_count(struct replay_run *run);

/* Where everything is out, and nothing worse than damage was met: replaces the file of --next. */
void worker_write_next(struct worker *worker, struct cli *cli, const struct replay_request *request,
                       struct output *out);

#endif
