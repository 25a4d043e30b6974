#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/timestamp.h"
#include "files/documents.h"
#include "json/json.h"

#define READ_TURNS 8 /* times that the latest one may go before it could be read */

enum status snapshot_write(struct workspace *workspace, const char *name, struct snapshot_time when,
                           const struct bytes *document, int64_t now_seconds, struct bytes *ret_path, struct error *err)
{
    char file[SNAPSHOT_FILE_SIZE];
    struct bytes path = {0};
    int directory;
    if (document->length > SNAPSHOT_MAX)
        return error_set(err, STATUS_INVALID, "the snapshot would be larger than %zu bytes; nothing was stored",
                         SNAPSHOT_MAX);
    snapshot_format_file(name, when, file);
    enum status status = workspace_folder(workspace, FOLDER_SNAPSHOTS, true, &directory, err);
    if (status == STATUS_OK && !workspace_path(workspace, FOLDER_SNAPSHOTS, file, &path))
        status = error_set_memory(err);
    if (status == STATUS_OK) {
        (void)io_sweep(directory, "", now_seconds, NULL, NULL);
        status = workspace_replace(workspace, FOLDER_SNAPSHOTS, file, document->data, document->length, path.data, err);
    }
    if (status == STATUS_OK && ret_path) {
        bytes_release(ret_path);
        *ret_path = path;
        path = (struct bytes){0};
    }
    bytes_release(&path);
    return status;
}

/* What is looked for while the folder is listed. */
struct search {
    const char *name; /* NULL: any */
    struct snapshot_time latest;
    bool found;
    struct snapshot_time when; /* of the last one found */
};

static bool search_entry(void *context, const char *file, unsigned char type)
{
    struct search *search = context;
    size_t length;
    struct snapshot_time when;
    (void)type;
    if (snapshot_parse_file(file, &length, &when) && strlen(search->name) == length &&
        memcmp(search->name, file, length) == 0 && snapshot_compare_times(when, search->latest) <= 0 &&
        (!search->found || snapshot_compare_times(when, search->when) > 0)) {
        search->found = true;
        search->when = when;
    }
    return true;
}

static enum status absent(const char *name, struct snapshot_time when, struct error *err)
{
    char text[TIMESTAMP_TEXT_SIZE], quoted[QUOTED_SIZE];
    quote_string(quoted, name);
    if (when.daily) {
        day_format(timestamp_day(when.time), text);
        return error_set(err, STATUS_ABSENT, "no snapshot %s of %s", quoted, text);
    }
    if (when.time == TIMESTAMP_MAX)
        return error_set(err, STATUS_ABSENT, "no snapshot %s", quoted);
    timestamp_format(when.time, text);
    return error_set(err, STATUS_ABSENT, "no snapshot %s at or before %s", quoted, text);
}

