#include <stdlib.h>

#include "runs/page.h"

#define PAGES_A_KEY 8  /* a run is mapped when one key for so many pages was asked for */
#define AHEAD       16 /* keys whose entries are fetched in advance */
/* What a run may take of memory, so that all of them take little however large the store. */
#define MAP_PAGES   ((uint64_t)1 << 18) /* at most: 64 M entries, a fence of 2 MiB */
#define FILTER_MOST ((uint64_t)1 << 24) /* bits: 2 MiB */
#define FILTER_RICH 16                  /* bits for each entry that are enough */
#define FILTER_POOR 2                   /* and that tell too little */

void run_unmap(struct run *run)
{
    mapping_close(&run->mapping);
    free(run->fence);
    free(run->filter);
    run->map = NULL;
    run->fence = run->filter = NULL;
}

/* The entries of page `place`. STATUS_INVALID: damage. STATUS_IO: no memory. */
typedef enum status get_page(struct run *run, uint64_t place, const struct entry **ret_entries);

/* As good as believe() says afterwards. */
static enum status mapped_page(struct run *run, uint64_t place, const struct entry **ret_entries)
{
    *ret_entries = run->map[place + 1].entries;
    return STATUS_OK;
}

/* Without memory, or for a large run, there is none: then every key is looked for. */
static void make_filter(struct run *run)
{
    uint64_t bits = 64;
    run->filter_shift = 64 - 6;
    for (; bits < FILTER_MOST && bits * 2 <= run->count * FILTER_RICH; bits *= 2)
        run->filter_shift--;
    if (bits / FILTER_POOR >= run->count)
        run->filter = calloc(bits / 64, sizeof *run->filter);
}

