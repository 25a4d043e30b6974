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
/* Entries that any process may merge; more only in proportion to what it added. */
#define MERGE_FREE  ((uint64_t)1 << 20)
#define MERGE_SHARE 64

/* ---- runs */

/* One run takes the place of those from `from` on. Their files stand until the next manifest does. */
static enum status merge_from(struct index *index, enum index_table t, size_t from, struct error *err)
{
    struct table *table = &index->tables[t];
    size_t count = table->count - from;
    struct run **runs = reallocarray(NULL, count, sizeof *runs), *merged;
    if (!runs)
        return error_set_memory(err);
    for (size_t i = 0; i < count; i++)
        runs[i] = table->runs[from + i].run;
    enum status status = index_write_run(index, t, runs, count, true, &merged, err);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++)
            run_close(runs[i]);
        table->runs[from] = (struct table_run){merged, RUN_UNCOMMITTED};
        table->count = from + 1;
    }
    free(runs);
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
static enum status merge_classes(struct index *index, enum index_table t, struct error *err)
{
    struct table *table = &index->tables[t];
    while (table->count >= MERGE_FACTOR) {
        size_t from = table->count - 1;
        uint64_t total = run_count(table->runs[from].run);
        unsigned class = size_class(total);
        while (from > 0 && size_class(run_count(table->runs[from - 1].run)) <= class)
            total += run_count(table->runs[--from].run);
        if (table->count - from < MERGE_FACTOR || (total > MERGE_FREE && total / MERGE_SHARE > index->added))
            break;
        enum status status = merge_from(index, t, from, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* All that is in memory or in the log goes to one run a table. */
static enum status fold_table(struct index *index, enum index_table t, struct error *err)
{
    struct table *table = &index->tables[t];
    size_t from = table->count;
    bool lacking = false; /* a run is in memory, or its file was removed by who replaced an index of no use meanwhile */
    for (; from > 0 && table->runs[from - 1].home != RUN_IN_MANIFEST; from--) {
        const struct run *run = table->runs[from - 1].run;
        char name[INDEX_RUN_NAME_SIZE];
        index_run_name(index_table_names[t], run_number(run), name);
        lacking = lacking || run_number(run) == 0 || !run_is_same_file(run, index->directory, name);
    }
    enum status status = lacking ? merge_from(index, t, from, err) : STATUS_OK;
    return status == STATUS_OK ? merge_classes(index, t, err) : status;
}

/* ---- the manifest */

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

/* A run or log that the manifest does not name: of an older one, or of a process that was killed. */
static bool remove_orphan(void *context, const char *name, unsigned char type)
{
    (void)type;
    const struct index *index = context;
    const char *dash = strchr(name, '-');
    if (!dash || strspn(dash + 1, "0123456789abcdef") != 16 || dash[17] != '\0')
        return true;
    char known[INDEX_RUN_NAME_SIZE];
    index_log_name(index->manifest, known);
    bool ours = strncmp(name, "log-", 4) == 0, used = strcmp(name, known) == 0;
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        size_t length = strlen(index_table_names[t]);
        ours = ours || ((size_t)(dash - name) == length && memcmp(name, index_table_names[t], length) == 0);
        for (size_t i = 0; i < index->tables[t].count && !used; i++) {
            index_run_name(index_table_names[t], run_number(index->tables[t].runs[i].run), known);
            used = strcmp(name, known) == 0;
        }
    }
    if (ours && !used)
        io_remove(index->directory, name, false, name, NULL);
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
    index->manifest = index->log_checksum = number;
    index->log_length = 0;
    index->replace = false;
    index->trouble[0] = '\0';
    index->unreadable = false;
    mark_committed(index, RUN_IN_MANIFEST);
    io_list(index->directory, "index", remove_orphan, index, NULL);
    return STATUS_OK;
}

/* Everything into runs, and a new manifest with an empty log. */
static enum status fold(struct index *index, struct error *err)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        enum status status = fold_table(index, t, err);
        if (status != STATUS_OK)
            return status;
    }
    return write_manifest(index, err);
}

/* ---- the log */

