/*
 * reader - the way out of a store in files: one reader for what a query selects (replay), what a checkpoint has not
 * passed (resume), and what is appended from then on (follow).
 *
 *     reader_open(...);                                      looks at the days, and begins
 *     for (;;) {
 *         step = reader_next(...);
 *         STORE_LINES:  put the lines out
 *         STORE_WAIT:   flush; poll reader_news() for at most a second; go on
 *         STORE_NONE:   the end; STORE_FAILED: *err tells
 *     }
 *     reader_reached(...);                                   where query.reaches: the checkpoint past what was read
 *     reader_close(...);
 *
 * Each day of which bytes are needed is opened once and read to the end of that very file (files/day.h). While
 * reader_next() says STORE_WAIT no day is open, so that a writer may mend a torn last line.
 *
 * A query that follows begins with what it selects: `tailed` says how much of that, a checkpoint where; from then on
 * it hands out what is appended, by whomever, whatever its timestamp. `limited` ends it after so many events in all.
 * The end of its window filters. Of a query that resumes and does not follow, the window's end ends each day at its
 * first due event that is later (see resume.h).
 */
#ifndef METASPN_FILES_WORKER_READER_H
#define METASPN_FILES_WORKER_READER_H

#include <stdint.h>

#include "base/status.h"
#include "files/catalog/catalog.h"
#include "store/store.h"

struct reader;

/*
 * Refreshes the catalog for the query's kinds and opens the query on what is there. The query is copied; its filter,
 * its checkpoint and the catalog are borrowed until reader_close(). The catalog belongs to one reader at a time. A
 * query that resumes is of one kind. STATUS_IO: a folder or a day cannot be read, or no memory.
 */
enum status reader_open(struct catalog *catalog, const struct store_query *query, struct reader **ret_reader,
                        struct error *err);
/* NULL is taken. */
void reader_close(struct reader *reader);

/* The next lines into *ret_lines, valid until the next call; untouched unless STORE_LINES. */
enum store_step reader_next(struct reader *reader, struct store_lines *ret_lines, struct error *err);

/* A descriptor that becomes readable when the store has changed; -1: there is none, and the query does not follow or
 * the system cannot tell. It stays the reader's; reader_next() takes what is to be read from it. */
int reader_news(const struct reader *reader);

/*
 * The checkpoint past what was handed out, of a query that resumes and reaches; once, at the end or before. The caller
 * releases it. See resume_checkpoint() for what it holds.
 */
enum status reader_reached(struct reader *reader, struct checkpoint *ret_checkpoint, struct error *err);

/* How many events reader_next() would hand out to a query that does not follow. Reads no more than it must. */
enum status reader_count(struct catalog *catalog, const struct store_query *query, uint64_t *ret_count,
                         struct error *err);

#endif
