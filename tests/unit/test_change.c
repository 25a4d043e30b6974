#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "files/documents.h"
#include "files/worker/change.h"
#include "tap.h"

/* A store of two days, one of three lines and one of one, in a fresh directory. */
static char root[] = "/tmp/test_change.XXXXXX";
static struct catalog *store;
static struct error err;

#define LINE(id, time) "{\"signal_id\":\"" id "\",\"timestamp\":\"" time "\"}"
#define A1             LINE("a1", "2026-02-05T10:00:00Z")
#define A2             LINE("a2", "2026-02-05T11:00:00Z")
#define A3             LINE("a3", "2026-02-05T12:00:00Z")
#define B1             LINE("b1", "2026-02-06T10:00:00Z")
#define LENGTH         ((uint64_t)sizeof(A1)) /* of each line, with its newline */
#define FIFTH          20489                  /* 2026-02-05 */

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

/* The stored checkpoint. False: there is none. */
static bool load(const char *name, struct checkpoint *ret)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = name};
    struct document document;
    if (documents_read(catalog_workspace(store), &key, &document, &err) != STATUS_OK)
        return false;
    bool good = checkpoint_read(&document, ret, &err) == STATUS_OK;
    document_release(&document);
    return good;
}

/* Where the stored checkpoint is on 2026-02-05 and the day after; -1: it has no position there. */
static void is_at(const char *name, int64_t first, int64_t second, const char *what)
{
    struct checkpoint checkpoint;
    bool good = load(name, &checkpoint);
    ok(good, "%s: it is stored", what);
    if (!good)
        return;
    const struct checkpoint_position *a = checkpoint_find(&checkpoint, FIFTH);
    const struct checkpoint_position *b = checkpoint_find(&checkpoint, FIFTH + 1);
    is_int(a ? (int64_t)a->offset : -1, first, "%s: the first day", what);
    is_int(b ? (int64_t)b->offset : -1, second, "%s: the second day", what);
    checkpoint_release(&checkpoint);
}

static int64_t behind(const char *name)
{
    struct checkpoint checkpoint;
    struct change_seen seen;
    uint64_t bytes = 0;
    if (!load(name, &checkpoint) || change_see(store, &seen, &err) != STATUS_OK)
        return -1;
    enum status status = change_behind(store, &seen, &checkpoint, &bytes, &err);
    checkpoint_release(&checkpoint);
    return status == STATUS_OK ? (int64_t)bytes : -1;
}

static int64_t at(int day, int hour)
{
    return day_first(FIFTH + day) + hour * 3600 * MICROSECONDS_A_SECOND;
}

static void test_pass(void)
{
    struct change_pass *pass = NULL;
    is_int(change_pass_open(store, "w", 0, &pass, &err), STATUS_OK, "a new worker");
    is_int(change_pass_store(pass, &err), STATUS_OK, "without lines nothing is stored");
    ok(!change_pass_pending(pass) && access(path_of("store/checkpoints/w.json"), F_OK) != 0, "and nothing is made");
    is_int(change_pass(pass, A1, LENGTH - 1, &err), STATUS_OK, "its first line");
    is_int(change_pass(pass, "", 0, &err), STATUS_OK, "a blank line is none");
    change_pass_rest(pass);
    is_int(change_pass(pass, A2, LENGTH - 1, &err), STATUS_OK, "its second line, after a rest");
    ok(change_pass_pending(pass), "both wait to be stored");
    is_int(change_pass_store(pass, &err), STATUS_OK, "they are stored");
    ok(!change_pass_pending(pass), "and wait no longer");
    is_at("w", 2 * (int64_t)LENGTH, -1, "past two lines");
    is_int(change_pass(pass, B1, LENGTH - 1, &err), STATUS_OK, "a line of another day");
    is_int(change_pass(pass, LINE("xx", "2026-02-06T10:00:00Z"), LENGTH - 1, &err), STATUS_INVALID,
           "one that is not stored");
    is_text(err.text, "is not in the store", "and so it is said");
    is_int(change_pass_store(pass, &err), STATUS_OK, "what precedes it counts");
    change_pass_close(pass);
    is_at("w", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "past three lines");
    is_int(behind("w"), (int64_t)LENGTH, "one line is due");
    is_int(change_pass_open(store, "w", 0, &pass, &err), STATUS_OK, "once more");
    is_int(change_pass(pass, A1, LENGTH - 1, &err), STATUS_OK, "a line that was passed long ago");
    is_int(change_pass_store(pass, &err), STATUS_OK, "is stored");
    is_int(change_pass(pass, A3, LENGTH - 1, &err), STATUS_OK, "a line that is forgotten");
    change_pass_close(pass);
    is_at("w", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "and moves nothing");
}

