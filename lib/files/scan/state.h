/*
 * What the files of scan/ share; nobody else includes it.
 *
 * A scan takes chunks of whole lines (chunk.c), selects the pieces of each that pass (select.c), and hands these out
 * (scan.c). Bytes below `known` are described by the day's facts; a chunk lies on one side of it.
 */
#ifndef METASPN_FILES_SCAN_STATE_H
#define METASPN_FILES_SCAN_STATE_H

#include "files/scan/scan.h"

/* A piece of the chunk that is handed out as one item. */
struct scan_piece {
    size_t start, length; /* in the chunk */
    uint64_t lines;
    bool damaged; /* backward: to be reported when its turn comes, not handed out */
    bool repeat;
};

struct scan {
    struct catalog *catalog;
    struct day *day; /* borrowed */
    struct scan_options options;
    enum event_kind kind;
    int32_t date;
    uint64_t known;     /* the extent below is described by the facts */
    bool clean;         /* no damage is known there */
    bool inside;        /* its events are in the window */
    uint64_t *suspects; /* owned: its lines that may be repeats, ascending */
    size_t suspect_count;

    uint64_t low, high; /* what is not read yet */
    size_t block;       /* of the next read */
    struct bytes buffer;
    const char *data; /* the chunk: whole lines, each with its newline */
    size_t length;
    uint64_t offset;    /* of data[0] */
    uint64_t end;       /* past its last line */
    size_t chosen;      /* the lines before have been looked at */
    struct event event; /* of the last piece, where events are wanted and the scan goes forward */

    struct scan_piece *pieces; /* owned: of the chunk, ascending */
    size_t piece_count, piece_capacity;
    size_t handed; /* pieces that are out: the first ones, or backward the last ones */

    bool was_cut;
    bool reported_misfiled;
    uint64_t counted_offset, counted_line; /* the line that starts there has this number, from 1 */
};

/* The next chunk. */
enum store_step scan_take_chunk(struct scan *scan, struct error *err);

/* Looks at lines of the chunk from `chosen` on and adds the pieces that pass: all of them, or one where events are
 * wanted and the scan goes forward. */
enum status scan_select(struct scan *scan, struct error *err);

/* Reads the line [start, start + length) of the chunk (without newline) as an event. */
enum event_verdict scan_read_event(const struct scan *scan, size_t start, size_t length, struct event *ret_event,
                                   struct json_fault *ret_fault);

static inline bool scan_below_known(const struct scan *scan)
{
    return scan->offset < scan->known;
}

/* report.c */
enum status scan_report_damage(struct scan *scan, size_t start, size_t length, const struct json_fault *fault,
                               struct error *err);
enum status scan_report_misfiled(struct scan *scan, uint64_t offset, int64_t timestamp, struct error *err);
void scan_report_misfiled_by_facts(struct scan *scan);
void scan_report_cut(struct scan *scan);

#endif
