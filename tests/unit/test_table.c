#include "table.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

/* An output into a file without a name, and what was written to it. */
static struct output open_output(void)
{
    char path[] = "/tmp/test_table.XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || unlink(path) != 0)
        exit(1);
    return (struct output){.fd = fd};
}

static const char *written(const struct output *out)
{
    static char text[65536];
    ssize_t n = pread(out->fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static struct event event_of(const char *line, enum event_kind kind)
{
    struct event event;
    if (event_read(line, strlen(line), kind, false, &event, NULL) != EVENT_GOOD)
        exit(1);
    return event;
}

static void is_row(const char *line, enum event_kind kind, const struct json_text *score, const char *row,
                   const char *name)
{
    struct output out = open_output();
    struct table table;
    struct event event = event_of(line, kind);
    table_start(&table, &out);
    table_event(&table, &event, score);
    table_finish(&table);
    output_flush(&out);
    is_text(written(&out), row, "%s", name);
    output_close(&out);
}

static void test_events(void)
{
    is_row("{\"signal_id\":\"s1\",\"timestamp\":\"2026-02-05T10:00:00Z\",\"source\":\"a\",\"payload_type\":\"T\","
           "\"payload\":{\"x\": 1},\"entity_refs\":[{\"ref_type\":\"user\",\"value\":\"ada\"},{},{\"kind\":\"k\"}]}",
           EVENT_SIGNAL, NULL, "2026-02-05T10:00:00Z\tS\tT\ta\tuser:ada +2\ts1\t{\"x\": 1}\n", "a signal");
    is_row(
        "{\"emission_id\":\"e1\",\"timestamp\":\"2026-02-05T10:00:00.5Z\",\"emission_type\":\"T\",\"caused_by\":\"s1\","
        "\"payload\":\"text\",\"entity_refs\":[{\"kind\":\"user\",\"identifier\":7}]}",
        EVENT_EMISSION, NULL, "2026-02-05T10:00:00.500000Z\tE\tT\ts1\tuser:7\te1\t\"text\"\n", "an emission");
    is_row("{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05\",\"entity_refs\":[{\"ref_type\":null,\"value\":\"v\"}]}",
           EVENT_SIGNAL, NULL, "2026-02-05T00:00:00Z\tS\t\t\t:v\ts\t\n", "a type that is null is none");
    is_row("{\"signal_id\":\"s\\u202e\\t\\\\\",\"timestamp\":\"2026-02-05\",\"source\":3,\"payload\":\"a\\nb\x7f\"}",
           EVENT_SIGNAL, NULL, "2026-02-05T00:00:00Z\tS\t\t3\t\ts\\u202e\\t\\\\\t\"a\\\\nb\\u007f\"\n",
           "what another program wrote: missing members, controls and backslashes");
    static const char *const scores[] = {"0.40", "9007199254740993", "1e400", "-Infinity"};
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++) {
        char row[128];
        struct json_text score = {scores[i], strlen(scores[i])};
        snprintf(row, sizeof row, "2026-02-05T00:00:00Z\tS\t\t\t\ts\t%s\t{}\n", scores[i]);
        is_row("{\"signal_id\":\"s\",\"timestamp\":\"2026-02-05\",\"payload\":{}}", EVENT_SIGNAL, &score, row,
               "a score, before the payload");
    }
}

static void add_row(struct table *table, const char *a, const char *b, const char *c)
{
    table_string(table, a);
    table_string(table, b);
    table_string(table, c);
    table_end_row(table);
}

static void test_alignment(void)
{
    struct output out = open_output();
    struct table table;
    table_start(&table, &out);
    table.terminal = 16;
    add_row(&table, "a", "bb", "c\tc");
    add_row(&table, "aaaa", "", "cut after sixteen");
    add_row(&table, "\xe6\x97\xa5", "b", "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5");
    is_text(written(&out), "", "nothing is printed before it can be aligned");
    table_flush(&table);
    is_text(written(&out),
            "a     bb  c\\tc\n"
            "aaaa      cut af\n"
            "\xe6\x97\xa5    b   \xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\n",
            "columns are as wide as what is in them, lines as the terminal");
    add_row(&table, "a", "b", "c");
    table_finish(&table);
    output_flush(&out);
    ok(strstr(written(&out), "\na     b   c\n") != NULL, "columns do not become narrower");
    output_close(&out);
}

static void test_wide_fields(void)
{
    struct output out = open_output();
    struct table table;
    char wide[101], wanted[400];
    memset(wide, 'w', 100);
    wide[100] = '\0';
    table_start(&table, &out);
    table.terminal = 200;
    add_row(&table, wide, "b", "c");
    add_row(&table, "a", "b", "c");
    table_finish(&table);
    output_flush(&out);
    snprintf(wanted, sizeof wanted, "%s  b  c\na%*s  b  c\n", wide, TABLE_WIDEST - 1, "");
    is_text(written(&out), wanted, "one wide field does not make a column as wide");
    output_close(&out);
}

static void test_many_rows(void)
{
    struct output out = open_output();
    struct table table;
    table_start(&table, &out);
    table.terminal = 80;
    for (int i = 0; i < TABLE_ROWS; i++)
        add_row(&table, "a", "b", "c");
    output_flush(&out);
    is_int(strlen(written(&out)), TABLE_ROWS * strlen("a  b  c\n"), "rows are printed when enough are collected");
    table_finish(&table);
    output_close(&out);
}

int main(void)
{
    test_events();
    test_alignment();
    test_wide_fields();
    test_many_rows();
    return done();
}
