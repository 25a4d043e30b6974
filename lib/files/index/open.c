#include "files/index/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "files/index/state.h"

enum status index_open_memory(struct index **ret_index, struct error *err)
{
    struct index *index = calloc(1, sizeof *index);
    if (!index)
        return error_set_memory(err);
    index->directory = index->lock = -1;
    if (getrandom(&index->seed, sizeof index->seed, 0) != (ssize_t)sizeof index->seed)
        index->seed = UINT64_C(0x9e3779b97f4a7c15);
    *ret_index = index;
    return STATUS_OK;
}

/*
 * Checks what stands in the place of a file or folder of ours. STATUS_IO: a link or special file, which is refused.
 * *ret_good false: a directory for a file, a file for a directory, or what cannot be looked at; the trouble is set.
 */
static enum status check_place(struct index *index, int directory, const char *name, mode_t type, const char *label,
                               bool *ret_good, struct error *err)
{
    struct stat st;
    struct error why;
    *ret_good = true;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return STATUS_OK;
        error_set_errno(&why, errno, "%s", name);
        index->unreadable = true;
        index_set_trouble(index, "%s", why.text);
    } else if ((st.st_mode & S_IFMT) == type) {
        return STATUS_OK;
    } else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        return io_check_type(directory, name, type, label, err);
    } else if (type == S_IFDIR) {
        index_set_trouble(index, "is not a directory");
    } else {
        index_set_trouble(index, "%s: is not a regular file", name);
    }
    *ret_good = false;
    return STATUS_OK;
}

/* Links and special files are refused; every other trouble only means that the index stays in memory. */
static enum status open_directory(struct index *index, int store, const char *label, bool create, struct error *err)
{
    bool good;
    enum status status = check_place(index, store, "index", S_IFDIR, label, &good, err);
    if (status != STATUS_OK || !good ||
        io_open_directory_below(store, "index", create, label, &index->directory, NULL) != STATUS_OK)
        return status;
    static const char *const ours[] = {"manifest", "lock"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours && good; i++) {
        char name[544];
        snprintf(name, sizeof name, "%s/%s", label, ours[i]);
        status = check_place(index, index->directory, ours[i], S_IFREG, name, &good, err);
        if (status != STATUS_OK)
            return status;
    }
    if (!good) {
        close(index->directory);
        index->directory = -1;
    }
    /* A lock file that another account left (root, who looked once) is replaced, where the directory is ours to write.
     */
    for (int turn = 0; turn < 2 && good && create && index->lock < 0; turn++)
        if (io_open_below(index->directory, "lock", IO_UPDATE, true, "lock", &index->lock, NULL, NULL) != STATUS_OK)
            io_remove(index->directory, "lock", false, "lock", NULL);
    return STATUS_OK;
}

enum status index_open(int store, const char *store_label, bool create, struct index **ret_index, struct error *err)
{
    struct index *index = NULL;
    char label[512];
    snprintf(label, sizeof label, "%s/index", store_label);
    enum status status = index_open_memory(&index, err);
    if (status != STATUS_OK)
        return status;
    status = open_directory(index, store, label, create, err);
    if (status != STATUS_OK)
        goto out;
    status = index_load(index, err);
    if (status != STATUS_OK)
        goto out;
    *ret_index = index;
    return STATUS_OK;
out:
    index_close(index);
    return status;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    index_clear(index);
    if (index->lock >= 0)
        close(index->lock);
    if (index->directory >= 0)
        close(index->directory);
    free(index->facts);
    free(index->dirty);
    free(index);
}

bool index_is_same_folder(const struct index *index, int store)
{
    return index->directory < 0 || (io_is_same_file(index->directory, store, "index", false) &&
                                    (index->lock < 0 || io_is_same_file(index->lock, index->directory, "lock", false)));
}
