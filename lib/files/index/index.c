#include "files/index/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "files/index/state.h"

#define SPILL     ((size_t)1 << 17) /* staged entries that go to a file rather than stay in memory: 2 MiB */
#define KEY_BLOCK ((size_t)8192)    /* keys looked up at once while settling */

const char *const index_table_names[INDEX_TABLES] = {"ids", "refs", "repeats"};

static enum status new_index(struct index **ret_index, struct error *err)
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

enum status index_open_memory(struct index **ret_index, struct error *err)
{
    return new_index(ret_index, err);
}

/* A lock file that another account left (root, who looked once) is replaced, where the directory is ours to write. */
static void open_lock(struct index *index)
{
    int fd = -1;
    for (int turn = 0; turn < 2 && fd < 0; turn++)
        if (io_open_below(index->directory, "lock", IO_UPDATE, true, "lock", &fd, NULL, NULL) != STATUS_OK)
            io_remove(index->directory, "lock", false, "lock", NULL);
    index->lock = fd;
}

/* What stands in the place of a file or folder of ours. STATUS_IO: a link or special file, which is refused. A
 * directory for a file, a file for a directory, and what cannot be looked at: *ret_good is false, the trouble set. */
static enum status look_at_place(struct index *index, int directory, const char *name, mode_t type, const char *label,
                                 bool *ret_good, struct error *err)
{
    enum status status = io_check_type(directory, name, type, label, err);
    *ret_good = status == STATUS_OK;
    mode_t other = type == S_IFDIR ? S_IFREG : S_IFDIR;
    if (status != STATUS_OK && !index_can_look(index, directory, name))
        return STATUS_OK;
    if (status == STATUS_OK || io_check_type(directory, name, other, label, NULL) != STATUS_OK)
        return status;
    if (type == S_IFDIR)
        index_set_trouble(index, "is not a directory");
    else
        index_set_trouble(index, "%s: is not a regular file", name);
    return STATUS_OK;
}

/* Links and special files are refused; every other trouble only means that the index stays in memory. */
static enum status open_directory(struct index *index, int store, const char *label, bool create, struct error *err)
{
    bool good;
    enum status status = look_at_place(index, store, "index", S_IFDIR, label, &good, err);
    if (status != STATUS_OK || !good)
        return status;
    if (io_open_directory_below(store, "index", create, label, &index->directory, NULL) != STATUS_OK)
        return STATUS_OK;
    static const char *const ours[] = {"manifest", "lock"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours && status == STATUS_OK && good; i++) {
        char name[544];
        snprintf(name, sizeof name, "%s/%s", label, ours[i]);
        status = look_at_place(index, index->directory, ours[i], S_IFREG, name, &good, err);
    }
    if (status == STATUS_OK && !good) {
        close(index->directory);
        index->directory = -1;
    } else if (status == STATUS_OK && create) {
        open_lock(index);
    }
    return status;
}

enum status index_open(int store, const char *store_label, bool create, struct index **ret_index, struct error *err)
{
    struct index *index = NULL;
    char label[512];
    snprintf(label, sizeof label, "%s/index", store_label);
    enum status status = new_index(&index, err);
    if (status == STATUS_OK)
        status = open_directory(index, store, label, create, err);
    if (status == STATUS_OK)
        status = index_load(index, err);
    if (status != STATUS_OK) {
        index_close(index);
        return status;
    }
    *ret_index = index;
    return STATUS_OK;
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
    free(index->facts_block);
    free(index->dirty);
    free(index);
}

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

bool index_is_unreadable(const struct index *index)
{
    bool unreadable = index->unreadable;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count && !unreadable; i++)
            unreadable = run_is_unreadable(index->tables[t].runs[i].run);
    return unreadable;
}

/* Says what a status of its runs means. */
static enum status look_up_error(const struct index *index, enum status status, struct error *err)
{
    if (status == STATUS_INVALID && index_is_unreadable(index))
        return error_set(err, status, "a part of it cannot be read");
    return run_error(status, err);
}

enum status table_add_run(struct table *table, struct run *run, enum run_home home, struct error *err)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity * 2 + 8;
        struct table_run *grown = reallocarray(table->runs, capacity, sizeof *grown);
        if (!grown) {
            run_close(run);
            return error_set_memory(err);
        }
        table->runs = grown;
        table->capacity = capacity;
    }
    table->runs[table->count++] = (struct table_run){run, home};
    return table_join_runs(table, err);
}

static void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        run_close(table->runs[i].run);
    free(table->runs);
    entries_release(&table->staged);
    entries_release(&table->passing);
    *table = (struct table){0};
}

