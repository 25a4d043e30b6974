#include <stdlib.h>

#include "partition.h"

struct days {
    int32_t *data; /* owned */
    size_t count, capacity;
    bool no_memory;
};

static bool add_name(void *context, const char *name, unsigned char type)
{
    struct days *days = context;
    (void)type;
    int32_t day;
    if (!partition_name_parse(name, &day))
        return true;
    if (days->count == days->capacity) {
        size_t capacity = days->capacity * 2 + 64;
        int32_t *grown = reallocarray(days->data, capacity, sizeof *grown);
        if (!grown) {
            days->no_memory = true;
            return false;
        }
        days->data = grown;
        days->capacity = capacity;
    }
    days->data[days->count++] = day;
    return true;
}

static int by_day(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static enum status look_at_all(int directory, const char *label, struct partition_listed *files, size_t count,
                               struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = partition_stat_at(directory, label, files[i].day, &files[i].stat, err);
        files[i].is_there = status == STATUS_OK;
        if (status == STATUS_ABSENT) /* gone since it was listed */
            status = STATUS_OK;
    }
    return status;
}

enum status partition_list(int directory, const char *directory_label, struct partition_listed **ret_files,
                           size_t *ret_count, struct error *err)
{
    struct days days = {0};
    struct partition_listed *files = NULL;
    enum status status = io_list(directory, directory_label, add_name, &days, err);
    if (days.no_memory)
        status = error_set_memory(err);
    if (days.count > 1)
        qsort(days.data, days.count, sizeof *days.data, by_day);
    if (status == STATUS_OK && !(files = calloc(days.count + 1, sizeof *files)))
        status = error_set_memory(err);
    for (size_t i = 0; i < days.count && status == STATUS_OK; i++)
        files[i].day = days.data[i];
    if (status == STATUS_OK)
        status = look_at_all(directory, directory_label, files, days.count, err);
    free(days.data);
    if (status != STATUS_OK) {
        free(files);
        return status;
    }
    *ret_files = files;
    *ret_count = days.count;
    return STATUS_OK;
}
