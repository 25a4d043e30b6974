#include "files/index/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mutant.h"

#define LOG_LIMIT    ((uint64_t)8 << 20)   /* a log that has grown so far is folded into runs */
#define LOG_FRESH    ((uint64_t)256 << 10) /* what a fresh process likes to read */
#define MERGE_FACTOR 4                     /* runs of one size class that become one of the next */
#define MERGE_LEAST  ((uint64_t)1 << 14)
#define MERGE_FREE                                                                                                     \
    ((uint64_t)1 << 20) /* entries that any process may merge; more only in proportion to what it added */
#define MERGE_SHARE 64

static bool keep_current(void *context, struct entry entry)
{
    return index_value_is_current(context, entry.value);
}

/* Only where a partition was read anew can there be entries that are of no use. */
static bool has_stale_entries(const struct index *index)
{
    for (size_t i = 0; i < index->facts_count; i++)
        if (index->facts[i].generation != 0)
            return true;
    return false;
}

enum status index_write_run(struct index *index, enum index_table table, struct run *const *runs, size_t count,
                            bool clean, struct run **ret_run, struct error *err)
{
    char name[INDEX_RUN_NAME_SIZE];
    uint64_t number = index_random_number();
    index_run_name(index_table_names[table], number, name);
    run_keep *keep = clean && has_stale_entries(index) ? keep_current : NULL;
    return run_merge(index->directory, name, number, runs, count, keep, index, ret_run, err);
}

/* Replaces runs[from..to) of a table, which are then closed, and their files removed with the next manifest. */
struct removals {
    uint64_t *numbers[INDEX_TABLES];
    size_t counts[INDEX_TABLES];
};

static bool note_removal(struct removals *removals, enum index_table t, uint64_t number)
{
    uint64_t *grown = reallocarray(removals->numbers[t], removals->counts[t] + 1, sizeof *grown);
    if (!grown)
        return false;
    removals->numbers[t] = grown;
    grown[removals->counts[t]++] = number;
    return true;
}

static enum status merge_range(struct index *index, enum index_table t, size_t from, size_t to,
                               struct removals *removals, struct error *err)
{
    struct table *table = &index->tables[t];
    struct run **runs = reallocarray(NULL, to - from, sizeof *runs), *merged = NULL;
    if (!runs)
        return error_set_memory(err);
    for (size_t i = from; i < to; i++)
        runs[i - from] = table->runs[i].run;
    enum status status = index_write_run(index, t, runs, to - from, true, &merged, err);
    free(runs);
    if (status != STATUS_OK)
        return status;
    for (size_t i = from; i < to && status == STATUS_OK; i++)
        if (run_number(table->runs[i].run) != 0 && !note_removal(removals, t, run_number(table->runs[i].run)))
            status = error_set_memory(err);
    for (size_t i = from; i < to; i++)
        run_close(table->runs[i].run);
    memmove(table->runs + from + 1, table->runs + to, (table->count - to) * sizeof *table->runs);
    table->runs[from] = (struct table_run){merged, RUN_UNCOMMITTED};
    table->count -= to - from - 1;
    return status;
}

static unsigned size_class(uint64_t count)
{
    unsigned class = 0;
    for (uint64_t limit = MERGE_LEAST; count > limit; limit *= MERGE_FACTOR)
        class ++;
    return class;
}

/* Small runs become large ones, so that there are never many: where the last ones are of one size class. */
static enum status merge_classes(struct index *index, enum index_table t, struct removals *removals, struct error *err)
{
    struct table *table = &index->tables[t];
    enum status status = STATUS_OK;
    while (status == STATUS_OK && table->count >= MERGE_FACTOR) {
        size_t from = table->count - 1;
        unsigned class = size_class(run_count(table->runs[from].run));
        uint64_t total = run_count(table->runs[from].run);
        while (from > 0 && size_class(run_count(table->runs[from - 1].run)) <= class)
            total += run_count(table->runs[--from].run);
        if (table->count - from < MERGE_FACTOR || (total > MERGE_FREE && total / MERGE_SHARE > index->added))
            break;
        status = merge_range(index, t, from, table->count, removals, err);
    }
    return status;
}

