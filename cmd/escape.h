/*
 * escape - text of unknown origin made fit for a terminal, a message or a table (SPEC section 5).
 *
 * Unprintable are control characters (C0, C1, DEL), what turns the direction of text round or breaks lines (bidi
 * controls, U+2028, U+2029, U+FEFF), and bytes that are not UTF-8. The three styles say what becomes of them:
 *
 *                       ESCAPE_FIELD    ESCAPE_MESSAGE    ESCAPE_JSON
 *   tab newline CR      \t \n \r        \x09 \x0a \x0d    \u0009 \u000a \u000d
 *   other C0, DEL       \u001b          \x1b              \u001b
 *   C1, bidi, ...       \u202e          \u202e            \u202e
 *   lone surrogate      \ud800          \ud800            \ud800
 *   byte not UTF-8      \xff            \xff              \xff
 *   backslash           \\              as it is          as it is
 *
 * Everything else stays.
 */
#ifndef METASPN_ESCAPE_H
#define METASPN_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum escape_style { ESCAPE_FIELD, ESCAPE_MESSAGE, ESCAPE_JSON };

/* Appends the escaped text. False: no memory (part of it may stand there). */
bool escape_append(struct bytes *out, const char *text, size_t length, enum escape_style style);

/* Fills a buffer with the escaped text, NUL-terminated, cut between two characters where it does not fit; returns its
 * length. Allocates nothing. */
size_t escape_buffer(char *buffer, size_t size, const char *text, size_t length, enum escape_style style);

/* Columns that escaped text takes on a terminal: combining characters 0, East Asian wide ones and emoji 2, others 1. */
size_t escape_columns(const char *text, size_t length);

/* Number of leading bytes of escaped text that fit into `columns` columns. */
size_t escape_fit(const char *text, size_t length, size_t columns);

#endif
