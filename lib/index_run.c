#include "index_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hash.h"
#include "io.h"

#define PAGE_SIZE    4096
#define PAGE_ENTRIES 255
#define RUN_MAGIC    UINT64_C(0x314e55524e50534d) /* "MSPNRUN1" */
#define PROBES       6                            /* interpolated guesses before plain halving */
#define DENSE        8 /* keys asked for per page from which on a run is mapped rather than read page by page */
#define WRITE_PAGES  64

struct page {
    struct index_entry entries[PAGE_ENTRIES];
    uint64_t number; /* of the run */
    uint64_t checksum;
};

struct header {
    uint64_t magic, number, count, checksum;
};

struct index_run {
    uint64_t number, count;
    uint64_t pages;
    struct index_entries memory; /* a run in memory */
    int fd;                      /* a run file; -1 */
    const struct page *map;      /* NULL until it pays */
    uint64_t *verified;          /* one bit a page: its checksum fitted, as mapped */
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

static uint64_t header_checksum(const struct header *header)
{
    return hash_bytes(header, offsetof(struct header, checksum), RUN_MAGIC);
}

static uint64_t page_checksum(const struct page *page, uint64_t place)
{
    return hash_bytes(page, offsetof(struct page, checksum), place);
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

void index_run_close(struct index_run *run)
{
    if (!run)
        return;
    if (run->map)
        munmap((void *)(uintptr_t)run->map, (run->pages + 1) * PAGE_SIZE);
    if (run->fd >= 0)
        close(run->fd);
    index_entries_release(&run->memory);
    free(run->verified);
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

static size_t entries_in_page(const struct index_run *run, uint64_t place)
{
    uint64_t rest = run->count - place * PAGE_ENTRIES;
    return rest < PAGE_ENTRIES ? (size_t)rest : PAGE_ENTRIES;
}

static bool page_is_good(const struct index_run *run, const struct page *page, uint64_t place)
{
    return page->number == run->number && page->checksum == page_checksum(page, place);
}

static const struct index_entry *mapped_page(struct index_run *run, uint64_t place)
{
    const struct page *page = run->map + place + 1;
    uint64_t bit = UINT64_C(1) << (place % 64);
    if (!(run->verified[place / 64] & bit)) {
        if (!page_is_good(run, page, place))
            return NULL;
        run->verified[place / 64] |= bit;
    }
    return page->entries;
}

/* The entries of page `place`, checked; NULL: damage (or no memory, which ends the same: the index is left alone). */
static const struct index_entry *get_page(struct index_run *run, uint64_t place)
{
    if (run->fd < 0)
        return run->memory.data + place * PAGE_ENTRIES;
    if (run->map)
        return mapped_page(run, place);
    if (run->cached == place)
        return run->cache->entries;
    if (!run->cache && !(run->cache = malloc(sizeof *run->cache)))
        return NULL;
    size_t n;
    run->cached = UINT64_MAX;
    if (io_read_at(run->fd, run->cache, sizeof *run->cache, (place + 1) * PAGE_SIZE, "", &n, NULL) != STATUS_OK ||
        n != sizeof *run->cache || !page_is_good(run, run->cache, place))
        return NULL;
    run->cached = place;
    return run->cache->entries;
}

/* Maps the file: many keys will be asked for. Without it everything works the same, page by page. */
static void map_run(struct index_run *run)
{
    struct stat st;
    if (run->map || run->fd < 0 || fstat(run->fd, &st) != 0 || (uint64_t)st.st_size != (run->pages + 1) * PAGE_SIZE)
        return;
    uint64_t *verified = calloc(run->pages / 64 + 1, sizeof *verified);
    if (!verified)
        return;
    void *map = mmap(NULL, (run->pages + 1) * PAGE_SIZE, PROT_READ, MAP_SHARED, run->fd, 0);
    if (map == MAP_FAILED) {
        free(verified);
        return;
    }
    run->map = map;
    run->verified = verified;
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
        const struct index_entry *entries = get_page(run, middle);
        if (!entries)
            return STATUS_INVALID;
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

/* The first entry of a page with a key not less than `key`: near where it would be if keys were spread evenly. */
static size_t lower_bound(const struct index_entry *entries, size_t count, uint64_t key)
{
    size_t i = (size_t)guess(key, 0, count - 1, entries[0].key, entries[count - 1].key);
    while (i > 0 && entries[i - 1].key >= key)
        i--;
    while (i < count && entries[i].key < key)
        i++;
    return i;
}

enum status index_run_find(struct index_run *run, uint64_t key, struct index_entries *ret_matches)
{
    uint64_t place;
    enum status status = find_page(run, key, 0, &place);
    for (; status == STATUS_OK && place < run->pages; place++) {
        const struct index_entry *entries = get_page(run, place);
        if (!entries)
            return STATUS_INVALID;
        size_t count = entries_in_page(run, place), i = lower_bound(entries, count, key);
        for (; i < count && entries[i].key == key; i++)
            if (!index_entries_add(ret_matches, entries[i]))
                return STATUS_IO;
        if (i < count)
            break;
    }
    return status;
}

/* All entries with keys[k], from page `place` on; equal keys may run over several pages. */
static enum status add_hits(struct index_run *run, uint64_t place, uint64_t key, size_t k, struct index_entries *hits)
{
    for (; place < run->pages; place++) {
        const struct index_entry *entries = get_page(run, place);
        if (!entries)
            return STATUS_INVALID;
        size_t n = entries_in_page(run, place), i = lower_bound(entries, n, key);
        for (; i < n && entries[i].key == key; i++)
            if (!index_entries_add(hits, (struct index_entry){k, entries[i].value}))
                return STATUS_IO;
        if (i < n)
            break;
    }
    return STATUS_OK;
}

enum status index_run_lookup(struct index_run *run, const uint64_t *keys, size_t count, struct index_entries *ret_hits)
{
    if (count / DENSE >= run->pages / 64)
        map_run(run);
    uint64_t place = 0;
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++) {
        const struct index_entry *entries = place < run->pages ? get_page(run, place) : NULL;
        if (!entries || entries[entries_in_page(run, place) - 1].key < keys[k]) {
            status = find_page(run, keys[k], place, &place);
            if (status != STATUS_OK || place == run->pages)
                break;
        }
        status = add_hits(run, place, keys[k], k, ret_hits);
    }
    return status;
}

void index_cursor_start(struct index_cursor *cursor, struct index_run *run)
{
    cursor->run = run;
    cursor->at = cursor->first = 0;
    cursor->count = 0;
    cursor->entries = NULL;
}

bool index_cursor_next(struct index_cursor *cursor, struct index_entry *ret_entry, enum status *ret_status)
{
    struct index_run *run = cursor->run;
    if (cursor->at >= run->count)
        return false;
    if (cursor->at >= cursor->first + cursor->count) {
        uint64_t place = cursor->at / PAGE_ENTRIES;
        const struct index_entry *entries = get_page(run, place);
        if (!entries) {
            *ret_status = STATUS_INVALID;
            return false;
        }
        cursor->first = place * PAGE_ENTRIES;
        cursor->count = entries_in_page(run, place);
        cursor->entries = entries;
        if (run->fd >= 0 && !run->map) {
            memcpy(cursor->page, entries, cursor->count * sizeof *entries);
            cursor->entries = cursor->page;
        }
    }
    *ret_entry = cursor->entries[cursor->at++ - cursor->first];
    return true;
}

/* Writes pages in blocks; the header comes last, so an unfinished file is no run. */
struct writer {
    int fd;
    const char *name;
    uint64_t number, count, place;
    size_t filled; /* entries in the page at hand */
    size_t ready;  /* full pages in the block */
    struct page block[WRITE_PAGES];
};

static enum status write_pages(struct writer *writer, struct error *err)
{
    if (writer->ready == 0)
        return STATUS_OK;
    uint64_t offset = (writer->place - writer->ready + 1) * PAGE_SIZE;
    size_t length = writer->ready * PAGE_SIZE;
    writer->ready = 0;
    return io_write_at(writer->fd, writer->block, length, offset, writer->name, err);
}

static enum status finish_page(struct writer *writer, struct error *err)
{
    struct page *page = &writer->block[writer->ready++];
    memset(page->entries + writer->filled, 0, (PAGE_ENTRIES - writer->filled) * sizeof page->entries[0]);
    page->number = writer->number;
    page->checksum = page_checksum(page, writer->place++);
    writer->filled = 0;
    return writer->ready == WRITE_PAGES ? write_pages(writer, err) : STATUS_OK;
}

static enum status write_entry(struct writer *writer, struct index_entry entry, struct error *err)
{
    writer->block[writer->ready].entries[writer->filled++] = entry;
    writer->count++;
    return writer->filled == PAGE_ENTRIES ? finish_page(writer, err) : STATUS_OK;
}

static enum status write_header(struct writer *writer, struct error *err)
{
    char page[PAGE_SIZE] = {0};
    struct header header = {.magic = RUN_MAGIC, .number = writer->number, .count = writer->count};
    header.checksum = header_checksum(&header);
    memcpy(page, &header, sizeof header);
    return io_write_at(writer->fd, page, sizeof page, 0, writer->name, err);
}

struct source {
    struct index_cursor cursor;
    struct index_entry entry;
    bool more;
};

static bool entry_is_less(struct index_entry a, struct index_entry b)
{
    return a.key != b.key ? a.key < b.key : a.value < b.value;
}

/* The least of the sources' entries; the sources are few. NULL: all are at their end. */
static struct source *least_source(struct source *sources, size_t count)
{
    struct source *least = NULL;
    for (size_t i = 0; i < count; i++)
        if (sources[i].more && (!least || entry_is_less(sources[i].entry, least->entry)))
            least = &sources[i];
    return least;
}

static enum status merge_entries(struct writer *writer, struct source *sources, size_t count, index_keep *keep,
                                 void *context, struct error *err)
{
    enum status status = STATUS_OK;
    struct index_entry last = {0};
    bool any = false;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        sources[i].more = index_cursor_next(&sources[i].cursor, &sources[i].entry, &status);
    struct source *source;
    while (status == STATUS_OK && (source = least_source(sources, count))) {
        struct index_entry entry = source->entry;
        source->more = index_cursor_next(&source->cursor, &source->entry, &status);
        bool again = any && entry.key == last.key && entry.value == last.value;
        if (status != STATUS_OK || again || (keep && !keep(context, entry)))
            continue;
        last = entry;
        any = true;
        status = write_entry(writer, entry, err);
    }
    return status;
}

static enum status merge_to(struct writer *writer, struct index_run *const *runs, size_t count, index_keep *keep,
                            void *context, struct error *err)
{
    struct source *sources = calloc(count, sizeof *sources);
    if (!sources)
        return error_set_memory(err);
    for (size_t i = 0; i < count; i++)
        index_cursor_start(&sources[i].cursor, runs[i]);
    enum status status = merge_entries(writer, sources, count, keep, context, err);
    free(sources);
    if (status == STATUS_OK && writer->filled > 0)
        status = finish_page(writer, err);
    if (status == STATUS_OK)
        status = write_pages(writer, err);
    return status == STATUS_OK ? write_header(writer, err) : status;
}

enum status index_run_merge(int directory, const char *name, uint64_t number, struct index_run *const *runs,
                            size_t count, index_keep *keep, void *context, struct index_run **ret_run,
                            struct error *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_set_memory(err);
    writer->name = name;
    writer->number = number;
    enum status status = io_open_below(directory, name, IO_UPDATE, true, name, &writer->fd, NULL, err);
    if (status != STATUS_OK) {
        free(writer);
        return STATUS_IO;
    }
    status = merge_to(writer, runs, count, keep, context, err);
    enum status closed = io_close(writer->fd, name, err);
    status = status == STATUS_OK ? closed : status;
    if (status == STATUS_OK)
        status = index_run_open(directory, name, number, writer->count, ret_run, err);
    if (status != STATUS_OK)
        io_remove(directory, name, false, name, NULL);
    free(writer);
    return status;
}