/* The run is in memory, or its file was removed by who replaced an index of no use meanwhile. */
static bool lacks_file(const struct index *index, enum index_table t, const struct run *run)
{
    char name[INDEX_RUN_NAME_SIZE];
    index_run_name(index_table_names[t], run_number(run), name);
    return run_number(run) == 0 || !run_is_same_file(run, index->directory, name);
}

/* All that is in memory or in the log goes to one run a table. */
static enum status fold_table(struct index *index, enum index_table t, struct removals *removals, struct error *err)
{
    struct table *table = &index->tables[t];
    size_t from = table->count;
    while (from > 0 && table->runs[from - 1].home != RUN_IN_MANIFEST)
        from--;
    bool lacking = false;
    for (size_t i = from; i < table->count; i++)
        lacking = lacking || lacks_file(index, t, table->runs[i].run);
    enum status status = lacking ? merge_range(index, t, from, table->count, removals, err) : STATUS_OK;
    return status == STATUS_OK ? merge_classes(index, t, removals, err) : status;
}

static bool build_manifest(const struct index *index, uint64_t number, struct bytes *out)
{
    struct manifest manifest = {
        .magic = INDEX_MANIFEST_MAGIC,
        .version = INDEX_VERSION,
        .facts_size = sizeof(struct partition_facts),
        .number = number,
        .seed = index->seed,
        .boot = index->boot,
        .facts = index->facts_count,
    };
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        manifest.runs[t] = index->tables[t].count;
    bool good = bytes_append(out, &manifest, sizeof manifest);
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count && good; i++) {
            const struct run *run = index->tables[t].runs[i].run;
            struct run_record record = {run_number(run), run_count(run)};
            good = bytes_append(out, &record, sizeof record);
        }
    good = good && bytes_append(out, index->facts, index->facts_count * sizeof *index->facts);
    if (!good)
        return false;
    manifest.checksum = hash_bytes(out->data, out->length, INDEX_MANIFEST_MAGIC);
    memcpy(out->data, &manifest, sizeof manifest);
    return true;
}

static void remove_run_file(const struct index *index, const char *kind, uint64_t number)
{
    char name[INDEX_RUN_NAME_SIZE];
    index_run_name(kind, number, name);
    io_remove(index->directory, name, false, name, NULL);
}

static bool table_names(const struct table *table, uint64_t number)
{
    for (size_t i = 0; i < table->count; i++)
        if (run_number(table->runs[i].run) == number)
            return true;
    return false;
}

struct orphans {
    struct index *index;
    uint64_t manifest;
};

/* "ids-0123456789abcdef": what index_run_name() makes. */
static bool parse_name(const char *name, char *kind, size_t size, uint64_t *ret_number)
{
    const char *dash = strchr(name, '-');
    char *end;
    if (!dash || dash == name || (size_t)(dash - name) >= size)
        return false;
    snprintf(kind, size, "%.*s", (int)(dash - name), name);
    *ret_number = strtoull(dash + 1, &end, 16);
    return *end == '\0' && end - dash == 17;
}

/* A file of an older index, or of a process that was killed. */
static bool remove_orphan(void *context, const char *name, unsigned char type)
{
    (void)type;
    const struct orphans *orphans = context;
    char kind[8];
    uint64_t number;
    if (!parse_name(name, kind, sizeof kind, &number))
        return true;
    bool used = strcmp(kind, "log") == 0 && number == orphans->manifest;
    bool ours = strcmp(kind, "log") == 0;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        if (strcmp(kind, index_table_names[t]) == 0) {
            ours = true;
            used = table_names(&orphans->index->tables[t], number);
        }
    if (ours && !used)
        io_remove(orphans->index->directory, name, false, name, NULL);
    return true;
}

static void mark_committed(struct index *index, enum run_home home)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count; i++)
            if (home == RUN_IN_MANIFEST || index->tables[t].runs[i].home == RUN_UNCOMMITTED)
                index->tables[t].runs[i].home = home;
    memset(index->dirty, 0, index->facts_count * sizeof *index->dirty);
}

