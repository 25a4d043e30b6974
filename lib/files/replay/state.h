/*
 * What the files of replay/ share; nobody else includes it.
 *
 * A replay goes from day to day (days.c). On each day a kind has a stream (stream.c): the events of one day's file in
 * the order that was asked for, straight from scans, or sorted first (sort.c). Lines that were chosen before, by
 * sorting or for a tail (replay.c), are read back one by one (line.c).
 */
#ifndef METASPN_FILES_REPLAY_STATE_H
#define METASPN_FILES_REPLAY_STATE_H

#include "files/replay/replay.h"

/* Reads single lines of a day back, mostly in one direction, with strays. */
struct line_block {
    struct bytes buffer;
    uint64_t offset; /* of its first byte */
    size_t size;     /* to read when it is filled next */
    uint64_t used;   /* by the reader's clock */
};
struct line_reader {
    struct catalog *catalog;
    bool backward;
    struct day *day; /* held; NULL: none yet */
    struct line_block blocks[2];
    uint64_t clock;
    store_reporter *report; /* may be NULL: of a day that was cut or written anew */
    void *report_context;
    bool reported; /* of this one */
};
void line_reader_init(struct line_reader *reader, struct catalog *catalog, const struct scan_options *options);
void line_reader_release(struct line_reader *reader);
/* The day that is read from now on. */
void line_reader_turn(struct line_reader *reader, struct day *day);
/* The line that starts at `offset`, into *ret_item: data with its newline, place, and the event where it is wanted.
 * Valid until the next call. STORE_NONE: it is no longer there, as was reported. */
enum store_step line_reader_read(struct line_reader *reader, uint64_t offset, bool need_event,
                                 struct scan_item *ret_item, struct error *err);

/* The events of a day that a scan with these options hands out, sorted by time and position, or backward. */
struct sorted;
enum status sorted_open(struct catalog *catalog, struct day *day, const struct scan_options *options,
                        struct sorted **ret_sorted, struct error *err);
void sorted_close(struct sorted *sorted);
enum store_step sorted_next(struct sorted *sorted, struct scan_item *ret_item, struct error *err);

/* Where the index says that a filter's events of one kind may stand; loaded when that promises to save work. */
enum candidates_state { CANDIDATES_NONE, CANDIDATES_WAITING, CANDIDATES_LOADED };
struct candidates {
    struct filter *filter; /* borrowed */
    enum event_kind kind;
    enum candidates_state state;
    uint64_t probed; /* bytes that were scanned while waiting */
    uint64_t span;
    struct entries entries;
};
void candidates_init(struct candidates *candidates, struct filter *filter, enum event_kind kind,
                     struct catalog *catalog);
void candidates_release(struct candidates *candidates);
enum status candidates_load(struct candidates *candidates, struct catalog *catalog, struct error *err);
/* Puts those of one day into the options of a scan. */
void candidates_apply(const struct candidates *candidates, uint32_t number, struct scan_options *scan);

/* The part of [0, facts.known) whose events lie in the window; the day is in the order of time, without damage. */
enum status bisect_window(const struct day *day, struct window window, uint64_t *ret_from, uint64_t *ret_to,
                          struct error *err);

/* What the streams of a kind are made with. */
struct stream_plan {
    struct catalog *catalog;
    struct scan_options scan; /* without extent and candidates */
    bool by_time;
    bool limited; /* few events may be enough */
    struct candidates candidates;
};
void stream_plan(struct stream_plan *ret_plan, struct catalog *catalog, const struct store_query *query,
                 enum event_kind kind);

struct stream {
    struct stream_plan *plan; /* NULL: the stream is closed */
    struct day *day;          /* held */
    struct scan_options rest; /* the extent after the open one */
    struct scan *scan;        /* one of the two, or none: at the end */
    struct sorted *sorted;
};
/* Whether the day can hold anything that is wanted, or to be reported: damage, events of other days. */
bool stream_is_due(const struct stream_plan *plan, const struct catalog_partition *row);
/* `need_events`: also where the plan does not say so. A day that has gone gives a closed stream. On failure it is to
 * be closed, too. */
enum status stream_open(struct stream *stream, struct stream_plan *plan, uint32_t number, bool need_events,
                        struct error *err);
/* The same on a day that is open. It is the stream's then. */
enum status stream_open_day(struct stream *stream, struct stream_plan *plan, struct day *day, bool need_events,
                            struct error *err);
void stream_close(struct stream *stream);
enum store_step stream_next(struct stream *stream, struct scan_item *ret_item, struct error *err);

/* A replay without its tail. */
struct days;
enum status days_open(struct catalog *catalog, const struct store_query *query, struct days **ret_days,
                      struct error *err);
void days_close(struct days *days);
enum store_step days_next(struct days *days, struct scan_item *ret_item, struct error *err);

#endif
