#include "files/documents.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/timestamp.h"
#include "store/name.h"
#include "store/snapshot.h"

#define READ_TURNS 8 /* times that the latest snapshot may go before it could be read */

static const enum workspace_folder folders[] =
    {[STORE_CHECKPOINTS] = FOLDER_CHECKPOINTS, [STORE_SNAPSHOTS] = FOLDER_SNAPSHOTS};
static const char suffix[] = ".json";

/* Where the file of a document is. */
struct place {
    int folder;
    char file[SNAPSHOT_NAME_SIZE + sizeof suffix];
    struct bytes path; /* owned */
};

/* The key of the document that a file is. False: it is none. */
static bool parse_file(const char *file, enum store_shelf shelf, size_t *ret_name_length,
                       struct snapshot_time *ret_when)
{
    size_t length = strlen(file);
    if (length < strlen(suffix) || strcmp(file + length - strlen(suffix), suffix) != 0)
        return false;
    length -= strlen(suffix);
    if (shelf == STORE_SNAPSHOTS)
        return snapshot_parse_name(file, length, ret_name_length, ret_when);
    *ret_name_length = length;
    *ret_when = (struct snapshot_time){0};
    return name_is_valid(file, length);
}

/* STATUS_ABSENT: there is not even the folder. */
static enum status find_place(struct workspace *workspace, const struct document_key *key, bool create,
                              struct place *ret_place, struct error *err)
{
    struct place place = {0};
    enum workspace_folder which = folders[key->shelf];
    enum status status = workspace_folder(workspace, which, create, &place.folder, err);
    if (status == STATUS_ABSENT)
        return document_absent(key, err);
    if (status != STATUS_OK)
        return status;
    char name[SNAPSHOT_NAME_SIZE];
    if (key->shelf == STORE_SNAPSHOTS)
        snapshot_format_name(key->name, key->when, name);
    snprintf(place.file, sizeof place.file, "%s%s", key->shelf == STORE_SNAPSHOTS ? name : key->name, suffix);
    if (!workspace_path(workspace, which, place.file, &place.path))
        return error_set_memory(err);
    *ret_place = place;
    return STATUS_OK;
}

enum status documents_read(struct workspace *workspace, const struct document_key *key, struct document *ret_document,
                           struct error *err)
{
    struct place place;
    int fd;
    enum status status = find_place(workspace, key, false, &place, err);
    if (status != STATUS_OK)
        return status;
    struct document document = {.label = place.path};
    status = io_open_below(place.folder, place.file, IO_READ, false, place.path.data, &fd, NULL, err);
    if (status == STATUS_OK)
        status = document_read(fd, &document, err);
    else if (status == STATUS_ABSENT)
        document_absent(key, err);
    if (status == STATUS_OK)
        *ret_document = document;
    else
        document_release(&document);
    return status == STATUS_INVALID ? STATUS_IO : status;
}

/* The last snapshot of a name at or before a time, found while the folder is listed. */
struct search {
    const struct document_key *key;
    bool found;
    struct snapshot_time when;
};

static bool search_entry(void *context, const char *file, unsigned char type)
{
    struct search *search = context;
    const char *name = search->key->name;
    struct snapshot_time when;
    size_t length;
    (void)type;
    if (parse_file(file, STORE_SNAPSHOTS, &length, &when) && strlen(name) == length &&
        memcmp(name, file, length) == 0 && snapshot_compare_times(when, search->key->when) <= 0 &&
        (!search->found || snapshot_compare_times(when, search->when) > 0)) {
        search->found = true;
        search->when = when;
    }
    return true;
}

