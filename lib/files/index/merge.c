#include <stdlib.h>

#include "files/index/state.h"

#define SPILL     ((size_t)1 << 17) /* staged entries that go to a file rather than stay in memory: 2 MiB */
#define KEY_BLOCK ((size_t)8192)    /* keys looked up at once while merging */

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
    enum status status = index_lookup(index, INDEX_IDS, keys, to - from, &hits, err);
    size_t hit = 0;
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        bool twice = i + 1 < staged->count && staged->data[i + 1].key == keys[i - from];
        while (hit < hits.count && hits.data[hit].key < i - from)
            hit++;
        bool older = hit < hits.count && hits.data[hit].key == i - from;
        bool reported = ret_keys->count > 0 && ret_keys->data[ret_keys->count - 1].key == keys[i - from];
        if ((twice || older) && !reported && !entries_add(ret_keys, (struct entry){keys[i - from], 0}))
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

/* What is staged, and reports every value of a key that now has more than one, but the least. */
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
    for (size_t i = 0; i < repeated.count && status == STATUS_OK; i++) {
        status = index_find(index, INDEX_IDS, repeated.data[i].key, &matches, err);
        for (size_t m = 1; m < matches.count && status == STATUS_OK; m++)
            status = repeat(context, matches.data[m].value, err);
    }
    entries_release(&repeated);
    entries_release(&matches);
    return status;
}

enum status index_merge(struct index *index, index_repeat *repeat, void *context, struct error *err)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++) { /* repeats last: those of the ids are among them */
        struct table *table = &index->tables[t];
        if (table->staged.count == 0)
            continue;
        entries_sort(&table->staged);
        enum status status =
            t == INDEX_IDS && repeat ? merge_ids(index, repeat, context, err) : merge_table(index, t, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
