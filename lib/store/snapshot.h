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
#include "store/name.h"

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

/* The name of the file of a snapshot: NAME__TIME.json. */
#define SNAPSHOT_FILE_SIZE (NAME_MAX_LENGTH + 32) /* NAME__2026-02-05T120000Z.json and NUL */
void snapshot_format_file(const char *name, struct snapshot_time when, char buffer[static SNAPSHOT_FILE_SIZE]);
/* False: it is not the name of a snapshot's file. */
bool snapshot_parse_file(const char *file, size_t *ret_name_length, struct snapshot_time *ret_when);
/* Less than, equal to or greater than 0, as the times stand in the order. */
int snapshot_compare_times(struct snapshot_time a, struct snapshot_time b);

#endif