enum status documents_get(struct workspace *workspace, const struct document_key *key, struct document *ret_document,
                          struct error *err)
{
    int folder;
    if (key->shelf == STORE_CHECKPOINTS || key->when.daily)
        return documents_read(workspace, key, ret_document, err);
    enum status status = workspace_folder(workspace, FOLDER_SNAPSHOTS, false, &folder, err);
    /* Where the latest one has gone before it could be read, another one is the latest. */
    for (int turn = 0; status == STATUS_OK && turn < READ_TURNS; turn++) {
        struct search search = {.key = key};
        status = io_list(folder, workspace_folder_path(workspace, FOLDER_SNAPSHOTS), search_entry, &search, err);
        if (status != STATUS_OK || !search.found)
            break;
        struct document_key latest = {STORE_SNAPSHOTS, key->name, search.when};
        status = documents_read(workspace, &latest, ret_document, err);
        if (status != STATUS_ABSENT)
            return status;
        status = STATUS_OK;
    }
    return status == STATUS_OK || status == STATUS_ABSENT ? document_absent(key, err) : status;
}

enum status documents_put(struct workspace *workspace, const struct document_key *key, const struct bytes *text,
                          int64_t now_seconds, struct bytes *ret_path, struct error *err)
{
    struct place place;
    enum status status = document_check_size(key->shelf, text, err);
    if (status != STATUS_OK)
        return status;
    status = find_place(workspace, key, true, &place, err);
    if (status != STATUS_OK)
        return STATUS_IO;
    (void)io_sweep(place.folder, "", now_seconds, NULL, NULL);
    status =
        workspace_replace(workspace, folders[key->shelf], place.file, text->data, text->length, place.path.data, err);
    if (status == STATUS_OK && ret_path) {
        bytes_release(ret_path);
        *ret_path = place.path;
    } else {
        bytes_release(&place.path);
    }
    return status;
}

enum status documents_delete(struct workspace *workspace, const struct document_key *key, struct error *err)
{
    struct place place;
    enum status status = find_place(workspace, key, false, &place, err);
    if (status != STATUS_OK)
        return status;
    status = io_check_type(place.folder, place.file, S_IFREG, place.path.data, err);
    if (status == STATUS_OK)
        status = io_remove(place.folder, place.file, true, place.path.data, err);
    if (status == STATUS_ABSENT)
        document_absent(key, err);
    bytes_release(&place.path);
    return status;
}

/* ---- listing */

struct listing {
    struct workspace *workspace;
    enum store_shelf shelf;
    const char *name; /* NULL: any */
    int folder;
    struct document_list *list;
    struct bytes path;
    enum status status; /* the first thing that was wrong */
    struct error *err;
};

/* Something that is no file in the place of a document is reported, and the others are listed all the same. */
static bool list_entry(void *context, const char *file, unsigned char type)
{
    struct listing *listing = context;
    size_t length;
    struct snapshot_time when;
    if (!parse_file(file, listing->shelf, &length, &when))
        return true;
    if (listing->name && (strlen(listing->name) != length || memcmp(listing->name, file, length) != 0))
        return true;
    if (!workspace_path(listing->workspace, folders[listing->shelf], file, &listing->path)) {
        listing->status = error_set_memory(listing->err);
        return false;
    }
    struct error *err = listing->status == STATUS_OK ? listing->err : NULL;
    if (type != DT_REG && io_check_type(listing->folder, file, S_IFREG, listing->path.data, err) != STATUS_OK) {
        listing->status = STATUS_IO;
        return true;
    }
    if (!document_list_add(listing->list, file, length, when, listing->path.data)) {
        listing->status = error_set_memory(listing->err);
        return false;
    }
    return true;
}

enum status documents_list(struct workspace *workspace, enum store_shelf shelf, const char *name,
                           struct document_list *ret_list, struct error *err)
{
    struct listing listing = {
        .workspace = workspace,
        .shelf = shelf,
        .name = name,
        .list = ret_list,
        .status = STATUS_OK,
        .err = err,
    };
    *ret_list = (struct document_list){0};
    enum status status = workspace_folder(workspace, folders[shelf], false, &listing.folder, err);
    if (status == STATUS_ABSENT)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = io_list(listing.folder, workspace_folder_path(workspace, folders[shelf]), list_entry, &listing, err);
    document_list_sort(ret_list);
    bytes_release(&listing.path);
    return status == STATUS_OK ? listing.status : status;
}
