#include "files/index/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"

#define JOIN_MOST ((uint64_t)1 << 14) /* entries of runs that are joined in memory */

const char *const index_table_names[INDEX_TABLES] = {"ids", "refs", "repeats"};

uint64_t index_seed(const struct index *index)
{
    return index->seed;
}

bool index_is_persistent(const struct index *index)
{
    return index->lock >= 0;
}

const char *index_trouble(const struct index *index)
{
    return index->trouble[0] ? index->trouble : NULL;
}

/* entries that are put together in memory */

void index_set_trouble(struct index *index, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(index->trouble, sizeof index->trouble, format, arguments);
    va_end(arguments);
}

void index_run_name(const char *table, uint64_t number, char buffer[static INDEX_RUN_NAME_SIZE])
{
    snprintf(buffer, INDEX_RUN_NAME_SIZE, "%s-%016llx", table, (unsigned long long)number);
}

void index_log_name(uint64_t number, char buffer[static INDEX_RUN_NAME_SIZE])
{
    index_run_name("log", number, buffer);
}

uint64_t index_random_number(void)
{
    uint64_t number = 0;
    while (number == 0)
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            number = (uint64_t)getpid() << 32 | (uint64_t)(uintptr_t)&number;
    return number;
}

uint64_t index_frame_checksum(const char *data, uint64_t seed)
{
    struct frame clean;
    memcpy(&clean, data, sizeof clean);
    clean.checksum = 0;
    return hash_bytes(data + sizeof clean, clean.length - sizeof clean, hash_bytes(&clean, sizeof clean, seed));
}

/* ---- runs */

static bool keep_current(void *context, struct entry entry)
{
    return index_value_is_current(context, entry.value);
}

enum status index_write_run(struct index *index, enum index_table table, struct run *const *runs, size_t count,
                            bool clean, struct run **ret_run, struct error *err)
{
    char name[INDEX_RUN_NAME_SIZE];
    uint64_t number = index_random_number();
    index_run_name(index_table_names[table], number, name);
    bool stale = false; /* only where a partition was read anew can there be entries that are of no use */
    for (size_t i = 0; i < index->facts_count && clean; i++)
        stale = stale || index->facts[i].generation != 0;
    return run_merge(index->directory, name, number, runs, count, stale ? keep_current : NULL, index, ret_run, err);
}

enum status table_join_runs(struct table *table, struct error *err)
{
    for (; table->count >= 2; table->count--) {
        struct table_run *last = &table->runs[table->count - 1], *before = last - 1;
        uint64_t count = run_count(last->run), more = run_count(before->run);
        if (before->home != last->home || run_number(before->run) != 0 || run_number(last->run) != 0 ||
            more / 2 >= count || more + count > JOIN_MOST)
            break;
        struct run *joined = run_join(before->run, last->run);
        if (!joined)
            return error_set_memory(err);
        before->run = joined;
    }
    return STATUS_OK;
}

enum status table_add_run(struct table *table, struct run *run, enum run_home home, struct error *err)
{
    if (!ARRAY_RESERVE(table->runs, table->count, table->capacity, 1)) {
        run_close(run);
        return error_set_memory(err);
    }
    table->runs[table->count++] = (struct table_run){run, home};
    return table_join_runs(table, err);
}

void index_clear(struct index *index)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        struct table *table = &index->tables[t];
        for (size_t i = 0; i < table->count; i++) {
            struct table_run *run = &table->runs[i];
            if (run->home == RUN_UNCOMMITTED && run_number(run->run) != 0) { /* no manifest will ever name its file */
                char name[INDEX_RUN_NAME_SIZE];
                index_run_name(index_table_names[t], run_number(run->run), name);
                io_remove(index->directory, name, false, name, NULL);
            }
            run_close(run->run);
        }
        free(table->runs);
        entries_release(&table->staged);
        entries_release(&table->passing);
        *table = (struct table){0};
    }
    index->facts_count = 0;
    index->abandoned = false;
    index->manifest = index->log_length = index->log_checksum = 0;
}

