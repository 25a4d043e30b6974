/*
 * checkpoint - where a named worker has got to: one small JSON document.
 *
 *     {"kind":"signals","last_timestamp":"2026-02-05T10:00:00Z",
 *      "positions":{"2026-02-05":{"hash":"2d06800538d394c2","offset":4096}},
 *      "schema_version":"0.1","seen_ids_at_timestamp":["s1"]}
 *
 * It is kept in canonical form with a newline, and replaced as a whole. Of its members (SPEC section 6):
 *   last_timestamp         required: the greatest timestamp that was printed or advanced past, in any form in which a
 *                          stored event's may stand (the original writes isoformat with Z); 0001-01-01T00:00:00Z where
 *                          there was none
 *   seen_ids_at_timestamp  the ids at it, each once, in the order processed; absent: none
 *   kind                   absent in what the original and `build` make
 *   positions              by UTC day, each {"hash","offset"}: the hash of the at most 4096 bytes before the offset as
 *                          16 lower-case hex digits. A hash of any other form fits nothing. A checkpoint without this
 *                          member goes by time: due is what is later than last_timestamp, or at it and not among the
 *                          ids.
 *   others                 are kept as they stand, numbers and all; so is the text of a position that does not move
 *
 * files/catalog/position.h says what positions mean in a store of files, and files/worker/advance.h how they move.
 */
#ifndef METASPN_STORE_CHECKPOINT_H
#define METASPN_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "event/event.h"
#include "store/document.h"
#include "json/json.h"

struct checkpoint_position {
    int32_t day;
    bool has_hash; /* false: in an unknown form, so the position fits nothing */
    uint64_t offset;
    uint64_t hash;
    struct json_text text; /* as it was read, in the document; data NULL: it was put since */
};

struct checkpoint {
    struct bytes document;   /* what it was read from; empty: it was made anew */
    bool has_schema_version; /* the document has one, of any type; else it gets ours */
    bool has_kind;
    enum event_kind kind;
    int64_t last_timestamp;
    struct string_set ids; /* decoded, in the order in which they came */
    bool has_positions;
    struct checkpoint_position *positions; /* ascending by day; owned */
    size_t position_count, position_capacity;
    int64_t replaced; /* when the file that it was loaded from was last replaced: a time, to the second */
};

/* A checkpoint that has passed nothing: no kind, no positions, the least timestamp. */
void checkpoint_init(struct checkpoint *checkpoint);
void checkpoint_release(struct checkpoint *checkpoint);

/* Reads a document. STATUS_INVALID: *err says which member is wrong, and how. */
enum status checkpoint_parse(const char *text, size_t length, struct checkpoint *ret_checkpoint, struct error *err);
/* The same of a stored document, which messages name. STATUS_INVALID: it is damaged, the empty file that an interrupted
 * write of the original leaves included. */
enum status checkpoint_read(const struct document *document, struct checkpoint *ret_checkpoint, struct error *err);
/* The same of a file that the caller names, which may be a pipe. STATUS_ABSENT: there is none. */
enum status checkpoint_read_path(const char *path, struct checkpoint *ret_checkpoint, struct error *err);
/* Appends the document in canonical form and a newline to *out. */
enum status checkpoint_print(const struct checkpoint *checkpoint, struct bytes *out, struct error *err);
/* The document as it was read, in canonical form and with a newline. */
enum status checkpoint_print_as_read(const struct checkpoint *checkpoint, struct bytes *out, struct error *err);
enum status checkpoint_copy(const struct checkpoint *checkpoint, struct checkpoint *ret_copy, struct error *err);

/* NULL: there is no position for this day. Valid until one is put. */
const struct checkpoint_position *checkpoint_find(const struct checkpoint *checkpoint, int32_t day);
/* Adds or replaces a position (and makes it a checkpoint with positions). */
enum status checkpoint_put(struct checkpoint *checkpoint, const struct checkpoint_position *position,
                           struct error *err);
/* An event was printed, or advanced past: keeps the greatest timestamp and its ids. False: no memory. */
bool checkpoint_note(struct checkpoint *checkpoint, int64_t timestamp, struct json_text id);
/* The same with all that `other` has noted. */
bool checkpoint_note_all(struct checkpoint *checkpoint, const struct checkpoint *other);
/* *ret_has: the id that this JSON string spells is among the ids. False: no memory. */
bool checkpoint_has_id(const struct checkpoint *checkpoint, struct json_text id, bool *ret_has);

#endif
