#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/timestamp.h"
#include "files/documents.h"
#include "store/snapshot.h"
#include "tap.h"

#define NOW 1770000000

static char root[] = "/tmp/test_documents.XXXXXX";
static struct workspace *workspace;

static struct document_key checkpoint(const char *name)
{
    return (struct document_key){.shelf = STORE_CHECKPOINTS, .name = name};
}

/* A snapshot of an hour of 2026-02-05, or of that day. */
static struct document_key snapshot(const char *name, int hour, bool daily)
{
    int32_t day = 0;
    day_parse("2026-02-05", 10, &day);
    return (struct document_key){STORE_SNAPSHOTS, name, {day_first(day) + hour * 3600 * MICROSECONDS_A_SECOND, daily}};
}

static enum status put(struct document_key key, const char *text, struct bytes *ret_path)
{
    struct bytes document = {.data = (char *)(uintptr_t)text, .length = strlen(text)};
    struct error err;
    return documents_put(workspace, &key, &document, NOW, ret_path, &err);
}

static void is_stored(struct document_key key, const char *expected, const char *what)
{
    struct document document = {0};
    struct error err;
    enum status status = documents_get(workspace, &key, &document, &err);
    ok(status == STATUS_OK && document.text.length == strlen(expected) &&
           memcmp(document.text.data, expected, document.text.length) == 0,
       "%s", what);
    document_release(&document);
}

static void is_absent(struct document_key key, const char *message)
{
    struct document document;
    struct error err;
    is_int(documents_get(workspace, &key, &document, &err), STATUS_ABSENT, "it is absent");
    is_text(err.text, message, "and so it is said");
}

static const char *path_of(const char *below)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, below);
    return path;
}

static void write_file(const char *below, const char *text)
{
    FILE *file = fopen(path_of(below), "w");
    if (!file)
        abort();
    fputs(text, file);
    fclose(file);
}

/* What is larger than will be read is not written. Nobody looks at it. */
static void test_too_large(void)
{
    struct bytes text = {.data = root, .length = DOCUMENT_MAX + 1};
    struct document_key key = checkpoint("w");
    struct error err;
    is_int(documents_put(workspace, &key, &text, 0, NULL, &err), STATUS_INVALID, "no checkpoint that is too large");
    is_text(err.text, "the checkpoint would be larger than 1073741824 bytes; nothing was stored", "and why");
    is_int(document_write_path(path_of("next"), STORE_CHECKPOINTS, &text, &err), STATUS_INVALID,
           "nor in a file of the caller's");
    key = snapshot("s", 0, false);
    is_int(documents_put(workspace, &key, &text, 0, NULL, &err), STATUS_INVALID, "no snapshot");
    is_text(err.text, "the snapshot would be larger than 1073741824 bytes; nothing was stored", "and why");
    ok(access(path_of("next"), F_OK) != 0 && access(path_of("store/checkpoints"), F_OK) != 0, "nothing was made");
}

static void test_checkpoints(void)
{
    struct document_key key = checkpoint("w");
    struct bytes path = {0};
    struct error err;
    is_absent(key, "no checkpoint \"w\"");
    is_int(documents_delete(workspace, &key, &err), STATUS_ABSENT, "nor can it be deleted");
    is_int(put(key, "{}\n", &path), STATUS_OK, "it is put");
    is_text(path.data, path_of("store/checkpoints/w.json"), "in this file");
    is_stored(key, "{}\n", "and got");
    is_int(put(key, "{\"a\":1}\n", NULL), STATUS_OK, "and replaced");
    is_stored(key, "{\"a\":1}\n", "as a whole");
    is_int(documents_delete(workspace, &key, &err), STATUS_OK, "it is deleted");
    is_absent(key, "no checkpoint \"w\"");
    bytes_release(&path);
}

