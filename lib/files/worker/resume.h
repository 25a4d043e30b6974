/*
 * resume - a worker goes on: an iterator over what a checkpoint has not passed, in the order of positions (SPEC section
 * 6, metaspn-replay --checkpoint): days by date, lines as they lie. So what was handed out is, at any moment, a leading
 * part of what is due.
 *
 * Due is of a day what lies at or past its position; all of it where it has none, or where that does not fit any more
 * (a rewritten file, which is reported); and of these the events that the window's start and the filter let through,
 * first records only. Days before that of the window's start count as read. A day that has nothing past its position
 * is not opened, any other once.
 *
 * A checkpoint without positions gets them when it is opened, before each day's first event that is due to it. Until
 * it is stored with them, events that are not later than its timestamp, or at it and among its ids, are not due.
 *
 * Days past that of the window's end are not entered. Where the query follows, the end rejects for good, as the start
 * does. Otherwise it ends its day at the first due event that is later, so that what is not due yet is never passed;
 * a record in the wrong day's file does not end it, and is handed out at once: it might stand in the way for ever.
 */
#ifndef METASPN_FILES_WORKER_RESUME_H
#define METASPN_FILES_WORKER_RESUME_H

#include "base/status.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"
#include "store/store.h"

struct resume;

/*
 * Opens on the catalog's last refresh, which must have covered the kind and stay the last one. Copies the query, and
 * of it looks at `kinds` (one), `window`, `filter`, `limit`, `from`, `reaches`, `follows`, `parsed`, `counted` and
 * `report`; the filter and the checkpoint are borrowed.
 */
enum status resume_open(struct catalog *catalog, const struct store_query *query, struct resume **ret_resume,
                        struct error *err);
/* NULL is taken. */
void resume_close(struct resume *resume);

/* One line, or where events are not parsed perhaps many. STORE_LINES, STORE_NONE (the limit, too) or STORE_FAILED. */
enum store_step resume_next(struct resume *resume, struct scan_item *ret_item, struct error *err);

/* Of a query that follows: everything that the last refresh saw counts as handed out, as a replay since then has read
 * it. */
enum status resume_pass_all(struct resume *resume, struct error *err);
/* The same after a refresh, and after STORE_NONE: what it found past the positions is due. */
void resume_restart(struct resume *resume);

/*
 * The checkpoint past what was handed out, of a query that reaches; to be asked for once, at the end. Where
 * the limit stopped it: past the last line, later days unchanged; otherwise the end of each day that was read, damaged
 * lines and those that no filter wanted included, or where the window's end has ended it. A checkpoint without
 * positions has one for every day then. Positions of days that have gone, or were cut while they were read, and members
 * that are not ours, are kept. last_timestamp is the greatest that was handed out, with its ids.
 */
enum status resume_checkpoint(struct resume *resume, struct checkpoint *ret_checkpoint, struct error *err);

#endif
