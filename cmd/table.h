/*
 * table - lines of fields: tab-separated for other programs, aligned and cut for a terminal (SPEC section 5).
 *
 *     table_start(&table, &out);
 *     for each row: table_text(&table, ...) for each field; table_end_row(&table);   (or table_event())
 *     table_finish(&table);
 *
 * What is unprintable in a field, tab, newline and backslash are escaped (ESCAPE_FIELD), so a field never holds its
 * separator. On a terminal rows are collected, TABLE_ROWS of them or until table_flush(), and columns are made as wide
 * as what is in them, TABLE_WIDEST at most and never narrower than before; a longer field takes the room it needs.
 * Each line is cut to the terminal's width.
 *
 * Failures of the output, and a lack of memory, stick in the output and are reported by cli_finish().
 */
#ifndef METASPN_TABLE_H
#define METASPN_TABLE_H

#include <stddef.h>

#include "base/bytes.h"
#include "event/event.h"
#include "output.h"

#define TABLE_COLUMNS 12 /* fields in a row at most */
#define TABLE_ROWS    64
#define TABLE_WIDEST  40

struct table {
    struct output *out;
    size_t terminal;   /* columns of the terminal; 0: there is none */
    struct bytes rows; /* on a terminal: the rows collected, else the row in hand; fields escaped, tabs between */
    struct bytes scratch;
    size_t row_count, field_count;
    size_t widths[TABLE_COLUMNS];
};

void table_start(struct table *table, struct output *out);

/* Adds a field. */
void table_text(struct table *table, const char *text, size_t length);
void table_string(struct table *table, const char *text);
/* Adds a JSON value as a field: a string decoded, anything else as it stands, nothing where it is absent. */
void table_json(struct table *table, struct json_text value);
void table_end_row(struct table *table);

/*
 * A row of one event: time, S or E, type, source (emissions: caused_by), first entity as TYPE:VALUE (+N for N more),
 * id, payload; before the payload the score as it was written, unless that is NULL.
 */
void table_event(struct table *table, const struct event *event, const struct json_text *score);

/* Prints what is collected and flushes the output: when there is nothing more to show for a while. */
void table_flush(struct table *table);
/* The last call: prints what is collected, gives the memory back. */
void table_finish(struct table *table);

#endif
