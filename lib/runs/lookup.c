#include <stdlib.h>

#include "runs/page.h"

#define PROBES      6  /* interpolated guesses before plain halving */
#define PAGES_A_KEY 8  /* a run is mapped when one key for so many pages was asked for */
#define AHEAD       16 /* keys whose entries are fetched in advance */
/* What a run may take of memory, so that all of them take little however large the store. */
#define MAP_PAGES   ((uint64_t)1 << 18) /* at most: 64 M entries, a fence of 2 MiB */
#define FILTER_MOST ((uint64_t)1 << 24) /* bits: 2 MiB */
#define FILTER_RICH 16                  /* bits for each entry that are enough */
#define FILTER_POOR 2                   /* and that tell too little */

/* Where in [low, high] the key should be, if keys are spread evenly between the two given ones. */
static uint64_t guess(uint64_t key, uint64_t low, uint64_t high, uint64_t low_key, uint64_t high_key)
{
    if (key <= low_key || high_key <= low_key)
        return low;
    if (key >= high_key)
        return high;
    return low + (uint64_t)((double)(key - low_key) / (double)(high_key - low_key) * (double)(high - low));
}

/* The first entry of a page with a key not less than `key`, from a guess on. */
static size_t first_from(const struct entry *entries, size_t count, uint64_t key, size_t i)
{
    while (i > 0 && entries[i - 1].key >= key)
        i--;
    while (i < count && entries[i].key < key)
        i++;
    return i;
}

