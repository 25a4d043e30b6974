/*
 * progress - how far a long run has got, on one line of stderr that is rewritten twice a second.
 *
 * Shown where stderr is a terminal, or where the caller insists; never otherwise. The messages of cli.h clear it;
 * before anything else is put on the terminal, the caller does.
 */
#ifndef METASPN_PROGRESS_H
#define METASPN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_wish { PROGRESS_IF_TERMINAL, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
    bool on, shown;
    uint64_t total;     /* bytes to come; 0: not known */
    int64_t started_ms; /* of io_monotonic_ms() */
    int64_t next_ms;
};

/* `total`: bytes of input where that is known, else 0. */
void progress_start(struct progress *progress, enum progress_wish wish, uint64_t total);
/* Events and bytes so far; writes at most twice a second. */
void progress_update(struct progress *progress, uint64_t events, uint64_t bytes);
/* Removes the line. */
void progress_clear(struct progress *progress);

#endif
