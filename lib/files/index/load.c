#include "files/index/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

#define MANIFEST_LIMIT ((size_t)4 << 30)
#define LOAD_TURNS     4 /* tries while others replace the manifest */

/* Which boot of the machine this is: what was not synced may have gone with an older one. Where that cannot be told,
 * each process is a boot of its own. */
static uint64_t read_boot(void)
{
    char text[64];
    size_t n = 0;
    int fd = -1;
    if (io_open_system("/proc/sys/kernel/random/boot_id", &fd) == STATUS_OK) {
        if (io_read_at(fd, text, sizeof text, 0, "", &n, NULL) != STATUS_OK)
            n = 0;
        close(fd);
    }
    return n > 0 ? hash_bytes(text, n, INDEX_MANIFEST_MAGIC) : index_random_number();
}

/* What another boot knew of bytes that were never synced is forgotten. */
static void forget_unsynced(const struct index *index, uint64_t boot, struct partition_facts *facts)
{
    if (boot != index->boot && facts->known > facts->synced)
        *facts = (struct partition_facts){.partition = facts->partition, .generation = facts->generation + 1};
}

/* ---- the manifest */

static bool manifest_is_good(struct bytes *file)
{
    struct manifest *manifest = (struct manifest *)(void *)file->data;
    if (file->length < sizeof *manifest || manifest->magic != INDEX_MANIFEST_MAGIC ||
        manifest->version != INDEX_VERSION || manifest->facts_size != sizeof(struct partition_facts) ||
        manifest->facts > file->length)
        return false;
    uint64_t length = sizeof *manifest + manifest->facts * sizeof(struct partition_facts);
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        if (manifest->runs[t] > file->length)
            return false;
        length += manifest->runs[t] * sizeof(struct run_record);
    }
    if (length != file->length)
        return false;
    uint64_t checksum = manifest->checksum;
    manifest->checksum = 0;
    bool good = hash_bytes(file->data, file->length, INDEX_MANIFEST_MAGIC) == checksum;
    manifest->checksum = checksum;
    return good;
}

/* The facts stay in the memory into which the manifest was read, for there may be thousands, and every command reads
 * them: *file is taken over. */
static enum status adopt_facts(struct index *index, struct bytes *file, size_t at, const struct manifest *manifest,
                               struct error *err)
{
    struct partition_facts *facts = (struct partition_facts *)(void *)file->data;
    size_t count = (size_t)manifest->facts, capacity = file->capacity / sizeof *facts;
    memmove(facts, file->data + at, count * sizeof *facts);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && facts[i].partition <= facts[i - 1].partition)
            return error_set(err, STATUS_INVALID, "manifest: not in order");
        forget_unsynced(index, manifest->boot, &facts[i]);
    }
    bool *dirty = calloc(capacity + 1, sizeof *dirty);
    if (!dirty)
        return error_set_memory(err);
    free(index->dirty);
    free(index->facts);
    index->dirty = dirty;
    index->facts = facts;
    index->facts_count = count;
    index->facts_capacity = index->dirty_capacity = capacity;
    *file = (struct bytes){0};
    return STATUS_OK;
}

/* STATUS_ABSENT: there is none, or a run went while it was read. STATUS_INVALID: it is of no use. */
static enum status load_manifest(struct index *index, struct error *err)
{
    struct bytes file = {0};
    struct manifest manifest;
    size_t at = sizeof manifest;
    int fd = -1;
    enum status status = io_open_below(index->directory, "manifest", IO_READ, false, "manifest", &fd, NULL, err);
    if (status != STATUS_OK)
        return status;
    status = io_read_all(fd, MANIFEST_LIMIT, "manifest", &file, err);
    close(fd);
    if (status != STATUS_OK)
        goto out;
    if (!manifest_is_good(&file))
        status = error_set(err, STATUS_INVALID, "manifest: damaged, or of another version");
    if (status != STATUS_OK)
        goto out;
    memcpy(&manifest, file.data, sizeof manifest);
    index->manifest = index->log_checksum = manifest.number;
    index->seed = manifest.seed;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (uint64_t i = 0; i < manifest.runs[t]; i++, at += sizeof(struct run_record)) {
            struct run_record record;
            char name[INDEX_RUN_NAME_SIZE];
            struct run *run;
            memcpy(&record, file.data + at, sizeof record);
            index_run_name(index_table_names[t], record.number, name);
            status = run_open(index->directory, name, record.number, record.count, &run, err);
            if (status != STATUS_OK)
                goto out;
            status = table_add_run(&index->tables[t], run, RUN_IN_MANIFEST, err);
            if (status != STATUS_OK)
                goto out;
        }
    status = adopt_facts(index, &file, at, &manifest, err);
out:
    bytes_release(&file);
    return status;
}

/* ---- the log */

/* Reads what the log holds past what is in memory. STATUS_ABSENT: there is none. */
static enum status read_log(const struct index *index, struct bytes *out, struct error *err)
{
    char name[INDEX_RUN_NAME_SIZE];
    int fd;
    index_log_name(index->manifest, name);
    enum status status = io_open_below(index->directory, name, IO_READ, false, name, &fd, NULL, err);
    if (status != STATUS_OK)
        return status;
    status = io_read_from(fd, index->log_length, name, out, err);
    close(fd);
    return status;
}

