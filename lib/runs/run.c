#include "runs/run.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "runs/page.h"

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

static enum status check_header(const struct run *run, const char *name, struct error *err)
{
    struct header header;
    struct stat st;
    size_t n;
    enum status status = io_read_at(run->fd, &header, sizeof header, 0, name, &n, err);
    if (status != STATUS_OK)
        return status;
    bool good = n == sizeof header && header.magic == RUN_MAGIC && header.number == run->number &&
                header.count == run->count && header.checksum == header_checksum(&header);
    if (!good || fstat(run->fd, &st) != 0 || (uint64_t)st.st_size != (run->pages + 1) * PAGE_SIZE)
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
        status = check_header(run, name, err);
    if (status == STATUS_OK)
        *ret_run = run;
    else
        run_close(run);
    return status;
}

void run_close(struct run *run)
{
    if (!run)
        return;
    mapping_close(&run->mapping);
    free(run->fence);
    free(run->filter);
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

enum status run_page(struct run *run, uint64_t place, const struct entry **ret_entries)
{
    if (run->fd < 0) {
        *ret_entries = run->memory.data + place * PAGE_ENTRIES;
        return STATUS_OK;
    }
    if (!run->cache && !(run->cache = malloc(sizeof *run->cache)))
        return STATUS_IO;
    if (run->cached != place) {
        size_t n = sizeof *run->cache;
        run->cached = UINT64_MAX;
        if (run->map)
            *run->cache = run->map[place + 1];
        else
            run->unreadable = io_read_at(run->fd, run->cache, n, (place + 1) * PAGE_SIZE, "", &n, NULL) != STATUS_OK;
        if (run->unreadable || n != sizeof *run->cache || !page_is_good(run, run->cache, place))
            return STATUS_INVALID;
        run->cached = place;
    }
    *ret_entries = run->cache->entries;
    return STATUS_OK;
}

void run_cursor_start(struct run_cursor *cursor, struct run *run)
{
    *cursor = (struct run_cursor){.run = run};
}

bool run_cursor_next(struct run_cursor *cursor, struct entry *ret_entry, enum status *ret_status)
{
    if (cursor->at >= cursor->run->count)
        return false;
    size_t i = (size_t)(cursor->at % PAGE_ENTRIES);
    if (i == 0) {
        enum status status = run_page(cursor->run, cursor->at / PAGE_ENTRIES, &cursor->entries);
        if (status != STATUS_OK) {
            *ret_status = status;
            return false;
        }
    }
    *ret_entry = cursor->entries[i];
    cursor->at++;
    return true;
}
