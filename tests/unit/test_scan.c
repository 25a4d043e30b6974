#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/filter.h"
#include "files/catalog/catalog.h"
#include "files/scan/scan.h"
#include "tap.h"

/* A store of one partition, 2026-02-05, in a fresh directory. */
static char workspace[] = "/tmp/test_scan.XXXXXX";
static char path[256];
static const char *const folders[] = {"store", "store/signals"};

static void write_partition(const char *data, size_t length)
{
    FILE *file = fopen(path, "w");
    if (file) {
        fwrite(data, 1, length, file);
        fclose(file);
    }
}

static struct catalog *open_store(void)
{
    struct catalog_options options = {.access = WORKSPACE_READ, .no_index = true};
    struct catalog *store = NULL;
    struct error err;
    if (catalog_open(workspace, &options, &store, &err) != STATUS_OK ||
        catalog_refresh(store, KIND_BITS_ALL, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return store;
}

#define NUMBER partition_number(EVENT_SIGNAL, 20489)

static struct day *day; /* as it was when whole() was asked last */

static struct scan_options whole(struct catalog *store)
{
    struct error err;
    day_close(day);
    day = NULL;
    if (catalog_open_day(store, NUMBER, &day, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return (struct scan_options){.to = day->end, .window = WINDOW_ALL};
}

/* What a scan hands out, one after the other; *items (may be NULL) counts the items. */
static struct bytes run(struct catalog *store, const struct scan_options *options, size_t *items)
{
    struct bytes all = {0};
    struct scan *scan = NULL;
    struct scan_item item;
    struct error err;
    size_t count = 0;
    enum store_step step = scan_open(store, day, options, &scan, &err) == STATUS_OK ? STORE_LINES : STORE_FAILED;
    while (step == STORE_LINES && (step = scan_next(scan, &item, &err)) == STORE_LINES) {
        bytes_append(&all, item.data, item.length);
        count++;
    }
    ok(step == STORE_NONE, "it comes to its end");
    scan_close(scan);
    bytes_append_char(&all, '\0');
    all.length--;
    if (items)
        *items = count;
    return all;
}

static void gives(struct catalog *store, const struct scan_options *options, const char *want, const char *what)
{
    struct bytes got = run(store, options, NULL);
    is_text(got.data, want, "%s", what);
    bytes_release(&got);
}

#define LINE(id, second) "{\"signal_id\":\"" id "\",\"timestamp\":\"2026-02-05T10:00:0" second "Z\"}\n"
#define THREE            LINE("a", "1") LINE("b", "2") LINE("c", "3")
#define LENGTH(text)     (sizeof(text) - 1)
#define WRITE(text)      write_partition((text), LENGTH(text))

static void test_blocks_and_lines(void)
{
    WRITE(THREE);
    struct catalog *store = open_store();
    struct scan_options options = whole(store);
    size_t items;
    struct bytes got = run(store, &options, &items);
    is_text(got.data, THREE, "all lines");
    is_int(items, 1, "in one block");
    bytes_release(&got);
    options.need_events = true;
    got = run(store, &options, &items);
    is_int(items, 3, "line by line where events are wanted");
    bytes_release(&got);
    options.backward = true;
    gives(store, &options, LINE("c", "3") LINE("b", "2") LINE("a", "1"), "backward");
    options.need_events = false;
    gives(store, &options, LINE("c", "3") LINE("b", "2") LINE("a", "1"), "backward without events");
    options.backward = false;
    options.window.until = INT64_C(1770285602000000); /* 2026-02-05T10:00:02Z */
    gives(store, &options, LINE("a", "1") LINE("b", "2"), "a window");
    catalog_close(store);
}

static void test_positions(void)
{
    WRITE(THREE);
    struct catalog *store = open_store();
    struct scan_options options = whole(store);
    uint64_t line = LENGTH(LINE("a", "1"));
    options.from = line;
    gives(store, &options, LINE("b", "2") LINE("c", "3"), "from the start of a line");
    options.from = line - 1;
    gives(store, &options, LINE("b", "2") LINE("c", "3"), "from behind a line, before its newline");
    options.from = line + 5;
    gives(store, &options, LINE("b", "2") LINE("c", "3"), "from inside a line: the whole line");
    options.from = 0;
    options.to = line;
    gives(store, &options, LINE("a", "1"), "to the end of a line");
    options.from = line;
    gives(store, &options, "", "nothing");
    catalog_close(store);
}

static void test_last_line_without_newline(void)
{
    write_partition(THREE, LENGTH(THREE) - 1);
    struct catalog *store = open_store();
    struct scan_options options = whole(store);
    is_int(options.to, LENGTH(THREE) - 1, "the partition ends behind it");
    gives(store, &options, THREE, "it gets its newline");
    options.backward = true;
    gives(store, &options, LINE("c", "3") LINE("b", "2") LINE("a", "1"), "backward too");
    struct scan *scan;
    struct scan_item item = {0};
    struct error err;
    if (scan_open(store, day, &options, &scan, &err) == STATUS_OK) {
        scan_next(scan, &item, &err);
        is_int(item.end, LENGTH(THREE) - 1, "the position behind it counts no newline");
        scan_close(scan);
    }
    catalog_close(store);
}

static void test_repeats(void)
{
    WRITE(LINE("a", "1") LINE("b", "2") LINE("a", "3") LINE("c", "4"));
    struct catalog *store = open_store();
    struct scan_options options = whole(store);
    gives(store, &options, LINE("a", "1") LINE("b", "2") LINE("c", "4"), "first records only");
    options.need_events = options.need_repeats = true;
    struct scan *scan;
    struct scan_item item;
    struct error err;
    int repeats = 0;
    if (scan_open(store, day, &options, &scan, &err) == STATUS_OK) {
        while (scan_next(scan, &item, &err) == STORE_LINES) {
            repeats += item.repeat;
            if (item.repeat)
                is_int(item.offset, 2 * LENGTH(LINE("a", "1")), "the repeat");
        }
        scan_close(scan);
    }
    is_int(repeats, 1, "repeats are marked where they are wanted");
    catalog_close(store);
}

/* ---- reports */

struct reports {
    int count;
    uint64_t lines[8], offsets[8];
};

static void note(void *context, const struct store_report *found)
{
    struct reports *reports = context;
    if (reports->count < 8 && found->finding == STORE_DAMAGED) {
        reports->lines[reports->count] = found->line;
        reports->offsets[reports->count++] = found->offset;
    }
}

static void test_reports(void)
{
    WRITE(LINE("a", "1") "x\n" LINE("b", "2") "\n"
                                              "y\n" LINE("c", "3") "z\n");
    struct catalog *store = open_store();
    struct scan_options options = whole(store);
    uint64_t line = LENGTH(LINE("a", "1"));
    for (int backward = 0; backward < 2; backward++) {
        struct reports reports = {0};
        options.backward = backward != 0;
        options.report = note;
        options.report_context = &reports;
        struct bytes got = run(store, &options, NULL);
        is_int(got.length, 3 * line, "what is no damage is handed out");
        bytes_release(&got);
        is_int(reports.count, 3, "each damaged line is reported once");
        int first = backward ? 2 : 0;
        is_int(reports.lines[first], 2, "in the order of the scan: the first is line 2");
        is_int(reports.offsets[first], line, "where it starts");
        is_int(reports.lines[1], 5, "a blank line counts as a line");
        is_int(reports.offsets[1], 2 * line + 3, "the second");
        is_int(reports.lines[2 - first], 7, "the third");
    }
    catalog_close(store);
}

/* ---- candidates, and files that change under the reader */

#define MANY 4000

/* Lines of different length; every seventh to fortieth one has the source that is looked for. */
static size_t make_many(struct bytes *text, struct entry *wanted, size_t *starts, uint32_t number)
{
    size_t found = 0;
    unsigned next = 3;
    for (unsigned i = 0; i < MANY; i++) {
        bool hit = i == next;
        if (hit) {
            wanted[found++] = (struct entry){.value = index_value(number, 0, text->length)};
            next += i < MANY / 2 ? 7 : i % 5 == 0 ? 900 : 33;
        }
        starts[i] = text->length;
        bytes_append_format(
            text, "{\"pad\":\"%*s\",\"signal_id\":\"s%u\",\"source\":\"%s\",\"timestamp\":\"2026-02-05T10:00:00Z\"}\n",
            (int)(i * 37 % 700), "", i, hit ? "x" : "y");
    }
    starts[MANY] = text->length;
    return found;
}

static struct filter *source_filter(void)
{
    struct filter *filter = filter_new();
    struct error err;
    if (!filter || filter_add(filter, FILTER_SOURCE, "x", &err) != STATUS_OK)
        exit(1);
    return filter;
}

/* The starts of the blocks in which candidates lie, each once. */
static size_t make_blocks(const struct entry *wanted, size_t count, struct entry *ret_blocks)
{
    size_t blocks = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = wanted[i].value - index_value_offset(wanted[i].value) % CATALOG_KEY_BLOCK;
        if (blocks == 0 || ret_blocks[blocks - 1].value != value)
            ret_blocks[blocks++].value = value;
    }
    return blocks;
}

static struct entry wanted[MANY], blocks[MANY];
static size_t starts[MANY + 1];

static void test_candidates(void)
{
    struct bytes text = {0};
    size_t count = make_many(&text, wanted, starts, NUMBER);
    write_partition(text.data, text.length);
    struct catalog *store = open_store();
    struct filter *filter = source_filter();
    struct scan_options options = whole(store);
    options.filter = filter;
    struct bytes without = run(store, &options, NULL);
    options.candidates = wanted;
    options.candidate_count = count;
    options.candidate_span = 1;
    gives(store, &options, without.data, "candidates give what a full scan gives");
    for (options.first_block = 1; options.first_block < 100000; options.first_block *= 7)
        gives(store, &options, without.data, "whatever the size of the first block");
    options.candidates = blocks;
    options.candidate_count = make_blocks(wanted, count, blocks);
    options.candidate_span = CATALOG_KEY_BLOCK;
    gives(store, &options, without.data, "block candidates too");
    bytes_release(&without);

    options.backward = true;
    options.candidates = NULL;
    struct bytes backward = run(store, &options, NULL);
    options.candidates = blocks;
    gives(store, &options, backward.data, "block candidates backward");
    options.candidates = wanted;
    options.candidate_count = count;
    options.candidate_span = 1;
    gives(store, &options, backward.data, "candidates backward");
    bytes_release(&backward);
    options.candidate_count = 0;
    gives(store, &options, "", "no candidates, no events");
    filter_free(filter);
    bytes_release(&text);
    catalog_close(store);
}

/* How many whole lines of the first `size` bytes a scan gives. */
/* Another program writes it anew in place between the look and the reading: repeats are no lines any more. */
static void test_file_that_has_changed(void)
{
    char line[3 * LENGTH(LINE("a", "1")) + 1];
    WRITE(LINE("a", "1") LINE("a", "1") LINE("a", "1"));
    struct catalog *store = open_store();
    struct scan_options options = whole(store);
    struct scan *scan = NULL;
    struct scan_item item = {0};
    struct error err;
    gives(store, &options, LINE("a", "1"), "one of three");
    is_int(scan_open(store, day, &options, &scan, &err), STATUS_OK, "it is opened");
    snprintf(line, sizeof line, "{\"timestamp\":\"2026-02-05T10:00:00Z\",\"signal_id\":\"%0*d\"}\n",
             (int)(sizeof line - sizeof LINE("", "0")), 0);
    is_int(strlen(line), sizeof line - 1, "a line as long as all three");
    write_partition(line, sizeof line - 1);
    is_int(scan_next(scan, &item, &err), STORE_LINES, "it is read");
    is_int(item.length, sizeof line - 1, "as a whole");
    is_int(scan_next(scan, &item, &err), STORE_NONE, "and nothing more");
    scan_close(scan);
    catalog_close(store);
}

static void check_short(struct catalog *store, struct scan_options options, size_t size, const char *how)
{
    size_t lines = 0;
    while (lines < MANY && starts[lines + 1] <= size)
        lines++;
    struct reports reports = {0};
    options.report = note;
    options.report_context = &reports;
    struct bytes got = run(store, &options, NULL);
    size_t count = 0;
    for (const char *at = got.data; (at = strchr(at, '\n')); at++)
        count++;
    is_int(count, lines, "%s: %zu bytes are left", how, size);
    is_int(reports.count, 0, "and a line that was cut is no damage");
    bytes_release(&got);
}

static void test_file_that_has_shrunk(void)
{
    struct bytes text = {0};
    make_many(&text, wanted, starts, 0);
    write_partition(text.data, text.length);
    struct catalog *store = open_store();
    for (size_t size = text.length; size > 0; size = size * 5 / 7) {
        struct scan_options options = whole(store);
        if (truncate(path, (off_t)size) != 0)
            break;
        check_short(store, options, size, "blocks");
        options.need_events = true;
        check_short(store, options, size, "events");
        options.backward = true;
        check_short(store, options, size, "events backward");
        options.need_events = false;
        check_short(store, options, size, "lines backward");
    }
    unlink(path);
    struct day *gone;
    struct error err;
    is_int(catalog_open_day(store, NUMBER, &gone, &err), STATUS_ABSENT, "a file that has gone");
    bytes_release(&text);
    catalog_close(store);
}

int main(void)
{
    if (!mkdtemp(workspace))
        return 1;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", workspace, folders[i]);
        mkdir(path, 0777);
    }
    snprintf(path, sizeof path, "%s/store/signals/2026-02-05.jsonl", workspace);
    test_blocks_and_lines();
    test_positions();
    test_last_line_without_newline();
    test_repeats();
    test_reports();
    test_candidates();
    test_file_that_has_shrunk();
    test_file_that_has_changed();
    day_close(day);
    unlink(path);
    for (size_t i = 2; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", workspace, folders[i]);
        rmdir(path);
    }
    rmdir(workspace);
    return done();
}