/* Reads the file and sees that it is what it should be. */
static enum status read_document(int directory, const char *file, const char *path, struct bytes *out,
                                 struct error *err)
{
    int fd;
    struct json_scan scan;
    char told[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    enum status status = io_open_below(directory, file, IO_READ, false, path, &fd, NULL, err);
    if (status != STATUS_OK)
        return status;
    status = io_read_all(fd, SNAPSHOT_MAX, path, out, err);
    io_close(fd, path, NULL);
    if (status != STATUS_OK)
        return STATUS_IO;
    status = json_scan(out->data, out->length, JSON_STORED, NULL, 0, NULL, &scan);
    if (status == STATUS_INVALID)
        return error_set(err, STATUS_IO, "%s: damaged at byte %zu: %s", path, scan.fault.offset + 1,
                         json_fault_tell(&scan.fault, out->data, told));
    if (status != STATUS_OK)
        return error_set_memory(err);
    if (scan.type != JSON_OBJECT)
        return error_set(err, STATUS_IO, "%s: damaged: not a JSON object: %s", path,
                         json_quote(quoted, out->data, out->length));
    if (out->data[out->length - 1] != '\n' && !bytes_append_char(out, '\n'))
        return error_set_memory(err);
    return STATUS_OK;
}

/* Reads the file of a name and a time. */
static enum status read_one(struct workspace *workspace, int directory, const char *name, struct snapshot_time when,
                            struct bytes *ret_document, struct error *err)
{
    struct bytes path = {0};
    char file[SNAPSHOT_FILE_SIZE];
    snapshot_format_file(name, when, file);
    enum status status = workspace_path(workspace, FOLDER_SNAPSHOTS, file, &path)
                             ? read_document(directory, file, path.data, ret_document, err)
                             : error_set_memory(err);
    bytes_release(&path);
    return status;
}

/* The latest one that is found; where it has gone before it could be read, the one that is the latest then. */
static enum status read_latest(struct workspace *workspace, int directory, const char *name, struct snapshot_time when,
                               struct bytes *ret_document, struct error *err)
{
    enum status status = STATUS_ABSENT;
    for (int turn = 0; turn < READ_TURNS && status == STATUS_ABSENT; turn++) {
        struct search search = {.name = name, .latest = {.time = when.time}};
        status = io_list(directory, workspace_folder_path(workspace, FOLDER_SNAPSHOTS), search_entry, &search, err);
        if (status == STATUS_OK && !search.found)
            return STATUS_ABSENT;
        if (status == STATUS_OK)
            status = read_one(workspace, directory, name, search.when, ret_document, err);
    }
    return status;
}

enum status snapshot_read(struct workspace *workspace, const char *name, struct snapshot_time when,
                          struct bytes *ret_document, struct error *err)
{
    int directory;
    enum status status = workspace_folder(workspace, FOLDER_SNAPSHOTS, false, &directory, err);
    if (status == STATUS_OK)
        status = when.daily ? read_one(workspace, directory, name, when, ret_document, err)
                            : read_latest(workspace, directory, name, when, ret_document, err);
    return status == STATUS_ABSENT ? absent(name, when, err) : status;
}

/* A listing in the making. */
struct listing {
    struct workspace *workspace;
    const char *name; /* NULL: any */
    int directory;
    struct snapshot_list *list;
    enum status status; /* the first thing that was wrong */
    struct error *err;
};

static struct snapshot *new_item(struct snapshot_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct snapshot *items = reallocarray(list->items, capacity, sizeof *items);
        if (!items)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    return &list->items[list->count];
}

static void release_item(struct snapshot *item)
{
    free(item->name);
    free(item->path);
}

/* Adds one file. False: no memory. */
static bool add_item(struct listing *listing, const char *file, size_t name_length, struct snapshot_time when)
{
    struct snapshot *item = new_item(listing->list);
    struct bytes path = {0};
    if (!item || !workspace_path(listing->workspace, FOLDER_SNAPSHOTS, file, &path))
        return false;
    *item = (struct snapshot){.when = when, .name = strndup(file, name_length), .path = path.data};
    if (!item->name) {
        free(item->path);
        return false;
    }
    listing->list->count++;
    return true;
}

/* Something else than a file in the place of the last item is told, and the rest listed all the same. */
static void drop_no_file(struct listing *listing, const char *file)
{
    struct snapshot *item = &listing->list->items[listing->list->count - 1];
    struct error *err = listing->status == STATUS_OK ? listing->err : NULL;
    if (io_check_type(listing->directory, file, S_IFREG, item->path, err) == STATUS_OK)
        return;
    listing->status = STATUS_IO;
    release_item(item);
    listing->list->count--;
}

static bool list_entry(void *context, const char *file, unsigned char type)
{
    struct listing *listing = context;
    size_t length;
    struct snapshot_time when;
    if (!snapshot_parse_file(file, &length, &when))
        return true;
    if (listing->name && (strlen(listing->name) != length || memcmp(listing->name, file, length) != 0))
        return true;
    if (!add_item(listing, file, length, when)) {
        listing->status = error_set_memory(listing->err);
        return false;
    }
    if (type != DT_REG)
        drop_no_file(listing, file);
    return true;
}

static int compare_snapshots(const void *a, const void *b)
{
    const struct snapshot *x = a, *y = b;
    int order = snapshot_compare_times(x->when, y->when);
    return order ? order : strcmp(x->name, y->name);
}

enum status snapshot_list(struct workspace *workspace, const char *name, struct snapshot_list *ret_list,
                          struct error *err)
{
    struct listing listing = {.workspace = workspace, .name = name, .list = ret_list, .err = err};
    *ret_list = (struct snapshot_list){0};
    enum status status = workspace_folder(workspace, FOLDER_SNAPSHOTS, false, &listing.directory, err);
    if (status == STATUS_ABSENT)
        return STATUS_OK;
    if (status == STATUS_OK)
        status =
            io_list(listing.directory, workspace_folder_path(workspace, FOLDER_SNAPSHOTS), list_entry, &listing, err);
    if (ret_list->count > 1)
        qsort(ret_list->items, ret_list->count, sizeof *ret_list->items, compare_snapshots);
    return status == STATUS_OK ? listing.status : status;
}

void snapshot_list_release(struct snapshot_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        release_item(&list->items[i]);
    free(list->items);
    *list = (struct snapshot_list){0};
}
