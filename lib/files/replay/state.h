/*
 * replay_private - what the files of the replay module slice; nobody else includes it.
 *
 * A replay goes from day to day (replay.c). On each day a kind has a stream (replay_stream.c): the events of one
 * partition in the order that was asked for, straight from scans, or sorted first (replay_sort.c). Lines that were
 * chosen before, by sorting or for a tail (replay_tail.c), are read back by a reader (replay_reader.c).
 */
#ifndef METASPN_FILES_REPLAY_STATE_H
#define METASPN_FILES_REPLAY_STATE_H

#include "files/replay/replay.h"

/* Reads single lines back, mostly in one direction, with strays. */
struct reader_block {
    struct bytes buffer;
    uint64_t offset; /* of its first byte */
    size_t size;     /* to read when it is filled next */
    uint64_t used;   /* by the reader's clock */
};
struct reader {
    struct catalog *store;
    bool backward;
    struct partition *partition; /* owned: that of `number`; NULL: none yet */
    uint32_t number;
    uint64_t to; /* end of the partition */
    uint64_t known;
    struct reader_block blocks[2];
    uint64_t clock;
    scan_report *report; /* may be NULL: of a partition that was cut, written anew or replaced */
    void *report_context;
    bool told; /* of this one */
};
void reader_init(struct reader *reader, struct catalog *store, bool backward);
void reader_release(struct reader *reader);
/* Opens a partition, and keeps it open until another is wanted. STATUS_ABSENT: it has gone, or another one stands in
 * its place. */
enum status reader_turn(struct reader *reader, uint32_t number, struct error *err);
/*
 * The line that starts at a position, into *ret_item: data with its newline, partition, place, and the event where it
 * is wanted. Valid until the next call. STATUS_ABSENT: it is no longer there, or the file is not, as the report says.
 */
enum status reader_read(struct reader *reader, struct store_place position, bool need_event, struct scan_item *ret_item,
                        struct error *err);

/* The events of a partition that a scan with these options hands out, sorted by time and position, or backward. */
struct sorted;
enum status sorted_open(struct catalog *store, const struct scan_options *options, struct sorted **ret_sorted,
                        struct error *err);
void sorted_close(struct sorted *sorted);
enum status sorted_next(struct sorted *sorted, struct scan_item *ret_item, struct error *err);

/* Where the index says that a filter's events of one kind may stand; loaded when that promises to save work.
 * (replay_candidates.c) */
enum candidates_state { CANDIDATES_NONE, CANDIDATES_WAITING, CANDIDATES_LOADED };
struct candidates {
    struct filter *filter; /* borrowed */
    enum event_kind kind;
    enum candidates_state state;
    uint64_t probed; /* bytes that were scanned while waiting */
    uint64_t span;
    struct entries entries;
};
void candidates_init(struct candidates *candidates, const struct replay_options *options, enum event_kind kind,
                     struct catalog *store);
void candidates_release(struct candidates *candidates);
enum status candidates_load(struct candidates *candidates, struct catalog *store, struct error *err);
/* Puts those of one partition into the options of a scan. */
void candidates_apply(const struct candidates *candidates, struct scan_options *scan);

/* The part of [0, facts.known) whose events lie in the window; the partition is in the order of time, without damage.
 */
enum status bisect_window(struct catalog *store, const struct catalog_partition *row, struct window window,
                          uint64_t *ret_from, uint64_t *ret_to, struct error *err);

/* What the streams of a kind are made with. */
struct stream_plan {
    struct catalog *store;
    struct scan_options scan; /* without partition, extent and candidates */
    bool by_time;
    bool limited; /* few events may be enough */
    struct candidates candidates;
};
struct stream {
    struct stream_plan *plan; /* NULL: the stream is closed */
    struct scan_options rest; /* the extent behind the open one */
    struct scan *scan;        /* one of the two, or none: at the end */
    struct sorted *sorted;
};
/* Whether the partition can hold anything that is wanted, or to be told of: damage, events of other days. */
bool stream_is_due(const struct stream_plan *plan, const struct catalog_partition *row);
/* `need_events`: also where the plan does not say so. A partition that has gone gives an empty stream. */
enum status stream_open(struct stream *stream, struct stream_plan *plan, const struct catalog_partition *row,
                        bool need_events, struct error *err);
void stream_close(struct stream *stream);
enum status stream_next(struct stream *stream, struct scan_item *ret_item, struct error *err);

/* The last so many of a replay. */
struct tail;
enum status tail_open(struct catalog *store, const struct replay_options *options, struct tail **ret_tail,
                      struct error *err);
void tail_close(struct tail *tail);
enum status tail_next(struct tail *tail, struct scan_item *ret_item, struct error *err);

/* Fills in what the streams of a kind need. */
void replay_plan(struct stream_plan *plan, struct catalog *store, const struct replay_options *options,
                 enum event_kind kind);

#endif
