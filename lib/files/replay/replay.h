/*
 * replay - the way out: an iterator over stored events (SPEC section 6, metaspn-replay).
 *
 * Fill a `struct replay_options`, open, call replay_next() until it says there is no more. Partitions are taken by
 * date, within one by timestamp and position (or as they lie), each id once by its first record. What is known of a
 * partition (store.h) saves work: a clean ordered partition inside the window is handed on in blocks, a window's ends
 * are found by bisection, candidates come from the index; the answers are the same without any of that. Only a
 * partition that is not in the order of time is sorted, which takes 16 bytes of memory a record; `tailed` takes 8.
 *
 * A worker that goes on from its checkpoint reads in the order of positions: see resume.h.
 */
#ifndef METASPN_FILES_REPLAY_REPLAY_H
#define METASPN_FILES_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/timestamp.h"
#include "event/event.h"
#include "event/filter.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"

enum replay_order { REPLAY_BY_TIME, REPLAY_AS_APPENDED };

struct replay_options {
    unsigned
        kinds; /* set of KIND_BIT()s; signals come before emissions of the same time (as appended: of the same day) */
    struct window window;
    struct filter *filter; /* borrowed; NULL: none */
    enum replay_order order;
    bool reverse;
    bool limited;        /* `limit` holds */
    uint64_t limit;      /* the first so many, in that order */
    bool tailed;         /* `tail` holds */
    uint64_t tail;       /* the last so many of these, in that order */
    bool need_events;    /* the caller wants every event parsed, one at a time */
    bool use_index;      /* candidates may come from the index */
    scan_report *report; /* damaged and misfiled lines; may be NULL */
    void *report_context;
};

struct replay;

/* Opens on the store's last refresh, which must have covered the kinds and stay the last one. Copies the options. */
enum status replay_open(struct catalog *store, const struct replay_options *options, struct replay **ret_replay,
                        struct error *err);
/* NULL is taken. */
void replay_close(struct replay *replay);

/* One line, or where events are not wanted perhaps many. STATUS_ABSENT: no more. */
enum status replay_next(struct replay *replay, struct scan_item *ret_item, struct error *err);

/* How many events a replay with these options hands out; reads no more than it must. */
enum status replay_count(struct catalog *store, const struct replay_options *options, uint64_t *ret_count,
                         struct error *err);

#endif
