#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/timestamp.h"
#include "files/catalog/state.h"

/* "signals-2026-02-05-0123456789abcdef": the hash is of the bytes, kind and day tell where they lay first. */
#define COPY_NAME_SIZE 40
#define HASH_DIGITS    16

static size_t copy_name(uint32_t number, const char *line, size_t length, char name[static COPY_NAME_SIZE])
{
    char day[DAY_TEXT_SIZE];
    day_format(partition_number_day(number), day);
    return (size_t)snprintf(name, COPY_NAME_SIZE, "%s-%s-%016llx", event_kind_name(partition_number_kind(number)), day,
                            (unsigned long long)hash_bytes(line, length, 0));
}

/* Whether the file of that name holds these bytes. What cannot be read holds none. STATUS_IO: no memory. */
static enum status look(int folder, const char *name, const char *line, size_t length, bool *ret_same,
                        struct error *err)
{
    int fd;
    struct bytes kept = {0};
    struct error why;
    *ret_same = false;
    if (io_open_below(folder, name, IO_READ, false, name, &fd, NULL, NULL) != STATUS_OK)
        return STATUS_OK;
    enum status status = io_read_all(fd, length, name, &kept, &why);
    *ret_same = status == STATUS_OK && kept.length == length && (length == 0 || memcmp(kept.data, line, length) == 0);
    io_close(fd, name, NULL);
    bytes_release(&kept);
    return status != STATUS_OK && why.no_memory ? error_set_memory(err) : STATUS_OK;
}

struct listing {
    struct bytes *names;
    bool failed;
};

static bool keep_name(void *context, const char *name, unsigned char type)
{
    struct listing *listing = context;
    char padded[COPY_NAME_SIZE] = {0};
    size_t length = strlen(name);
    (void)type;
    if (length <= HASH_DIGITS || length >= sizeof padded || name[length - HASH_DIGITS - 1] != '-')
        return true;
    memcpy(padded, name, length);
    listing->failed = !bytes_append(listing->names, padded, sizeof padded);
    return !listing->failed;
}

enum status catalog_is_quarantined(struct catalog *store, uint32_t number, const char *line, size_t length,
                                   bool *ret_quarantined, struct error *err)
{
    char name[COPY_NAME_SIZE];
    int folder;
    *ret_quarantined = false;
    if (workspace_folder(store->workspace, FOLDER_QUARANTINE, false, &folder, NULL) != STATUS_OK)
        return workspace_check_folder(store->workspace, FOLDER_QUARANTINE, err);
    const char *hash = name + copy_name(number, line, length, name) - HASH_DIGITS;
    enum status status = look(folder, name, line, length, ret_quarantined, err);
    if (status != STATUS_OK || *ret_quarantined)
        return status;
    /* among those of other kinds and days, which are listed once between two refreshes */
    if (!store->kept_listed) {
        struct listing listing = {.names = &store->kept};
        struct error why = {0};
        bytes_clear(&store->kept);
        status = io_list(folder, workspace_folder_path(store->workspace, FOLDER_QUARANTINE), keep_name, &listing, &why);
        if (listing.failed || (status != STATUS_OK && why.no_memory))
            return error_set_memory(err);
        store->kept_listed = true;
    }
    status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && !*ret_quarantined && i < store->kept.length; i += COPY_NAME_SIZE) {
        const char *other = store->kept.data + i;
        if (memcmp(other + strlen(other) - HASH_DIGITS, hash, HASH_DIGITS) == 0)
            status = look(folder, other, line, length, ret_quarantined, err);
    }
    return status;
}

enum status catalog_quarantine(struct catalog *store, uint32_t number, const char *line, size_t length,
                               struct error *err)
{
    char name[COPY_NAME_SIZE];
    struct bytes path = {0};
    copy_name(number, line, length, name);
    if (!workspace_path(store->workspace, FOLDER_QUARANTINE, name, &path))
        return error_set_memory(err);
    enum status status = workspace_replace(store->workspace, FOLDER_QUARANTINE, name, line, length, path.data, err);
    bytes_release(&path);
    return status == STATUS_OK ? STATUS_OK : STATUS_IO;
}