/* Adds all entries with this key as {k, value}, from entry `i` of page `place` on; they may run over several pages. */
static enum status add_hits(struct run *run, uint64_t place, size_t i, uint64_t key, size_t k, struct entries *hits)
{
    for (; place < run->pages; place++, i = 0) {
        const struct entry *entries;
        enum status status = STATUS_OK;
        if (run->map)
            entries = run->map[place + 1].entries;
        else
            status = run_page(run, place, &entries);
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

/* ---- in memory */

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

/* ---- page by page */

/* The first page whose last key is not less than `key`, from page `low` on; `pages` where there is none. */
static enum status find_page(struct run *run, uint64_t key, uint64_t low, uint64_t *ret_place)
{
    uint64_t high = run->pages, low_key = 0, high_key = UINT64_MAX;
    for (int probe = 0; low < high; probe++) { /* pages before `low` end below the key, page `high` does not */
        uint64_t middle = probe < PROBES ? guess(key, low, high - 1, low_key, high_key) : low + (high - low) / 2;
        const struct entry *entries;
        enum status status = run_page(run, middle, &entries);
        if (status != STATUS_OK)
            return status;
        uint64_t first = entries[0].key, last = entries[entries_in_page(run, middle) - 1].key;
        if (last < key) {
            low = middle + 1;
            low_key = last;
        } else if (first < key) {
            low = high = middle;
        } else {
            high = middle;
            high_key = first;
        }
    }
    *ret_place = low;
    return STATUS_OK;
}

static enum status lookup_page_by_page(struct run *run, const uint64_t *keys, size_t count, struct entries *hits)
{
    uint64_t place = 0;
    for (size_t k = 0; k < count; k++) {
        const struct entry *entries;
        enum status status = find_page(run, keys[k], place, &place);
        if (status != STATUS_OK || place == run->pages)
            return status;
        status = run_page(run, place, &entries);
        if (status != STATUS_OK)
            return status;
        size_t n = entries_in_page(run, place);
        size_t i = (size_t)guess(keys[k], 0, n - 1, entries[0].key, entries[n - 1].key);
        status = add_hits(run, place, first_from(entries, n, keys[k], i), keys[k], k, hits);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* ---- mapped: a run that is larger than any cache */

static void unmap(struct run *run)
{
    mapping_close(&run->mapping);
    free(run->fence);
    free(run->filter);
    run->map = NULL;
    run->fence = run->filter = NULL;
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

/* Maps the file, checks every page and notes its keys. Where the file cannot be mapped, nothing happens. */
static enum status map_run(struct run *run)
{
    uint64_t *fence = reallocarray(NULL, run->pages + 1, sizeof *fence);
    if (!fence || !mapping_open(&run->mapping, run->fd, (run->pages + 1) * PAGE_SIZE)) {
        free(fence);
        return STATUS_OK;
    }
    run->map = run->mapping.data;
    run->fence = fence;
    make_filter(run);
    for (uint64_t place = 0; place < run->pages; place++) {
        const struct page *page = &run->map[place + 1];
        if (!page_is_good(run, page, place)) {
            unmap(run);
            return STATUS_INVALID;
        }
        fence[place] = page->entries[0].key;
        for (size_t i = 0; run->filter && i < entries_in_page(run, place); i++) {
            uint64_t bit = page->entries[i].key >> run->filter_shift;
            run->filter[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    }
    return STATUS_OK;
}

/* Where in a mapped run keys[k] is expected to be. */
struct expected {
    size_t k;
    uint64_t place;
    size_t at;
};

static struct expected expect(const struct run *run, const uint64_t *keys, size_t k)
{
    /* the last page that begins below the key, or the first one */
    const uint64_t *fence = run->fence, key = keys[k];
    uint64_t place = guess(key, 0, run->pages - 1, fence[0], fence[run->pages - 1]);
    while (place > 0 && fence[place] >= key)
        place--;
    while (place + 1 < run->pages && fence[place + 1] < key)
        place++;
    uint64_t next_key = place + 1 < run->pages ? fence[place + 1] : UINT64_MAX;
    size_t at = (size_t)guess(key, 0, entries_in_page(run, place) - 1, fence[place], next_key);
    __builtin_prefetch(&run->map[place + 1].entries[at]);
    return (struct expected){k, place, at};
}

static enum status add_expected(struct run *run, const struct expected *expected, const uint64_t *keys,
                                struct entries *hits)
{
    uint64_t key = keys[expected->k];
    const struct entry *entries = run->map[expected->place + 1].entries;
    size_t i = first_from(entries, entries_in_page(run, expected->place), key, expected->at);
    return add_hits(run, expected->place, i, key, expected->k, hits);
}

/* The filter tells of most keys that the run does not hold them. What the others need is fetched while those before are
 * looked for. */
static enum status lookup_mapped(struct run *run, const uint64_t *keys, size_t count, struct entries *hits)
{
    struct expected ahead[AHEAD];
    size_t begun = 0, done = 0;
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++) {
        uint64_t bit = keys[k] >> run->filter_shift;
        if (run->filter && !(run->filter[bit / 64] >> bit % 64 & 1))
            continue;
        if (begun - done == AHEAD)
            status = add_expected(run, &ahead[done++ % AHEAD], keys, hits);
        ahead[begun++ % AHEAD] = expect(run, keys, k);
    }
    for (; done < begun && status == STATUS_OK; done++)
        status = add_expected(run, &ahead[done % AHEAD], keys, hits);
    return status;
}

enum status run_lookup(struct run *run, const uint64_t *keys, size_t count, struct entries *ret_hits)
{
    if (run->pages == 0)
        return STATUS_OK;
    if (run->fd < 0)
        return lookup_in_memory(&run->memory, keys, count, ret_hits);
    run->asked += count;
    bool pays = run->asked > 1 && run->asked >= run->pages / PAGES_A_KEY && run->pages <= MAP_PAGES;
    enum status status = pays && !run->map ? map_run(run) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (!run->map)
        return lookup_page_by_page(run, keys, count, ret_hits);
    status = lookup_mapped(run, keys, count, ret_hits);
    if (status == STATUS_OK && run->mapping.torn) { /* the file was cut: the look-up proves nothing */
        unmap(run);
        return STATUS_INVALID;
    }
    return status;
}
