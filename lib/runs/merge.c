#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "runs/page.h"

#define WRITE_PAGES 64 /* written at once */

/* Writes pages in blocks. The header comes last: an unfinished file is no run. */
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

static enum status write_header(struct writer *writer, struct error *err)
{
    char page[PAGE_SIZE] = {0};
    struct header header = {.magic = RUN_MAGIC, .number = writer->number, .count = writer->count};
    header.checksum = header_checksum(&header);
    memcpy(page, &header, sizeof header);
    return io_write_at(writer->fd, page, sizeof page, 0, writer->name, err);
}

struct source {
    struct run_cursor cursor;
    struct entry entry;
    bool more;
};

static enum status advance(struct source *source, struct error *err)
{
    enum status status = STATUS_OK;
    source->more = run_cursor_next(&source->cursor, &source->entry, &status);
    if (status == STATUS_IO)
        return error_set_memory(err);
    return status == STATUS_OK ? STATUS_OK : error_set(err, status, "a run is damaged");
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

static enum status write_merged(struct writer *writer, struct source *sources, size_t count, run_keep *keep,
                                void *context, struct error *err)
{
    struct entry last = {0};
    bool any = false;
    for (struct source *source; (source = least_source(sources, count));) {
        struct entry entry = source->entry;
        enum status status = advance(source, err);
        if (status != STATUS_OK)
            return status;
        if ((any && entry.key == last.key && entry.value == last.value) || (keep && !keep(context, entry)))
            continue;
        last = entry;
        any = true;
        writer->block[writer->ready].entries[writer->filled++] = entry;
        writer->count++;
        if (writer->filled == PAGE_ENTRIES && (status = finish_page(writer, err)) != STATUS_OK)
            return status;
    }
    enum status status = writer->filled > 0 ? finish_page(writer, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = write_pages(writer, err);
    return status == STATUS_OK ? write_header(writer, err) : status;
}

enum status run_merge(int directory, const char *name, uint64_t number, struct run *const *runs, size_t count,
                      run_keep *keep, void *context, struct run **ret_run, struct error *err)
{
    enum status status = STATUS_IO;
    struct source *sources = calloc(count, sizeof *sources);
    struct writer *writer = calloc(1, sizeof *writer);
    if (!sources || !writer) {
        error_set_memory(err);
        goto out;
    }
    writer->name = name;
    writer->number = number;
    if (io_open_below(directory, name, IO_UPDATE, true, name, &writer->fd, NULL, err) != STATUS_OK)
        goto out;
    status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        run_cursor_start(&sources[i].cursor, runs[i]);
        status = advance(&sources[i], err);
    }
    if (status == STATUS_OK)
        status = write_merged(writer, sources, count, keep, context, err);
    enum status closed = io_close(writer->fd, name, err);
    status = status == STATUS_OK ? closed : status;
    if (status == STATUS_OK)
        status = run_open(directory, name, number, writer->count, ret_run, err);
    if (status != STATUS_OK)
        io_remove(directory, name, false, name, NULL);
out:
    free(sources);
    free(writer);
    return status;
}
