#include "store/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/timestamp.h"

static const char *const nouns[] = {"checkpoint", "snapshot"};

void document_release(struct document *document)
{
    bytes_release(&document->text);
    bytes_release(&document->label);
}

enum status document_read(int fd, struct document *document, struct error *err)
{
    const int64_t least = TIMESTAMP_MIN / MICROSECONDS_A_SECOND, most = TIMESTAMP_MAX / MICROSECONDS_A_SECOND;
    struct stat st = {0};
    enum status status = io_read_all(fd, DOCUMENT_MAX, document->label.data, &document->text, err);
    fstat(fd, &st);
    io_close(fd, document->label.data, NULL);
    /* File systems know of times that no timestamp can hold: they are taken for the nearest one. */
    int64_t seconds = st.st_mtim.tv_sec;
    document->replaced = (seconds < least ? least : seconds > most ? most : seconds) * MICROSECONDS_A_SECOND;
    return status;
}

enum status document_read_path(const char *path, struct document *ret_document, struct error *err)
{
    struct document document = {0};
    int fd;
    if (io_open_system(path, &fd) != STATUS_OK) {
        int error = errno;
        error_set_errno(err, error, "%s: cannot read", path);
        return error == ENOENT ? STATUS_ABSENT : STATUS_IO;
    }
    if (!bytes_append(&document.label, path, strlen(path) + 1)) {
        io_close(fd, path, NULL);
        return error_set_memory(err);
    }
    enum status status = document_read(fd, &document, err);
    if (status == STATUS_OK)
        *ret_document = document;
    else
        document_release(&document);
    return status;
}

enum status document_write_path(const char *path, enum store_shelf shelf, const struct bytes *text, struct error *err)
{
    enum status status = document_check_size(shelf, text, err);
    return status == STATUS_OK ? io_replace_path(path, text->data, text->length, err) : status;
}

enum status document_check_size(enum store_shelf shelf, const struct bytes *text, struct error *err)
{
    if (text->length <= DOCUMENT_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "the %s would be larger than %zu bytes; nothing was stored", nouns[shelf],
                     DOCUMENT_MAX);
}

enum status document_absent(const struct document_key *key, struct error *err)
{
    char time[TIMESTAMP_TEXT_SIZE] = "", quoted[QUOTED_SIZE];
    const char *relation = "";
    if (key->shelf == STORE_SNAPSHOTS && key->when.daily) {
        relation = " of ";
        day_format(timestamp_day(key->when.time), time);
    } else if (key->shelf == STORE_SNAPSHOTS && key->when.time != TIMESTAMP_MAX) {
        relation = " at or before ";
        timestamp_format(key->when.time, time);
    }
    return error_set(err, STATUS_ABSENT, "no %s %s%s%s", nouns[key->shelf], quote_string(quoted, key->name), relation,
                     time);
}

/* ---- lists */

bool document_list_add(struct document_list *list, const char *name, size_t name_length, struct snapshot_time when,
                       const char *label)
{
    if (!ARRAY_RESERVE(list->items, list->count, list->capacity, 1))
        return false;
    struct document_item item = {strndup(name, name_length), when, strdup(label)};
    if (!item.name || !item.label) {
        free(item.name);
        free(item.label);
        return false;
    }
    list->items[list->count++] = item;
    return true;
}

int snapshot_compare_times(struct snapshot_time a, struct snapshot_time b)
{
    if (a.time != b.time)
        return a.time < b.time ? -1 : 1;
    return (int)b.daily - (int)a.daily;
}

static int compare_items(const void *a, const void *b)
{
    const struct document_item *x = a, *y = b;
    int order = snapshot_compare_times(x->when, y->when);
    return order ? order : strcmp(x->name, y->name);
}

void document_list_sort(struct document_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_items);
}

void document_list_release(struct document_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].label);
    }
    free(list->items);
    *list = (struct document_list){0};
}
