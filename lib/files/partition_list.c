#include <stdlib.h>

#include "base/timestamp.h"
#include "files/partition.h"

/* A set of days that ascend by themselves: a bit for each that can be. */
struct days {
    uint64_t *words;    /* owned */
    size_t first, last; /* all that are not 0 lie from words[first] to words[last] */
    size_t count;
};

#define DAYS      ((size_t)(DAY_MAX - DAY_MIN) + 1)
#define DAY_WORDS (DAYS / 64 + 1)

static bool add_name(void *context, const char *name, unsigned char type)
{
    struct days *days = context;
    (void)type;
    int32_t day;
    if (!partition_name_parse(name, &day))
        return true;
    size_t number = (size_t)(day - DAY_MIN), word = number / 64;
    uint64_t bit = UINT64_C(1) << number % 64;
    if (days->words[word] & bit)
        return true;
    days->words[word] |= bit;
    days->count++;
    days->first = word < days->first ? word : days->first;
    days->last = word > days->last ? word : days->last;
    return true;
}

static void put_days(const struct days *days, struct partition_listed *files)
{
    for (size_t word = days->first; word <= days->last; word++)
        for (uint64_t bits = days->words[word]; bits != 0; bits &= bits - 1)
            (files++)->day = DAY_MIN + (int32_t)(word * 64) + __builtin_ctzll(bits);
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
    struct days days = {.words = calloc(DAY_WORDS, sizeof *days.words), .first = DAY_WORDS};
    struct partition_listed *files = NULL;
    enum status status = days.words ? io_list(directory, directory_label, add_name, &days, err) : error_set_memory(err);
    if (status == STATUS_OK && !(files = calloc(days.count + 1, sizeof *files)))
        status = error_set_memory(err);
    if (status == STATUS_OK)
        put_days(&days, files);
    free(days.words);
    if (status == STATUS_OK)
        status = look_at_all(directory, directory_label, files, days.count, err);
    if (status != STATUS_OK) {
        free(files);
        return status;
    }
    *ret_files = files;
    *ret_count = days.count;
    return STATUS_OK;
}
