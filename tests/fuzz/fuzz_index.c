/*
 * The files of the index, with any bytes in them: the store answers as it does without, an event of ours goes in once,
 * and nothing that was there changes. The input's first byte says which file, the second what becomes of it, see `how`;
 * the rest is bytes, or places and bytes. LIES mends the checksums afterwards: answers may then be wrong, but nothing
 * is lost and nothing crashes.
 */
#include "files.h"
#include "fuzz.h"
#include "hash.h"
#include "index_private.h"

enum how { HOW_REPLACE, HOW_PATCH, HOW_CUT, HOW_APPEND, HOW_LIES, HOWS };

static const char front[] =
    "{\"signal_id\":\"s1\",\"source\":\"a\",\"timestamp\":\"2026-02-05T10:00:00Z\"}\n"
    "{\"signal_id\":\"s2\",\"source\":\"b\",\"timestamp\":\"2026-02-05T09:00:00Z\",\"payload_type\":\"t\"}\n"
    "damaged\n"
    "{\"signal_id\":\"s1\",\"source\":\"b\",\"timestamp\":\"2026-02-05T11:00:00Z\"}\n"
    "\n"
    "{\"entity_refs\":[{\"ref_type\":\"u\",\"value\":\"1\"}],\"signal_id\":\"s3\",\"source\":\"a\","
    "\"timestamp\":\"2026-02-06T11:00:00Z\"}\n";
static const char back[] = "{\"signal_id\":\"s4\",\"source\":\"a\",\"timestamp\":\"2026-02-05T09:30:00Z\"}\n"
                           "{\"signal_id\":\"s2\",\"source\":\"a\",\"timestamp\":\"2026-02-05T12:00:00Z\"}\n";
static const char new_event[] = "{\"payload\":{},\"payload_type\":\"t\",\"signal_id\":\"new\",\"source\":\"a\","
                                "\"timestamp\":\"2026-02-05T10:00:00Z\"}";
static const char old_event[] = "{\"payload\":{},\"payload_type\":\"t\",\"signal_id\":\"s4\",\"source\":\"a\","
                                "\"timestamp\":\"2026-02-05T10:00:00Z\"}";

#define FILES_MAX 8
static struct index_file {
    char name[64];
    struct bytes content;
} files[FILES_MAX];
static size_t file_count;
static struct fuzz_answers truth;

static void put_partition(void)
{
    fuzz_put(FUZZ_PARTITION, front, sizeof front - 1);
    fuzz_append(FUZZ_PARTITION, back, sizeof back - 1);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct index_file *)a)->name, ((const struct index_file *)b)->name);
}

static bool keep_file(void *context, const char *name, unsigned char type)
{
    (void)context, (void)type;
    struct index_file *file = &files[file_count];
    if (name[0] == '.' || strcmp(name, "lock") == 0)
        return true;
    require(file_count < FILES_MAX);
    snprintf(file->name, sizeof file->name, "index/%.40s", name);
    require(fuzz_get(file->name, &file->content));
    file_count++;
    return true;
}

/* A store with runs, a manifest, and a log of what came later. */
static void prepare(void)
{
    struct fuzz_answers unused = {0};
    char path[128];
    int fd;
    fuzz_forget_index();
    fuzz_put(FUZZ_PARTITION, front, sizeof front - 1);
    require(fuzz_ask(true, &unused));
    fuzz_answers_release(&unused);
    fuzz_append(FUZZ_PARTITION, back, sizeof back - 1);
    require(fuzz_ask(true, &truth));
    snprintf(path, sizeof path, "%s/store/index", fuzz_workspace());
    require(io_open_directory(path, &fd, NULL) == STATUS_OK);
    require(io_list(fd, "index", keep_file, NULL, NULL) == STATUS_OK);
    io_close(fd, "index", NULL);
    require(file_count >= 4);
    qsort(files, file_count, sizeof *files, compare_files);
}