/* The frame at the front of `data`, if it is whole and in its place. */
static bool next_frame(const char *data, size_t length, uint64_t seed, struct frame *ret_frame)
{
    if (length < sizeof *ret_frame)
        return false;
    memcpy(ret_frame, data, sizeof *ret_frame);
    if (ret_frame->magic != INDEX_FRAME_MAGIC || ret_frame->length > length || ret_frame->length < sizeof *ret_frame)
        return false;
    uint64_t size = sizeof *ret_frame;
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        if (ret_frame->entries[t] > length)
            return false;
        size += ret_frame->entries[t] * sizeof(struct entry);
    }
    if (ret_frame->facts > length || size + ret_frame->facts * sizeof(struct partition_facts) != ret_frame->length)
        return false;
    return ret_frame->checksum == index_frame_checksum(data, seed);
}

static enum status take_frame(struct index *index, const char *data, const struct frame *frame, struct entries *entries,
                              struct error *err)
{
    const char *at = data + sizeof *frame;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (uint64_t i = 0; i < frame->entries[t]; i++, at += sizeof(struct entry)) {
            struct entry entry;
            memcpy(&entry, at, sizeof entry);
            if (!entries_add(&entries[t], entry))
                return error_set_memory(err);
        }
    for (uint64_t i = 0; i < frame->facts; i++, at += sizeof(struct partition_facts)) {
        struct partition_facts facts;
        memcpy(&facts, at, sizeof facts);
        forget_unsynced(index, frame->boot, &facts);
        enum status status = index_store_facts(index, &facts, false, err);
        if (status != STATUS_OK)
            return status;
    }
    index->log_length += frame->length;
    index->log_checksum = frame->checksum;
    return STATUS_OK;
}

/* Adds what the log holds past what is in memory. A tail that is no frame is not there. */
static enum status load_log(struct index *index, struct error *err)
{
    struct bytes file = {0};
    struct entries entries[INDEX_TABLES] = {0};
    struct frame frame;
    enum status status = read_log(index, &file, err);
    if (status == STATUS_ABSENT)
        return STATUS_OK;
    for (size_t at = 0;
         status == STATUS_OK && next_frame(file.data + at, file.length - at, index->log_checksum, &frame);
         at += frame.length)
        status = take_frame(index, file.data + at, &frame, entries, err);
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        if (status == STATUS_OK && entries[t].count > 0) {
            entries_sort(&entries[t]);
            struct run *run = run_of_entries(&entries[t]);
            status = run ? table_add_run(&index->tables[t], run, RUN_IN_LOG, err) : error_set_memory(err);
        }
        entries_release(&entries[t]);
    }
    bytes_release(&file);
    return status;
}

enum status index_load(struct index *index, struct error *err)
{
    struct error why = {.no_memory = false};
    if (index->directory < 0) {
        index_clear(index);
        return STATUS_OK;
    }
    index->boot = read_boot();
    enum status status = STATUS_ABSENT;
    for (int turn = 0; turn < LOAD_TURNS && status == STATUS_ABSENT; turn++) {
        index_clear(index);
        status = load_manifest(index, &why);
        if (status == STATUS_ABSENT && index->manifest == 0) {
            index->replace = true; /* no manifest: a new index */
            return STATUS_OK;
        }
    }
    if (status == STATUS_OK)
        status = load_log(index, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (why.no_memory) { /* what was loaded is not all: it is loaded anew before anything is committed */
        index_clear(index);
        index_abandon(index);
        return error_set_memory(err);
    }
    index->unreadable = status == STATUS_IO;
    index_set_trouble(index, "%s", why.text);
    index_reset(index);
    return STATUS_OK;
}

/* ---- what others committed since */

/* The manifest on disk, which its number tells, is the one in memory; or both are missing. */
static bool manifest_is_ours(const struct index *index)
{
    struct manifest manifest;
    size_t n = 0;
    int fd;
    if (io_open_below(index->directory, "manifest", IO_READ, false, "manifest", &fd, NULL, NULL) != STATUS_OK)
        return index->manifest == 0;
    bool read = io_read_at(fd, &manifest, sizeof manifest, 0, "manifest", &n, NULL) == STATUS_OK;
    close(fd);
    return read && n == sizeof manifest && manifest.number == index->manifest;
}

/* The log goes on with a whole frame, or cannot be read. What a process that was killed left of a frame is none. */
static bool log_goes_on(const struct index *index)
{
    struct bytes file = {0};
    struct frame frame;
    enum status status = read_log(index, &file, NULL);
    bool more = status != STATUS_ABSENT &&
                (status != STATUS_OK || next_frame(file.data, file.length, index->log_checksum, &frame));
    bytes_release(&file);
    return more;
}

/* Nothing on disk is of use. */
static bool ignores_disk(const struct index *index)
{
    return index->directory < 0 || (index->replace && index->trouble[0]);
}

bool index_is_outdated(const struct index *index)
{
    return !ignores_disk(index) && (!manifest_is_ours(index) || log_goes_on(index));
}

enum status index_reload(struct index *index, struct error *err)
{
    if (index->abandoned)
        return index_load(index, err);
    if (ignores_disk(index))
        return STATUS_OK;
    if (!manifest_is_ours(index))
        return index_load(index, err);
    bool current = index_has_uncommitted(index) ? !log_goes_on(index) : load_log(index, NULL) == STATUS_OK;
    return current ? STATUS_OK : index_load(index, err);
}

enum status index_lock(struct index *index, int timeout_ms, struct error *err)
{
    if (index->lock < 0)
        return STATUS_OK;
    enum status status = io_lock(index->lock, timeout_ms, NULL, "index/lock", err);
    if (status != STATUS_OK)
        return status;
    index->locked = true;
    return index_reload(index, err);
}

void index_unlock(struct index *index)
{
    if (index->locked)
        io_unlock(index->lock, "index/lock", NULL);
    index->locked = false;
}
