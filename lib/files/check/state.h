/*
 * What the files of this room share; nobody else includes it.
 *
 * check.c lists what there is and goes through it: lines.c reads a partition, repeats.c compares the ids of all,
 * index.c compares what the index on disk says, documents.c looks at checkpoints, snapshots and temporaries, and
 * repair.c mends what must wait for the end. All of them report by report.c.
 */
#ifndef METASPN_FILES_CHECK_STATE_H
#define METASPN_FILES_CHECK_STATE_H

#include "files/catalog/catalog.h"
#include "files/check/check.h"
#include "files/index/index.h"
#include "files/partition.h"

/* A partition that was looked at. */
struct checked {
    uint32_t number;
    uint64_t indexed;  /* the index on disk speaks of the bytes before this, and is believed; 0: it does not */
    uint64_t repeats;  /* of these bytes, repeated ids as the index counts them (it may count one more than once) */
    uint64_t repeated; /* and as they were found, the first record being in such bytes too */
};

struct check {
    const struct store_options *options;
    struct store_check *request; /* which counts */
    struct notices notices;
    struct catalog *store;      /* to read; has no index of its own */
    struct catalog *mender;     /* to write; NULL: nothing is to be mended */
    struct index *disk;         /* the index as it is on disk; NULL: it cannot be used, which was reported */
    struct index *ids;          /* where each id stands, of this check alone */
    struct entries repeated;    /* {0, value in `ids`} of lines whose id seems to stand before */
    struct checked *partitions; /* ascending by number */
    size_t count, capacity;
    uint64_t bytes, total;                   /* read so far, and to be read */
    struct bytes copied;                     /* hashes of damaged lines that this check put into quarantine */
    uint64_t unended;                        /* partitions whose last event lacks its newline: no finding */
    uint64_t torn, left_over, disagreements; /* findings that wait to be mended */
    struct bytes path, scratch;
};

/* ---- report.c */

/* A finding. `line` 0: of the whole file. */
void check_report(struct check *check, const char *file, uint64_t line, uint64_t byte, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* A failure; one that reads like one before is not repeated. */
void check_fail(struct check *check, const struct error *why);
bool check_is_interrupted(const struct check *check);
/* The row of a partition that was looked at; NULL: it was not. */
struct checked *check_find(struct check *check, uint32_t number);
/* "DIR/store/signals/2026-02-05.jsonl", in check->path until it is asked again. NULL: no memory. */
const char *check_path(struct check *check, uint32_t number);

/* ---- lines.c */

/* Reads all lines of one partition. What cannot be read is reported as a failure. */
void check_partition(struct check *check, struct checked *row);

/* ---- repeats.c */

/* Notes the id of an event as it is read. */
enum status check_note_id(struct check *check, const struct event *event, uint32_t number, uint64_t offset,
                          struct error *err);
/* After the last partition: compares the ids. */
enum status check_repeats(struct check *check, struct error *err);

/* ---- index.c */

/* Opens the index on disk, before the partitions are read, so that it is behind them if anything. */
void check_open_index(struct check *check);
/* What the index says of this partition, where it is believed of the file; NULL otherwise. Fills in the row. */
enum status check_index_facts(struct check *check, struct checked *row, const struct partition *partition,
                              const struct partition_stat *stat, const struct partition_facts **ret_facts,
                              struct error *err);
/* Compares the facts with what was counted in the same bytes. */
enum status check_compare_facts(struct check *check, const struct partition_facts *facts,
                                const struct partition_facts *counted, struct error *err);
/* The index does not agree with the partition: a finding. STATUS_IO: no memory for it. */
enum status check_disagree(struct check *check, uint32_t number, struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* After check_repeats(): compares the numbers of repeated ids. */
enum status check_indexed_repeats(struct check *check, struct error *err);

/* ---- documents.c, repair.c */

/* Looks at checkpoints, snapshots and temporaries. */
void check_documents(struct check *check);
/* Mends what can only be mended at the end. */
void check_repair(struct check *check);

#endif
