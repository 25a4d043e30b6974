/*
 * index - the derived index: where the events with an id, an entity, a source ... stand, and what is known of each
 * partition. It can always be rebuilt from the partitions, and nothing is lost with it.
 *
 * Model. Three tables of (key, position) entries, kept in sorted runs (runs/run.h), and a table of facts, one row a
 * partition. Below `store/index/`:
 *     manifest      the runs in use and the facts, in one checksummed file that is replaced atomically
 *     log-NUMBER    what was committed since the manifest: frames, each with a checksum that covers all before it
 *     ids-NUMBER refs-NUMBER repeats-NUMBER     runs, never changed
 *     lock          who commits holds it
 * A fact "known up to byte N" and the entries of those bytes are in the same frame or manifest, so a fact never
 * outlives its entries, with or without a power cut; nothing is synced. What another boot left without a sync of the
 * partition is forgotten when the index is opened (facts.synced).
 *
 * Use: open (the state on disk is loaded once), look up, stage entries and facts, commit. What is staged is seen by
 * this handle's look-ups at once, and by other processes after a commit. Without a writable directory everything stays
 * in memory. Look-ups return candidates: a hit is believed only after the partition itself confirmed it.
 *
 * STATUS_INVALID from any function means that the index is damaged: index_reset() it and read the partitions anew.
 */
#ifndef METASPN_FILES_INDEX_INDEX_H
#define METASPN_FILES_INDEX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "files/day.h"
#include "runs/run.h"

enum index_table {
    INDEX_IDS,     /* event_id_hash -> the line of the event */
    INDEX_REFS,    /* event_index_keys -> the line, or a block in which it stands */
    INDEX_REPEATS, /* partition number -> a line whose id may stand elsewhere too (suspect, not verdict) */
    INDEX_TABLES
};

/*
 * A position as an entry's value: partition number, generation and byte offset. Numbers ascend by day, then by kind.
 * A partition that was replaced is read anew in its next generation, and the entries of older ones are ignored.
 */
#define INDEX_OFFSET_BITS     38
#define INDEX_GENERATION_BITS 3
#define INDEX_OFFSET_LIMIT    (UINT64_C(1) << INDEX_OFFSET_BITS) /* events past it are found by reading */

static inline uint64_t index_value(uint32_t partition, unsigned generation, uint64_t offset)
{
    return ((uint64_t)partition << INDEX_GENERATION_BITS | (generation & ((1u << INDEX_GENERATION_BITS) - 1)))
               << INDEX_OFFSET_BITS |
           offset;
}
static inline uint32_t index_value_partition(uint64_t value)
{
    return (uint32_t)(value >> (INDEX_OFFSET_BITS + INDEX_GENERATION_BITS));
}
static inline unsigned index_value_generation(uint64_t value)
{
    return (unsigned)(value >> INDEX_OFFSET_BITS) & ((1u << INDEX_GENERATION_BITS) - 1);
}
static inline uint64_t index_value_offset(uint64_t value)
{
    return value & (INDEX_OFFSET_LIMIT - 1);
}

struct index;

/*
 * Opens `index/` below the store's directory. With `create` it is made where it is missing, and commits reach the disk;
 * without, nothing on disk is ever made or changed. Where it cannot be used (missing, damaged, no permission) the index
 * is empty and in memory; so it is where a plain file stands in the place of index/, or a directory in that of a file
 * of ours in it, which index_trouble() tells. STATUS_IO only where there is no memory, or a link or special file stands
 * in such a place (SPEC section 2).
 */
enum status index_open(int store, const char *store_label, bool create, struct index **ret_index, struct error *err);
/* An empty index in memory that knows no directory (--no-index). */
enum status index_open_memory(struct index **ret_index, struct error *err);
/* False: it was deleted or replaced, or its lock was, so that whoever opens it now has another one. */
bool index_is_same_folder(const struct index *index, int store);
/* Drops what is not committed. NULL is taken. */
void index_close(struct index *index);

