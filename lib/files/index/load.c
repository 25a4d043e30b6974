#include "files/index/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define MANIFEST_LIMIT ((size_t)4 << 30)
#define LOAD_TURNS     4                   /* tries while others replace the manifest */
#define JOIN_MOST      ((uint64_t)1 << 14) /* entries that are put together in memory */

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

static enum status load_facts(struct index *index, const char *data, uint64_t count, uint64_t boot, struct error *err)
{
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < count && status == STATUS_OK; i++) {
        struct partition_facts facts;
        memcpy(&facts, data + i * sizeof facts, sizeof facts);
        forget_unsynced(index, boot, &facts);
        status = index_store_facts(index, &facts, false, err);
    }
    return status;
}

/* The manifest's facts stay where they were read: *file is taken over. There may be thousands, and any command reads
 * them. */
static enum status adopt_facts(struct index *index, struct bytes *file, size_t at, const struct manifest *manifest,
                               struct error *err)
{
    struct partition_facts *facts = (struct partition_facts *)(void *)(file->data + at);
    size_t count = (size_t)manifest->facts, capacity = (file->capacity - at) / sizeof *facts;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && facts[i].partition <= facts[i - 1].partition)
            return error_set(err, STATUS_INVALID, "manifest: not in order");
        forget_unsynced(index, manifest->boot, &facts[i]);
    }
    bool *dirty = calloc(capacity + 1, sizeof *dirty);
    if (!dirty)
        return error_set_memory(err);
    free(index->dirty);
    free(index->facts_block);
    index->dirty = dirty;
    index->facts_block = file->data;
    index->facts = facts;
    index->facts_count = count;
    index->facts_capacity = capacity;
    *file = (struct bytes){0};
    return STATUS_OK;
}

static uint64_t manifest_length(const struct manifest *manifest)
{
    uint64_t runs = 0;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        runs += manifest->runs[t];
    return sizeof *manifest + runs * sizeof(struct run_record) + manifest->facts * sizeof(struct partition_facts);
}

static bool manifest_is_good(struct bytes *file)
{
    struct manifest *manifest = (struct manifest *)(void *)file->data;
    if (file->length < sizeof *manifest || manifest->magic != INDEX_MANIFEST_MAGIC ||
        manifest->version != INDEX_VERSION || manifest->facts_size != sizeof(struct partition_facts))
        return false;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        if (manifest->runs[t] > file->length)
            return false;
    if (manifest->facts > file->length || manifest_length(manifest) != file->length)
        return false;
    uint64_t checksum = manifest->checksum;
    manifest->checksum = 0;
    bool good = hash_bytes(file->data, file->length, INDEX_MANIFEST_MAGIC) == checksum;
    manifest->checksum = checksum;
    return good;
}

static enum status load_runs(struct index *index, const struct manifest *manifest, const char **at, struct error *err)
{
    enum status status = STATUS_OK;
    for (enum index_table t = 0; t < INDEX_TABLES; t++)
        for (uint64_t i = 0; i < manifest->runs[t] && status == STATUS_OK; i++, *at += sizeof(struct run_record)) {
            struct run_record record;
            char name[INDEX_RUN_NAME_SIZE];
            struct run *run;
            memcpy(&record, *at, sizeof record);
            index_run_name(index_table_names[t], record.number, name);
            status = run_open(index->directory, name, record.number, record.count, &run, err);
            if (status == STATUS_OK)
                status = table_add_run(&index->tables[t], run, RUN_IN_MANIFEST, err);
        }
    return status;
}

/* STATUS_ABSENT: there is none, or a run went while it was read; STATUS_INVALID: it is of no use. */
static enum status load_manifest(struct index *index, struct error *err)
{
    struct bytes file = {0};
    int fd = -1;
    enum status status = io_open_below(index->directory, "manifest", IO_READ, false, "manifest", &fd, NULL, err);
    if (status == STATUS_OK)
        status = io_read_all(fd, MANIFEST_LIMIT, "manifest", &file, err);
    if (fd >= 0)
        close(fd);
    if (status == STATUS_OK && !manifest_is_good(&file))
        status = error_set(err, STATUS_INVALID, "manifest: damaged, or of another version");
    if (status == STATUS_OK) {
        struct manifest manifest;
        memcpy(&manifest, file.data, sizeof manifest);
        const char *at = file.data + sizeof manifest;
        index->manifest = manifest.number;
        index->log_checksum = manifest.number;
        index->log_length = 0;
        index->seed = manifest.seed;
        status = load_runs(index, &manifest, &at, err);
        if (status == STATUS_OK)
            status = adopt_facts(index, &file, (size_t)(at - file.data), &manifest, err);
    }
    bytes_release(&file);
    return status;
}

