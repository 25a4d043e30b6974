/*
 * snapshot - JSON documents kept under a name and a UTC second, or under a name and a UTC day (document.h).
 */
#ifndef METASPN_STORE_SNAPSHOT_H
#define METASPN_STORE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"
#include "store/document.h"
#include "store/name.h"

/*
 * Makes the document to be stored: of `text` (length bytes of JSON: one object by the strict rules, else
 * STATUS_INVALID) the canonical form and a newline, replacing what is in *ret_document. A daily one is wrapped:
 * {"day":"2026-02-05","digest":TEXT,"schema_version":"0.1"}, with the member that snapshot_content() says.
 */
enum status snapshot_compose(const char *name, struct snapshot_time when, const char *text, size_t length,
                             struct bytes *ret_document, struct error *err);
/* The member that holds the content of a daily snapshot: "digest" where that is its name, "report" otherwise. */
const char *snapshot_content(const char *name);

/* STATUS_INVALID: the stored text is no JSON object, as an interrupted write of another program leaves it. */
enum status snapshot_check(const struct bytes *text, struct error *err);

/* NAME__2026-02-05T120000Z, NAME__2026-02-05: what a snapshot's file is called, without .json. */
#define SNAPSHOT_NAME_SIZE (NAME_MAX_LENGTH + 24)
void snapshot_format_name(const char *name, struct snapshot_time when, char buffer[static SNAPSHOT_NAME_SIZE]);
/* False: this is no such name. */
bool snapshot_parse_name(const char *text, size_t length, size_t *ret_name_length, struct snapshot_time *ret_when);

#endif
