/*
 * run - sorted, immutable runs of entries, in memory or in a file.
 *
 * A run file consists of pages of 4096 bytes: a header, then pages of 255 entries and a checksum that also covers the
 * run's own random number and the page's place. A page is believed only after its checksum fitted when it was first
 * used. Nothing is synced here: a run is derived from something else, and is made anew where it is damaged.
 *
 * Statuses: STATUS_INVALID is damage, or a page that cannot be read (run_is_unreadable()); STATUS_IO of a look-up is no
 * memory. A run is used by one thread at a time.
 */
#ifndef METASPN_RUNS_RUN_H
#define METASPN_RUNS_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runs/entries.h"

struct run;

/* A run in memory that takes over the (sorted) entries, which are empty afterwards. NULL: no memory. */
struct run *run_of_entries(struct entries *entries);

/* Merges two runs in memory and closes both. NULL: no memory, nothing happened. */
struct run *run_join(struct run *a, struct run *b);

/*
 * Opens the run file `name` below `directory`, of which the caller knows the number and the count of entries.
 * STATUS_ABSENT: no such file. STATUS_INVALID: it is not that run. STATUS_IO: it cannot be read.
 */
enum status run_open(int directory, const char *name, uint64_t number, uint64_t count, struct run **ret_run,
                     struct error *err);
/* NULL is taken. */
void run_close(struct run *run);

/* 0 for a run in memory. */
uint64_t run_number(const struct run *run);
/* Entries. */
uint64_t run_count(const struct run *run);
/* The file of that name below `directory` is this run's. */
bool run_is_same_file(const struct run *run, int directory, const char *name);
/* The cause of a STATUS_INVALID is a page that could not be read. */
bool run_is_unreadable(const struct run *run);

/*
 * Looks up many keys at once, which ascend: appends {i, value} for every entry whose key is keys[i], ascending by i and
 * value. A file of which many keys are asked is mapped.
 */
enum status run_lookup(struct run *run, const uint64_t *keys, size_t count, struct entries *ret_hits);

/* Reads a run from its least entry to its greatest. Nothing else is asked of the run meanwhile. */
struct run_cursor {
    struct run *run;
    uint64_t at;                 /* number of the next entry */
    const struct entry *entries; /* of the page that it stands in */
};
void run_cursor_start(struct run_cursor *cursor, struct run *run);
/* False: at the end; or *ret_status is STATUS_INVALID or STATUS_IO, which is left alone otherwise. */
bool run_cursor_next(struct run_cursor *cursor, struct entry *ret_entry, enum status *ret_status);

/* Whether an entry is still of use; NULL keeps all. */
typedef bool run_keep(void *context, struct entry entry);

/*
 * Merges runs into the new run file `name` with this number; of equal entries one is kept. On failure the file is
 * removed again. STATUS_INVALID: one of the runs is damaged. STATUS_IO: no memory, or the file cannot be written.
 */
enum status run_merge(int directory, const char *name, uint64_t number, struct run *const *runs, size_t count,
                      run_keep *keep, void *context, struct run **ret_run, struct error *err);

#endif
