/*
 * replay - an iterator over the events that a query selects, by time or as they lie (SPEC section 6, metaspn-replay).
 *
 * Days are taken by date, within one by timestamp and position (or as the lines lie), each id once by its first
 * record; of two kinds, signals come before emissions of the same time (as appended: of the same day). What is known
 * of a day saves work: a clean ordered day inside the window is handed on in blocks, a window's ends are found by
 * bisection, candidates come from the index; the answers are the same without any of that. Only a day that is not in
 * the order of time is sorted, which takes 16 bytes of memory a record; a tail takes 8.
 *
 * A day is opened once, when its turn comes, and read to its end. A tail keeps the last few days open that it has
 * found lines in; lines of more days than that are read from days that are opened again.
 */
#ifndef METASPN_FILES_REPLAY_REPLAY_H
#define METASPN_FILES_REPLAY_REPLAY_H

#include "base/status.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"
#include "store/store.h"

struct replay;

/* Opens on the catalog's last refresh, which must have covered the kinds and stay the last one. Copies the query; its
 * filter is borrowed. What it says of resuming and following is not looked at. */
enum status replay_open(struct catalog *catalog, const struct store_query *query, struct replay **ret_replay,
                        struct error *err);
/* NULL is taken. */
void replay_close(struct replay *replay);

/* One line, or where events are not parsed perhaps many. STORE_LINES, STORE_NONE or STORE_FAILED. */
enum store_step replay_next(struct replay *replay, struct scan_item *ret_item, struct error *err);

/* How many events a replay of this query hands out; reads no more than it must. */
enum status replay_count(struct catalog *catalog, const struct store_query *query, uint64_t *ret_count,
                         struct error *err);

#endif
