/*
 * store - the one interface of a store of events, whatever it is kept in: files of a directory (lib/files), or tables.
 *
 * Commands know this header and nothing that lies behind it: no path, partition, offset, index or lock. lib/open.c
 * chooses the kind by what the workspace is called. Filter, formats, batching, documents and messages stand above, and
 * serve every kind.
 *
 *     store_open(...);                                 open.h
 *     store_append(...); store_first(...);             in
 *     store_read(...); while (store_next(...) == STORE_LINES) ...; store_reached(...); store_end(...);    out
 *     store_get(...); store_put(...);                  documents: checkpoints and snapshots
 *     store_advance(...); store_rewind(...);           one step under the lock
 *     store_close(...);
 *
 * What a store has to say that is no error goes to options.notice: each text once a store, and never while a lock is
 * held. Times are microseconds since 1970 UTC (timestamp.h). Statuses are those of base/status.h; STATUS_ABSENT means
 * that nothing of that name is there, and nothing else.
 */
#ifndef METASPN_STORE_STORE_H
#define METASPN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/notices.h"
#include "base/status.h"
#include "event/event.h"
#include "event/filter.h"
#include "store/checkpoint.h"
#include "store/document.h"

struct store; /* begins with its struct store_kind; the rest is the kind's own */

struct store_options {
    bool write;                      /* makes what is missing; else nothing is created but what is derived */
    bool no_index;                   /* believe nothing but the events themselves */
    bool no_sync;                    /* appended events need not be durable */
    int lock_timeout_ms;             /* for the writers' lock; -1: for ever */
    const volatile int *interrupted; /* ends waiting for the lock when it becomes true; may be NULL */
    notice_say *notice;              /* may be NULL */
    void *notice_context;
};

/* ---- in */

/* The place of a stored event: only its own store can read it. */
struct store_place {
    uint32_t part;
    uint64_t offset;
};

enum store_outcome { STORE_APPENDED, STORE_DUPLICATE, STORE_CONFLICT };

struct store_item {
    struct event event;         /* in: checked, in canonical form; its line is borrowed */
    enum store_outcome outcome; /* out */
    struct store_place first;   /* out: of the first record of its id (its own, where it was appended) */
    size_t first_item;          /* out: item of this batch that is the first record, or SIZE_MAX */
};

struct store_result {
    size_t done; /* items that were dealt with: all, or those before the duplicate that stopped */
    size_t appended, duplicates, conflicts;
    uint64_t bytes; /* appended, with newlines */
};

/* ---- out */

enum store_order { STORE_BY_TIME, STORE_AS_APPENDED };

enum store_finding {
    STORE_DAMAGED,     /* a stored line that is no event */
    STORE_QUARANTINED, /* one whose bytes were set aside already */
    STORE_MISFILED,    /* events that stand in another day than their own: once a part */
    STORE_REWRITTEN,   /* a part that is delivered from its start again */
    STORE_CUT,         /* a part that was cut, or written anew, while it was read */
    STORE_UNREADABLE,  /* a part that cannot be read; the others are */
};

struct store_report {
    enum store_finding finding;
    const char *file; /* what a person finds it by */
    uint64_t line;    /* from 1; 0: not at hand */
    uint64_t offset;  /* of the line, bytes from the start of the file */
    const char *what; /* printable */
};
typedef void store_reporter(void *context, const struct store_report *found);

struct store_query {
    unsigned kinds;        /* set of KIND_BIT()s */
    struct window window;  /* by the event's own timestamp, and by its day */
    struct filter *filter; /* borrowed; NULL: none */
    enum store_order order;
    bool reverse;
    bool limited, tailed;          /* `limit`, `tail` hold */
    uint64_t limit;                /* the first so many, in that order */
    uint64_t tail;                 /* the last so many of these */
    bool resumes;                  /* what `from` has not passed, in the order of positions; NULL: all of it */
    const struct checkpoint *from; /* borrowed */
    bool reaches;                  /* store_reached() will be asked */
    bool follows;                  /* then goes on with what is appended */
    bool parsed;                   /* events one at a time, with their members */
    bool counted;                  /* store_lines.count is wanted */
    store_reporter *report;        /* may be NULL */
    void *report_context;
};

/* Whole stored lines, each with its newline. */
struct store_lines {
    const char *data; /* valid until the next call */
    size_t length;
    uint64_t count;     /* of events; 0 where it was not asked for */
    struct event event; /* of the one line, where events are parsed */
};

enum store_step {
    STORE_LINES,  /* there are lines */
    STORE_NONE,   /* there are no more */
    STORE_WAIT,   /* of a query that follows: none yet; nothing is held open until the next call */
    STORE_FAILED, /* *err tells */
};

struct store_reader;

/* ---- documents */

#endif
