#include "files/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/name.h"

static const char suffix[] = ".json";

#define FILE_NAME_SIZE (NAME_MAX_LENGTH + sizeof suffix)

/* What is needed to get at the file of a checkpoint. */
struct place {
    int directory;
    char file[FILE_NAME_SIZE];
    struct bytes path;
};

static void release(struct place *place)
{
    bytes_release(&place->path);
}

static enum status absent(const char *name, struct error *err)
{
    char quoted[QUOTED_SIZE];
    return error_set(err, STATUS_ABSENT, "no checkpoint %s", quote_string(quoted, name));
}

/* The name is valid. STATUS_ABSENT: there is not even the folder. */
static enum status find_place(struct workspace *workspace, const char *name, bool create, struct place *ret_place,
                              struct error *err)
{
    struct place place = {0};
    enum status status = workspace_folder(workspace, FOLDER_CHECKPOINTS, create, &place.directory, err);
    if (status == STATUS_ABSENT)
        return absent(name, err);
    if (status != STATUS_OK)
        return status;
    memcpy(mempcpy(place.file, name, strlen(name)), suffix, sizeof suffix);
    if (!workspace_path(workspace, FOLDER_CHECKPOINTS, place.file, &place.path))
        return error_set_memory(err);
    *ret_place = place;
    return STATUS_OK;
}

/* File systems know of times that no timestamp can hold: they are taken for the nearest one. */
static int64_t time_of(const struct stat *st)
{
    const int64_t least = TIMESTAMP_MIN / MICROSECONDS_A_SECOND, most = TIMESTAMP_MAX / MICROSECONDS_A_SECOND;
    int64_t seconds = st->st_mtim.tv_sec;
    return (seconds < least ? least : seconds > most ? most : seconds) * MICROSECONDS_A_SECOND;
}

/* Reads the file and closes it. STATUS_INVALID: it is damaged. */
static enum status load(int fd, const char *label, struct checkpoint *ret_checkpoint, struct error *err)
{
    struct bytes text = {0};
    struct stat st = {0};
    struct error reason;
    enum status status = io_read_all(fd, CHECKPOINT_MAX, label, &text, err);
    fstat(fd, &st);
    io_close(fd, label, NULL);
    if (status == STATUS_OK) {
        status = checkpoint_parse(text.data, text.length, ret_checkpoint, &reason);
        if (status != STATUS_OK)
            error_set(err, status, "%s: %s%s", label, status == STATUS_INVALID ? "damaged: " : "", reason.text);
    }
    bytes_release(&text);
    if (status == STATUS_OK)
        ret_checkpoint->replaced = time_of(&st);
    return status;
}

enum status checkpoint_load(struct workspace *workspace, const char *name, struct checkpoint *ret_checkpoint,
                            struct error *err)
{
    struct place place;
    int fd;
    enum status status = find_place(workspace, name, false, &place, err);
    if (status != STATUS_OK)
        return status;
    status = io_open_below(place.directory, place.file, IO_READ, false, place.path.data, &fd, NULL, err);
    if (status == STATUS_OK)
        status = load(fd, place.path.data, ret_checkpoint, err);
    else if (status == STATUS_ABSENT)
        absent(name, err);
    release(&place);
    return status == STATUS_INVALID ? STATUS_IO : status;
}

enum status checkpoint_load_path(const char *path, struct checkpoint *ret_checkpoint, struct error *err)
{
    int fd;
    if (io_open_system(path, &fd) == STATUS_OK)
        return load(fd, path, ret_checkpoint, err);
    int error = errno;
    error_set_errno(err, error, "%s: cannot read", path);
    return error == ENOENT ? STATUS_ABSENT : STATUS_IO;
}

static enum status check_size(const struct bytes *document, struct error *err)
{
    if (document->length <= CHECKPOINT_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "the checkpoint would be larger than %zu bytes; nothing was stored",
                     CHECKPOINT_MAX);
}