static void note_keys(struct run *run, const struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count && run->filter; i++) {
        uint64_t bit = entries[i].key >> run->filter_shift;
        run->filter[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

/* False: the run does not hold the key. */
static bool may_hold(const struct run *run, uint64_t key)
{
    uint64_t bit = key >> run->filter_shift;
    return !run->filter || (run->filter[bit / 64] >> bit % 64 & 1);
}

/* Checks every page of a mapped run and notes its keys. */
static enum status check_pages(struct run *run)
{
    make_filter(run);
    for (uint64_t place = 0; place < run->pages; place++) {
        const struct page *page = &run->map[place + 1];
        if (!page_is_good(run, page, place))
            return STATUS_INVALID;
        run->fence[place] = page->entries[0].key;
        note_keys(run, page->entries, entries_in_page(run, place));
    }
    return STATUS_OK;
}

/* Maps the file: many keys will be asked for. Where that cannot be had, everything works the same, page by page. */
static enum status map_run(struct run *run)
{
    if (run->map || run->fd < 0)
        return STATUS_OK;
    uint64_t *fence = reallocarray(NULL, run->pages + 1, sizeof *fence);
    if (!fence || !mapping_open(&run->mapping, run->fd, (run->pages + 1) * PAGE_SIZE)) {
        free(fence);
        return STATUS_OK;
    }
    run->map = run->mapping.data;
    run->fence = fence;
    enum status status = check_pages(run);
    if (status != STATUS_OK)
        run_unmap(run);
    return status;
}

/* After a look into a run: STATUS_INVALID where somebody has written to what is mapped, so that the look proves
 * nothing. */
static enum status believe(struct run *run, enum status status)
{
    if (status != STATUS_OK || mapping_is_intact(&run->mapping))
        return status;
    run_unmap(run);
    return STATUS_INVALID;
}

/* All entries with keys[k], from entry `i` of page `place` on; equal keys may run over several pages. */
static enum status add_hits(struct run *run, get_page *get, uint64_t place, size_t i, uint64_t key, size_t k,
                            struct entries *hits)
{
    for (; place < run->pages; place++, i = 0) {
        const struct entry *entries;
        enum status status = get(run, place, &entries);
        if (status != STATUS_OK)
            return status;
        size_t n = entries_in_page(run, place);
        for (; i < n && entries[i].key == key; i++)
            if (!entries_add(hits, (struct entry){k, entries[i].value}))
                return STATUS_IO;
        if (i < n)
            break;
    }
    return STATUS_OK;
}

/* The last page that begins below `key` (the first page where none does), by the fence. */
static uint64_t fence_place(const struct run *run, uint64_t key)
{
    uint64_t i = guess(key, 0, run->pages - 1, run->fence[0], run->fence[run->pages - 1]);
    while (i > 0 && run->fence[i] >= key)
        i--;
    while (i + 1 < run->pages && run->fence[i + 1] < key)
        i++;
    return i;
}

/* Where in a mapped run keys[k] is expected to stand. */
struct expected {
    size_t k;
    uint64_t place;
    size_t at;
};

static struct expected expect(const struct run *run, const uint64_t *keys, size_t k)
{
    uint64_t place = fence_place(run, keys[k]);
    uint64_t next_key = place + 1 < run->pages ? run->fence[place + 1] : UINT64_MAX;
    size_t last = entries_in_page(run, place) - 1;
    size_t at = (size_t)guess(keys[k], 0, last, run->fence[place], next_key);
    __builtin_prefetch(&run->map[place + 1].entries[at]);
    return (struct expected){k, place, at};
}

static enum status add_expected(struct run *run, const struct expected *expected, const uint64_t *keys,
                                struct entries *hits)
{
    uint64_t key = keys[expected->k];
    const struct entry *entries = run->map[expected->place + 1].entries;
    size_t i = settle(entries, entries_in_page(run, expected->place), key, expected->at);
    return add_hits(run, mapped_page, expected->place, i, key, expected->k, hits);
}

/* A mapped run is larger than any cache: of most keys that it does not hold the filter tells; what the others need is
 * fetched while those before are looked for. */
static enum status lookup_mapped(struct run *run, const uint64_t *keys, size_t count, struct entries *hits)
{
    struct expected ahead[AHEAD];
    size_t begun = 0, done = 0;
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++) {
        if (!may_hold(run, keys[k]))
            continue;
        if (begun - done == AHEAD)
            status = add_expected(run, &ahead[done++ % AHEAD], keys, hits);
        ahead[begun++ % AHEAD] = expect(run, keys, k);
    }
    for (; done < begun && status == STATUS_OK; done++)
        status = add_expected(run, &ahead[done % AHEAD], keys, hits);
    return status;
}

/* The first entry from `i` on with a key not less than `key`: mostly it is near. */
static size_t gallop(const struct entry *entries, size_t count, uint64_t key, size_t i)
{
    size_t step = 1;
    while (step <= count - i && entries[i + step - 1].key < key) {
        i += step;
        step *= 2;
    }
    for (size_t end = step <= count - i ? i + step - 1 : count; i < end;) {
        size_t middle = i + (end - i) / 2;
        if (entries[middle].key < key)
            i = middle + 1;
        else
            end = middle;
    }
    return i;
}

static enum status lookup_in_memory(const struct entries *entries, const uint64_t *keys, size_t count,
                                    struct entries *hits)
{
    for (size_t k = 0, at = 0; k < count; k++) {
        at = gallop(entries->data, entries->count, keys[k], at);
        for (size_t i = at; i < entries->count && entries->data[i].key == keys[k]; i++)
            if (!entries_add(hits, (struct entry){k, entries->data[i].value}))
                return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status lookup_page_by_page(struct run *run, const uint64_t *keys, size_t count, struct entries *hits)
{
    uint64_t place = 0;
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++) {
        const struct entry *entries;
        status = run_page(run, place, &entries);
        if (status == STATUS_OK && entries[entries_in_page(run, place) - 1].key < keys[k]) {
            status = run_find_page(run, keys[k], place, &place);
            if (status != STATUS_OK || place == run->pages)
                break;
            status = run_page(run, place, &entries);
        }
        if (status == STATUS_OK)
            status = add_hits(run, run_page, place, lower_bound(entries, entries_in_page(run, place), keys[k]), keys[k],
                              k, hits);
    }
    return status;
}

enum status run_lookup(struct run *run, const uint64_t *keys, size_t count, struct entries *ret_hits)
{
    if (run->pages == 0)
        return STATUS_OK;
    if (run->fd < 0)
        return lookup_in_memory(&run->memory, keys, count, ret_hits);
    run->asked += count;
    bool pays = run->asked >= run->pages / PAGES_A_KEY && run->pages <= MAP_PAGES;
    enum status status = pays ? map_run(run) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (!run->map)
        return lookup_page_by_page(run, keys, count, ret_hits);
    return believe(run, lookup_mapped(run, keys, count, ret_hits));
}
