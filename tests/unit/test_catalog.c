#include "files/catalog/catalog.h"
#include "workspace.h"

static const uint32_t number = (uint32_t)(DAY - DAY_MIN) << 1;

static void put_lines(const char *how, const char *first, const char *second)
{
    put(DAY_FILE, how, first);
    put(DAY_FILE, "a", "\n");
    if (second) {
        put(DAY_FILE, "a", second);
        put(DAY_FILE, "a", "\n");
    }
}

static const struct catalog_partition *refreshed(struct catalog *catalog)
{
    struct error err;
    if (catalog_refresh(catalog, KIND_BITS_ALL, &err) != STATUS_OK)
        printf("# %s\n", err.text);
    return catalog_partition(catalog, number);
}

/* Where the id is stored first; UINT64_MAX: nowhere. */
static uint64_t first_of(struct catalog *catalog, const char *id)
{
    struct event event;
    struct store_place place;
    const char *line = signal_line(id, "00:00", 0);
    event_read(line, strlen(line), EVENT_SIGNAL, false, &event, NULL);
    return catalog_find_first(catalog, &event, &place, NULL) == STATUS_OK ? place.offset : UINT64_MAX;
}

static void test_catch_up(void)
{
    put_lines("w", signal_line("s1", "10:00", 1), signal_line("s2", "11:00", 1));
    struct catalog *catalog = open_catalog();
    const struct catalog_partition *row = catalog_partition(catalog, number);
    uint64_t size = row->stat.size;
    is_int(row->facts.records, 2, "both events are known");
    is_int(row->facts.known, size, "to the end");
    is_int(row->facts.late, 0, "in the order of time");
    put_lines("a", signal_line("s1", "09:00", 2), NULL);
    is_int(catalog_partition(catalog, number)->end, size, "what others append is not seen before the next refresh");
    row = refreshed(catalog);
    is_int(row->facts.records, 3, "then it is");
    is_int(row->facts.late, 1, "an event that came late is counted");
    is_int(row->facts.repeats, 1, "and the copy of an id");
    is_int(first_of(catalog, "s1"), 0, "the first record of which stays the first");
    uint64_t *suspects;
    size_t count;
    is_int(catalog_suspects(catalog, number, &suspects, &count, NULL), STATUS_OK, "the copy is asked for");
    ok(count == 1 && suspects[0] == size, "it stands where it was appended");
    free(suspects);
    put(DAY_FILE, "a", "damage\n\n");
    row = refreshed(catalog);
    ok(row->facts.damaged == 1 && row->facts.blank == 1, "damaged and blank lines are counted");
    catalog_close(catalog);
}

static void test_last_line(void)
{
    const char *whole = signal_line("s3", "12:00", 1);
    put_lines("w", signal_line("s1", "10:00", 1), NULL);
    put(DAY_FILE, "a", whole);
    struct catalog *catalog = open_catalog();
    const struct catalog_partition *row = catalog_partition(catalog, number);
    is_int(row->facts.records, 1, "an event without newline is not known");
    is_int(row->end, row->stat.size, "but is part of the day");
    is_int(first_of(catalog, "s3"), row->facts.known, "and found");
    put(DAY_FILE, "a", "\n{\"torn");
    row = refreshed(catalog);
    is_int(row->facts.records, 2, "with its newline it is known");
    is_int(row->end, row->facts.known, "a fragment is no part of the day");
    ok(strstr(notices_text, "the last line is not whole yet (6 bytes from byte ") != NULL, "that is told");
    notices_text[0] = '\0';
    put(DAY_FILE, "a", "er");
    refreshed(catalog);
    is_text(notices_text, "", "once");
    catalog_close(catalog);
}

static void test_replaced(void)
{
    put_lines("w", signal_line("s1", "10:00", 1), signal_line("s2", "11:00", 1));
    struct catalog *catalog = open_catalog();
    put_lines("w", signal_line("s4", "10:00", 1), signal_line("s5", "11:00", 1));
    const struct catalog_partition *row = refreshed(catalog);
    is_int(row->facts.records, 2, "a day that was rewritten in place is read anew");
    is_int(first_of(catalog, "s1"), UINT64_MAX, "what stood there is not found any more");
    is_int(first_of(catalog, "s4"), 0, "what stands there is");
    unlink(path_of(DAY_FILE));
    ok(!refreshed(catalog), "a day that has gone has no row");
    is_int(first_of(catalog, "s4"), UINT64_MAX, "and nothing of it is found");
    catalog_close(catalog);
}