enum status checkpoint_save(struct workspace *workspace, const char *name, const struct bytes *document,
                            int64_t now_seconds, struct error *err)
{
    struct place place;
    if (check_size(document, err) != STATUS_OK)
        return STATUS_INVALID;
    enum status status = find_place(workspace, name, true, &place, err);
    if (status != STATUS_OK)
        return STATUS_IO;
    (void)io_sweep(place.directory, "", now_seconds, NULL, NULL);
    status = workspace_replace(workspace, FOLDER_CHECKPOINTS, place.file, document->data, document->length,
                               place.path.data, err);
    release(&place);
    return status;
}

enum status checkpoint_save_path(const char *path, const struct bytes *document, struct error *err)
{
    enum status status = check_size(document, err);
    return status == STATUS_OK ? io_replace_path(path, document->data, document->length, err) : status;
}

enum status checkpoint_delete(struct workspace *workspace, const char *name, struct error *err)
{
    struct place place;
    enum status status = find_place(workspace, name, false, &place, err);
    if (status != STATUS_OK)
        return status;
    status = io_check_type(place.directory, place.file, S_IFREG, place.path.data, err);
    if (status == STATUS_OK)
        status = io_remove(place.directory, place.file, true, place.path.data, err);
    if (status == STATUS_ABSENT)
        absent(name, err);
    release(&place);
    return status;
}

/* ---- listing */

struct listing {
    struct workspace *workspace;
    int directory;
    struct checkpoint_list *list;
    enum status status; /* the first thing that was wrong */
    struct error *err;
};

static bool add_name(struct checkpoint_list *list, const char *file, size_t length)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 16;
        char **names = reallocarray(list->names, capacity, sizeof *names);
        if (!names)
            return false;
        list->names = names;
        list->capacity = capacity;
    }
    char *name = strndup(file, length);
    if (name)
        list->names[list->count++] = name;
    return name != NULL;
}

/* Something else than a file in the place of a checkpoint is told, and the rest listed all the same. */
static bool is_file(struct listing *listing, const char *file)
{
    struct bytes path = {0};
    struct error *err = listing->status == STATUS_OK ? listing->err : NULL;
    enum status status = workspace_path(listing->workspace, FOLDER_CHECKPOINTS, file, &path)
                             ? io_check_type(listing->directory, file, S_IFREG, path.data, err)
                             : error_set_memory(err);
    bytes_release(&path);
    if (status != STATUS_OK && listing->status == STATUS_OK)
        listing->status = status;
    return status == STATUS_OK;
}

static bool list_entry(void *context, const char *file, unsigned char type)
{
    struct listing *listing = context;
    size_t length = strlen(file);
    if (length < strlen(suffix) || strcmp(file + length - strlen(suffix), suffix) != 0 ||
        !name_is_valid(file, length - strlen(suffix)))
        return true;
    if (type != DT_REG && !is_file(listing, file))
        return true;
    if (add_name(listing->list, file, length - strlen(suffix)))
        return true;
    listing->status = error_set_memory(listing->err);
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum status checkpoint_list(struct workspace *workspace, struct checkpoint_list *ret_list, struct error *err)
{
    struct listing listing = {.workspace = workspace, .list = ret_list, .status = STATUS_OK, .err = err};
    *ret_list = (struct checkpoint_list){0};
    enum status status = workspace_folder(workspace, FOLDER_CHECKPOINTS, false, &listing.directory, err);
    if (status == STATUS_ABSENT)
        return STATUS_OK;
    if (status == STATUS_OK)
        status =
            io_list(listing.directory, workspace_folder_path(workspace, FOLDER_CHECKPOINTS), list_entry, &listing, err);
    if (status == STATUS_OK)
        status = listing.status;
    if (ret_list->count > 1)
        qsort(ret_list->names, ret_list->count, sizeof *ret_list->names, by_name);
    return status;
}

void checkpoint_list_release(struct checkpoint_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct checkpoint_list){0};
}
