#include "table.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/timestamp.h"
#include "escape.h"

#define COLUMN_GAP 2
#define SEEN_BYTES 16 /* a column shows no more of a text than these, combining characters included */

void table_start(struct table *table, struct output *out)
{
    *table = (struct table){.out = out, .terminal = output_columns(out)};
}

static void check(struct table *table, bool good)
{
    if (!good && !table->out->error)
        table->out->error = ENOMEM;
}

void table_text(struct table *table, const char *text, size_t length)
{
    if (table->terminal && length > table->terminal * SEEN_BYTES)
        length = table->terminal * SEEN_BYTES;
    if (table->field_count++ > 0)
        check(table, bytes_append_char(&table->rows, '\t'));
    check(table, escape_append(&table->rows, text, length, ESCAPE_FIELD));
}

void table_string(struct table *table, const char *text)
{
    table_text(table, text, strlen(text));
}

/* The bytes of a value for people. */
static struct json_text shown(struct table *table, struct json_text value)
{
    struct json_text text = value;
    if (json_type(value) == JSON_STRING)
        check(table, json_string_decode(value, &table->scratch, &text));
    return text;
}

void table_json(struct table *table, struct json_text value)
{
    struct json_text text = shown(table, value);
    table_text(table, text.data, text.length);
}

/* Length of the field at `text`, which ends at a tab, a newline or after `length` bytes. */
static size_t field_length(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] != '\t' && text[n] != '\n')
        n++;
    return n;
}

static void widen_columns(struct table *table)
{
    const struct bytes *rows = &table->rows;
    size_t column = 0;
    for (size_t at = 0, n; at < rows->length; at += n + 1) {
        n = field_length(rows->data + at, rows->length - at);
        size_t width = escape_columns(rows->data + at, n);
        if (column < TABLE_COLUMNS && width > table->widths[column])
            table->widths[column] = width > TABLE_WIDEST ? TABLE_WIDEST : width;
        column = at + n < rows->length && rows->data[at + n] == '\n' ? 0 : column + 1;
    }
}

/* Lays out one row (without its newline) in the scratch buffer, cut to the terminal's width. */
static void align_row(struct table *table, const char *row, size_t length)
{
    static const char spaces[TABLE_WIDEST + COLUMN_GAP + 1] = "                                          ";
    size_t column = 0;
    bytes_clear(&table->scratch);
    for (size_t at = 0, n; at < length; at += n + 1, column++) {
        n = field_length(row + at, length - at);
        check(table, bytes_append(&table->scratch, row + at, n));
        size_t width = escape_columns(row + at, n);
        bool is_last = at + n == length;
        if (!is_last && column < TABLE_COLUMNS)
            check(table,
                  bytes_append(&table->scratch, spaces,
                               COLUMN_GAP + (width < table->widths[column] ? table->widths[column] - width : 0)));
    }
    output_line(table->out, table->scratch.data,
                escape_fit(table->scratch.data, table->scratch.length, table->terminal));
}

static void print_rows(struct table *table)
{
    const struct bytes *rows = &table->rows;
    widen_columns(table);
    for (size_t at = 0; at < rows->length;) {
        const char *newline = memchr(rows->data + at, '\n', rows->length - at);
        size_t length = newline ? (size_t)(newline - (rows->data + at)) : rows->length - at;
        align_row(table, rows->data + at, length);
        at += length + 1;
    }
    bytes_clear(&table->rows);
    table->row_count = 0;
}

void table_end_row(struct table *table)
{
    table->field_count = 0;
    check(table, bytes_append_char(&table->rows, '\n'));
    if (table->terminal) {
        if (++table->row_count == TABLE_ROWS)
            print_rows(table);
    } else {
        output_write(table->out, table->rows.data, table->rows.length);
        bytes_clear(&table->rows);
    }
}

static void add_entity(struct table *table, const struct event *event)
{
    struct bytes field = {0};
    struct entity_ref ref, other;
    struct json_walk walk = event_entities(event);
    if (event_next_entity(&walk, &ref)) {
        size_t more = 0;
        while (event_next_entity(&walk, &other))
            more++;
        struct json_text type = shown(table, ref.type);
        check(table, bytes_append(&field, type.data, type.length) && bytes_append_char(&field, ':'));
        struct json_text value = shown(table, ref.value);
        check(table, bytes_append(&field, value.data, value.length));
        if (more > 0)
            check(table, bytes_append_format(&field, " +%zu", more));
    }
    table_text(table, field.data, field.length);
    bytes_release(&field);
}

void table_event(struct table *table, const struct event *event, const struct json_text *score)
{
    char time[TIMESTAMP_TEXT_SIZE];
    size_t length = timestamp_format(event->timestamp, time);
    table_text(table, time, length);
    table_string(table, event->kind == EVENT_SIGNAL ? "S" : "E");
    table_json(table, event->type);
    table_json(table, event->kind == EVENT_SIGNAL ? event->source : event->caused_by);
    add_entity(table, event);
    table_json(table, event->id);
    if (score)
        table_json(table, *score);
    table_text(table, event->payload.data, event->payload.length);
    table_end_row(table);
}

void table_flush(struct table *table)
{
    print_rows(table);
    output_flush(table->out);
}

void table_finish(struct table *table)
{
    print_rows(table);
    bytes_release(&table->rows);
    bytes_release(&table->scratch);
}