static void test_snapshots(void)
{
    struct document_key last = {STORE_SNAPSHOTS, "s", {TIMESTAMP_MAX, false}};
    is_absent(last, "no snapshot \"s\"");
    is_absent(snapshot("s", 0, true), "no snapshot \"s\" of 2026-02-05");
    is_absent(snapshot("s", 1, false), "no snapshot \"s\" at or before 2026-02-05T01:00:00Z");
    put(snapshot("s", 0, true), "day", NULL);
    put(snapshot("s", 2, false), "two", NULL);
    put(snapshot("s", 1, false), "one", NULL);
    put(snapshot("s__2026-02-05", 3, false), "another name", NULL);
    is_stored(last, "two", "the last one");
    is_stored(snapshot("s", 1, false), "one", "the one of that second");
    is_stored(snapshot("s", 0, false), "day", "the daily one stands at the start of its day");
    is_stored(snapshot("s", 23, true), "day", "and is read by its day");
    is_absent(snapshot("s", -1, false), "no snapshot \"s\" at or before 2026-02-04T23:00:00Z");
}

static void is_listed(enum store_shelf shelf, const char *name, enum status expected, const char *names)
{
    struct document_list list;
    struct error err;
    char text[256] = "";
    is_int(documents_list(workspace, shelf, name, &list, &err), expected, "the shelf is listed");
    for (size_t i = 0; i < list.count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s ", strrchr(list.items[i].label, '/') + 1);
    }
    is_text(text, names, "in order");
    document_list_release(&list);
}

static void test_lists(void)
{
    is_listed(STORE_CHECKPOINTS, NULL, STATUS_OK, "");
    put(checkpoint("b"), "{}", NULL);
    put(checkpoint("a"), "{}", NULL);
    write_file("store/checkpoints/not-ours", "");
    write_file("store/checkpoints/.hidden.json", "");
    write_file("store/snapshots/s__2026-02-30.json", "");
    is_listed(STORE_CHECKPOINTS, NULL, STATUS_OK, "a.json b.json ");
    is_listed(STORE_SNAPSHOTS, "s", STATUS_OK,
              "s__2026-02-05.json s__2026-02-05T010000Z.json s__2026-02-05T020000Z.json ");
    is_listed(STORE_SNAPSHOTS, NULL, STATUS_OK,
              "s__2026-02-05.json s__2026-02-05T010000Z.json s__2026-02-05T020000Z.json "
              "s__2026-02-05__2026-02-05T030000Z.json ");
    ok(symlink("a.json", path_of("store/checkpoints/link.json")) == 0, "a link comes");
    is_listed(STORE_CHECKPOINTS, NULL, STATUS_IO, "a.json b.json ");
    struct document_key key = checkpoint("link");
    struct document document;
    struct error err;
    is_int(documents_get(workspace, &key, &document, &err), STATUS_IO, "and is not followed");
    is_int(documents_delete(workspace, &key, &err), STATUS_IO, "nor deleted");
}

/* What an interrupted write of another program leaves. */
static void test_damaged(void)
{
    static const struct bytes empty = {.data = (char *)(uintptr_t) "", .length = 0};
    struct error err;
    is_int(snapshot_check(&empty, &err), STATUS_INVALID, "an empty snapshot is damaged");
    write_file("store/checkpoints/b.json", "");
    is_stored(checkpoint("b"), "", "an empty file is there, and not absent");
}

static void test_left_over(void)
{
    const char *old = "store/checkpoints/" IO_TEMPORARY_PREFIX "1";
    struct timespec times[2] = {{.tv_sec = NOW - 3700}, {.tv_sec = NOW - 3700}};
    write_file(old, "");
    put(checkpoint("a"), "{}", NULL);
    ok(access(path_of(old), F_OK) == 0, "a new temporary is left alone");
    ok(utimensat(AT_FDCWD, path_of(old), times, 0) == 0, "it is an hour old");
    put(checkpoint("a"), "{}", NULL);
    ok(access(path_of(old), F_OK) != 0, "it is removed");
}

static bool remove_entry(void *context, const char *name, unsigned char type)
{
    (void)type;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    unlink(path);
    return true;
}

static void remove_all(void)
{
    static const char *const folders[] = {"store/checkpoints", "store/snapshots", "store", ""};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[256];
        int fd;
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        if (io_open_directory(path, &fd, NULL) == STATUS_OK)
            io_list(fd, path, remove_entry, path, NULL);
        rmdir(path);
    }
}

int main(void)
{
    struct error err;
    if (!mkdtemp(root) || workspace_open(root, WORKSPACE_WRITE, &workspace, &err) != STATUS_OK)
        abort();
    test_too_large();
    test_checkpoints();
    test_snapshots();
    test_lists();
    test_damaged();
    test_left_over();
    workspace_close(workspace);
    remove_all();
    return done();
}
