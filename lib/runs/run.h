/*
 * run - sorted, immutable runs of 16-byte entries: what the derived index is made of.
 *
 * An entry is a key (mostly a hash, so evenly spread) and a value (a position). A run is in memory, or a file of
 * 4096-byte pages: a header, then pages of 255 entries and a checksum that also covers the run's own random number
 * and the page's place. A page is believed only after its checksum fitted; STATUS_INVALID means damage, and the whole
 * index is then rebuilt from the partitions. Nothing here is synced: correctness never depends on it.
 *
 * Entries are ordered by key, then value; the same entry twice counts once after a merge.
 */
#ifndef METASPN_RUNS_RUN_H
#define METASPN_RUNS_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct entry {
    uint64_t key, value;
};

/* A growing array of entries in memory. Zero-initialised: empty. */
struct entries {
    struct entry *data; /* owned */
    size_t count, capacity;
};
bool entries_add(struct entries *entries, struct entry entry);
bool entries_append(struct entries *entries, const struct entry *data, size_t count);
void entries_release(struct entries *entries);
/* Sorts by key and value and removes equal entries. (index_sort.c) */
void entries_sort(struct entries *entries);

struct run;

/* A run in memory that takes over the (sorted) entries, which are empty afterwards. NULL: no memory. */
struct run *run_of_entries(struct entries *entries);

/* Puts two runs in memory together and closes both. NULL: no memory, nothing happened. */
struct run *run_join(struct run *a, struct run *b);

#define INDEX_RUN_NAME_SIZE 32
/*
 * Opens the run file `name` below `directory`, of which the caller knows the number and the count of entries.
 * STATUS_ABSENT: no such file; STATUS_INVALID: it is not that run.
 */
enum status run_open(int directory, const char *name, uint64_t number, uint64_t count, struct run **ret_run,
                     struct error *err);
void run_close(struct run *run);

/* 0 for a run in memory. */
uint64_t run_number(const struct run *run);
uint64_t run_count(const struct run *run);

/* The file of that name below `directory` is this run's. */
bool run_is_same_file(const struct run *run, int directory, const char *name);

/* What was taken for damage is that a page could not be read. */
bool run_is_unreadable(const struct run *run);

/* Says what a status of the functions below means, and returns it. */
enum status run_error(enum status status, struct error *err);

/* Appends the values of all entries with this key, ascending. STATUS_INVALID: damage. STATUS_IO: no memory. */
enum status run_find(struct run *run, uint64_t key, struct entries *ret_matches);
/* keys[0..count) ascend. Appends {i, value} for every entry whose key is keys[i]. Statuses of run_find(). */
enum status run_lookup(struct run *run, const uint64_t *keys, size_t count, struct entries *ret_hits);

/* Reads a run from its least entry to its greatest. */
struct run_cursor {
    struct run *run;
    uint64_t at;    /* number of the entry that is next */
    uint64_t first; /* the entries in hand are first .. first + count */
    size_t count;
    const struct entry *entries;
    struct entry page[255];
};
void run_cursor_start(struct run_cursor *cursor, struct run *run);
/* False: at the end; or damage, or no memory, as *ret_status then tells. */
bool run_cursor_next(struct run_cursor *cursor, struct entry *ret_entry, enum status *ret_status);

/* Whether an entry is still of use; NULL keeps all. */
typedef bool run_keep(void *context, struct entry entry);

/*
 * Merges runs into the new run file `name` with this number. On failure the file is removed again. STATUS_INVALID: one
 * of the runs is damaged. *ret_run is open.
 */
enum status run_merge(int directory, const char *name, uint64_t number, struct run *const *runs, size_t count,
                      run_keep *keep, void *context, struct run **ret_run, struct error *err);

#endif
