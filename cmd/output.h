/*
 * output - data on its way to stdout (or into a file such as --rejects): buffered in large blocks, checked to the end.
 *
 * output_start() takes stdout; then output_write(), output_line() and output_jsonl() collect up to OUTPUT_BUFFER bytes
 * and write them when the buffer is full (a pipe is then made as large), when output_flush() asks for it, and after
 * each line where stdout is a terminal. The first failure sticks: `error` keeps its errno, everything later is dropped
 * and returns false, so a command may look at a result, at output_failed() between batches, or only at the end:
 * cli_finish() flushes, closes and turns a failure into a message and exit 5, so nothing is ever said to be done that
 * was not written.
 *
 * Where the reader of stdout is gone, the process ends by SIGPIPE as cat does, unless interrupt_ignore_sigpipe() was
 * called: then `error` is EPIPE, and cli_finish() ends the process by SIGPIPE.
 */
#ifndef METASPN_OUTPUT_H
#define METASPN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

#define OUTPUT_BUFFER ((size_t)256 << 10)

struct output {
    int fd; /* -1: closed */
    bool is_terminal;
    bool may_block; /* whoever reads it may be slow */
    bool is_wide;   /* if it is a pipe */
    bool is_torn;   /* what stands in the file does not end with a newline: output_line() ends it first */
    int error;      /* errno of the first failure; 0: none */
    struct bytes buffer;
};

void output_start(struct output *out);
/* Appends to the file at `path`, made where it is missing (0666 less umask). What output_line() puts there begins on a
 * line of its own, whatever was left by somebody who was killed. */
enum status output_append_to(struct output *out, const char *path, struct error *err);

/* Puts bytes out as they are. Blocks as large as the buffer are written without a copy. */
bool output_write(struct output *out, const char *data, size_t length);
/* The same and a newline. */
bool output_line(struct output *out, const char *data, size_t length);
/* A stored line and a newline: on a terminal with unprintable characters as \uXXXX, anywhere else untouched. */
bool output_jsonl(struct output *out, const char *line, size_t length);
/* Whole stored lines, as output_jsonl() puts out each of them. */
bool output_lines(struct output *out, const char *lines, size_t length);
/* A path or a name and a newline: escaped on a terminal, as in messages; anywhere else as it is. */
bool output_name(struct output *out, const char *name);
/* Writes out what is buffered. While stdout blocks, a signal that is caught acts at once; after one that came before,
 * or while another pipe blocks, what is in hand is written as long as the reader goes on reading. */
bool output_flush(struct output *out);

static inline bool output_failed(const struct output *out)
{
    return out->error != 0;
}

/* Columns of the terminal; 0: stdout is none. */
size_t output_columns(const struct output *out);

/* Flushes, closes, gives the memory back; returns the errno of the first failure, 0: none. May be called again. */
int output_close(struct output *out);

#endif
