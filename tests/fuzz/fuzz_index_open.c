/*
 * The opener of the index by itself, many times faster than with a store around it (fuzz_index.c, of which it takes the
 * inputs): what it opens finds every id that lies in what it says to know, and no other place; what it does not believe
 * leaves it empty. Where checksums were mended it only must not crash.
 */
#include <fcntl.h>
#include <unistd.h>

#include "event/event.h"
#include "files.h"
#include "files/index/state.h"
#include "fuzz.h"
#include "index_files.h"

#define IDS_MAX 16
static struct entry ids[IDS_MAX]; /* hash of an id, position of the record */
static size_t id_count;
static uint32_t partition;
static int store = -1;

static struct index *open_index(void)
{
    struct index *index;
    require(index_open(store, "store", false, &index, NULL) == STATUS_OK);
    return index;
}

static void keep_ids(const char *text, uint64_t base, uint64_t seed)
{
    struct bytes scratch = {0};
    for (const char *line = text, *end; *line; line = end + 1) {
        struct event event;
        end = strchr(line, '\n');
        if (event_read(line, (size_t)(end - line), EVENT_SIGNAL, false, &event, NULL) != EVENT_GOOD)
            continue;
        require(id_count < IDS_MAX);
        ids[id_count].value = base + (uint64_t)(line - text);
        require(event_id_hash(&event, seed, &scratch, &ids[id_count++].key));
    }
    bytes_release(&scratch);
}

static void prepare(void)
{
    char path[128];
    size_t count;
    index_files_prepare();
    snprintf(path, sizeof path, "%s/store", fuzz_workspace());
    require(io_open_directory(path, &store, NULL) == STATUS_OK);
    struct index *index = open_index();
    const struct partition_facts *facts = index_all_facts(index, &count);
    require(count == 1);
    partition = facts->partition;
    keep_ids(index_files_text.front, 0, index_seed(index));
    keep_ids(index_files_text.back, strlen(index_files_text.front), index_seed(index));
    require(id_count == 6);
    index_close(index);
}

/* In the place of the file, which fuzz_put() would make anew. */
static void overwrite(const char *name, const struct bytes *content)
{
    int fd = openat(store, name, O_WRONLY | O_TRUNC | O_CLOEXEC);
    require(fd >= 0);
    require(content->length == 0 || write(fd, content->data, content->length) == (ssize_t)content->length);
    close(fd);
}

static void require_found(const struct entries *matches, uint64_t key, uint64_t known)
{
    size_t found = 0;
    for (size_t i = 0; i < id_count; i++) {
        if (ids[i].key != key || ids[i].value >= known)
            continue;
        require(found < matches->count && index_value_offset(matches->data[found].value) == ids[i].value);
        found++;
    }
    require(found == matches->count);
}

static void look_up(struct index *index, bool lies)
{
    const struct partition_facts *facts = index_facts(index, partition);
    struct entries matches = {0};
    for (size_t i = 0; i < id_count; i++) {
        enum status status = index_find(index, INDEX_IDS, ids[i].key, &matches, NULL);
        require(status == STATUS_OK || status == STATUS_INVALID);
        if (status == STATUS_OK && !lies)
            require_found(&matches, ids[i].key, facts ? facts->known : 0);
    }
    for (enum index_table table = 0; table < INDEX_TABLES; table++)
        (void)index_find(index, table, ids[0].key ^ 1, &matches, NULL);
    (void)index_verify(index, NULL);
    entries_release(&matches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes content = {0};
    bool lies;
    if (store < 0)
        prepare();
    const char *changed = index_files_change(data, size, &content, &lies);
    if (changed) {
        overwrite(changed, &content);
        struct index *index = open_index();
        look_up(index, lies);
        index_close(index);
        overwrite(changed, index_files_original(changed));
    }
    bytes_release(&content);
    return 0;
}
