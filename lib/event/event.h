/*
 * event - what a line is (SPEC section 3): validation of input, reading of stored lines, the canonical line.
 *
 * event_check() is the way in: strict, with one message for a person, and it makes the line that will be stored.
 * event_read() is the way out: it accepts more of what other programs wrote, and finds only the members that the
 * toolkit needs. A `struct event` borrows the line it was made from.
 */
#ifndef METASPN_EVENT_EVENT_H
#define METASPN_EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "json/json.h"

/* The values order signals before emissions; they are also bit numbers of a set of kinds. */
enum event_kind { EVENT_SIGNAL = 0, EVENT_EMISSION = 1 };
#define EVENT_KINDS    2
#define KIND_BIT(kind) (1u << (kind))
#define KIND_BITS_ALL  (KIND_BIT(EVENT_SIGNAL) | KIND_BIT(EVENT_EMISSION))

/* "signals" or "emissions": the folder's name and the word of the command line. */
const char *event_kind_name(enum event_kind kind);

#define EVENT_MAX_LINE ((size_t)16 << 20) /* default limit of a line, bytes without newline */

struct event {
    enum event_kind kind;
    int64_t timestamp; /* microseconds since the epoch, UTC */
    const char *line;  /* the whole line, without newline */
    size_t length;
    struct json_text id;        /* JSON string with quotes, not empty */
    struct json_text source;    /* signals; absent in an emission */
    struct json_text type;      /* payload_type or emission_type */
    struct json_text caused_by; /* emissions; absent in a signal */
    struct json_text payload;
    struct json_text entity_refs; /* an array, or absent */
};
/* In a stored event, source, type, caused_by and payload that are missing or of the wrong type are left as they are,
 * and entity_refs that are no array are absent; filters match none of them. */

enum event_verdict {
    EVENT_GOOD,
    EVENT_BLANK,
    EVENT_DAMAGED,
    EVENT_NO_MEMORY, /* the line was not judged: an I/O error to the caller, not damage */
};

/*
 * Reads a stored line (without newline; a trailing CR is white space). EVENT_DAMAGED: it is no event of this kind;
 * *fault (may be NULL) says why and at which byte of the line. `known_good`: the line was read as good before, so
 * nothing is validated but what is needed to find the members.
 */
enum event_verdict event_read(const char *line, size_t length, enum event_kind kind, bool known_good,
                              struct event *ret_event, struct json_fault *fault);

/*
 * Reads a line as an event of one of the kinds (a set of KIND_BIT()s, of which the one that it is of remains), as it
 * may be stored; *ret_blank: it is blank. STATUS_INVALID: it is no event of them, and *err says why.
 */
enum status event_recognize(const char *line, size_t length, unsigned *kinds, struct event *ret_event, bool *ret_blank,
                            struct error *err);

/* What event_check() accepts. */
struct event_rules {
    unsigned kinds;  /* set of KIND_BIT()s */
    size_t max_line; /* bytes */
};

/*
 * Validates one line of input and gives the event in canonical form. Where the line is canonical already, ret_event
 * borrows `line` and nothing is copied or allocated; otherwise it borrows *scratch, to which the canonical line is
 * appended (a later append may move it, so keep its offset and call event_rebase()). ret_event->length counts no
 * newline, and no white space that ended the input line. *ret_borrows_line says which of the two happened.
 * Blank lines are the caller's. STATUS_IO: no memory. STATUS_INVALID: *err has one of these, VALUE cut short and made
 * printable, a string's in quotes:
 *
 *   line is longer than N bytes: LINE
 *   canonical line is longer than N bytes: LINE             as it came
 *   invalid JSON at byte N: WHAT                            N counts from 1, WHAT as json_fault_tell() says it
 *   not a JSON object: LINE
 *   both signal_id and emission_id: VALUE and VALUE
 *   neither signal_id nor emission_id: LINE
 *   a signal, but only emissions are accepted: VALUE        of its id
 *   an emission, but only signals are accepted: VALUE
 *   MEMBER: missing
 *   MEMBER: must be a string, not VALUE
 *   MEMBER: must be a non-empty string, not VALUE           the id; schema_version where it stands
 *   MEMBER: must be an object or null, not VALUE            trace, raw
 *   entity_refs: must be an array of objects, not VALUE
 *   entity_refs[N]: must be an object, not VALUE            N counts from 0
 *   timestamp: not an RFC 3339 time: VALUE
 *   timestamp: outside the years 0001-9999: VALUE           after the shift to UTC
 */
enum status event_check(const char *line, size_t length, const struct event_rules *rules, struct bytes *scratch,
                        struct event *ret_event, bool *ret_borrows_line, struct error *err);

/* The first of these, for a line of which only the beginning was kept. Returns STATUS_INVALID. */
enum status event_refuse_length(const char *line, size_t length, const struct event_rules *rules, struct error *err);

/* Moves all pieces of an event to a copy of its line at `line`. */
void event_rebase(struct event *event, const char *line);

/* The payload's member at a dotted path ("scores.fit"): absent where there is none or a step is no object. */
struct json_text event_payload_at(const struct event *event, const char *path, size_t length);

/* One entity reference. Pieces are JSON texts, unchanged; null counts as absent. */
struct entity_ref {
    struct json_text type;  /* ref_type, or else kind */
    struct json_text value; /* value, or else identifier */
    struct json_text platform;
    struct json_text object; /* the whole reference */
};

/* Walks the references that are objects: start with event_entities(event), or json_walk_start(event->entity_refs). */
struct json_walk event_entities(const struct event *event);
bool event_next_entity(struct json_walk *walk, struct entity_ref *ret_ref);
/* The event has at least one reference (an object). */
bool event_has_entity(const struct event *event);

/*
 * Whether a duplicate `b` says something else than the first record `a` (SPEC section 6, conflict): timestamp, source,
 * type, caused_by, payload or entities differ; not trace, raw or schema_version. Numbers are compared as decimals. A
 * member that is null, "", [] or {} counts as absent, at every depth of the payload, and so does an object all of
 * whose members do; array elements count as they are. Entities are compared as type + platform + value, in order.
 * False: no memory.
 */
bool event_conflicts(const struct event *a, const struct event *b, bool *ret_conflicts);

/* A 64-bit hash of the decoded id, the kind and `seed`. *scratch is working space. False: no memory. */
bool event_id_hash(const struct event *event, uint64_t seed, struct bytes *scratch, uint64_t *ret_hash);
/* The same hash for an id that is at hand as decoded bytes. */
uint64_t event_id_hash_of(enum event_kind kind, const char *id, size_t length, uint64_t seed);

#endif