/* Seed of all hashes in this index. */
uint64_t index_seed(const struct index *index);
/* True where commits may reach the disk. */
bool index_is_persistent(const struct index *index);
/* Why it was not loaded from disk, for a person; NULL where it was, or none was there. */
const char *index_trouble(const struct index *index);
/* What index_trouble(), or STATUS_INVALID from a look-up or index_verify(), tells of is a file that could not be read:
 * what stands in it is not known. */
bool index_is_unreadable(const struct index *index);

/* Forgets everything in memory, and makes the next commit replace what is on disk. */
void index_reset(struct index *index);

/* What was staged is incomplete, because a step between failed: none of it will be committed, and the next
 * index_lock() or index_reload() drops it. */
void index_abandon(struct index *index);

/* The facts of a partition; NULL: none. Valid until facts are put. */
const struct partition_facts *index_facts(const struct index *index, uint32_t partition);
/* All facts in ascending order of partition. */
const struct partition_facts *index_all_facts(const struct index *index, size_t *ret_count);
/* Stages the facts of a partition. */
enum status index_put_facts(struct index *index, const struct partition_facts *facts, struct error *err);

/* Stages one entry. It is found after the next index_merge(). */
enum status index_add(struct index *index, enum index_table table, struct entry entry, struct error *err);
/*
 * Secondary keys serve later commands: where nothing can be committed they are left out, which this notes, and then
 * INDEX_REFS does not tell all.
 */
void index_leave_out_refs(struct index *index);
bool index_has_all_refs(const struct index *index);
/* Entries staged and not merged. */
size_t index_unmerged(const struct index *index);

/*
 * Makes staged entries visible to look-ups, and calls `repeat` for every value whose key stands in INDEX_IDS more
 * than once where a staged entry takes part: for all values with that key but the least (stale ones left out). NULL:
 * the caller knows already. May write run files to disk that a later commit takes into use.
 */
typedef enum status index_repeat(void *context, uint64_t value, struct error *err);
enum status index_merge(struct index *index, index_repeat *repeat, void *context, struct error *err);

/* Appends the values with this key, of current generations only, ascending and each once, to *ret_matches (cleared
 * first). */
enum status index_find(struct index *index, enum index_table table, uint64_t key, struct entries *ret_matches,
                       struct error *err);
/* Looks up many ascending keys at once: *ret_hits (cleared first) gets {i, value} for every current value of keys[i],
 * ascending. */
enum status index_lookup(struct index *index, enum index_table table, const uint64_t *keys, size_t count,
                         struct entries *ret_hits, struct error *err);

/* Entries that stand only until the next refresh: events on a last line without newline. */
enum status index_add_volatile(struct index *index, struct entry entry, struct error *err);
void index_clear_volatile(struct index *index);
/* Those that stand, borrowed until the next one is added or all are cleared. */
const struct entry *index_volatile(const struct index *index, size_t *ret_count);

/*
 * Takes the commit lock and loads what others committed since (which drops what is staged, unless nothing was
 * committed). `timeout_ms` as in io_lock(). STATUS_ABSENT: not to be had. Without a directory: STATUS_OK, no lock.
 */
enum status index_lock(struct index *index, int timeout_ms, struct error *err);
void index_unlock(struct index *index);
/* The same without the lock: looks whether others committed, and loads that. */
enum status index_reload(struct index *index, struct error *err);

/*
 * Writes what is staged to disk, under the lock. Failure (no space, say) is no error of the store: the index then
 * stays in memory, index_is_persistent() turns false, and *err (may be NULL) says why. STATUS_ABSENT: the
 * lock is not held, nothing was written.
 */
enum status index_commit(struct index *index, struct error *err);

/* For readers: commits if the lock is free and nobody else committed since the last load; otherwise lets it be. */
void index_commit_if_alone(struct index *index);
/*
 * As index_commit(), and folds a log that has grown past what a fresh process likes to read (256 KiB) into runs: for
 * the end of a command that wrote much.
 */
enum status index_commit_folded(struct index *index, struct error *err);

/* Reads every page of every run. STATUS_INVALID: damage. */
enum status index_verify(struct index *index, struct error *err);

#endif