/* What is staged: facts, and `with_entries` the entries of uncommitted runs, which are in memory. */
static bool build_frame(const struct index *index, bool with_entries, struct bytes *out)
{
    struct frame frame = {.magic = INDEX_FRAME_MAGIC, .boot = index->boot};
    bool good = bytes_append(out, &frame, sizeof frame);
    for (enum index_table t = 0; t < INDEX_TABLES && with_entries; t++)
        for (size_t i = 0; i < index->tables[t].count; i++) {
            struct run_cursor cursor;
            struct entry entry;
            enum status status = STATUS_OK;
            if (index->tables[t].runs[i].home != RUN_UNCOMMITTED)
                continue;
            run_cursor_start(&cursor, index->tables[t].runs[i].run);
            while (good && run_cursor_next(&cursor, &entry, &status)) {
                good = bytes_append(out, &entry, sizeof entry);
                frame.entries[t]++;
            }
        }
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
    if (io_open_below(index->directory, name, IO_UPDATE, index->log_length == 0, name, &fd, NULL, err) != STATUS_OK)
        return STATUS_IO;
    struct stat st;
    enum status status = STATUS_OK;
    if (fstat(fd, &st) != 0 || (uint64_t)st.st_size < index->log_length)
        status = error_set(err, STATUS_IO, "%s: is not what was read", name);
    if (status == STATUS_OK && (uint64_t)st.st_size > index->log_length)
        status = io_truncate(fd, index->log_length, name, err);
    if (status == STATUS_OK)
        status = io_write_at(fd, frame->data, frame->length, index->log_length, name, err);
    enum status closed = io_close(fd, name, err);
    return status == STATUS_OK ? closed : STATUS_IO;
}

/* Appends a frame; *ret_full: the log has no room for it, nothing was done. */
static enum status write_frame(struct index *index, bool with_entries, bool *ret_full, struct error *err)
{
    struct bytes frame = {0};
    struct frame header;
    enum status status = build_frame(index, with_entries, &frame) ? STATUS_OK : error_set_memory(err);
    *ret_full = index->log_length + frame.length > LOG_LIMIT;
    if (status != STATUS_OK || *ret_full)
        goto out;
    status = append_log(index, &frame, err);
    if (status != STATUS_OK)
        goto out;
    memcpy(&header, frame.data, sizeof header);
    index->log_length += frame.length;
    index->log_checksum = header.checksum;
out:
    bytes_release(&frame);
    return status;
}

static enum status commit_to_log(struct index *index, struct error *err)
{
    bool full = false;
    enum status status = STATUS_OK;
    if (MUTANT(WATERMARK_BEFORE_ENTRIES))
        status = write_frame(index, false, &full, err);
    if (status != STATUS_OK)
        return status;
    status = write_frame(index, true, &full, err);
    if (status != STATUS_OK)
        return status;
    if (full)
        return fold(index, err);
    mark_committed(index, RUN_IN_LOG);
    for (enum index_table t = 0; t < INDEX_TABLES && status == STATUS_OK; t++)
        status = table_join_runs(&index->tables[t], err);
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
        bool whole = index->replace || index->manifest == 0;
        for (enum index_table t = 0; t < INDEX_TABLES; t++)
            for (size_t i = 0; i < index->tables[t].count; i++) {
                const struct table_run *run = &index->tables[t].runs[i];
                if (run->home == RUN_UNCOMMITTED) {
                    index->added += run_count(run->run);
                    whole = whole || run_number(run->run) != 0; /* a file is named by a manifest alone */
                }
            }
        if (!whole)
            status = commit_to_log(index, err);
        if (whole || status != STATUS_OK) /* a log of another account, say: a new manifest begins a new one */
            status = fold(index, err);
    }
    if (status == STATUS_OK && index->log_length > log_limit)
        status = fold(index, err);
    if (status != STATUS_OK) { /* no more commits: everything stays in memory from here on */
        close(index->lock);
        index->lock = -1;
        index->locked = false;
    }
    return status;
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
    if (!index_is_outdated(index))
        (void)index_commit_folded(index, NULL);
    index_unlock(index);
}
