/*
 * store - the one interface of a store of events, whatever it is kept in: files of a directory (lib/files), or tables.
 *
 * Commands know this header and nothing below it: no path, partition, offset, index or lock. lib/open.h chooses the
 * kind by the name of the workspace. Filters, formats, batching, documents and messages stand above, and serve every
 * kind.
 *
 *     store_open(...);                                                              open.h
 *     store_append(...); store_first(...); store_name(...); store_rest(...);        in
 *     store_read(...); while (store_next(...) == STORE_LINES) ...; store_end(...);  out
 *     store_get(...); store_put(...); store_delete(...); store_list(...);           documents
 *     store_advance(...); store_pass(...); store_rewind(...);                       one step under the lock
 *     store_close(...);
 *
 * What a store has to say that is no error goes to options.notice: each text once a store, and never while a lock is
 * held. Times are microseconds since 1970 UTC (timestamp.h). Statuses are those of base/status.h; STATUS_ABSENT means
 * that nothing of that name is there, and nothing else. Any function may answer STATUS_IO: the store cannot be read or
 * written, its lock cannot be had, or there is no memory. Results are untouched unless the status is STATUS_OK or said.
 */
#ifndef METASPN_STORE_STORE_H
#define METASPN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/notices.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "event/event.h"
#include "event/filter.h"
#include "store/checkpoint.h"
#include "store/document.h"

struct store_options {
    bool write;                      /* makes what is missing; else nothing is created but what is derived */
    bool only_documents;             /* no event will be read or appended, no lock taken */
    bool no_index;                   /* believe nothing but the events themselves */
    bool no_sync;                    /* appended events need not be durable */
    int lock_timeout_ms;             /* for the writers' lock; -1: for ever */
    int64_t now_seconds;             /* Unix time, by which left-over temporaries are judged */
    const volatile int *interrupted; /* ends waiting for the lock, and a check, when it becomes true; may be NULL */
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

/* ---- one step under the lock */

/* Lines that a worker has done with, each without its newline, as they came. */
struct store_echo {
    const struct json_text *lines;
    size_t count;
    size_t passed;       /* out: those before the first that is refused */
    enum status refused; /* out: why it is; STATUS_INVALID: no event of the checkpoint's kind, or not in the store */
    struct error why;
};

/* Something that is wrong in a store. */
struct store_flaw {
    const char *file; /* what a person finds it by */
    uint64_t line;    /* from 1; 0: it is of the whole file */
    uint64_t byte;
    const char *what; /* printable */
};

struct store_check {
    bool repair; /* what may be mended is */
    void (*found)(void *context, const struct store_flaw *flaw);
    void (*failed)(void *context, const struct error *why);                           /* it could not look */
    void (*progress)(void *context, uint64_t events, uint64_t bytes, uint64_t total); /* now and then */
    void *context;

    uint64_t flaws, mended, parts, lines;    /* out */
    uint64_t quarantined, uncanonical, late; /* out: lines, which nobody is worse off for */
};

/* ---- the kinds */

struct store {
    const struct store_kind *kind; /* the rest is the kind's own */
};

struct store_kind {
    const char *name;
    void (*close)(struct store *store);

    enum status (*append)(struct store *store, struct store_item *items, size_t count, bool stop_at_duplicate,
                          struct store_result *ret_result, struct error *err);
    enum status (*first)(struct store *store, const struct store_item *item, struct bytes *line, struct error *err);
    bool (*item_name)(struct store *store, const struct store_item *item, struct bytes *out);
    void (*rest)(struct store *store);

    enum status (*read)(struct store *store, const struct store_query *query, struct error *err);
    enum store_step (*next)(struct store *store, struct store_lines *ret_lines, struct error *err);
    int (*news)(struct store *store);
    enum status (*reached)(struct store *store, struct checkpoint *ret_checkpoint, struct error *err);
    void (*end)(struct store *store);
    enum status (*count)(struct store *store, const struct store_query *query, uint64_t *ret_count, struct error *err);

    enum status (*get)(struct store *store, const struct document_key *key, struct document *ret_document,
                       struct error *err);
    enum status (*put)(struct store *store, const struct document_key *key, const struct bytes *text,
                       struct bytes *ret_name, struct error *err);
    enum status (*remove)(struct store *store, const struct document_key *key, struct error *err);
    enum status (*list)(struct store *store, enum store_shelf shelf, const char *name, struct document_list *ret_list,
                        struct error *err);

