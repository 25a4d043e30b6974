/*
 * follow - events as they are appended, by whomever, whatever their timestamp (SPEC section 6, --follow).
 *
 *     catalog_refresh(...);
 *     ... replay what is to be printed first ...
 *     follow_open(...);                                 everything that stood there for the replay is done
 *     for (;;) {
 *         while (follow_next(...) == STATUS_OK) ...     what the last refresh found
 *         if (!follow_found(...)) flush, and wait for news; the refresh left no file open
 *         catalog_refresh(...); follow_look(...);
 *     }
 *
 * Positions are kept for each partition; no file is held open between two looks. A partition that was rewritten (the
 * bytes before its position are others, or it is shorter, or was while it was read) is reported, and handed out from
 * its start.
 */
#ifndef METASPN_FILES_WORKER_FOLLOW_H
#define METASPN_FILES_WORKER_FOLLOW_H

#include <stdbool.h>

#include "base/status.h"
#include "base/timestamp.h"
#include "event/filter.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"

struct follow_options {
    unsigned kinds;
    struct window window;        /* filters; by the partition's date too */
    const struct filter *filter; /* borrowed; NULL: none */
    bool need_events, need_lines;
    scan_report *report; /* may be NULL */
    void *report_context;
};

struct follow;

/* Copies the options. Goes on behind the partitions as the store was looked at last: as a replay since then has seen
 * them, which may have looked at some of them again. */
enum status follow_open(struct catalog *store, const struct follow_options *options, struct follow **ret_follow,
                        struct error *err);
/* NULL is taken. */
void follow_close(struct follow *follow);

/* After a refresh: starts over with what it found. */
void follow_look(struct follow *follow);
/* STATUS_ABSENT: nothing more until the next look. */
enum status follow_next(struct follow *follow, struct scan_item *ret_item, struct error *err);

/* Whether the last look found anything that is new, be it wanted or not: then another look may find more. */
bool follow_found(const struct follow *follow);

#endif
