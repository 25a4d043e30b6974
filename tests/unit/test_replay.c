#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/filter.h"
#include "files/catalog/catalog.h"
#include "files/replay/replay.h"
#include "tap.h"

/* A store of three days, each larger than what a limited replay reads before it asks the index. */
static char workspace[] = "/tmp/test_replay.XXXXXX";
#define LINES 5000

static const char *const days[] = {"2026-02-03", "2026-02-04", "2026-02-05"};

/* The second day is in disorder; ids of the third repeat some of the first. */
static void write_line(FILE *file, const char *day, int d, int i, bool signal)
{
    int second = d == 1 ? i * 7919 % LINES : i;
    int id = d == 2 && i % 50 == 3 ? i : d * LINES + i;
    int hour = 1 + second / 3600, minute = second / 60 % 60;
    fprintf(file, "{\"pad\":\"%*s\",\"%s\":\"e%d\",\"%s\":\"%s\",\"timestamp\":\"%sT%02d:%02d:%02dZ\"}\n", i * 37 % 500,
            "", signal ? "signal_id" : "emission_id", id, signal ? "source" : "caused_by",
            i % 1000 == 7 ? "rare"
            : i % 3 == 0  ? "often"
                          : "other",
            day, hour, minute, second % 60);
}

static void write_days(const char *kind, int step)
{
    char path[256];
    snprintf(path, sizeof path, "%s/store/%s", workspace, kind);
    mkdir(path, 0777);
    for (int d = 0; d < 3; d++) {
        snprintf(path, sizeof path, "%s/store/%s/%s.jsonl", workspace, kind, days[d]);
        FILE *file = fopen(path, "w");
        for (int i = 0; file && i < LINES; i += step)
            write_line(file, days[d], d, i, kind[0] == 's');
        if (file)
            fclose(file);
    }
}