static void rename_over(const char *first, const char *second)
{
    char to[1200];
    snprintf(to, sizeof to, "%s", path_of(DAY_FILE));
    put("store/new", "w", first);
    put("store/new", "a", "\n");
    put("store/new", "a", second);
    put("store/new", "a", "\n");
    if (rename(path_of("store/new"), to) != 0)
        exit(1);
}

static void test_open_day(void)
{
    struct day *day;
    struct bytes line = {0};
    uint64_t end;
    put_lines("w", signal_line("s1", "10:00", 1), NULL);
    struct catalog *catalog = open_catalog();
    is_int(catalog_open_day(catalog, number + 2, &day, NULL), STATUS_ABSENT, "a day that nobody saw is not there");

    is_int(catalog_open_day(catalog, number, &day, NULL), STATUS_OK, "a day that is as it was seen is opened");
    ok(!day->is_other && day->facts.records == 1 && day->end == day->stat.size, "what is known is true of it");
    day_close(day);

    put_lines("a", signal_line("s2", "11:00", 1), NULL);
    is_int(catalog_open_day(catalog, number, &day, NULL), STATUS_OK, "so is one that has grown");
    ok(!day->is_other && day->facts.records == 1 && day->end == day->stat.size, "and ends where it was seen to end");
    day_close(day);

    rename_over(signal_line("s6", "10:00", 1), signal_line("s7", "09:00", 1));
    is_int(catalog_open_day(catalog, number, &day, NULL), STATUS_OK, "and one that another was renamed over");
    ok(day->is_other && day->facts.records == 2 && day->facts.late == 1, "which is read anew");
    is_int(catalog_partition(catalog, number)->facts.records, 2, "the row is of it");
    is_int(first_of(catalog, "s6"), 0, "the index is, too");
    is_int(first_of(catalog, "s1"), UINT64_MAX, "and of no other");

    rename_over(signal_line("s8", "10:00", 1), signal_line("s9", "11:00", 1));
    is_int(partition_read_line(day->file, 0, day->end, &line, &end, NULL), STATUS_OK, "what is held open is read");
    ok(memmem(line.data, line.length, "\"s6\"", 4) != NULL, "as it was when it was opened");
    day_close(day);

    unlink(path_of(DAY_FILE));
    is_int(catalog_open_day(catalog, number, &day, NULL), STATUS_ABSENT, "one that has gone is not there");
    bytes_release(&line);
    catalog_close(catalog);
}

/* Damage in a run of the index: what is asked next repairs it. */
static void test_repair(void)
{
    char name[600], noise[4096];
    memset(noise, 'x', sizeof noise - 1);
    noise[sizeof noise - 1] = '\0';
    for (int i = 0; i < 40; i++)
        put_lines(i == 0 ? "w" : "a", signal_line("s1", "10:00", i), signal_line("s2", "11:00", i));
    struct catalog *catalog = open_catalog();
    catalog_close(catalog);
    DIR *directory = opendir(path_of("store/index"));
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (strncmp(entry->d_name, "ids-", 4) == 0 || strncmp(entry->d_name, "log-", 4) == 0) {
            snprintf(name, sizeof name, "store/index/%s", entry->d_name);
            put(name, "w", noise);
        }
    if (directory)
        closedir(directory);
    catalog = open_catalog();
    is_int(first_of(catalog, "s2"), strlen(signal_line("s1", "10:00", 0)) + 1, "an id is found for all that");
    is_int(catalog_partition(catalog, number)->facts.records, 80, "and everything is known");
    catalog_close(catalog);
}

int main(void)
{
    workspace_begin();
    test_catch_up();
    workspace_clear();
    test_last_line();
    workspace_clear();
    test_replaced();
    workspace_clear();
    test_open_day();
    workspace_clear();
    test_repair();
    workspace_end();
    return done();
}