void index_reset(struct index *index)
{
    index_clear(index);
    index->replace = true;
    if (!index->trouble[0])
        index_set_trouble(index, "damaged");
}

void index_abandon(struct index *index)
{
    index->abandoned = true;
}

bool index_has_uncommitted(const struct index *index)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        const struct table *table = &index->tables[t];
        if (table->staged.count > 0 || (table->count > 0 && table->runs[table->count - 1].home == RUN_UNCOMMITTED))
            return true;
    }
    return index->facts_count > 0 && memchr(index->dirty, true, index->facts_count);
}

/* ---- facts */

static int compare_partition(const void *facts, const void *partition)
{
    uint32_t a = ((const struct partition_facts *)facts)->partition, b = *(const uint32_t *)partition;
    return (a > b) - (a < b);
}

/* The place of a partition's facts, or where they would go. */
static size_t facts_place(const struct index *index, uint32_t partition)
{
    return array_lower_bound(index->facts, index->facts_count, sizeof *index->facts, &partition, compare_partition);
}

const struct partition_facts *index_facts(const struct index *index, uint32_t partition)
{
    size_t place = facts_place(index, partition);
    return place < index->facts_count && index->facts[place].partition == partition ? &index->facts[place] : NULL;
}

const struct partition_facts *index_all_facts(const struct index *index, size_t *ret_count)
{
    *ret_count = index->facts_count;
    return index->facts;
}

enum status index_store_facts(struct index *index, const struct partition_facts *facts, bool dirty, struct error *err)
{
    size_t place = facts_place(index, facts->partition), after = index->facts_count - place;
    if (after == 0 || index->facts[place].partition != facts->partition) {
        if (!ARRAY_RESERVE(index->facts, index->facts_count, index->facts_capacity, 1) ||
            !ARRAY_RESERVE(index->dirty, index->facts_count, index->dirty_capacity, 1))
            return error_set_memory(err);
        memmove(index->facts + place + 1, index->facts + place, after * sizeof *index->facts);
        memmove(index->dirty + place + 1, index->dirty + place, after * sizeof *index->dirty);
        index->facts_count++;
    }
    index->facts[place] = *facts;
    index->dirty[place] = dirty;
    return STATUS_OK;
}

enum status index_put_facts(struct index *index, const struct partition_facts *facts, struct error *err)
{
    return index_store_facts(index, facts, true, err);
}

bool index_value_is_current(const struct index *index, uint64_t value)
{
    const struct partition_facts *facts = index_facts(index, index_value_partition(value));
    return facts && (facts->generation & ((1u << INDEX_GENERATION_BITS) - 1)) == index_value_generation(value) &&
           index_value_offset(value) < facts->known;
}

/* ---- staged and passing entries */

enum status index_add(struct index *index, enum index_table table, struct entry entry, struct error *err)
{
    if (index_value_offset(entry.value) >= INDEX_OFFSET_LIMIT - 1)
        return STATUS_OK;
    return entries_add(&index->tables[table].staged, entry) ? STATUS_OK : error_set_memory(err);
}

void index_leave_out_refs(struct index *index)
{
    index->refs_left_out = true;
}

bool index_has_all_refs(const struct index *index)
{
    return !index->refs_left_out;
}

size_t index_unmerged(const struct index *index)
{
    size_t count = 0;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        count += index->tables[t].staged.count;
    return count;
}

enum status index_add_volatile(struct index *index, struct entry entry, struct error *err)
{
    return entries_add(&index->tables[INDEX_IDS].passing, entry) ? STATUS_OK : error_set_memory(err);
}

void index_clear_volatile(struct index *index)
{
    index->tables[INDEX_IDS].passing.count = 0;
}

const struct entry *index_volatile(const struct index *index, size_t *ret_count)
{
    *ret_count = index->tables[INDEX_IDS].passing.count;
    return index->tables[INDEX_IDS].passing.data;
}
