#include "index_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index_page.h"
#include "io.h"
#include "mapping.h"

#define PROBES 6  /* interpolated guesses before plain halving */
#define DENSE  8  /* keys asked for per page from which on a run is mapped rather than read page by page */
#define AHEAD  16 /* keys whose entries are fetched in advance */

struct index_run {
    uint64_t number, count;
    uint64_t pages;
    struct index_entries memory; /* a run in memory */
    int fd;                      /* a run file; -1 */
    struct mapping mapping;      /* of the file, once it pays; every page was checked when it was mapped */
    const struct page *map;      /* what is mapped, or NULL */
    uint64_t *fence;             /* the first key of each page, as mapped */
    bool unreadable;             /* a page could not be read */
    uint64_t cached;             /* page in `cache`, or UINT64_MAX */
    struct page *cache;
};

bool index_entries_append(struct index_entries *entries, const struct index_entry *data, size_t count)
{
    if (count > entries->capacity - entries->count) {
        size_t capacity = entries->capacity + entries->capacity / 2;
        if (capacity < entries->count + count)
            capacity = entries->count + count;
        if (capacity < 16)
            capacity = 16;
        struct index_entry *grown = reallocarray(entries->data, capacity, sizeof *grown);
        if (!grown)
            return false;
        entries->data = grown;
        entries->capacity = capacity;
    }
    if (count > 0)
        memcpy(entries->data + entries->count, data, count * sizeof *data);
    entries->count += count;
    return true;
}

bool index_entries_add(struct index_entries *entries, struct index_entry entry)
{
    if (entries->count == entries->capacity)
        return index_entries_append(entries, &entry, 1);
    entries->data[entries->count++] = entry;
    return true;
}

void index_entries_release(struct index_entries *entries)
{
    free(entries->data);
    *entries = (struct index_entries){0};
}

struct index_run *index_run_of_entries(struct index_entries *entries)
{
    struct index_run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->fd = -1;
    run->count = entries->count;
    run->pages = (entries->count + PAGE_ENTRIES - 1) / PAGE_ENTRIES;
    run->memory = *entries;
    *entries = (struct index_entries){0};
    return run;
}

struct index_run *index_run_join(struct index_run *a, struct index_run *b)
{
    struct index_entries all = {0};
    struct index_run *run = NULL;
    if (index_entries_append(&all, a->memory.data, a->memory.count) &&
        index_entries_append(&all, b->memory.data, b->memory.count)) {
        index_entries_sort(&all);
        run = index_run_of_entries(&all);
    }
    index_entries_release(&all);
    if (run) {
        index_run_close(a);
        index_run_close(b);
    }
    return run;
}

static bool header_fits(const struct header *header, uint64_t number, uint64_t count)
{
    return header->magic == RUN_MAGIC && header->number == number && header->count == count &&
           header->checksum == header_checksum(header);
}

static enum status check_file(struct index_run *run, const char *name, struct error *err)
{
    struct header header;
    struct stat st;
    size_t n;
    enum status status = io_read_at(run->fd, &header, sizeof header, 0, name, &n, err);
    if (status != STATUS_OK)
        return status;
    if (n != sizeof header || !header_fits(&header, run->number, run->count) || fstat(run->fd, &st) != 0 ||
        (uint64_t)st.st_size != (run->pages + 1) * PAGE_SIZE)
        return error_set(err, STATUS_INVALID, "%s: is not the run it should be", name);
    return STATUS_OK;
}

enum status index_run_open(int directory, const char *name, uint64_t number, uint64_t count, struct index_run **ret_run,
                           struct error *err)
{
    struct index_run *run = calloc(1, sizeof *run);
    if (!run)
        return error_set_memory(err);
    *run = (struct index_run){.number = number, .count = count, .fd = -1, .cached = UINT64_MAX};
    run->pages = count / PAGE_ENTRIES + (count % PAGE_ENTRIES != 0);
    enum status status = io_open_below(directory, name, IO_READ, false, name, &run->fd, NULL, err);
    if (status == STATUS_OK)
        status = check_file(run, name, err);
    if (status != STATUS_OK) {
        index_run_close(run);
        return status;
    }
    *ret_run = run;
    return STATUS_OK;
}

