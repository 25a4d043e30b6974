/* check_private - what the files of the check module slice; nobody else includes it. */
#ifndef METASPN_FILES_CHECK_STATE_H
#define METASPN_FILES_CHECK_STATE_H

#include "files/check/check.h"
#include "files/index/index.h"
#include "files/partition.h"

/* A partition that was looked at. */
struct checked {
    uint32_t number;
    uint64_t indexed;    /* the index on disk speaks of the bytes before this, and is believed; 0: it does not */
    uint32_t generation; /* of the index's entries */
    uint64_t repeats;    /* as the index counts them */
    uint64_t missing;    /* entries that the index should have and has not, of which the first is at: */
    uint64_t first_missing;
};

struct check {
    const struct check_options *options;
    struct check_totals totals;
    struct catalog *store;                       /* to read; has no index of its own */
    struct catalog *mender;                      /* to write; NULL: nothing is to be mended */
    struct index *disk;                          /* the index as it is on disk */
    struct index *ids;                           /* where each id stands, of this check alone */
    struct index_entries repeated;               /* {0, value in `ids`} of lines whose id seems to stand before */
    struct index_entries expected[INDEX_TABLES]; /* what the index on disk should have, not looked up yet */
    struct checked *partitions;                  /* ascending by number */
    size_t count, capacity;
    uint64_t bytes, total;                   /* read so far, and to be read */
    struct bytes copied;                     /* hashes of damaged lines that this check put into quarantine */
    uint64_t unended;                        /* partitions whose last event lacks its newline: no finding */
    uint64_t torn, left_over, disagreements; /* findings that wait to be mended */
    bool disk_is_bad; /* it was told that the index is damaged or unreadable: it is asked no more */
    struct bytes path, scratch;
};

/* check.c: what is told. `line` 0: a finding of the whole file. */
void check_report(struct check *check, const char *file, uint64_t line, uint64_t byte, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void check_fail(struct check *check, const struct error *why);
bool check_is_interrupted(const struct check *check);
/* The row of a partition that was looked at; NULL: it was not. */
struct checked *check_find(struct check *check, uint32_t number);
/* "DIR/store/signals/2026-02-05.jsonl", in check->path until it is asked again. NULL: no memory. */
const char *check_path(struct check *check, uint32_t number);

/* check_lines.c: all lines of one partition. What cannot be read is told as a failure. */
void check_partition(struct check *check, struct checked *row);

/* check_repeats.c: ids are noted as they are read, and compared at the end. */
enum status check_note_id(struct check *check, const struct event *event, uint32_t number, uint64_t offset,
                          struct error *err);
enum status check_repeats(struct check *check, struct error *err);

/* check_index.c: the index on disk. Opened before the partitions are read, so that it is behind them if anything. */
void check_open_index(struct check *check);
/* What the index says of this partition, where it is believed of the file; NULL otherwise. Sets row->indexed. */
enum status check_index_facts(struct check *check, struct checked *row, const struct partition *partition,
                              const struct partition_stat *stat, const struct partition_facts **ret_facts,
                              struct error *err);
/* The index should have this entry; the entries of an event. */
enum status check_expect(struct check *check, enum index_table table, uint64_t key, const struct checked *row,
                         uint64_t offset, struct error *err);
enum status check_expect_event(struct check *check, const struct checked *row, const struct event *event,
                               uint64_t offset, struct error *err);
/* The index lacks an entry with this value, whatever its generation. */
void check_note_missing(struct check *check, uint64_t value);
/* `counted` is what was found in the bytes that the index's facts are of. */
enum status check_compare_facts(struct check *check, const struct partition_facts *facts,
                                const struct partition_facts *counted, struct error *err);
/* The index does not agree with the partition: a finding, or no memory for it. */
enum status check_disagree(struct check *check, uint32_t number, struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* After the last partition: looks up what is still expected, and tells what is missing. */
enum status check_finish_index(struct check *check, struct error *err);

/* check_documents.c: checkpoints, snapshots, temporaries. */
void check_documents(struct check *check);

/* check_repair.c: what can only be done at the end. */
void check_repair(struct check *check);
/* Tells what was mended. */
void check_tell(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
