/*
 * input - the lines of stdin or of the FILE operands, in large batches or as they trickle in.
 *
 *     struct input *input = input_open(&cli, argv + optind, count, max_line);
 *     for (;;) {
 *         int64_t deadline = batch is empty ? INPUT_FOR_EVER : when the first line came + 100;
 *         switch (input_next(input, deadline, &line)) {
 *         case INPUT_LINE: add it to the batch; if the batch is not yet large: continue; break;
 *         case INPUT_PENDING: break;
 *         case INPUT_END: case INPUT_INTERRUPTED: last = true; break;
 *         }
 *         work the batch; input_release(input);
 *     }
 *
 * Lines are not copied: they lie in the blocks of up to INPUT_BLOCK bytes that were read, and stay valid until
 * input_release(), which gives the blocks back for new use. So memory is what the caller holds, plus a block, plus a
 * line that is longer than one. Only a line that two blocks share is moved.
 *
 * A line ends at LF, which is not part of it; CR stays (it is white space), NUL is a byte like any other. A file's last
 * line needs no LF. Of a line that is longer than max_line no more than the first INPUT_KEPT bytes are kept.
 *
 * A FILE that cannot be opened or read, and a directory, are reported and noted as status 5 at `cli`; the other FILEs
 * are still read. Where there is a deadline, INPUT_PENDING comes first, and the next call reports: what precedes the
 * FILE is worked before, and may turn out to be the end. `-`, or no FILE at all, is stdin; a note says so where that is
 * a terminal.
 */
#ifndef METASPN_INPUT_H
#define METASPN_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

#define INPUT_BLOCK    ((size_t)1 << 20)
#define INPUT_KEPT     ((size_t)64 << 10)
#define INPUT_FOR_EVER INT64_MAX

struct input;

struct input_line {
    const char *data; /* without newline; a line that is too long: its beginning */
    size_t length;    /* of data */
    const char *file; /* the operand, "-" for stdin; valid until input_close() */
    uint64_t number;  /* from 1 in each file */
    bool too_long;    /* longer than max_line */
};

enum input_result {
    INPUT_LINE,
    INPUT_PENDING,     /* no whole line had come by the deadline, or a FILE cannot be read */
    INPUT_END,         /* all files have been read, or there is no memory (said and noted at `cli`) */
    INPUT_INTERRUPTED, /* a signal was caught (interrupt_catch()); buffered lines may have been left */
};

/* The operands are borrowed. NULL: no memory. */
struct input *input_open(struct cli *cli, char *const *files, size_t count, size_t max_line);
void input_close(struct input *input);

/*
 * The next line. Where none is buffered it reads, waiting up to `deadline` (of io_monotonic_ms()); when the deadline
 * has passed it answers INPUT_PENDING even if there is more to read, so that a batch is worked in time while a producer
 * goes on without a pause. Whoever passes INPUT_FOR_EVER gets no INPUT_PENDING.
 */
enum input_result input_next(struct input *input, int64_t deadline, struct input_line *ret_line);

/* For those who want a leading part: a FILE that cannot be read is the end, whatever the deadline. Nothing is reported,
 * but input_failure() says why; STATUS_OK: the end is none of that kind. */
void input_stop_at_failure(struct input *input);
enum status input_failure(const struct input *input, struct error *err);

/* For those who end at a line that is too long: it is handed out before its end has come, which may never come. */
void input_hand_out_excess(struct input *input);

/* All lines that were handed out are done with. */
void input_release(struct input *input);

/* Reads stdin to its end, for commands that take one document: at most `limit` bytes, more is STATUS_INVALID. Notes
 * where stdin is a terminal. */
enum status input_read_document(const struct cli *cli, size_t limit, struct bytes *out, struct error *err);

#endif
