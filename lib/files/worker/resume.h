/*
 * resume - a worker goes on: an iterator over what a checkpoint has not passed, in the order of positions (SPEC section
 * 6, metaspn-replay --checkpoint): partitions by date, lines as they lie. So what was handed out is, at any moment, a
 * leading part of what is due.
 *
 *     resume_open(...);                      on the store's last refresh
 *     while (resume_next(...) == STATUS_OK) print the item;
 *     resume_checkpoint(...);                where wanted: the checkpoint behind what was read
 *     resume_close(...);
 *
 * Due is, of a partition,
 *   - with positions: what lies at or past its position; all of it where it has none, or where that does not fit any
 *     more (a rewritten file, which is reported);
 *   - without: events later than the checkpoint's timestamp, or at it and not among its ids;
 * and of these the events that the window's start and the filter let through, first records only. Partitions before the
 * day of the window's start count as read. A partition that has nothing behind its position is not even opened.
 *
 * The window's end does not reject: it ends each partition at its first due event that is later, so that what is not
 * due yet is never passed, and at a copy whose first record in an earlier partition has not been passed. A record in
 * the wrong day's file does not end it, and is handed out at once: it might stand in the way for ever.
 */
#ifndef METASPN_FILES_WORKER_RESUME_H
#define METASPN_FILES_WORKER_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/timestamp.h"
#include "event/event.h"
#include "event/filter.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"
#include "store/checkpoint.h"

struct resume_options {
    enum event_kind kind;
    const struct checkpoint *checkpoint; /* borrowed; NULL: there is none, everything is due */
    struct window window;
    bool until_filters;          /* the window's end rejects for good, as its start does */
    const struct filter *filter; /* borrowed; NULL: none */
    bool limited;                /* `limit` holds */
    uint64_t limit;              /* the first so many */
    bool need_events;            /* parsed, one at a time */
    bool need_lines;             /* scan_item.lines */
    bool need_checkpoint;        /* resume_checkpoint() will be called */
    scan_report *report;         /* damage, misfiled events, rewritten files; may be NULL */
    void *report_context;
};

struct resume;

/* Copies the options. */
enum status resume_open(struct catalog *store, const struct resume_options *options, struct resume **ret_resume,
                        struct error *err);
/* NULL is taken. */
void resume_close(struct resume *resume);

/* One line, or where events are not wanted perhaps many. STATUS_ABSENT: no more, or the limit is reached. */
enum status resume_next(struct resume *resume, struct scan_item *ret_item, struct error *err);

/*
 * The checkpoint behind what was handed out, to be asked for once, at the end. Where the limit stopped it: behind the
 * last line, later partitions unchanged; otherwise the end of each partition that was read, damaged lines and those
 * that no filter wanted included, or where the window's end has ended it. A checkpoint without positions gets one for
 * every partition: of those that were not reached before the first event still due. Positions of partitions that have
 * gone, and members that are not ours, are kept. last_timestamp is the greatest that was handed out, with its ids.
 */
enum status resume_checkpoint(struct resume *resume, struct checkpoint *ret_checkpoint, struct error *err);

#endif
