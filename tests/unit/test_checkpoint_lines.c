#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/catalog/position.h"
#include "files/worker/lines.h"
#include "tap.h"

/* A store of one partition, 2026-02-05, in a fresh directory. */
static char workspace[] = "/tmp/test_checkpoint_lines.XXXXXX";
static char path[256], other[256];
static const char *const folders[] = {"store", "store/signals"};

#define LINE(id)     "{\"signal_id\":\"" id "\",\"timestamp\":\"2026-02-05T10:00:00Z\"}"
#define THREE(x)     LINE(x "1") "\n" LINE(x "2") "\n" LINE(x "3") "\n"
#define LENGTH(text) (sizeof(text) - 1)

static void write_file(const char *name, const char *data)
{
    FILE *file = fopen(name, "w");
    if (file) {
        fputs(data, file);
        fclose(file);
    }
}

/* Another day's file, of lines as long, comes in the place of the partition. */
static void replace(void)
{
    write_file(other, THREE("n"));
    is_int(rename(other, path), 0, "the day is replaced");
}

/* With one line more: of a file as large, written at the same tick of the clock, nobody can tell without reading. */
static void write_anew_in_place(void)
{
    write_file(path, THREE("n") LINE("n4") "\n");
}

static struct catalog *open_store(void)
{
    struct catalog_options options = {.access = WORKSPACE_READ, .no_index = true};
    struct catalog *store = NULL;
    struct error err;
    write_file(path, THREE("a"));
    if (catalog_open(workspace, &options, &store, &err) != STATUS_OK ||
        catalog_refresh(store, KIND_BITS_ALL, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return store;
}

static void pass(struct checkpoint_lines *lines, const char *line)
{
    struct error err;
    is_int(checkpoint_lines_pass(lines, line, strlen(line), &err), STATUS_OK, "%.18s is passed", line);
}

/* Where the position that was passed lies in the partition as it is now: -1 if it does not fit. */
static int64_t taken(struct checkpoint_lines *lines)
{
    struct checkpoint passed;
    struct error err;
    bool fits = false;
    uint64_t from = 0;
    size_t count;
    is_int(checkpoint_lines_take(lines, &passed, &err), STATUS_OK, "what was passed is taken");
    is_int(catalog_refresh(lines->store, KIND_BITS_ALL, &err), STATUS_OK, "the store is looked at again");
    const struct catalog_partition *row = catalog_partitions(lines->store, &count);
    is_int(passed.position_count, 1, "one position is passed");
    is_int(position_fits(lines->store, row, &passed.positions[0], &fits, &from, &err), STATUS_OK, "it is compared");
    checkpoint_release(&passed);
    return fits ? (int64_t)from : -1;
}

enum when { NEVER, AT_HAND, BETWEEN };

static int64_t passed_when(enum when when)
{
    struct catalog *store = open_store();
    struct checkpoint_lines lines = {.store = store, .kinds = KIND_BITS_ALL};
    pass(&lines, LINE("a1"));
    if (when == BETWEEN)
        replace();
    pass(&lines, when == BETWEEN ? LINE("n1") : LINE("a2"));
    if (when == AT_HAND)
        replace();
    int64_t from = taken(&lines);
    checkpoint_lines_release(&lines);
    catalog_close(store);
    return from;
}

/* Two lines are passed, then the day is written anew in place, and a third one is passed (NULL: none). */
static int64_t passed_in_place(const char *third)
{
    struct catalog *store = open_store();
    struct checkpoint_lines lines = {.store = store, .kinds = KIND_BITS_ALL};
    pass(&lines, LINE("a1"));
    pass(&lines, LINE("a2"));
    write_anew_in_place();
    if (third)
        pass(&lines, third);
    int64_t from = taken(&lines);
    checkpoint_lines_release(&lines);
    catalog_close(store);
    return from;
}

/* What was read ahead before the day was written anew is no line of it. */
static int64_t passed_after_a_look(void)
{
    struct catalog *store = open_store();
    struct checkpoint_lines lines = {.store = store, .kinds = KIND_BITS_ALL};
    struct error err;
    pass(&lines, LINE("a1"));
    is_int(taken(&lines), LENGTH(LINE("a1")) + 1, "a line is passed");
    write_anew_in_place();
    is_int(catalog_refresh(store, KIND_BITS_ALL, &err), STATUS_OK, "the store is looked at");
    enum status status = checkpoint_lines_pass(&lines, LINE("a2"), LENGTH(LINE("a2")), &err);
    checkpoint_lines_release(&lines);
    catalog_close(store);
    return status;
}

int main(void)
{
    if (!mkdtemp(workspace))
        return 1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", workspace, folders[i]);
        if (mkdir(path, 0777) != 0)
            return 1;
    }
    snprintf(path, sizeof path, "%s/store/signals/2026-02-05.jsonl", workspace);
    snprintf(other, sizeof other, "%s/other", workspace);
    is_int(passed_when(NEVER), 2 * (LENGTH(LINE("a1")) + 1), "a position is behind the last line that was passed");
    is_int(passed_when(AT_HAND), -1, "a day that is replaced meanwhile is not passed");
    is_int(passed_when(BETWEEN), -1, "nor one of which lines before and after are passed");
    is_int(passed_in_place(NULL), -1, "nor one that is written anew in place");
    is_int(passed_in_place(LINE("n1")), LENGTH(LINE("n1")) + 1, "of which only lines count that are passed then");
    is_int(passed_after_a_look(), STATUS_INVALID, "and those of before are not in the store any more");
    unlink(path);
    for (size_t i = sizeof folders / sizeof *folders; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", workspace, folders[i]);
        rmdir(path);
    }
    rmdir(workspace);
    return done();
}
