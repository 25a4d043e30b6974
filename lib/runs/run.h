/*
 * index_run - sorted, immutable runs of 16-byte entries: what the derived index is made of.
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

struct index_entry {
    uint64_t key, value;
};

/* A growing array of entries in memory. Zero-initialised: empty. */
struct index_entries {
    struct index_entry *data; /* owned */
    size_t count, capacity;
};
bool index_entries_add(struct index_entries *entries, struct index_entry entry);
bool index_entries_append(struct index_entries *entries, const struct index_entry *data, size_t count);
void index_entries_release(struct index_entries *entries);
/* Sorts by key and value and removes equal entries. (index_sort.c) */
void index_entries_sort(struct index_entries *entries);

struct index_run;

/* A run in memory that takes over the (sorted) entries, which are empty afterwards. NULL: no memory. */
struct index_run *index_run_of_entries(struct index_entries *entries);

/* Puts two runs in memory together and closes both. NULL: no memory, nothing happened. */
struct index_run *index_run_join(struct index_run *a, struct index_run *b);

#define INDEX_RUN_NAME_SIZE 32
/*
 * Opens the run file `name` below `directory`, of which the caller knows the number and the count of entries.
 * STATUS_ABSENT: no such file; STATUS_INVALID: it is not that run.
 */
enum status index_run_open(int directory, const char *name, uint64_t number, uint64_t count, struct index_run **ret_run,
                           struct error *err);
void index_run_close(struct index_run *run);

/* 0 for a run in memory. */
uint64_t index_run_number(const struct index_run *run);
uint64_t index_run_count(const struct index_run *run);

/* The file of that name below `directory` is this run's. */
bool index_run_is_same_file(const struct index_run *run, int directory, const char *name);

/* What was taken for damage is that a page could not be read. */
bool index_run_is_unreadable(const struct index_run *run);

/* Says what a status of the functions below means, and returns it. */
enum status index_run_error(enum status status, struct error *err);

/* Appends the values of all entries with this key, ascending. STATUS_INVALID: damage. STATUS_IO: no memory. */
enum status index_run_find(struct index_run *run, uint64_t key, struct index_entries *ret_matches);
/* keys[0..count) ascend. Appends {i, value} for every entry whose key is keys[i]. Statuses of index_run_find(). */
enum status index_run_lookup(struct index_run *run, const uint64_t *keys, size_t count, struct index_entries *ret_hits);

/* Reads a run from its least entry to its greatest. */
struct index_cursor {
    struct index_run *run;
    uint64_t at;    /* number of the entry that is next */
    uint64_t first; /* the entries in hand are first .. first + count */
    size_t count;
    const struct index_entry *entries;
    struct index_entry page[255];
};
void index_cursor_start(struct index_cursor *cursor, struct index_run *run);
/* False: at the end; or damage, or no memory, as *ret_status then tells. */
bool index_cursor_next(struct index_cursor *cursor, struct index_entry *ret_entry, enum status *ret_status);

/* Whether an entry is still of use; NULL keeps all. */
typedef bool index_keep(void *context, struct index_entry entry);

/*
 * Merges runs into the new run file `name` with this number. On failure the file is removed again. STATUS_INVALID: one
 * of the runs is damaged. *ret_run is open.
 */
enum status index_run_merge(int directory, const char *name, uint64_t number, struct index_run *const *runs,
                            size_t count, index_keep *keep, void *context, struct index_run **ret_run,
                            struct error *err);

#endif
