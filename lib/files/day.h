/*
 * day - one day's file of one kind, open, and what is known of that very file.
 *
 * A day is opened first, then looked at: what is known is compared with the descriptor, never with the name
 * (RELIABILITY 16). Whoever holds a day reads the file that was opened, to its end, whatever is renamed over its name
 * meanwhile. catalog_open_day() opens it; a reader opens a day once and keeps it as long as it needs a byte of it.
 */
#ifndef METASPN_FILES_DAY_H
#define METASPN_FILES_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "files/partition.h"

/* What is known of one partition: true of the bytes [0, known) as they were when the file looked like this. */
struct partition_facts {
    uint32_t partition;           /* number, see index_value() */
    uint32_t generation;          /* how many times it was read anew */
    uint64_t device, inode, size; /* of the file when it was last looked at */
    int64_t changed, modified;    /* its times then, nanoseconds */
    uint64_t known;               /* read so far: behind a newline, or 0 */
    uint64_t hash;                /* partition_hash_before(known) */
    uint64_t synced;              /* on disk for certain up to here */
    uint64_t records;             /* events, repeated ids included */
    uint64_t blank;               /* blank lines */
    uint64_t damaged;             /* lines that are no events */
    uint64_t misfiled;            /* events whose own day is another */
    uint64_t repeats;             /* lines that INDEX_REPEATS suspects */
    uint64_t late;                /* events with a timestamp below that of one before: 0 means in time order */
    int64_t least, greatest;      /* timestamps of the events; meaningless where there are none */
};

/* An open day. Bytes [0, facts.known) are described by the facts and the index; [facts.known, end) is at most one
 * whole event without newline (or more, where the index cannot hold it). What stands after `end` is no part of it. */
struct day {
    uint32_t number;              /* partition_number() */
    struct partition *file;       /* owned */
    struct partition_stat stat;   /* of the file when it was looked at: with `end`, not with what was appended since */
    struct partition_facts facts; /* true of this open file; facts.known 0: nothing is known */
    uint64_t end;                 /* bytes */
    unsigned holders;             /* besides the first */
    bool is_other; /* another file than the last refresh saw, or other bytes: its row is of this file now, and what was
                      asked of the index before (candidates, suspects) is not */
};

/* Whether the facts say that all events lie in the window. */
static inline bool day_is_inside(const struct partition_facts *facts, struct window window)
{
    return facts->records == 0 || (window.since <= facts->least && facts->greatest <= window.until);
}

/* One more holder of the day, who closes it too; returns it. */
struct day *day_hold(struct day *day);
/* Closes the file when the last holder has closed it. NULL is taken. */
void day_close(struct day *day);

#endif
