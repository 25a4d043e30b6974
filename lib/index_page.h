/*
 * index_page - how a run file looks: a page with the header, then pages of entries. Shared by index_run.c, which reads,
 * and index_merge.c, which writes; nobody else includes it.
 */
#ifndef METASPN_INDEX_PAGE_H
#define METASPN_INDEX_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "hash.h"
#include "index_run.h"

#define PAGE_SIZE    4096
#define PAGE_ENTRIES 255
#define RUN_MAGIC    UINT64_C(0x314e55524e50534d) /* "MSPNRUN1" */

struct page {
    struct index_entry entries[PAGE_ENTRIES];
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

#endif