static enum status write_manifest(struct index *index, struct error *err)
{
    struct bytes file = {0};
    uint64_t number = index_random_number();
    enum status status = build_manifest(index, number, &file) ? STATUS_OK : error_set_memory(err);
    if (status == STATUS_OK)
        status = io_replace(index->directory, "manifest", file.data, file.length, false, "index/manifest", err);
    bytes_release(&file);
    if (status != STATUS_OK)
        return status;
    if (index->replace) {
        struct orphans orphans = {index, number};
        io_list(index->directory, "index", remove_orphan, &orphans, NULL);
    } else if (index->manifest != 0) {
        remove_run_file(index, "log", index->manifest);
    }
    index->manifest = index->log_checksum = number;
    index->log_length = 0;
    index->replace = false;
    index->trouble[0] = '\0';
    index->unreadable = false;
    mark_committed(index, RUN_IN_MANIFEST);
    return STATUS_OK;
}

/* Everything into runs, and a new manifest with an empty log. */
static enum status fold(struct index *index, struct error *err)
{
    struct removals removals = {0};
    enum status status = STATUS_OK;
    for (enum index_table t = 0; t < INDEX_TABLES && status == STATUS_OK; t++)
        status = fold_table(index, t, &removals, err);
    if (status == STATUS_OK)
        status = write_manifest(index, err);
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        for (size_t i = 0; i < removals.counts[t] && status == STATUS_OK; i++)
            remove_run_file(index, index_table_names[t], removals.numbers[t][i]);
        free(removals.numbers[t]);
    }
    return status;
}

/* Which parts of what is staged go into a frame. */
enum frame_parts { FRAME_WHOLE, FRAME_FACTS };

/* Appends the entries of uncommitted runs in memory. */
static bool append_entries(const struct table *table, uint64_t *count, struct bytes *out)
{
    struct run_cursor *cursor = malloc(sizeof *cursor);
    bool good = cursor != NULL;
    for (size_t i = 0; good && i < table->count; i++) {
        struct entry entry;
        enum status status = STATUS_OK;
        if (table->runs[i].home != RUN_UNCOMMITTED)
            continue;
        run_cursor_start(cursor, table->runs[i].run);
        while (good && run_cursor_next(cursor, &entry, &status)) {
            good = bytes_append(out, &entry, sizeof entry);
            ++*count;
        }
    }
    free(cursor);
    return good;
}

static bool build_frame(const struct index *index, enum frame_parts parts, struct bytes *out)
{
    struct frame frame = {.magic = INDEX_FRAME_MAGIC, .boot = index->boot};
    bool good = bytes_append(out, &frame, sizeof frame);
    for (enum index_table t = 0; good && t < INDEX_TABLES && parts == FRAME_WHOLE; t++)
        good = append_entries(&index->tables[t], &frame.entries[t], out);
    for (size_t i = 0; good && i < index->facts_count; i++)
        if (index->dirty[i]) {
            good = bytes_append(out, &index->facts[i], sizeof index->facts[i]);
            frame.facts++;
        }
    if (!good)
        return false;
    frame.length = out->length;
    memcpy(out->data, &frame, sizeof frame);
    frame.checksum = index_frame_checksum(out->data, index->log_checksum);
    memcpy(out->data, &frame, sizeof frame);
    return true;
}

static enum status append_log(struct index *index, const struct bytes *frame, struct error *err)
{
    char name[INDEX_RUN_NAME_SIZE];
    int fd = -1;
    index_log_name(index->manifest, name);
    enum status status = io_open_below(index->directory, name, IO_UPDATE, index->log_length == 0, name, &fd, NULL, err);
    if (status != STATUS_OK)
        return STATUS_IO;
    struct stat st;
    if (fstat(fd, &st) != 0 || (uint64_t)st.st_size < index->log_length)
        status = error_set(err, STATUS_IO, "%s: is not what was read", name);
    if (status == STATUS_OK && (uint64_t)st.st_size > index->log_length)
        status = io_truncate(fd, index->log_length, name, err);
    if (status == STATUS_OK)
        status = io_write_at(fd, frame->data, frame->length, index->log_length, name, err);
    enum status closed = io_close(fd, name, err);
    return status == STATUS_OK ? closed : STATUS_IO;
}