static void unmap_run(struct index_run *run)
{
    mapping_close(&run->mapping);
    free(run->fence);
    run->map = NULL;
    run->fence = NULL;
}

void index_run_close(struct index_run *run)
{
    if (!run)
        return;
    unmap_run(run);
    if (run->fd >= 0)
        close(run->fd);
    index_entries_release(&run->memory);
    free(run->cache);
    free(run);
}

uint64_t index_run_number(const struct index_run *run)
{
    return run->number;
}

uint64_t index_run_count(const struct index_run *run)
{
    return run->count;
}

bool index_run_is_unreadable(const struct index_run *run)
{
    return run->unreadable;
}

static size_t entries_in_page(const struct index_run *run, uint64_t place)
{
    uint64_t rest = run->count - place * PAGE_ENTRIES;
    return rest < PAGE_ENTRIES ? (size_t)rest : PAGE_ENTRIES;
}

static bool page_is_good(const struct index_run *run, const struct page *page, uint64_t place)
{
    return page->number == run->number && page->checksum == page_checksum(page, place);
}

static enum status read_page(struct index_run *run, uint64_t place)
{
    size_t n;
    if (run->cached == place)
        return STATUS_OK;
    if (!run->cache && !(run->cache = malloc(sizeof *run->cache)))
        return STATUS_IO;
    run->cached = UINT64_MAX;
    if (run->map) { /* a copy, which nobody changes any more */
        *run->cache = run->map[place + 1];
    } else {
        run->unreadable =
            io_read_at(run->fd, run->cache, sizeof *run->cache, (place + 1) * PAGE_SIZE, "", &n, NULL) != STATUS_OK;
        if (run->unreadable || n != sizeof *run->cache)
            return STATUS_INVALID;
    }
    if (!page_is_good(run, run->cache, place))
        return STATUS_INVALID;
    run->cached = place;
    return STATUS_OK;
}

/* The entries of page `place`. STATUS_INVALID: damage. STATUS_IO: no memory. */
typedef enum status get_page(struct index_run *run, uint64_t place, const struct index_entry **ret_entries);

static enum status checked_page(struct index_run *run, uint64_t place, const struct index_entry **ret_entries)
{
    enum status status = run->fd >= 0 ? read_page(run, place) : STATUS_OK;
    if (status == STATUS_OK)
        *ret_entries = run->fd >= 0 ? run->cache->entries : run->memory.data + place * PAGE_ENTRIES;
    return status;
}

/* As good as believe() says afterwards. */
static enum status mapped_page(struct index_run *run, uint64_t place, const struct index_entry **ret_entries)
{
    *ret_entries = run->map[place + 1].entries;
    return STATUS_OK;
}

enum status index_run_error(enum status status, struct error *err)
{
    return status == STATUS_INVALID ? error_set(err, status, "the index is damaged")
           : status == STATUS_IO    ? error_set_memory(err)
                                    : status;
}

/* Checks every page of a mapped run and notes its first key. */
static enum status check_pages(struct index_run *run)
{
    for (uint64_t place = 0; place < run->pages; place++) {
        if (!page_is_good(run, &run->map[place + 1], place))
            return STATUS_INVALID;
        run->fence[place] = run->map[place + 1].entries[0].key;
    }
    return STATUS_OK;
}

/* Maps the file: many keys will be asked for. Where that cannot be had, everything works the same, page by page. */
static enum status map_run(struct index_run *run)
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
        unmap_run(run);
    return status;
}

/* After a look into a run: STATUS_INVALID where somebody has written to what is mapped, so that the look proves
 * nothing. */
static enum status believe(struct index_run *run, enum status status)
{
    if (status != STATUS_OK || mapping_is_intact(&run->mapping))
        return status;
    unmap_run(run);
    return STATUS_INVALID;
}