uint64_t index_frame_checksum(const char *data, uint64_t seed)
{
    struct frame clean;
    memcpy(&clean, data, sizeof clean);
    clean.checksum = 0;
    return hash_bytes(data + sizeof clean, clean.length - sizeof clean, hash_bytes(&clean, sizeof clean, seed));
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
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        for (uint64_t i = 0; i < frame->entries[t]; i++, at += sizeof(struct entry)) {
            struct entry entry;
            memcpy(&entry, at, sizeof entry);
            if (!entries_add(&entries[t], entry))
                return error_set_memory(err);
        }
    }
    index->log_length += frame->length;
    index->log_checksum = frame->checksum;
    return load_facts(index, at, frame->facts, frame->boot, err);
}

/* Both in memory, of like size, and both committed or not. */
static bool may_join(const struct table_run *before, const struct table_run *last)
{
    uint64_t count = run_count(last->run), more = run_count(before->run);
    return before->home == last->home && run_number(before->run) == 0 && run_number(last->run) == 0 &&
           more / 2 < count && more + count <= JOIN_MOST;
}

enum status table_join_runs(struct table *table, struct error *err)
{
    for (; table->count >= 2; table->count--) {
        struct table_run *last = &table->runs[table->count - 1], *before = last - 1;
        if (!may_join(before, last))
            break;
        struct run *joined = run_join(before->run, last->run);
        if (!joined)
            return error_set_memory(err);
        before->run = joined;
    }
    return STATUS_OK;
}

/* Reads what the log holds behind what is in memory. A tail that is no frame is not there. */
static enum status load_log(struct index *index, struct error *err)
{
    char name[INDEX_RUN_NAME_SIZE];
    struct bytes file = {0};
    struct entries entries[INDEX_TABLES] = {0};
    int fd = -1;
    index_log_name(index->manifest, name);
    enum status status = io_open_below(index->directory, name, IO_READ, false, name, &fd, NULL, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = io_read_from(fd, index->log_length, name, &file, err);
    close(fd);
    struct frame frame;
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

/* What was loaded so far is not all: it is loaded anew before anything is committed. */
static enum status lack_memory(struct index *index, struct error *err)
{
    index_clear(index);
    index_abandon(index);
    return error_set_memory(err);
}

bool index_can_look(struct index *index, int directory, const char *name)
{
    struct stat st;
    struct error why;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
        return true;
    error_set_errno(&why, errno, "%s", name);
    index->unreadable = true;
    index_set_trouble(index, "%s", why.text);
    return false;
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
            /* no manifest: a new index */
            index->replace = true;
            return STATUS_OK;
        }
    }
    if (status == STATUS_OK)
        status = load_log(index, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (why.no_memory)
        return lack_memory(index, err);
    index->unreadable = status == STATUS_IO;
    index_set_trouble(index, "%s", why.text);
    return index_reset(index, err);
}

/* The manifest on disk is the one that is in memory (or both are missing); tells a new one by its number. */
static bool manifest_is_ours(struct index *index)
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

/* The log goes on with a whole frame. What a process that was killed left of one is none; what cannot be read may be.
 */
static bool log_goes_on(struct index *index)
{
    char name[INDEX_RUN_NAME_SIZE];
    struct bytes file = {0};
    struct frame frame;
    int fd;
    index_log_name(index->manifest, name);
    if (io_open_below(index->directory, name, IO_READ, false, name, &fd, NULL, NULL) != STATUS_OK)
        return false;
    bool more = io_read_from(fd, index->log_length, name, &file, NULL) != STATUS_OK ||
                next_frame(file.data, file.length, index->log_checksum, &frame);
    close(fd);
    bytes_release(&file);
    return more;
}

bool index_is_same_folder(const struct index *index, int store)
{
    return index->directory < 0 || (io_is_same_file(index->directory, store, "index", false) &&
                                    (index->lock < 0 || io_is_same_file(index->lock, index->directory, "lock", false)));
}

bool index_has_uncommitted(const struct index *index)
{
    for (enum index_table t = 0; t < INDEX_TABLES; t++) {
        const struct table *table = &index->tables[t];
        if (table->staged.count > 0 || (table->count > 0 && table->runs[table->count - 1].home == RUN_UNCOMMITTED))
            return true;
    }
    for (size_t i = 0; i < index->facts_count; i++)
        if (index->dirty[i])
            return true;
    return false;
}

bool index_is_behind(struct index *index)
{
    if (index->directory < 0 || (index->replace && index->trouble[0]))
        return false; /* what is on disk is of no use */
    return !manifest_is_ours(index) || (index->manifest != 0 && log_goes_on(index));
}

enum status index_reload(struct index *index, struct error *err)
{
    if (index->abandoned)
        return index_load(index, err);
    if (!index_is_behind(index))
        return STATUS_OK;
    if (manifest_is_ours(index) && !index_has_uncommitted(index) && load_log(index, err) == STATUS_OK)
        return STATUS_OK;
    return index_load(index, err);
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
