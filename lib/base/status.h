/*
 * status - result codes and the error text that travels up with them.
 *
 * Every library function that can fail returns an `enum status` and, where it takes a `struct error *`, fills it
 * with one line for a person: what is wrong, where, and the offending value quoted. The library never prints; the
 * command prefixes its name, prints the line once, and exits with the status: the values are the exit codes of
 * SPEC section 5.
 */
#ifndef METASPN_BASE_STATUS_H
#define METASPN_BASE_STATUS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum status {
    STATUS_OK = 0,        /* done */
    STATUS_ABSENT = 1,    /* the named thing is not there */
    STATUS_USAGE = 2,     /* the caller's request is wrong */
    STATUS_INVALID = 3,   /* input, or a stored line, is invalid */
    STATUS_DUPLICATE = 4, /* a duplicate, where duplicates were forbidden */
    STATUS_IO = 5,        /* cannot be read or written: missing, I/O error, no space, no memory, lock not to be had */
};

#define ERROR_TEXT_SIZE (PATH_MAX + 1024) /* any path, and what is wrong with it */

struct error {
    char text[ERROR_TEXT_SIZE]; /* one line, no newline, NUL-terminated, cut short if need be */
    bool no_memory;             /* it was set by error_set_memory(): it says nothing about the data */
};

/* Writes the message into *err (NULL: nowhere) and returns `status`, so that `return error_set(...)` reads well. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set with STATUS_IO; appends ": " and the text of `errnum` (an errno value), before which a long message is
 * cut short. */
enum status error_set_errno(struct error *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set_errno with ENOMEM: "out of memory". */
enum status error_set_memory(struct error *err);

/*
 * Makes bytes of unknown origin fit for a message or a terminal: wraps them in double quotes, cuts them after about
 * 60 columns ("..."), and shows control characters (C0, C1, DEL), bidirectional controls and bytes that are not
 * UTF-8 as \xHH or \uXXXX. Writes at most `size` bytes with the closing NUL and returns `buffer`.
 */
#define QUOTED_SIZE 512
const char *quote_bytes(char buffer[static QUOTED_SIZE], const void *bytes, size_t length);

/* As quote_bytes, for a NUL-terminated string. */
const char *quote_string(char buffer[static QUOTED_SIZE], const char *string);

#endif