/* Where in [low, high] the key should be, if keys are spread evenly between the two given ones. */
static uint64_t guess(uint64_t key, uint64_t low, uint64_t high, uint64_t low_key, uint64_t high_key)
{
    if (key <= low_key || high_key <= low_key)
        return low;
    if (key >= high_key)
        return high;
    return low + (uint64_t)((double)(key - low_key) / (double)(high_key - low_key) * (double)(high - low));
}

/*
 * The first page whose last key is not less than `key`, from page `low` on; `pages` where there is none. All pages
 * before `low` end below the key, page `high` does not.
 */
static enum status find_page(struct index_run *run, uint64_t key, uint64_t low, uint64_t *ret_place)
{
    uint64_t high = run->pages, low_key = 0, high_key = UINT64_MAX;
    for (int probe = 0; low < high; probe++) {
        uint64_t middle = probe < PROBES ? guess(key, low, high - 1, low_key, high_key) : low + (high - low) / 2;
        const struct index_entry *entries;
        enum status status = checked_page(run, middle, &entries);
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

/* The first entry of a page with a key not less than `key`, from a guess on. */
static size_t settle(const struct index_entry *entries, size_t count, uint64_t key, size_t i)
{
    while (i > 0 && entries[i - 1].key >= key)
        i--;
    while (i < count && entries[i].key < key)
        i++;
    return i;
}

/* The same from where it would be if keys were spread evenly. */
static size_t lower_bound(const struct index_entry *entries, size_t count, uint64_t key)
{
    return settle(entries, count, key, (size_t)guess(key, 0, count - 1, entries[0].key, entries[count - 1].key));
}

enum status index_run_find(struct index_run *run, uint64_t key, struct index_entries *ret_matches)
{
    uint64_t place;
    enum status status = find_page(run, key, 0, &place);
    for (; status == STATUS_OK && place < run->pages; place++) {
        const struct index_entry *entries;
        status = checked_page(run, place, &entries);
        if (status != STATUS_OK)
            break;
        size_t count = entries_in_page(run, place), i = lower_bound(entries, count, key);
        for (; i < count && entries[i].key == key; i++)
            if (!index_entries_add(ret_matches, entries[i]))
                return STATUS_IO;
        if (i < count)
            break;
    }
    return status;
}

/* All entries with keys[k], from entry `i` of page `place` on; equal keys may run over several pages. */
static enum status add_hits(struct index_run *run, get_page *get, uint64_t place, size_t i, uint64_t key, size_t k,
                            struct index_entries *hits)
{
    for (; place < run->pages; place++, i = 0) {
        const struct index_entry *entries;
        enum status status = get(run, place, &entries);
        if (status != STATUS_OK)
            return status;
        size_t n = entries_in_page(run, place);
        for (; i < n && entries[i].key == key; i++)
            if (!index_entries_add(hits, (struct index_entry){k, entries[i].value}))
                return STATUS_IO;
        if (i < n)
            break;
    }
    return STATUS_OK;
}

/* The last page that begins below `key` (the first page where none does), by the fence. */
static uint64_t fence_place(const struct index_run *run, uint64_t key)
{
    uint64_t i = guess(key, 0, run->pages - 1, run->fence[0], run->fence[run->pages - 1]);
    while (i > 0 && run->fence[i] >= key)
        i--;
    while (i + 1 < run->pages && run->fence[i + 1] < key)
        i++;
    return i;
}

/* Where in a mapped run a key is expected to stand. */
struct expected {
    uint64_t place;
    size_t at;
};

static struct expected expect(const struct index_run *run, uint64_t key)
{
    uint64_t place = fence_place(run, key);
    uint64_t next_key = place + 1 < run->pages ? run->fence[place + 1] : UINT64_MAX;
    size_t last = entries_in_page(run, place) - 1;
    return (struct expected){place, (size_t)guess(key, 0, last, run->fence[place], next_key)};
}

/* A mapped run is larger than any cache: what the next keys need is fetched while this one is looked up. */
static enum status lookup_mapped(struct index_run *run, const uint64_t *keys, size_t count, struct index_entries *hits)
{
    struct expected ahead[AHEAD];
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count + AHEAD && status == STATUS_OK; k++) {
        struct expected *slot = &ahead[k % AHEAD];
        if (k >= AHEAD) {
            const struct index_entry *entries = run->map[slot->place + 1].entries;
            size_t i = settle(entries, entries_in_page(run, slot->place), keys[k - AHEAD], slot->at);
            status = add_hits(run, mapped_page, slot->place, i, keys[k - AHEAD], k - AHEAD, hits);
        }
        if (k < count) {
            *slot = expect(run, keys[k]);
            __builtin_prefetch(&run->map[slot->place + 1].entries[slot->at]);
        }
    }
    return status;
}

/* The first entry from `i` on with a key not less than `key`: mostly it is near. */
static size_t gallop(const struct index_entry *entries, size_t count, uint64_t key, size_t i)
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

static enum status lookup_in_memory(const struct index_entries *entries, const uint64_t *keys, size_t count,
                                    struct index_entries *hits)
{
    for (size_t k = 0, at = 0; k < count; k++) {
        at = gallop(entries->data, entries->count, keys[k], at);
        for (size_t i = at; i < entries->count && entries->data[i].key == keys[k]; i++)
            if (!index_entries_add(hits, (struct index_entry){k, entries->data[i].value}))
                return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status lookup_page_by_page(struct index_run *run, const uint64_t *keys, size_t count,
                                       struct index_entries *hits)
{
    uint64_t place = 0;
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++) {
        const struct index_entry *entries;
        status = checked_page(run, place, &entries);
        if (status == STATUS_OK && entries[entries_in_page(run, place) - 1].key < keys[k]) {
            status = find_page(run, keys[k], place, &place);
            if (status != STATUS_OK || place == run->pages)
                break;
            status = checked_page(run, place, &entries);
        }
        if (status == STATUS_OK)
            status = add_hits(run, checked_page, place, lower_bound(entries, entries_in_page(run, place), keys[k]),
                              keys[k], k, hits);
    }
    return status;
}

enum status index_run_lookup(struct index_run *run, const uint64_t *keys, size_t count, struct index_entries *ret_hits)
{
    if (run->pages == 0)
        return STATUS_OK;
    if (run->fd < 0)
        return lookup_in_memory(&run->memory, keys, count, ret_hits);
    enum status status = count / DENSE >= run->pages / 64 ? map_run(run) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (!run->map)
        return lookup_page_by_page(run, keys, count, ret_hits);
    return believe(run, lookup_mapped(run, keys, count, ret_hits));
}

void index_cursor_start(struct index_cursor *cursor, struct index_run *run)
{
    cursor->run = run;
    cursor->at = cursor->first = 0;
    cursor->count = 0;
    cursor->entries = NULL;
}

/* The entries that are next. */
static enum status fill_cursor(struct index_cursor *cursor)
{
    struct index_run *run = cursor->run;
    uint64_t place = cursor->at / PAGE_ENTRIES;
    const struct index_entry *entries;
    enum status status = checked_page(run, place, &entries);
    if (status != STATUS_OK)
        return status;
    cursor->first = place * PAGE_ENTRIES;
    cursor->count = entries_in_page(run, place);
    cursor->entries = run->fd < 0 ? entries : memcpy(cursor->page, entries, cursor->count * sizeof *entries);
    return STATUS_OK;
}

bool index_cursor_next(struct index_cursor *cursor, struct index_entry *ret_entry, enum status *ret_status)
{
    if (cursor->at >= cursor->run->count)
        return false;
    if (cursor->at >= cursor->first + cursor->count) {
        *ret_status = fill_cursor(cursor);
        if (*ret_status != STATUS_OK)
            return false;
    }
    *ret_entry = cursor->entries[cursor->at++ - cursor->first];
    return true;
}
