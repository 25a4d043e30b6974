/*
 * index_page - how a run file looks (a page with the header, then pages of entries) and what a run is in memory. Shared
 * by run.c, which opens and reads, lookup.c, which looks many keys up at once, and merge.c, which
 * writes; nobody else includes it.
 */
#ifndef METASPN_RUNS_PAGE_H
#define METASPN_RUNS_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/mapping.h"
#include "runs/run.h"

#define PAGE_SIZE    4096
#define PAGE_ENTRIES 255
#define RUN_MAGIC    UINT64_C(0x314e55524e50534d) /* "MSPNRUN1" */

struct page {
    struct entry entries[PAGE_ENTRIES];
    uint64_t number; /* of the run */
    uint64_t checksum;
};

struct header {
    uint64_t magic, number, count, checksum;
};

static inline uint64_t header_checksum(const struct header *header)
{
    return hash_bytes(header, offsetof(struct header, checksum), RUN_MAGIC);
}

static inline uint64_t page_checksum(const struct page *page, uint64_t place)
{
    return hash_bytes(page, offsetof(struct page, checksum), place);
}

struct run {
    uint64_t number, count;
    uint64_t pages;
    struct entries memory; /* a run in memory */
    int fd;                /* a run file; -1 */
    bool unreadable;       /* a page could not be read */
    uint64_t cached;       /* page in `cache`, or UINT64_MAX */
    struct page *cache;
    /* index_lookup.c's: the file mapped, once that pays; every page was checked then */
    uint64_t asked; /* keys looked up so far */
    struct mapping mapping;
    const struct page *map; /* what is mapped, or NULL */
    uint64_t *fence;        /* the first key of each page, as mapped */
    uint64_t *filter;       /* bit `key >> filter_shift` is set for every key as mapped; NULL: there is none */
    unsigned filter_shift;
};

static inline size_t entries_in_page(const struct run *run, uint64_t place)
{
    uint64_t rest = run->count - place * PAGE_ENTRIES;
    return rest < PAGE_ENTRIES ? (size_t)rest : PAGE_ENTRIES;
}

static inline bool page_is_good(const struct run *run, const struct page *page, uint64_t place)
{
    return page->number == run->number && page->checksum == page_checksum(page, place);
}

/* Where in [low, high] the key should be, if keys are spread evenly between the two given ones. */
static inline uint64_t guess(uint64_t key, uint64_t low, uint64_t high, uint64_t low_key, uint64_t high_key)
{
    if (key <= low_key || high_key <= low_key)
        return low;
    if (key >= high_key)
        return high;
    return low + (uint64_t)((double)(key - low_key) / (double)(high_key - low_key) * (double)(high - low));
}

/* The first entry of a page with a key not less than `key`, from a guess on. */
static inline size_t settle(const struct entry *entries, size_t count, uint64_t key, size_t i)
{
    while (i > 0 && entries[i - 1].key >= key)
        i--;
    while (i < count && entries[i].key < key)
        i++;
    return i;
}

/* The same from where it would be if keys were spread evenly. */
static inline size_t lower_bound(const struct entry *entries, size_t count, uint64_t key)
{
    return settle(entries, count, key, (size_t)guess(key, 0, count - 1, entries[0].key, entries[count - 1].key));
}

/* The entries of page `place`, which are good: a copy of the last page asked for, which nobody changes any more; of a
 * run in memory the entries themselves. STATUS_INVALID: damage. STATUS_IO: no memory. */
enum status run_page(struct run *run, uint64_t place, const struct entry **ret_entries);
/* The first page whose last key is not less than `key`, from page `low` on; `pages` where there is none. Statuses of
 * run_page(). */
enum status run_find_page(struct run *run, uint64_t key, uint64_t low, uint64_t *ret_place);
/* Gives up what is mapped, if anything is. (index_lookup.c) */
void run_unmap(struct run *run);

#endif