static void patch(struct bytes *file, const uint8_t *data, size_t size)
{
    for (; size >= 3 && file->length > 0; data += 3, size -= 3)
        file->data[((size_t)data[0] << 8 | data[1]) % file->length] ^= (char)data[2];
}

static uint64_t manifest_number(void)
{
    for (size_t i = 0; i < file_count; i++)
        if (strcmp(files[i].name, "index/manifest") == 0)
            return ((const struct manifest *)(const void *)files[i].content.data)->number;
    abort();
}

static void mend_checksums(const char *name, struct bytes *file)
{
    struct manifest manifest;
    struct frame frame;
    if (strcmp(name, "index/manifest") == 0 && file->length >= sizeof manifest) {
        memcpy(&manifest, file->data, sizeof manifest);
        manifest.checksum = 0;
        memcpy(file->data, &manifest, sizeof manifest);
        manifest.checksum = hash_bytes(file->data, file->length, INDEX_MANIFEST_MAGIC);
        memcpy(file->data, &manifest, sizeof manifest);
    }
    if (strncmp(name, "index/log-", strlen("index/log-")) == 0 && file->length >= sizeof frame) {
        memcpy(&frame, file->data, sizeof frame);
        frame.length = file->length;
        memcpy(file->data, &frame, sizeof frame);
        frame.checksum = index_frame_checksum(file->data, manifest_number());
        memcpy(file->data, &frame, sizeof frame);
    }
}

static void change(const struct index_file *original, enum how how, const uint8_t *data, size_t size)
{
    struct bytes file = {0};
    require(how == HOW_REPLACE || bytes_append(&file, original->content.data, original->content.length));
    if (how == HOW_REPLACE || how == HOW_APPEND)
        require(bytes_append(&file, data, size));
    if (how == HOW_PATCH || how == HOW_LIES)
        patch(&file, data, size);
    if (how == HOW_CUT && size >= 2 && file.length > 0)
        file.length = ((size_t)data[0] << 8 | data[1]) % file.length;
    if (how == HOW_LIES)
        mend_checksums(original->name, &file);
    fuzz_put(original->name, file.data, file.length);
    bytes_release(&file);
}

static void restore(void)
{
    fuzz_forget_index();
    put_partition();
    for (size_t i = 0; i < file_count; i++)
        fuzz_put(files[i].name, files[i].content.data, files[i].content.length);
}

static void check_answers(bool lies)
{
    struct fuzz_answers answers = {0};
    bool answered = fuzz_ask(true, &answers);
    require(answered || lies);
    if (!lies)
        fuzz_require_same_answers(&answers, &truth);
    fuzz_answers_release(&answers);
}

/* True where the partition still begins with what was there. */
static void check_write(bool lies)
{
    struct bytes file = {0};
    bool wrote_new = fuzz_write(new_event, sizeof new_event - 1),
         wrote_old = fuzz_write(old_event, sizeof old_event - 1);
    require(fuzz_get(FUZZ_PARTITION, &file));
    size_t before = sizeof front - 1 + sizeof back - 1;
    require(file.length >= before && memcmp(file.data, front, sizeof front - 1) == 0);
    require(memcmp(file.data + sizeof front - 1, back, sizeof back - 1) == 0);
    const char *added = file.data + before, *newline = memchr(added, '\n', file.length - before);
    bool has_new = memmem(added, file.length - before, "\"new\"", 5) != NULL;
    require(has_new || !wrote_new);
    require(lies || (wrote_new && wrote_old && newline == file.data + file.length - 1));
    bytes_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (file_count == 0)
        prepare();
    if (size < 2)
        return 0;
    const struct index_file *file = &files[data[0] % file_count];
    enum how how = (enum how)(data[1] % HOWS);
    bool lies = how == HOW_LIES;
    restore();
    change(file, how, data + 2, size - 2);
    check_answers(lies);
    restore();
    change(file, how, data + 2, size - 2);
    check_write(lies);
    return 0;
}
