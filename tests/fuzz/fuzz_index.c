/*
 * The files of the index, with any bytes in them (index_files.h): the store answers as it does without, an event of
 * ours goes in once, and nothing that was there changes. Where checksums were mended answers may be wrong, but nothing
 * is lost and nothing crashes.
 */
#include "files.h"
#include "fuzz.h"
#include "index_files.h"

static const char new_event[] = "{\"payload\":{},\"payload_type\":\"t\",\"signal_id\":\"new\",\"source\":\"a\","
                                "\"timestamp\":\"2026-02-05T10:00:00Z\"}";
static const char old_event[] = "{\"payload\":{},\"payload_type\":\"t\",\"signal_id\":\"s4\",\"source\":\"a\","
                                "\"timestamp\":\"2026-02-05T10:00:00Z\"}";
static struct fuzz_answers truth;

static void prepare(void)
{
    index_files_prepare();
    require(fuzz_ask(true, &truth));
}

static void put(const char *changed, const struct bytes *content)
{
    fuzz_forget_index();
    index_files_put_partition();
    index_files_restore();
    fuzz_put(changed, content->data, content->length);
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

/* The partition still begins with what was there. */
static void check_write(bool lies)
{
    struct bytes file = {0}, before = {0};
    bool wrote_new = fuzz_write(new_event, sizeof new_event - 1),
         wrote_old = fuzz_write(old_event, sizeof old_event - 1);
    require(bytes_append(&before, index_files_text.front, strlen(index_files_text.front)));
    require(bytes_append(&before, index_files_text.back, strlen(index_files_text.back)));
    require(fuzz_get(FUZZ_PARTITION, &file));
    require(file.length >= before.length && memcmp(file.data, before.data, before.length) == 0);
    const char *added = file.data + before.length, *newline = memchr(added, '\n', file.length - before.length);
    bool has_new = memmem(added, file.length - before.length, "\"new\"", 5) != NULL;
    require(has_new || !wrote_new);
    require(lies || (wrote_new && wrote_old && newline == file.data + file.length - 1));
    bytes_release(&file);
    bytes_release(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes content = {0};
    bool lies;
    if (!truth.count)
        prepare();
    const char *changed = index_files_change(data, size, &content, &lies);
    if (changed) {
        put(changed, &content);
        check_answers(lies);
        put(changed, &content);
        check_write(lies);
    }
    bytes_release(&content);
    return 0;
}
