/*
 * scan - the lines of one partition, in the order they lie (or exactly reversed), that pass: events of the window that
 * a filter wants and that are the first record of their id.
 *
 * Both replay (by time) and resume (by position) stand on it. It hands out stored bytes: one line at a time, or, where
 * nothing needs a look at single lines, blocks of whole lines. Damaged lines and lines in the wrong day's file are
 * reported, once each; a partition with damage is always read line by line, so that what is reported does not depend
 * on the filter.
 *
 * What is known of the partition (store.h) saves work below facts.known; what lies behind is validated, and each event
 * there is confirmed to be the first record. A file that has become shorter than it was, or that was written anew so
 * that its lines begin elsewhere, gives whole lines as far as it can, and is reported.
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

/* What a scan hands out: whole stored lines, each with its newline (which the last line of a file may lack; it is
 * added), one after the other. */
struct scan_item {
    const char *data; /* valid until the next call */
    size_t length;
    uint64_t lines;     /* number of events; 0 where it was not asked for */
    struct event event; /* of the one line, where events are wanted */
    uint32_t partition;
    uint64_t offset; /* of the first line */
    uint64_t end;    /* the position behind the last line */
    bool repeat;     /* not the first record of its id, which is at `first`; only where repeats are wanted */
    struct store_place first;
};

enum scan_finding {
    SCAN_DAMAGED,     /* a line that is no event */
    SCAN_QUARANTINED, /* one whose bytes lie in quarantine/ */
    SCAN_MISFILED,    /* events whose own day is another: told once a partition, perhaps without line and offset */
    SCAN_REWRITTEN,   /* a file that is delivered from its start again (told by follow and resume) */
    SCAN_CUT,         /* a file that was cut, written anew or replaced while it was read: the rest was not read */
};
struct scan_report_line {
    enum scan_finding finding;
    const char *file; /* path of the partition */
    uint64_t line;    /* counted from 1; 0: not at hand */
    uint64_t offset;  /* of the line, bytes from the start of the file */
    const char *what; /* printable */
};
typedef void scan_report(void *context, const struct scan_report_line *found);

struct scan_options {
    uint32_t partition;   /* number */
    uint64_t from, to;    /* positions: the extent (`to`: catalog_partition.end at most) */
    struct window window; /* by the event's own timestamp */
    bool inside;          /* the caller knows that every event of the extent below facts.known lies in the window */
    const struct filter *filter; /* borrowed; NULL: none */
    bool backward;
    bool need_events;  /* parsed, one line at a time */
    bool need_lines;   /* scan_item.lines */
    bool need_repeats; /* events that are not first records too; together with need_events */
    /* Ascending values of this partition: what can match below facts.known. NULL: everything. */
    const struct entry *candidates;
    size_t candidate_count;
    uint64_t candidate_span; /* a match starts within so many bytes of its candidate: 1, or CATALOG_KEY_BLOCK */
    size_t first_block;      /* bytes of the first read, where few events are wanted; 0: PARTITION_BLOCK */
    scan_report *report;     /* may be NULL */
    void *report_context;
};

struct scan;

/* Copies the options; filter and candidates are borrowed. STATUS_ABSENT: the partition has gone. */
enum status scan_open(struct catalog *store, const struct scan_options *options, struct scan **ret_scan,
                      struct error *err);
/* NULL is taken. */
void scan_close(struct scan *scan);

/* STATUS_ABSENT: no more. */
enum status scan_next(struct scan *scan, struct scan_item *ret_item, struct error *err);

/* When there is no more: the file has become shorter than the extent, or its lines begin elsewhere, so that not all of
 * it was read. The partition's row says so too. */
bool scan_was_cut(const struct scan *scan);

#endif