static struct catalog *open_store(bool no_index)
{
    struct catalog_options options = {.access = WORKSPACE_READ, .no_index = no_index};
    struct catalog *store = NULL;
    struct error err;
    if (catalog_open(workspace, &options, &store, &err) != STATUS_OK ||
        catalog_refresh(store, KIND_BITS_ALL, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return store;
}

/* The lines of a replay, each of its own, and where they start. */
struct lines {
    struct bytes text;
    size_t count, starts[8 * LINES];
};

static void run(struct catalog *store, const struct store_query *query, struct lines *ret)
{
    struct replay *replay = NULL;
    struct scan_item item;
    struct error err;
    bytes_clear(&ret->text);
    ret->count = 0;
    enum store_step step = replay_open(store, query, &replay, &err) == STATUS_OK ? STORE_LINES : STORE_FAILED;
    while (step == STORE_LINES && (step = replay_next(replay, &item, &err)) == STORE_LINES)
        for (size_t at = 0; at < item.length; at++) {
            if (at == 0 || item.data[at - 1] == '\n')
                ret->starts[ret->count++] = ret->text.length + at;
            if (at + 1 == item.length)
                bytes_append(&ret->text, item.data, item.length);
        }
    if (step != STORE_NONE)
        ok(false, "replay: %s", err.text);
    ret->starts[ret->count] = ret->text.length;
    replay_close(replay);
}

/* `part` is lines [from, from + part->count) of `all`, or of the reverse of it. */
static bool is_part(const struct lines *all, const struct lines *part, size_t from, bool reversed)
{
    for (size_t i = 0; i < part->count; i++) {
        size_t k = reversed ? all->count - 1 - (from + i) : from + i;
        size_t length = part->starts[i + 1] - part->starts[i];
        if (k >= all->count || all->starts[k + 1] - all->starts[k] != length ||
            memcmp(all->text.data + all->starts[k], part->text.data + part->starts[i], length) != 0)
            return false;
    }
    return true;
}

static struct lines all, part;

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Limits, tails, the reverse and the count of a replay must agree with the whole of it, by index or without. */
static void check_parts(struct catalog *const stores[2], struct store_query query, const char *what)
{
    static const size_t sizes[] = {1, 3, 20, 700, 100000};
    uint64_t count = 0;
    struct error err;
    bool good = true;
    run(stores[0], &query, &all);
    for (int by_index = 0; by_index < 2; by_index++) {
        struct catalog *store = stores[by_index];
        for (int reverse = 0; reverse < 2; reverse++) {
            query.reverse = reverse != 0;
            query.limited = query.tailed = false;
            run(store, &query, &part);
            good = good && part.count == all.count && is_part(&all, &part, 0, query.reverse);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                size_t expected = least_of(sizes[i], all.count);
                query.limited = true;
                query.limit = sizes[i];
                run(store, &query, &part);
                good = good && part.count == expected && is_part(&all, &part, 0, query.reverse);
                query.limited = false;
                query.tailed = true;
                query.tail = sizes[i];
                run(store, &query, &part);
                good = good && part.count == expected && is_part(&all, &part, all.count - expected, query.reverse);
                query.tailed = false;
            }
        }
        query.reverse = false;
        good = good && replay_count(store, &query, &count, &err) == STATUS_OK && count == all.count;
    }
    ok(good, "%s: %zu events, and every part of them", what, all.count);
}

static void check_orders(struct catalog *const stores[2], struct store_query query, size_t expected, const char *what)
{
    char name[128];
    for (int append = 0; append < 2; append++) {
        query.order = append ? STORE_AS_APPENDED : STORE_BY_TIME;
        snprintf(name, sizeof name, "%s, %s", what, append ? "as appended" : "by time");
        check_parts(stores, query, name);
        is_int(all.count, expected, "%s: all that there are", what);
    }
}

static struct filter *member_filter(enum filter_member member, const char *value)
{
    struct filter *filter = filter_new();
    struct error err;
    if (!filter || filter_add(filter, member, value, &err) != STATUS_OK)
        exit(1);
    return filter;
}

static void test_parts(void)
{
    struct catalog *stores[] = {open_store(true), open_store(false)};
    struct store_query query = {.kinds = KIND_BIT(EVENT_SIGNAL), .window = WINDOW_ALL};
    check_orders(stores, query, 3 * LINES - LINES / 50, "all signals");
    query.filter = member_filter(FILTER_SOURCE, "rare");
    check_orders(stores, query, 15, "a rare source");
    filter_free(query.filter);
    query.filter = member_filter(FILTER_SOURCE, "often");
    check_orders(stores, query, 4964, "a frequent source");
    filter_free(query.filter);
    query.filter = member_filter(FILTER_ID, "e7");
    check_orders(stores, query, 1, "an id");
    filter_free(query.filter);
    query.filter = NULL;
    query.kinds = KIND_BITS_ALL;
    check_orders(stores, query, (3 * LINES - LINES / 50) + 3 * LINES / 4, "both kinds");
    query.kinds = KIND_BIT(EVENT_EMISSION);
    query.filter = member_filter(FILTER_CAUSED_BY, "often");
    check_orders(stores, query, 1251, "emissions by their cause");
    filter_free(query.filter);
    query.filter = NULL;
    query.kinds = KIND_BIT(EVENT_SIGNAL);
    query.window = (struct window){INT64_C(1770082200000000), INT64_C(1770255000000000)}; /* 01:30, 3rd and 5th */
    check_orders(stores, query, LINES - 1800 + LINES + 1801 - 36, "a window with both edges inside a day");
    catalog_close(stores[0]);
    catalog_close(stores[1]);
}

/* A file that shrinks under the reader gives what there is. */
static void test_file_that_shrinks(void)
{
    char path[256];
    struct catalog *store = open_store(false);
    struct store_query query = {.kinds = KIND_BIT(EVENT_SIGNAL), .window = WINDOW_ALL};
    struct replay *sorted = NULL, *tail = NULL;
    struct scan_item item;
    struct error err;
    query.parsed = true;                            /* line by line */
    query.window.until = INT64_C(1770249599999999); /* the end of the 4th */
    ok(replay_open(store, &query, &sorted, &err) == STATUS_OK, "a replay is open");
    for (int i = 0; i < LINES + 10; i++)
        replay_next(sorted, &item, &err);
    query.tailed = true;
    query.tail = 2 * LINES;
    ok(replay_open(store, &query, &tail, &err) == STATUS_OK, "and one of a tail, its lines known");
    snprintf(path, sizeof path, "%s/store/signals/%s.jsonl", workspace, days[1]);
    ok(truncate(path, 100000) == 0, "the disordered day is cut");
    int rest = 0, tail_lines = 0;
    while (replay_next(sorted, &item, &err) == STORE_LINES)
        rest++;
    while (replay_next(tail, &item, &err) == STORE_LINES)
        tail_lines++;
    ok(rest > 0 && rest < LINES - 10, "what is left of it comes: %d lines", rest);
    ok(tail_lines > LINES && tail_lines < 2 * LINES, "so it does in the tail: %d lines", tail_lines);
    replay_close(sorted);
    replay_close(tail);
    catalog_close(store);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int main(void)
{
    char path[256];
    if (!mkdtemp(workspace))
        return 1;
    snprintf(path, sizeof path, "%s/store", workspace);
    mkdir(path, 0777);
    write_days("signals", 1);
    write_days("emissions", 4);
    test_parts();
    test_file_that_shrinks();
    bytes_release(&all.text);
    bytes_release(&part.text);
    nftw(workspace, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return done();
}
