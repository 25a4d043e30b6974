#include <stdlib.h>
#include <string.h>
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

/* Lines are echoed, in one batch. */
static enum status echo(const char *name, const char *const *lines, size_t count, struct store_echo *ret_echo)
{
    struct json_text texts[4];
    for (size_t i = 0; i < count; i++)
        texts[i] = (struct json_text){lines[i], strlen(lines[i])};
    *ret_echo = (struct store_echo){.lines = texts, .count = count};
    return change_pass(store, name, ret_echo, 0, &err);
}

static void passes(const char *name, const char *line)
{
    struct store_echo ret;
    ok(echo(name, &line, 1, &ret) == STATUS_OK && ret.refused == STATUS_OK, "%s passes a line", name);
}

static void test_pass(void)
{
    static const char *const two[] = {A1, "", A2}, *const wrong[] = {B1, LINE("xx", "2026-02-06T10:00:00Z"), A3};
    struct store_echo ret;
    is_int(echo("w", two, 0, &ret), STATUS_OK, "no lines");
    ok(access(path_of("store/checkpoints/w.json"), F_OK) != 0, "and nothing is made");
    is_int(echo("w", two, 3, &ret), STATUS_OK, "two lines, and a blank one, which is none");
    is_int(ret.passed, 3, "all are passed");
    is_int(ret.refused, STATUS_OK, "none is refused");
    is_at("w", 2 * (int64_t)LENGTH, -1, "past two lines");
    is_int(echo("w", wrong, 3, &ret), STATUS_OK, "a line of another day, and one that is not stored");
    is_int(ret.passed, 1, "the first is passed");
    is_int(ret.refused, STATUS_INVALID, "the second is refused");
    is_text(ret.why.text, "is not in the store", "and why");
    is_at("w", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "what precedes it counts");
    is_int(behind("w"), (int64_t)LENGTH, "one line is due");
    passes("w", A1);
    is_at("w", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "a line that was passed long ago moves nothing");
}

static void test_rewind(void)
{
    static const enum event_kind emissions = EVENT_EMISSION;
    is_int(change_rewind(store, "r", NULL, at(0, 11), 0, &err), STATUS_OK, "a new worker begins at a time");
    is_at("r", (int64_t)LENGTH, 0, "before the first event at it");
    is_int(behind("r"), 3 * (int64_t)LENGTH, "three lines are due");
    is_int(change_rewind(store, "r", &emissions, at(0, 0), 0, &err), STATUS_USAGE, "of another kind it is not");
    is_text(err.text, "r is a checkpoint of signals", "and so it is said");
    is_int(change_rewind(store, "r", NULL, at(1, 23), 0, &err), STATUS_OK, "it is sent forward");
    is_at("r", (int64_t)LENGTH, 0, "and stays where it is");
    passes("r", B1);
    is_at("r", (int64_t)LENGTH, (int64_t)LENGTH, "past a line");
    is_int(change_rewind(store, "r", NULL, at(0, 0), 0, &err), STATUS_OK, "it is sent back");
    is_at("r", 0, 0, "to the start");
    is_int(change_rewind(store, "e", &emissions, at(0, 0), 0, &err), STATUS_OK, "a new worker of emissions");
    is_int(behind("e"), 0, "nothing is due");
}

static void test_advance(void)
{
    struct checkpoint to;
    is_int(change_rewind(store, "a", NULL, at(0, 0), 0, &err), STATUS_OK, "a worker at the start");
    ok(load("w", &to), "and one that is further");
    is_int(change_advance(store, "a", &to, 0, &err), STATUS_OK, "it moves on");
    is_at("a", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "to the other's positions");
    is_int(change_advance(store, "a", &to, 0, &err), STATUS_OK, "once more");
    is_at("a", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "and stays");
    is_int(change_advance(store, "e", &to, 0, &err), STATUS_INVALID, "not one of the other kind");
    is_text(err.text, "is a checkpoint of signals, not of emissions", "and so it is said");
    is_int(change_advance(store, "new", &to, 0, &err), STATUS_OK, "a new one");
    is_at("new", 2 * (int64_t)LENGTH, (int64_t)LENGTH, "there");
    checkpoint_release(&to);
}

/* A checkpoint without positions, as the original writes it, gets them where it moves past single lines. */
static void test_complete(void)
{
    static const char old[] = "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"seen_ids_at_timestamp\":[\"a1\"]}";
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = "old"};
    struct bytes text = {.data = (char *)(uintptr_t)old, .length = sizeof old - 1};
    is_int(change_put(store, &key, &text, 0, &err), STATUS_OK, "a checkpoint of the original");
    is_int(behind("old"), 3 * (int64_t)LENGTH, "what is later than its time is due");
    passes("old", A2);
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
