/*
 * documents - checkpoints and snapshots as files of the store (store/document.h says what they are).
 *
 *     store/checkpoints/NAME.json
 *     store/snapshots/NAME__2026-02-05T120000Z.json, store/snapshots/NAME__2026-02-05.json
 *
 * Only names that end so, snapshots split at the last `__`, are documents; other files there are not ours. A document
 * is replaced as a whole, durably. What depends on the old one is done under catalog_lock().
 */
#ifndef METASPN_FILES_DOCUMENTS_H
#define METASPN_FILES_DOCUMENTS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "files/workspace.h"
#include "store/document.h"

/* Reads the very document of this key, its path being the label. STATUS_ABSENT: there is none. STATUS_IO: it cannot be
 * read, is larger than DOCUMENT_MAX, or is no regular file. What is in it is not looked at. */
enum status documents_read(struct workspace *workspace, const struct document_key *key, struct document *ret_document,
                           struct error *err);
/* The same; of snapshots by the second the last one of this name at or before that (TIMESTAMP_MAX: the last), daily
 * ones too. */
enum status documents_get(struct workspace *workspace, const struct document_key *key, struct document *ret_document,
                          struct error *err);
/*
 * Replaces the document of this key. *ret_path (may be NULL) becomes its path, NUL-terminated. Temporaries that a
 * killed process left an hour before `now_seconds` are removed. STATUS_INVALID: as document_check_size(); nothing was
 * stored.
 */
enum status documents_put(struct workspace *workspace, const struct document_key *key, const struct bytes *text,
                          int64_t now_seconds, struct bytes *ret_path, struct error *err);
/* Removes it, durably. STATUS_ABSENT: there was none. */
enum status documents_delete(struct workspace *workspace, const struct document_key *key, struct error *err);

/*
 * All documents of a shelf (of this name, where it is not NULL) in their order. STATUS_IO: they cannot be listed; or
 * something that is no regular file stands in the place of one, of which the first is reported and the others are
 * listed. Release the list in any case.
 */
enum status documents_list(struct workspace *workspace, enum store_shelf shelf, const char *name,
                           struct document_list *ret_list, struct error *err);

#endif
