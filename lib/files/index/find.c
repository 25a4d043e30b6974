#include "files/index/state.h"

bool index_is_unreadable(const struct index *index)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count; i++)
            if (run_is_unreadable(index->tables[t].runs[i].run))
                return true;
    return index->unreadable;
}

/* Says what a status of a run means. */
static enum status explain(const struct index *index, enum status status, struct error *err)
{
    if (status == STATUS_IO)
        return error_set_memory(err);
    if (status == STATUS_INVALID)
        error_set(err, status, index_is_unreadable(index) ? "a part of it cannot be read" : "the index is damaged");
    return status;
}

enum status index_lookup(struct index *index, enum index_table which, const uint64_t *keys, size_t count,
                         struct entries *ret_hits, struct error *err)
{
    const struct table *table = &index->tables[which];
    ret_hits->count = 0;
    for (size_t i = 0; i < table->count; i++) {
        enum status status = run_lookup(table->runs[i].run, keys, count, ret_hits);
        if (status != STATUS_OK)
            return explain(index, status, err);
    }
    size_t kept = 0;
    for (size_t i = 0; i < ret_hits->count; i++)
        if (index_value_is_current(index, ret_hits->data[i].value))
            ret_hits->data[kept++] = ret_hits->data[i];
    ret_hits->count = kept;
    for (size_t i = 0; i < table->passing.count; i++)
        for (size_t k = 0; k < count; k++)
            if (keys[k] == table->passing.data[i].key &&
                !entries_add(ret_hits, (struct entry){k, table->passing.data[i].value}))
                return error_set_memory(err);
    entries_sort(ret_hits);
    return STATUS_OK;
}

enum status index_find(struct index *index, enum index_table table, uint64_t key, struct entries *ret_matches,
                       struct error *err)
{
    enum status status = index_lookup(index, table, &key, 1, ret_matches, err);
    for (size_t i = 0; i < ret_matches->count; i++)
        ret_matches->data[i].key = key;
    return status;
}

enum status index_verify(struct index *index, struct error *err)
{
    enum status status = STATUS_OK;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count && status == STATUS_OK; i++) {
            struct run_cursor cursor;
            struct entry entry;
            run_cursor_start(&cursor, index->tables[t].runs[i].run);
            while (run_cursor_next(&cursor, &entry, &status))
                continue;
        }
    return explain(index, status, err);
}
