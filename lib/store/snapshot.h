/*
 * snapshot - JSON documents kept under a name and a UTC second, or under a name and a UTC day (daily: digest, reports).
 *
 * Each is one file in `store/snapshots/`, `NAME__2026-02-05T120000Z.json` or `NAME__2026-02-05.json`, replaced
 * atomically. Only names that end so, split at the last `__`, are snapshots; other files there are not ours.
 *
 * Snapshots have an order: by time, a daily one standing at the first second of its day and before one of that very
 * second, and equal ones by name. It is the order of snapshot_list(), and of the snapshots of one name at or before a
 * time the last one is what snapshot_read() reads. So the digest of today is found as soon as it was written, and
 * `read` gives what `list` shows last.
 */
#ifndef METASPN_STORE_SNAPSHOT_H
#define METASPN_STORE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "files/workspace.h"

#define SNAPSHOT_MAX ((size_t)1 << 30) /* bytes of a document */

/* When a snapshot is of: a second (in microseconds; what is below the second does not count), or a day. */
struct snapshot_time {
    int64_t time;
    bool daily; /* of the day that `time` lies in */
};

/*
 * The document to be stored: of `text` (length bytes of JSON: one object by the strict rules, else STATUS_INVALID) the
 * canonical form and a newline, replacing what is in *ret_document. A daily one is wrapped:
 * {"day":"2026-02-05","digest":TEXT,"schema_version":"0.1"} where its name is digest, "report" in the member's place
 * otherwise.
 */
enum status snapshot_compose(const char *name, struct snapshot_time when, const char *text, size_t length,
                             struct bytes *ret_document, struct error *err);

/*
 * Stores a composed document, durably; one of the same name and time is replaced. *ret_path (may be NULL) becomes its
 * path, NUL-terminated. Temporaries that a killed process left an hour before `now_seconds` are removed.
 * STATUS_INVALID: it is larger than SNAPSHOT_MAX, so that nobody could read it (canonical forms may grow); nothing was
 * stored.
 */
enum status snapshot_write(struct workspace *workspace, const char *name, struct snapshot_time when,
                           const struct bytes *document, int64_t now_seconds, struct bytes *ret_path,
                           struct error *err);

/*
 * Reads a stored document with its newline into *ret_document: for a daily `when` that day's, otherwise the last of
 * this name at or before `when.time` (TIMESTAMP_MAX: the last). STATUS_ABSENT: there is none. STATUS_IO: it is no JSON
 * object, as an interrupted write of another program leaves it, or cannot be read.
 */
enum status snapshot_read(struct workspace *workspace, const char *name, struct snapshot_time when,
                          struct bytes *ret_document, struct error *err);

struct snapshot {
    struct snapshot_time when;
    char *name; /* owned by the list */
    char *path; /* "DIR/store/snapshots/…", owned by the list */
};

struct snapshot_list {
    struct snapshot *items;
    size_t count, capacity;
};

/*
 * All snapshots (of this name, where it is not NULL) in their order. STATUS_IO: it cannot be listed; or something that
 * is no regular file stands in the place of one, of which the first is told and the others are listed. Release the list
 * in any case.
 */
enum status snapshot_list(struct workspace *workspace, const char *name, struct snapshot_list *ret_list,
                          struct error *err);
void snapshot_list_release(struct snapshot_list *list);

#endif
