/* page - how a run file looks, and what a run is in memory: for the files of this room alone. */
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

/* At the start of the file, which has a page of its own for it. */
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
    /* The file mapped, once that pays; every page was checked then. */
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

/* The entries of page `place`, checked, until another page is asked for: a copy that nobody changes; of a run in memory
 * the entries themselves. */
enum status run_page(struct run *run, uint64_t place, const struct entry **ret_entries);

#endif
