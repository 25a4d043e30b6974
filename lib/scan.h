/*
 * scan - the lines of one partition, in the order they lie (or exactly reversed), that pass: events of the window that a filter
 * wants and that are the first record of their id.
 *
 * Both replay (by time) and resume (by position) stand on it. It hands out stored bytes: one line at a time, or, where nothing needs
 * a look at single lines, blocks of whole lines. Damaged lines and lines in the wrong day's file are reported, once each.
 */
#ifndef METASPN_SCAN_H
#define METASPN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "filter.h"
#include "status.h"
#include "store.h"
#include "timestamp.h"

/* What a scan hands out: whole stored lines, each with its newline, one after the other. */
struct scan_item {
    const char *data; /* valid until the next call */
    size_t length;
    uint64_t lines;   /* number of lines: 1 where events are wanted */
    struct event event; /* of the one line, where events are wanted */
    uint32_t partition;
    uint64_t offset;  /* of the first line */
    uint64_t end;     /* the position behind the last line */
};

enum scan_finding {
    SCAN_DAMAGED,     /* a line that is no event */
    SCAN_QUARANTINED, /* one whose bytes lie in quarantine/ */
    SCAN_MISFILED,    /* an event whose own day is another: told once a partition */
};
struct scan_report_line {
    enum scan_finding finding;
    const char *file; /* path of the partition */
    uint64_t line;    /* counted from 1; 0 where it was not counted */
    uint64_t offset;  /* bytes from the start of the file */
    const char *what; /* printable */
};
typedef void scan_report(void *context, const struct scan_report_line *found);

struct scan_options {
    uint32_t partition;          /* number */
    uint64_t from, to;           /* extent: from the start of a line to the end of one (store_partition.end at most) */
    struct window window;        /* by the event's own timestamp */
    const struct filter *filter; /* borrowed; NULL: none */
    bool backward;
    bool need_events;
    const struct index_entry *candidates; /* ascending values of this partition that can match below facts.known; NULL: all lines */
    size_t candidate_count;
    uint64_t candidate_span;     /* a match starts within so many bytes of its candidate: 1, or STORE_KEY_BLOCK */
    scan_report *report;         /* may be NULL */
    void *report_context;
};

struct scan;

/* STATUS_ABSENT: the partition has gone. */
enum status scan_open(struct store *store, const struct scan_options *options, struct scan **ret_scan,
                      struct error *err);
void scan_close(struct scan *scan);
/* STATUS_ABSENT: no more. */
enum status scan_next(struct scan *scan, struct scan_item *ret_item, struct error *err);
/* Everything before this position has been read and, where it passed, handed out. */
uint64_t scan_position(const struct scan *scan);

#endif
