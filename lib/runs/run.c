#include "runs/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "runs/page.h"

#define PROBES 6 /* interpolated guesses before plain halving */

bool entries_append(struct entries *entries, const struct entry *data, size_t count)
{
    if (count > entries->capacity - entries->count) {
        size_t capacity = entries->capacity + entries->capacity / 2;
        if (capacity < entries->count + count)
            capacity = entries->count + count;
        if (capacity < 16)
            capacity = 16;
        struct entry *grown = reallocarray(entries->data, capacity, sizeof *grown);
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

bool entries_add(struct entries *entries, struct entry entry)
{
    if (entries->count == entries->capacity)
        return entries_append(entries, &entry, 1);
    entries->data[entries->count++] = entry;
    return true;
}

void entries_release(struct entries *entries)
{
    free(entries->data);
    *entries = (struct entries){0};
}

struct run *run_of_entries(struct entries *entries)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->fd = -1;
    run->count = entries->count;
    run->pages = (entries->count + PAGE_ENTRIES - 1) / PAGE_ENTRIES;
    run->memory = *entries;
    *entries = (struct entries){0};
    return run;
}

struct run *run_join(struct run *a, struct run *b)
{
    struct entries all = {0};
    struct run *run = NULL;
    if (entries_append(&all, a->memory.data, a->memory.count) &&
        entries_append(&all, b->memory.data, b->memory.count)) {
        entries_sort(&all);
        run = run_of_entries(&all);
    }
    entries_release(&all);
    if (run) {
        run_close(a);
        run_close(b);
    }
    return run;
}

static bool header_fits(const struct header *header, uint64_t number, uint64_t count)
{
    return header->magic == RUN_MAGIC && header->number == number && header->count == count &&
           header->checksum == header_checksum(header);
}

static enum status check_file(struct run *run, const char *name, struct error *err)
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

enum status run_open(int directory, const char *name, uint64_t number, uint64_t count, struct run **ret_run,
                     struct error *err)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return error_set_memory(err);
    *run = (struct run){.number = number, .count = count, .fd = -1, .cached = UINT64_MAX};
    run->pages = count / PAGE_ENTRIES + (count % PAGE_ENTRIES != 0);
    enum status status = io_open_below(directory, name, IO_READ, false, name, &run->fd, NULL, err);
    if (status == STATUS_OK)
        status = check_file(run, name, err);
    if (status != STATUS_OK) {
        run_close(run);
        return status;
    }
    *ret_run = run;
    return STATUS_OK;
}

void run_close(struct run *run)
{
    if (!run)
        return;
    run_unmap(run);
    if (run->fd >= 0)
        close(run->fd);
    entries_release(&run->memory);
    free(run->cache);
    free(run);
}

uint64_t run_number(const struct run *run)
{
    return run->number;
}

uint64_t run_count(const struct run *run)
{
    return run->count;
}

bool run_is_same_file(const struct run *run, int directory, const char *name)
{
    return io_is_same_file(run->fd, directory, name, false);
}

bool run_is_unreadable(const struct run *run)
{
    return run->unreadable;
}

static enum status read_page(struct run *run, uint64_t place)
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

enum status run_page(struct run *run, uint64_t place, const struct entry **ret_entries)
{
    enum status status = run->fd >= 0 ? read_page(run, place) : STATUS_OK;
    if (status == STATUS_OK)
        *ret_entries = run->fd >= 0 ? run->cache->entries : run->memory.data + place * PAGE_ENTRIES;
    return status;
}

enum status run_error(enum status status, struct error *err)
{
    return status == STATUS_INVALID ? error_set(err, status, "the index is damaged")
           : status == STATUS_IO    ? error_set_memory(err)
                                    : status;
}

/* All pages before `low` end below the key, page `high` does not. */
enum status run_find_page(struct run *run, uint64_t key, uint64_t low, uint64_t *ret_place)
{
    uint64_t high = run->pages, low_key = 0, high_key = UINT64_MAX;
    for (int probe = 0; low < high; probe++) {
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

enum status run_find(struct run *run, uint64_t key, struct entries *ret_matches)
{
    uint64_t place;
    enum status status = run_find_page(run, key, 0, &place);
    for (; status == STATUS_OK && place < run->pages; place++) {
        const struct entry *entries;
        status = run_page(run, place, &entries);
        if (status != STATUS_OK)
            break;
        size_t count = entries_in_page(run, place), i = lower_bound(entries, count, key);
        for (; i < count && entries[i].key == key; i++)
            if (!entries_add(ret_matches, entries[i]))
                return STATUS_IO;
        if (i < count)
            break;
    }
    return status;
}

void run_cursor_start(struct run_cursor *cursor, struct run *run)
{
    cursor->run = run;
    cursor->at = cursor->first = 0;
    cursor->count = 0;
    cursor->entries = NULL;
}

/* The entries that are next. */
static enum status fill_cursor(struct run_cursor *cursor)
{
    struct run *run = cursor->run;
    uint64_t place = cursor->at / PAGE_ENTRIES;
    const struct entry *entries;
    enum status status = run_page(run, place, &entries);
    if (status != STATUS_OK)
        return status;
    cursor->first = place * PAGE_ENTRIES;
    cursor->count = entries_in_page(run, place);
    cursor->entries = run->fd < 0 ? entries : memcpy(cursor->page, entries, cursor->count * sizeof *entries);
    return STATUS_OK;
}

bool run_cursor_next(struct run_cursor *cursor, struct entry *ret_entry, enum status *ret_status)
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
