/*
 * bytes - a growing byte buffer.
 *
 * `struct bytes b = {0};` is an empty buffer; bytes_release() gives the memory back and makes it empty again.
 * The data is not NUL-terminated. Functions that may allocate return false when there is no memory, and then
 * leave the buffer as it was.
 */
#ifndef METASPN_BASE_BYTES_H
#define METASPN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data; /* owned; NULL while capacity is 0 */
    size_t length;
    size_t capacity;
};

/* Makes room for `more` bytes after the present length, which stays. */
bool bytes_reserve(struct bytes *b, size_t more);

bool bytes_append(struct bytes *b, const void *data, size_t length);
bool bytes_append_string(struct bytes *b, const char *string);
bool bytes_append_char(struct bytes *b, char c);

/* printf into the buffer (no NUL is counted). */
bool bytes_append_format(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Empties the buffer, keeps its memory. */
void bytes_clear(struct bytes *b);

/* Gives the memory back; the buffer is empty and may be used again. */
void bytes_release(struct bytes *b);

#endif
