/*
 * scan - the lines of one open day, in the order they lie (or exactly reversed), that pass: events of the window that
 * a filter wants and that are the first record of their id.
 *
 * Both replay (by time) and resume (by position) stand on it. It hands out stored bytes: one line at a time, or, where
 * nothing needs a look at single lines, blocks of whole lines. Damaged lines and lines in the wrong day's file are
 * reported, once each; a day with damage is always read line by line, so that what is reported does not depend on the
 * filter.
 *
 * What is known of the day (files/day.h) saves work below facts.known; what follows is validated, and each event there
 * is confirmed to be the first record. A file that has become shorter than it was, or that was written anew so that
 * its lines begin elsewhere, gives whole lines as far as it can, and is reported.
 */
#ifndef METASPN_FILES_SCAN_SCAN_H
#define METASPN_FILES_SCAN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/timestamp.h"
#include "event/event.h"
#include "event/filter.h"
#include "files/catalog/catalog.h"
#include "store/store.h"

/* What a scan hands out: whole stored lines, each with its newline (which the last line of a file may lack; it is
 * added), one after the other. */
struct scan_item {
    const char *data; /* valid until the next call */
    size_t length;
    uint64_t lines;     /* number of events; 0 where it was not asked for */
    struct event event; /* of the one line, where events are wanted */
    struct day *day;    /* borrowed */
    uint64_t offset;    /* of the first line */
    uint64_t end;       /* the position past the last line */
    bool repeat;        /* not the first record of its id; only where repeats are wanted */
};
/* Keeps of an item only its first `lines` lines; it has that many at least. */
void scan_item_cut(struct scan_item *item, uint64_t lines);

struct scan_options {
    uint64_t from, to;    /* positions: the extent; `to` is day.end at most */
    struct window window; /* by the event's own timestamp */
    bool inside;          /* the caller knows that every event of the extent below facts.known lies in the window */
    const struct filter *filter; /* borrowed; NULL: none */
    bool backward;
    bool need_events;  /* parsed, one line at a time */
    bool need_lines;   /* scan_item.lines */
    bool need_repeats; /* events that are not first records too; together with need_events */
    /* Ascending values of this day: what can match below facts.known. NULL: everything. */
    const struct entry *candidates;
    size_t candidate_count;
    uint64_t candidate_span; /* a match starts within so many bytes of its candidate: 1, or CATALOG_KEY_BLOCK */
    size_t first_block;      /* bytes of the first read, where few events are wanted; 0: PARTITION_BLOCK */
    store_reporter *report;  /* may be NULL */
    void *report_context;
};

struct scan;

/* Copies the options; the day, filter and candidates are borrowed. */
enum status scan_open(struct catalog *catalog, struct day *day, const struct scan_options *options,
                      struct scan **ret_scan, struct error *err);
/* NULL is taken. */
void scan_close(struct scan *scan);

/* STORE_LINES, STORE_NONE or STORE_FAILED. */
enum store_step scan_next(struct scan *scan, struct scan_item *ret_item, struct error *err);

/* After STORE_NONE: the file has become shorter than the extent, or its lines begin elsewhere, so that not all of it
 * was read. That was reported. */
bool scan_was_cut(const struct scan *scan);

#endif
