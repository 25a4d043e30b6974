/*
 * document - what a store keeps beside its events: JSON documents on two shelves, each replaced as a whole.
 *
 * A checkpoint has a name. A snapshot has a name and a UTC second, or a name and a UTC day (daily: digest, reports).
 *
 * Snapshots have an order: by time, a daily one at the first second of its day and before one of that very second, and
 * equal ones by name. Lists are in this order. Of the snapshots of one name at or before a time, the last one is what
 * is read. So the digest of today is found as soon as it was written, and `read` gives what `list` shows last.
 */
#ifndef METASPN_STORE_DOCUMENT_H
#define METASPN_STORE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define DOCUMENT_MAX ((size_t)1 << 30) /* bytes of a document */

enum store_shelf { STORE_CHECKPOINTS, STORE_SNAPSHOTS };

/* When a snapshot is of: a second (in microseconds; what is below the second does not count), or a day. */
struct snapshot_time {
    int64_t time;
    bool daily; /* of the day that `time` lies in */
};

/* Which document. The name has passed name_check(). */
struct document_key {
    enum store_shelf shelf;
    const char *name;          /* borrowed */
    struct snapshot_time when; /* of a snapshot */
};

/* A document as it is stored. `struct document document = {0};` is empty. */
struct document {
    struct bytes text;
    struct bytes label; /* names it in messages, NUL-terminated */
    int64_t replaced;   /* when it was last replaced: a time, to the second */
};
void document_release(struct document *document);

/* Reads an open file, which may be a pipe, to its end, and closes it. The label must be set. STATUS_INVALID: it is
 * larger than DOCUMENT_MAX. */
enum status document_read(int fd, struct document *document, struct error *err);
/* Reads a file that the caller names, which may be a pipe; the path becomes the label. STATUS_ABSENT: there is none. */
enum status document_read_path(const char *path, struct document *ret_document, struct error *err);
/* Replaces a file that the caller names, a regular one or none yet, durably. STATUS_INVALID: as
 * document_check_size(). */
enum status document_write_path(const char *path, enum store_shelf shelf, const struct bytes *text, struct error *err);

/* STATUS_INVALID: the text is larger than DOCUMENT_MAX, so that nobody could read it (canonical forms may grow). */
enum status document_check_size(enum store_shelf shelf, const struct bytes *text, struct error *err);
/* STATUS_ABSENT: "no checkpoint NAME", "no snapshot NAME at or before TIME". */
enum status document_absent(const struct document_key *key, struct error *err);

struct document_item {
    char *name;                /* owned */
    struct snapshot_time when; /* of a snapshot */
    char *label;               /* what `list` and --print=path print; owned */
};

struct document_list {
    struct document_item *items;
    size_t count, capacity;
};

/* Adds an item, with a copy of the name and of the label. False: no memory. */
bool document_list_add(struct document_list *list, const char *name, size_t name_length, struct snapshot_time when,
                       const char *label);
void document_list_sort(struct document_list *list);
void document_list_release(struct document_list *list);

/* Less than, equal to or greater than 0, as the times stand in the order. */
int snapshot_compare_times(struct snapshot_time a, struct snapshot_time b);

#endif
