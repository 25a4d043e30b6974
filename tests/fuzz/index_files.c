#include "index_files.h"

#include "base/hash.h"
#include "files.h"
#include "files/index/state.h"
#include "fuzz.h"

enum how { HOW_REPLACE, HOW_PATCH, HOW_CUT, HOW_APPEND, HOW_LIES, HOWS };

const struct index_files_text index_files_text = {
    .front = "{\"signal_id\":\"s1\",\"source\":\"a\",\"timestamp\":\"2026-02-05T10:00:00Z\"}\n"
             "{\"signal_id\":\"s2\",\"source\":\"b\",\"timestamp\":\"2026-02-05T09:00:00Z\",\"payload_type\":\"t\"}\n"
             "damaged\n"
             "{\"signal_id\":\"s1\",\"source\":\"b\",\"timestamp\":\"2026-02-05T11:00:00Z\"}\n"
             "\n"
             "{\"entity_refs\":[{\"ref_type\":\"u\",\"value\":\"1\"}],\"signal_id\":\"s3\",\"source\":\"a\","
             "\"timestamp\":\"2026-02-06T11:00:00Z\"}\n",
    .back = "{\"signal_id\":\"s4\",\"source\":\"a\",\"timestamp\":\"2026-02-05T09:30:00Z\"}\n"
            "{\"signal_id\":\"s2\",\"source\":\"a\",\"timestamp\":\"2026-02-05T12:00:00Z\"}\n",
};

#define FILES_MAX 8
static struct index_file {
    char name[64];
    struct bytes content;
} files[FILES_MAX];
static size_t file_count;

void index_files_put_partition(void)
{
    fuzz_put(FUZZ_PARTITION, index_files_text.front, strlen(index_files_text.front));
    fuzz_append(FUZZ_PARTITION, index_files_text.back, strlen(index_files_text.back));
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

static void look(void)
{
    struct fuzz_answers unused = {0};
    require(fuzz_ask(true, &unused));
    fuzz_answers_release(&unused);
}

/* Runs and a manifest of the front, and a log of what came later. */
void index_files_prepare(void)
{
    char path[128];
    int fd;
    fuzz_forget_index();
    fuzz_put(FUZZ_PARTITION, index_files_text.front, strlen(index_files_text.front));
    look();
    fuzz_append(FUZZ_PARTITION, index_files_text.back, strlen(index_files_text.back));
    look();
    snprintf(path, sizeof path, "%s/store/index", fuzz_workspace());
    require(io_open_directory(path, &fd, NULL) == STATUS_OK);
    require(io_list(fd, "index", keep_file, NULL, NULL) == STATUS_OK);
    io_close(fd, "index", NULL);
    require(file_count >= 4);
    qsort(files, file_count, sizeof *files, compare_files);
}

void index_files_restore(void)
{
    for (size_t i = 0; i < file_count; i++)
        fuzz_put(files[i].name, files[i].content.data, files[i].content.length);
}

const struct bytes *index_files_original(const char *name)
{
    for (size_t i = 0; i < file_count; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i].content;
    abort();
}

static void patch(struct bytes *file, const uint8_t *data, size_t size)
{
    for (; size >= 3 && file->length > 0; data += 3, size -= 3)
        file->data[((size_t)data[0] << 8 | data[1]) % file->length] ^= (char)data[2];
}

static uint64_t manifest_number(void)
{
    return ((const struct manifest *)(const void *)index_files_original("index/manifest")->data)->number;
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

const char *index_files_change(const uint8_t *data, size_t size, struct bytes *out, bool *ret_lies)
{
    if (size < 2)
        return NULL;
    const struct index_file *original = &files[data[0] % file_count];
    enum how how = (enum how)(data[1] % HOWS);
    data += 2, size -= 2;
    bytes_clear(out);
    require(how == HOW_REPLACE || bytes_append(out, original->content.data, original->content.length));
    if (how == HOW_REPLACE || how == HOW_APPEND)
        require(bytes_append(out, data, size));
    if (how == HOW_PATCH || how == HOW_LIES)
        patch(out, data, size);
    if (how == HOW_CUT && size >= 2 && out->length > 0)
        out->length = ((size_t)data[0] << 8 | data[1]) % out->length;
    if (how == HOW_LIES)
        mend_checksums(original->name, out);
    *ret_lies = how == HOW_LIES;
    return original->name;
}