static void test_rewind(void)
{
    static const enum event_kind emissions = EVENT_EMISSION;
    struct change_pass *pass = NULL;
    is_int(change_rewind(store, "r", NULL, at(0, 11), 0, &err), STATUS_OK, "a new worker begins at a time");
    is_at("r", (int64_t)LENGTH, 0, "before the first event at it");
    is_int(behind("r"), 3 * (int64_t)LENGTH, "three lines are due");
    is_int(change_rewind(store, "r", &emissions, at(0, 0), 0, &err), STATUS_USAGE, "of another kind it is not");
    is_text(err.text, "r is a checkpoint of signals", "and so it is said");
    is_int(change_rewind(store, "r", NULL, at(1, 23), 0, &err), STATUS_OK, "it is sent forward");
    is_at("r", (int64_t)LENGTH, 0, "and stays where it is");
    is_int(change_pass_open(store, "r", 0, &pass, &err), STATUS_OK, "it goes on");
    change_pass(pass, B1, LENGTH - 1, &err);
    change_pass_store(pass, &err);
    change_pass_close(pass);
    is_at("r", (int64_t)LENGTH, (int64_t)LENGTH, "past a line");
    is_int(change_rewind(store, "r", NULL, at(0, 0), 0, &err), STATUS_OK, "it is sent back");
    is_at("r", 0, 0, "to the start");
    is_int(change_rewind(store, "e", &emissions, at(0, 0), 0, &err), STATUS_OK, "a new worker of emissions");
    is_int(behind("e"), 0, "nothing is due");
}

static void test_advance(void)
{
    struct checkpoint to;
    bool moved = false;
    is_int(change_rewind(store, "a", NULL, at(0, 0), 0, &err), STATUS_OK, "a worker at the start");
    ok(load("w", &to), "and one that is further");
    is_int(change_advance(store, "a", &to, 0, &moved, &err), STATUS_OK, "it moves on");
    ok(moved, "it moved");
    is_at("a", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "to the other's positions");
    is_int(change_advance(store, "a", &to, 0, &moved, &err), STATUS_OK, "once more");
    ok(!moved, "it has not moved");
    is_int(change_advance(store, "e", &to, 0, &moved, &err), STATUS_INVALID, "not one of the other kind");
    is_text(err.text, "is a checkpoint of signals, not of emissions", "and so it is said");
    is_int(change_advance(store, "new", &to, 0, &moved, &err), STATUS_OK, "a new one");
    ok(moved, "it is made");
    is_at("new", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "there");
    checkpoint_release(&to);
}

/* A checkpoint without positions, as the original writes it, gets them where it moves past single lines. */
static void test_complete(void)
{
    static const char old[] = "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"seen_ids_at_timestamp\":[\"a1\"]}";
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = "old"};
    struct bytes text = {.data = (char *)(uintptr_t)old, .length = sizeof old - 1};
    struct change_pass *pass = NULL;
    is_int(change_put(store, &key, &text, 0, &err), STATUS_OK, "a checkpoint of the original");
    is_int(behind("old"), 3 * (int64_t)LENGTH, "what is later than its time is due");
    is_int(change_pass_open(store, "old", 0, &pass, &err), STATUS_OK, "its worker goes on");
    is_int(change_pass(pass, A2, LENGTH - 1, &err), STATUS_OK, "past a line");
    is_int(change_pass_store(pass, &err), STATUS_OK, "which is stored");
    change_pass_close(pass);
    is_at("old", 2 * (int64_t)LENGTH, 0, "positions of every day");
    is_int(change_delete(store, &key, &err), STATUS_OK, "it is deleted");
    is_int(change_delete(store, &key, &err), STATUS_ABSENT, "once");
}

static void test_replaced(void)
{
    write_file("store/signals/2026-02-05.jsonl", LINE("n1", "2026-02-05T10:00:00Z") "\n");
    is_int(behind("w"), (int64_t)LENGTH, "a day that was written anew is due as a whole");
    unlink(path_of("store/signals/2026-02-05.jsonl"));
    is_int(behind("w"), 0, "nothing of a day that has gone");
}

int main(void)
{
    static const char *const folders[] = {"store", "store/signals"};
    struct catalog_options options = {.access = WORKSPACE_WRITE, .lock_timeout_ms = 1000};
    char command[300];
    if (!mkdtemp(root))
        abort();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (mkdir(path_of(folders[i]), 0777) != 0)
            abort();
    write_file("store/signals/2026-02-05.jsonl", A1 "\n" A2 "\n" A3 "\n");
    write_file("store/signals/2026-02-06.jsonl", B1 "\n");
    if (catalog_open(root, &options, &store, &err) != STATUS_OK)
        abort();
    test_pass();
    test_rewind();
    test_advance();
    test_complete();
    test_replaced();
    catalog_close(store);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command) == 0 ? done() : 1;
}
