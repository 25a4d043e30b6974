#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "files/check/state.h"

void check_report(struct check *check, const char *file, uint64_t line, uint64_t byte, const char *format, ...)
{
    char what[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    struct store_flaw flaw = {.file = file, .line = line, .byte = byte, .what = what};
    check->request->flaws++;
    check->request->found(check->request->context, &flaw);
}

void check_fail(struct check *check, const struct error *why)
{
    if (notices_first(&check->notices, why->text, strlen(why->text)))
        check->request->failed(check->request->context, why);
}

bool check_is_interrupted(const struct check *check)
{
    return check->options->interrupted && *check->options->interrupted;
}

static int compare_number(const void *element, const void *key)
{
    uint32_t number = ((const struct checked *)element)->number, wanted = *(const uint32_t *)key;
    return (number > wanted) - (number < wanted);
}

struct checked *check_find(struct check *check, uint32_t number)
{
    size_t i = array_lower_bound(check->partitions, check->count, sizeof *check->partitions, &number, compare_number);
    return i < check->count && check->partitions[i].number == number ? &check->partitions[i] : NULL;
}

const char *check_path(struct check *check, uint32_t number)
{
    return catalog_partition_path(check->store, number, &check->path) ? check->path.data : NULL;
}
