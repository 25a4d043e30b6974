#include "files/append/append.h"

#include "workspace.h"

#define MOST 8

static char lines[MOST][512];
static struct store_item items[MOST];
static struct store_result result;

static void add(size_t i, const char *line)
{
    snprintf(lines[i], sizeof lines[i], "%s", line);
    items[i] = (struct store_item){0};
    event_read(lines[i], strlen(lines[i]), EVENT_SIGNAL, false, &items[i].event, NULL);
}

static enum status append(struct catalog *catalog, size_t count, bool stop)
{
    struct error err = {0};
    enum status status = catalog_append(catalog, items, count, stop, &result, &err);
    if (status != STATUS_OK && status != STATUS_DUPLICATE)
        printf("# %s\n", err.text);
    return status;
}

static void test_new(struct catalog *catalog)
{
    char want[1200];
    add(0, signal_line("s1", "10:00", 1));
    add(1, signal_line("s2", "11:00", 1));
    is_int(append(catalog, 2, false), STATUS_OK, "two events are appended");
    ok(result.done == 2 && result.appended == 2 && result.duplicates == 0, "both are new");
    snprintf(want, sizeof want, "%s\n%s\n", lines[0], lines[1]);
    is_text(content(DAY_FILE), want, "they stand in their day, in the order of the batch");
    is_int(result.bytes, strlen(want), "their bytes are counted");
    is_int(items[1].first.offset, strlen(lines[0]) + 1, "the place of each is told");
    is_int(append(catalog, 0, false), STATUS_OK, "nothing is appended");
    is_int(result.done, 0, "and nothing done");
}

static void test_duplicates(struct catalog *catalog)
{
    char before[1200];
    snprintf(before, sizeof before, "%s", content(DAY_FILE));
    add(0, signal_line("s1", "10:00", 1));
    add(1, signal_line("s2", "11:00", 2));
    is_int(append(catalog, 2, false), STATUS_OK, "what is stored is no failure");
    is_int(items[0].outcome, STORE_DUPLICATE, "the same event is a duplicate");
    is_int(items[1].outcome, STORE_CONFLICT, "another of the same id conflicts");
    ok(items[0].first_item == SIZE_MAX && items[0].first.offset == 0, "the first record is told");
    ok(result.appended == 0 && result.duplicates == 2 && result.conflicts == 1, "and all counted");
    is_text(content(DAY_FILE), before, "nothing is written");

    add(0, signal_line("s3", "12:00", 1));
    add(1, signal_line("s3", "12:00", 1));
    add(2, signal_line("s3", "12:00", 2));
    is_int(append(catalog, 3, false), STATUS_OK, "an id three times in a batch");
    is_int(items[0].outcome, STORE_APPENDED, "is appended once");
    ok(items[1].outcome == STORE_DUPLICATE && items[1].first_item == 0, "the second is a duplicate of the first");
    ok(items[2].outcome == STORE_CONFLICT && items[2].first_item == 0, "the third conflicts with it");
    is_int(items[2].first.offset, items[0].first.offset, "the place of the first is that of all");
}

static void test_stop(struct catalog *catalog)
{
    add(0, signal_line("s4", "13:00", 1));
    add(1, signal_line("s1", "10:00", 1));
    add(2, signal_line("s5", "14:00", 1));
    is_int(append(catalog, 3, true), STATUS_DUPLICATE, "the first duplicate ends a batch that stops there");
    ok(result.done == 1 && result.appended == 1, "what is before it is stored");
    ok(strstr(content(DAY_FILE), "\"s4\"") && !strstr(content(DAY_FILE), "\"s5\""), "and nothing after it");
}

/* What others append without lock is seen under the lock. */
static void test_foreign(struct catalog *catalog)
{
    put(DAY_FILE, "a", signal_line("s6", "15:00", 1));
    put(DAY_FILE, "a", "\n");
    add(0, signal_line("s6", "15:00", 1));
    is_int(append(catalog, 1, false), STATUS_OK, "what another program appended meanwhile");
    is_int(items[0].outcome, STORE_DUPLICATE, "is stored already");
    unlink(path_of(DAY_FILE));
    is_int(append(catalog, 1, false), STATUS_OK, "where the day has gone since");
    is_int(items[0].outcome, STORE_APPENDED, "it is not");
}

static void test_lock(void)
{
    struct catalog *holder = open_catalog(), *other = open_catalog();
    is_int(catalog_lock(holder, NULL), STATUS_OK, "the writers' lock is taken");
    add(0, signal_line("s7", "16:00", 1));
    is_int(append(other, 1, false), STATUS_IO, "nobody else appends then");
    ok(!strstr(content(DAY_FILE), "\"s7\""), "and nothing is written");
    catalog_unlock(holder);
    is_int(append(other, 1, false), STATUS_OK, "but when it is given back");
    catalog_close(holder);
    catalog_close(other);
}

int main(void)
{
    workspace_begin();
    struct catalog *catalog = open_catalog();
    test_new(catalog);
    test_duplicates(catalog);
    test_stop(catalog);
    test_foreign(catalog);
    catalog_close(catalog);
    test_lock();
    workspace_end();
    return done();
}