static bool has_uncommitted_files(const struct index *index)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (size_t i = 0; i < index->tables[t].count; i++)
            if (index->tables[t].runs[i].home == RUN_UNCOMMITTED && run_number(index->tables[t].runs[i].run) != 0)
                return true;
    return false;
}

/* Appends a frame; *ret_full: the log has no room for it, nothing was done. */
static enum status write_frame(struct index *index, enum frame_parts parts, bool *ret_full, struct error *err)
{
    struct bytes frame = {0};
    enum status status = build_frame(index, parts, &frame) ? STATUS_OK : error_set_memory(err);
    *ret_full = status == STATUS_OK && index->log_length + frame.length > LOG_LIMIT;
    if (status == STATUS_OK && !*ret_full)
        status = append_log(index, &frame, err);
    if (status == STATUS_OK && !*ret_full) {
        struct frame header;
        memcpy(&header, frame.data, sizeof header);
        index->log_length += frame.length;
        index->log_checksum = header.checksum;
    }
    bytes_release(&frame);
    return status;
}

static enum status commit_to_log(struct index *index, struct error *err)
{
    bool full = false;
    enum status status = STATUS_OK;
    if (MUTANT(WATERMARK_BEFORE_ENTRIES))
        status = write_frame(index, FRAME_FACTS, &full, err);
    if (status == STATUS_OK)
        status = write_frame(index, FRAME_WHOLE, &full, err);
    if (status == STATUS_OK && full)
        return fold(index, err);
    if (status != STATUS_OK)
        return status;
    mark_committed(index, RUN_IN_LOG);
    for (enum index_table t = 0; t < INDEX_TABLES && status == STATUS_OK; t++)
        status = table_join_runs(&index->tables[t], err);
    return status;
}

/* No more commits: everything stays in memory from here on. */
static enum status give_up(struct index *index, enum status status)
{
    if (index->lock >= 0)
        close(index->lock);
    index->lock = -1;
    index->locked = false;
    return status;
}

static enum status commit(struct index *index, uint64_t log_limit, struct error *err)
{
    if (index->lock < 0)
        return STATUS_OK;
    if (!index->locked)
        return error_set(err, STATUS_ABSENT, "the index is not locked");
    if (index->abandoned)
        return error_set(err, STATUS_ABSENT, "what was read is not complete");
    enum status status = STATUS_OK;
    if (index_has_uncommitted(index)) {
        for (enum index_table t = 0; t < INDEX_TABLES; t++)
            for (size_t i = 0; i < index->tables[t].count; i++)
                if (index->tables[t].runs[i].home == RUN_UNCOMMITTED)
                    index->added += run_count(index->tables[t].runs[i].run);
        bool whole = index->replace || index->manifest == 0 || has_uncommitted_files(index);
        status = whole ? fold(index, err) : commit_to_log(index, err);
        if (status != STATUS_OK && !whole) /* a log of another account, say: a new manifest begins a new one */
            status = fold(index, err);
    }
    if (status == STATUS_OK && index->log_length > log_limit)
        status = fold(index, err);
    return status == STATUS_OK ? STATUS_OK : give_up(index, status);
}

enum status index_commit(struct index *index, struct error *err)
{
    return commit(index, UINT64_MAX, err);
}

enum status index_commit_folded(struct index *index, struct error *err)
{
    return commit(index, LOG_FRESH, err);
}

void index_commit_if_alone(struct index *index)
{
    if (index->lock < 0 || !index_has_uncommitted(index) ||
        io_lock(index->lock, 0, NULL, "index/lock", NULL) != STATUS_OK)
        return;
    index->locked = true;
    if (!index_is_behind(index))
        (void)index_commit_folded(index, NULL);
    index_unlock(index);
}
