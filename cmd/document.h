/*
 * document - the small JSON documents that the commands put together: results, rejected lines, digests, findings.
 *
 * Each function appends one document in canonical form (SPEC section 3), without a newline, to *out. Strings come as
 * bytes of any origin: what is not UTF-8 becomes U+FFFD. Nothing of a user's numbers passes through here: documents of
 * users keep their text (json.h). This is the only module that knows jansson.
 *
 * STATUS_IO: no memory; *out is then as it was.
 */
#ifndef METASPN_DOCUMENT_H
#define METASPN_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct json_text; /* json.h and jansson's header cannot stand in one file: they share names */

#define DOCUMENT_INPUT_LIMIT ((size_t)64 << 10) /* bytes of a rejected line that are kept, and of what they become */

/* metaspn-write --print=result: {"id":…,"kind":"signals","path":…,"status":"appended"} */
struct write_result {
    const struct json_text *id; /* a canonical JSON string: an event's, as event_check() gives it */
    const char *kind;           /* event_kind_name() */
    const char *path;
    const char *status; /* "appended", "duplicate", "conflict" */
};
enum status document_result(const struct write_result *result, struct bytes *out, struct error *err);

/* metaspn-write --rejects: {"error":…,"file":…,"input":…,"line":…,"time":…} */
struct rejected_line {
    const char *file; /* as messages name it */
    uint64_t line;
    const char *error;
    int64_t time;      /* of the rejection */
    const char *input; /* the line; cut after DOCUMENT_INPUT_LIMIT bytes, or before a character that this would split */
    size_t input_length;
};
enum status document_rejected(const struct rejected_line *rejected, struct bytes *out, struct error *err);

/* metaspn-top --format=digest: {"top_candidates":[…]} of ids, valid JSON strings in their order. */
enum status document_digest(const struct json_text *ids, size_t count, struct bytes *out, struct error *err);

/* metaspn-fsck --json: {"byte":…,"file":…,"line":…,"what":…}; of a whole file, line 0, without byte and line. */
struct finding {
    const char *file;
    uint64_t line; /* from 1 */
    uint64_t byte;
    const char *what;
};
enum status document_finding(const struct finding *finding, struct bytes *out, struct error *err);

/* What document.c, which knows jansson, leaves to document_text.c, which knows json.h. */

/* Appends bytes of any origin with U+FFFD in the place of each that is not UTF-8. False: no memory. */
bool document_clean(const char *data, size_t length, struct bytes *out);
/* Appends the canonical form of valid JSON. */
enum status document_canonical(const char *text, size_t length, struct bytes *out, struct error *err);

#endif