    enum status (*advance)(struct store *store, const char *name, const struct checkpoint *to, struct error *err);
    enum status (*pass)(struct store *store, const char *name, struct store_echo *echo, struct error *err);
    enum status (*rewind)(struct store *store, const char *name, const enum event_kind *kind, int64_t time,
                          struct error *err);
    enum status (*behind)(struct store *store, const struct checkpoint *checkpoint, uint64_t *ret_behind,
                          struct error *err);
    enum status (*check)(struct store *store, struct store_check *check, struct error *err);
};

/* NULL is taken. */
static inline void store_close(struct store *store)
{
    if (store)
        store->kind->close(store);
}

/*
 * Appends what is new of a batch, under the lock. On STATUS_OK everything that ret_result->done counts is durable
 * (unless no_sync), duplicates too. `stop_at_duplicate`: the first duplicate ends the batch; STATUS_DUPLICATE, and item
 * `done` is that duplicate. STATUS_IO: nothing of the batch counts as stored.
 */
static inline enum status store_append(struct store *store, struct store_item *items, size_t count,
                                       bool stop_at_duplicate, struct store_result *ret_result, struct error *err)
{
    return store->kind->append(store, items, count, stop_at_duplicate, ret_result, err);
}

/* The line, without newline, of the first record of an item that was stored before. */
static inline enum status store_first(struct store *store, const struct store_item *item, struct bytes *line,
                                      struct error *err)
{
    return store->kind->first(store, item, line, err);
}

/* Replaces *out by what --print=path prints of an item, NUL-terminated. False: no memory. */
static inline bool store_name(struct store *store, const struct store_item *item, struct bytes *out)
{
    return store->kind->item_name(store, item, out);
}

/* Lets go of what the last calls have left open: before a wait. */
static inline void store_rest(struct store *store)
{
    store->kind->rest(store);
}

/* Begins to read, one query at a time. The query is copied. A query that resumes is of one kind. */
static inline enum status store_read(struct store *store, const struct store_query *query, struct error *err)
{
    return store->kind->read(store, query, err);
}

static inline enum store_step store_next(struct store *store, struct store_lines *ret_lines, struct error *err)
{
    return store->kind->next(store, ret_lines, err);
}

/* The store's own descriptor, readable when something was appended; -1: none, ask again every second. */
static inline int store_news(struct store *store)
{
    return store->kind->news(store);
}

/* The checkpoint past what was read, of a query that resumes and reaches; once. The caller releases it. */
static inline enum status store_reached(struct store *store, struct checkpoint *ret_checkpoint, struct error *err)
{
    return store->kind->reached(store, ret_checkpoint, err);
}

static inline void store_end(struct store *store)
{
    store->kind->end(store);
}

/* How many events a query reads that does not follow. */
static inline enum status store_count(struct store *store, const struct store_query *query, uint64_t *ret_count,
                                      struct error *err)
{
    return store->kind->count(store, query, ret_count, err);
}

/* Of snapshots by the second the last one at or before it (TIMESTAMP_MAX: the last), daily ones too. What is in the
 * document is not looked at. STATUS_ABSENT: there is none. Release it on STATUS_OK. */
static inline enum status store_get(struct store *store, const struct document_key *key, struct document *ret_document,
                                    struct error *err)
{
    return store->kind->get(store, key, ret_document, err);
}

/* Replaces a document, durably. *ret_name (may be NULL) is what --print=path prints, NUL-terminated. STATUS_INVALID:
 * it is too large; nothing was stored. */
static inline enum status store_put(struct store *store, const struct document_key *key, const struct bytes *text,
                                    struct bytes *ret_name, struct error *err)
{
    return store->kind->put(store, key, text, ret_name, err);
}

/* STATUS_ABSENT: there was none. */
static inline enum status store_delete(struct store *store, const struct document_key *key, struct error *err)
{
    return store->kind->remove(store, key, err);
}

/* The documents of a shelf (`name` NULL: of every name) in their order. Release the list in any case: on STATUS_IO it
 * may hold those that could be listed. */
static inline enum status store_list(struct store *store, enum store_shelf shelf, const char *name,
                                     struct document_list *ret_list, struct error *err)
{
    return store->kind->list(store, shelf, name, ret_list, err);
}

/* Moves the checkpoint `name` on to what `to` has passed, or makes it. STATUS_INVALID: `to` is of the other kind. */
static inline enum status store_advance(struct store *store, const char *name, const struct checkpoint *to,
                                        struct error *err)
{
    return store->kind->advance(store, name, to, err);
}

/* Moves the checkpoint `name` past lines, or makes it. What precedes a line that is refused counts: echo->refused, and
 * the status tells whether the rest was stored. */
static inline enum status store_pass(struct store *store, const char *name, struct store_echo *echo, struct error *err)
{
    return store->kind->pass(store, name, echo, err);
}

/* Moves the checkpoint `name` back to `time`; makes it of this kind (NULL: of signals). STATUS_USAGE: it is there, and
 * of the other kind. */
static inline enum status store_rewind(struct store *store, const char *name, const enum event_kind *kind, int64_t time,
                                       struct error *err)
{
    return store->kind->rewind(store, name, kind, time, err);
}

/* How much was appended that the checkpoint has not passed, in the kind's own measure. */
static inline enum status store_behind(struct store *store, const struct checkpoint *checkpoint, uint64_t *ret_behind,
                                       struct error *err)
{
    return store->kind->behind(store, checkpoint, ret_behind, err);
}

/* Looks at the whole store. STATUS_OK: it looked, and *check says what came of it. */
static inline enum status store_check(struct store *store, struct store_check *check, struct error *err)
{
    return store->kind->check(store, check, err);
}

#endif