/* Run files that no manifest will ever name. */
static void remove_uncommitted(const struct index *index, enum index_table which)
{
    const struct table *table = &index->tables[which];
    for (size_t i = 0; i < table->count; i++) {
        uint64_t number = run_number(table->runs[i].run);
        if (table->runs[i].home != RUN_UNCOMMITTED || number == 0)
            continue;
        char name[INDEX_RUN_NAME_SIZE];
        index_run_name(index_table_names[which], number, name);
        io_remove(index->directory, name, false, name, NULL);
    }
}

void index_clear(struct index *index)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        remove_uncommitted(index, t);
        table_clear(&index->tables[t]);
    }
    index->facts_count = 0;
    index->abandoned = false;
    index->manifest = index->log_length = index->log_checksum = 0;
}

enum status index_reset(struct index *index, struct error *err)
{
    (void)err;
    index_clear(index);
    index->replace = true;
    if (!index->trouble[0])
        index_set_trouble(index, "damaged");
    return STATUS_OK;
}

void index_abandon(struct index *index)
{
    index->abandoned = true;
}

/* The place of a partition's facts, or where they would go. */
static size_t facts_place(const struct index *index, uint32_t partition)
{
    size_t low = 0, high = index->facts_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->facts[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
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

static bool grow_facts(struct index *index)
{
    size_t capacity = index->facts_capacity * 2 + 64;
    bool *dirty = reallocarray(index->dirty, capacity, sizeof *dirty);
    if (dirty)
        index->dirty = dirty;
    struct partition_facts *facts = dirty ? reallocarray(NULL, capacity, sizeof *facts) : NULL;
    if (!facts)
        return false;
    if (index->facts_count > 0)
        memcpy(facts, index->facts, index->facts_count * sizeof *facts);
    free(index->facts_block);
    index->facts_block = index->facts = facts;
    index->facts_capacity = capacity;
    return true;
}

enum status index_store_facts(struct index *index, const struct partition_facts *facts, bool dirty, struct error *err)
{
    size_t place = facts_place(index, facts->partition);
    if (place == index->facts_count || index->facts[place].partition != facts->partition) {
        if (index->facts_count == index->facts_capacity && !grow_facts(index))
            return error_set_memory(err);
        size_t behind = index->facts_count - place;
        memmove(index->facts + place + 1, index->facts + place, behind * sizeof *index->facts);
        memmove(index->dirty + place + 1, index->dirty + place, behind * sizeof *index->dirty);
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

bool index_value_is_current(const struct index *index, uint64_t value)
{
    const struct partition_facts *facts = index_facts(index, index_value_partition(value));
    return facts && (facts->generation & ((1u << INDEX_GENERATION_BITS) - 1)) == index_value_generation(value) &&
           index_value_offset(value) < facts->known;
}

/* Candidates of all runs, unsorted, stale ones included. */
static enum status collect(struct table *table, uint64_t key, struct entries *matches, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < table->count && status == STATUS_OK; i++)
        status = run_find(table->runs[i].run, key, matches);
    for (size_t i = 0; i < table->passing.count && status == STATUS_OK; i++)
        if (table->passing.data[i].key == key && !entries_add(matches, table->passing.data[i]))
            status = STATUS_IO;
    return run_error(status, err);
}

static bool is_passing(const struct table *table, struct entry entry)
{
    for (size_t i = 0; i < table->passing.count; i++)
        if (table->passing.data[i].key == entry.key && table->passing.data[i].value == entry.value)
            return true;
    return false;
}

enum status index_find(struct index *index, enum index_table which, uint64_t key, struct entries *ret_matches,
                       struct error *err)
{
    struct table *table = &index->tables[which];
    ret_matches->count = 0;
    enum status status = collect(table, key, ret_matches, err);
    if (status != STATUS_OK)
        return status;
    entries_sort(ret_matches);
    size_t kept = 0;
    for (size_t i = 0; i < ret_matches->count; i++)
        if (index_value_is_current(index, ret_matches->data[i].value) || is_passing(table, ret_matches->data[i]))
            ret_matches->data[kept++] = ret_matches->data[i];
    ret_matches->count = kept;
    return STATUS_OK;
}

enum status index_lookup_in(struct index *index, enum index_table which, const uint64_t *keys, size_t count,
                            struct entries *ret_hits, struct error *err)
{
    struct table *table = &index->tables[which];
    enum status status = STATUS_OK;
    ret_hits->count = 0;
    for (size_t i = 0; i < table->count && status == STATUS_OK; i++)
        status = run_lookup(table->runs[i].run, keys, count, ret_hits);
    for (size_t i = 0; i < table->passing.count && status == STATUS_OK; i++)
        for (size_t k = 0; k < count && status == STATUS_OK; k++)
            if (keys[k] == table->passing.data[i].key &&
                !entries_add(ret_hits, (struct entry){k, table->passing.data[i].value}))
                status = STATUS_IO;
    if (status != STATUS_OK)
        return look_up_error(index, status, err);
    entries_sort(ret_hits);
    size_t kept = 0;
    for (size_t i = 0; i < ret_hits->count; i++) {
        struct entry hit = ret_hits->data[i];
        if (index_value_is_current(index, hit.value) || is_passing(table, (struct entry){keys[hit.key], hit.value}))
            ret_hits->data[kept++] = hit;
    }
    ret_hits->count = kept;
    return STATUS_OK;
}

/* Reports the values of one key that stand behind its least one. */
static enum status report_repeats(struct index *index, uint64_t key, struct entries *matches, index_repeat *repeat,
                                  void *context, struct error *err)
{
    enum status status = index_find(index, INDEX_IDS, key, matches, err);
    for (size_t i = 1; i < matches->count && status == STATUS_OK; i++)
        status = repeat(context, matches->data[i].value, err);
    return status;
}

/* Adds to *ret_keys those keys of the (sorted) staged ids, each once, that stand among them twice or in an older run.
 */
static enum status find_repeated(struct index *index, const struct entries *staged, size_t from, size_t to,
                                 struct entries *ret_keys, struct error *err)
{
    struct entries hits = {0};
    uint64_t *keys = reallocarray(NULL, to - from, sizeof *keys);
    if (!keys)
        return error_set_memory(err);
    for (size_t i = from; i < to; i++)
        keys[i - from] = staged->data[i].key;
    enum status status = index_lookup(index, keys, to - from, &hits, err);
    size_t hit = 0;
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        bool twice = i + 1 < staged->count && staged->data[i + 1].key == keys[i - from];
        while (hit < hits.count && hits.data[hit].key < i - from)
            hit++;
        bool older = hit < hits.count && hits.data[hit].key == i - from;
        bool told = ret_keys->count > 0 && ret_keys->data[ret_keys->count - 1].key == keys[i - from];
        if ((twice || older) && !told && !entries_add(ret_keys, (struct entry){keys[i - from], 0}))
            status = error_set_memory(err);
    }
    entries_release(&hits);
    free(keys);
    return status;
}

/* Staged entries become a run: a file where they are many and a file can be had, else in memory. */
static enum status merge_table(struct index *index, enum index_table which, struct error *err)
{
    struct table *table = &index->tables[which];
    bool large = table->staged.count >= SPILL;
    struct run *run = run_of_entries(&table->staged), *file = NULL;
    if (!run)
        return error_set_memory(err);
    if (large && index->lock >= 0 && index_write_run(index, which, &run, 1, false, &file, NULL) == STATUS_OK) {
        run_close(run);
        run = file;
    }
    return table_add_run(table, run, RUN_UNCOMMITTED, err);
}

static enum status merge_ids(struct index *index, index_repeat *repeat, void *context, struct error *err)
{
    const struct entries *staged = &index->tables[INDEX_IDS].staged;
    struct entries repeated = {0}, matches = {0};
    enum status status = STATUS_OK;
    for (size_t from = 0; from < staged->count && status == STATUS_OK; from += KEY_BLOCK) {
        size_t to = staged->count - from < KEY_BLOCK ? staged->count : from + KEY_BLOCK;
        status = find_repeated(index, staged, from, to, &repeated, err);
    }
    if (status == STATUS_OK)
        status = merge_table(index, INDEX_IDS, err);
    for (size_t i = 0; i < repeated.count && status == STATUS_OK; i++)
        status = report_repeats(index, repeated.data[i].key, &matches, repeat, context, err);
    entries_release(&repeated);
    entries_release(&matches);
    return status;
}

enum status index_merge(struct index *index, index_repeat *repeat, void *context, struct error *err)
{
    static const enum index_table order[] = {INDEX_IDS, INDEX_REFS, INDEX_REPEATS};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < INDEX_TABLES && status == STATUS_OK; i++) {
        struct table *table = &index->tables[order[i]];
        if (table->staged.count == 0)
            continue;
        entries_sort(&table->staged);
        status = order[i] == INDEX_IDS && repeat ? merge_ids(index, repeat, context, err)
                                                 : merge_table(index, order[i], err);
    }
    return status;
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

uint64_t index_count(const struct index *index, enum index_table table)
{
    uint64_t count = 0;
    for (size_t i = 0; i < index->tables[table].count; i++)
        count += run_count(index->tables[table].runs[i].run);
    return count;
}

enum status index_verify(struct index *index, struct error *err)
{
    enum status status = STATUS_OK;
    struct run_cursor *cursor = malloc(sizeof *cursor);
    if (!cursor)
        return error_set_memory(err);
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count && status == STATUS_OK; i++) {
            struct entry entry;
            run_cursor_start(cursor, index->tables[t].runs[i].run);
            while (run_cursor_next(cursor, &entry, &status))
                continue;
        }
    free(cursor);
    return look_up_error(index, status, err);
}
