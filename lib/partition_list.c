#include <stdlib.h>

#include "partition.h"

struct listing {
    struct partition_listed *files; /* owned */
    size_t count, capacity;
    bool no_memory;
};

static bool add_name(void *context, const char *name, unsigned char type)
{
    struct listing *listing = context;
    (void)type;
    int32_t day;
    if (!partition_name_parse(name, &day))
        return true;
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity * 2 + 64;
        struct partition_listed *grown = reallocarray(listing->files, capacity, sizeof *grown);
        if (!grown) {
            listing->no_memory = true;
            return false;
        }
        listing->files = grown;
        listing->capacity = capacity;
    }
    listing->files[listing->count++] = (struct partition_listed){.day = day};
    return true;
}

static int by_day(const void *a, const void *b)
{
    int32_t x = ((const struct partition_listed *)a)->day, y = ((const struct partition_listed *)b)->day;
    return (x > y) - (x < y);
}

static enum status look_at_all(int directory, const char *label, const struct listing *listing, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < listing->count && status == STATUS_OK; i++) {
        struct partition_listed *file = &listing->files[i];
        status = partition_stat_at(directory, label, file->day, &file->stat, err);
        file->is_there = status == STATUS_OK;
        if (status == STATUS_ABSENT) /* gone since it was listed */
            status = STATUS_OK;
    }
    return status;
}

enum status partition_list(int directory, const char *directory_label, struct partition_listed **ret_files,
                           size_t *ret_count, struct error *err)
{
    struct listing listing = {0};
    enum status status = io_list(directory, directory_label, add_name, &listing, err);
    if (listing.no_memory)
        status = error_set_memory(err);
    if (listing.count > 1)
        qsort(listing.files, listing.count, sizeof *listing.files, by_day);
    if (status == STATUS_OK)
        status = look_at_all(directory, directory_label, &listing, err);
    if (status != STATUS_OK) {
        free(listing.files);
        return status;
    }
    *ret_files = listing.files;
    *ret_count = listing.count;
    return STATUS_OK;
}
