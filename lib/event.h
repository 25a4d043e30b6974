/*
 * event - what a line is (SPEC section 3): validation of input, reading of stored lines, the canonical line.
 *
 * event_check() is the way in: strict, with one message for a person, and it makes the line that will be stored.
 * event_read() is the way out: it takes what other programs wrote more widely, and looks only for the members that
 * the caller needs. A `struct event` borrows the line it was made from.
 */
#ifndef METASPN_EVENT_H
#define METASPN_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "json_text.h"
#include "status.h"

/* The values order signals before emissions; they are also bit numbers of a set of kinds. */
enum event_kind { EVENT_SIGNAL = 0, EVENT_EMISSION = 1 };
#define EVENT_KINDS 2
#define KIND_BIT(kind) (1u << (kind))
#define KIND_BITS_ALL (KIND_BIT(EVENT_SIGNAL) | KIND_BIT(EVENT_EMISSION))

/* "signals" or "emissions": the folder's name and the word of the command line. */
const char *event_kind_name(enum event_kind kind);
bool event_kind_parse(const char *name, enum event_kind *ret_kind);

#define EVENT_MAX_LINE ((size_t)16 << 20) /* default limit of a line, bytes without newline */

struct event {
    enum event_kind kind;
    int64_t timestamp;       /* microseconds since the epoch, UTC */
    const char *line;        /* the whole line, without newline */
    size_t length;
    struct json_text id;     /* JSON string with quotes, not empty */
    struct json_text source; /* signals; absent in an emission */
    struct json_text type;   /* payload_type or emission_type */
    struct json_text caused_by;   /* emissions; absent in a signal */
    struct json_text payload;
    struct json_text entity_refs; /* absent, null or (valid input) an array of objects */
};
/* In a stored event, members that are missing or of the wrong type are as they stand; filters match none of them. */

enum event_verdict { EVENT_GOOD, EVENT_BLANK, EVENT_DAMAGED };

/*
 * Reads a stored line (without newline; a trailing CR is white space). EVENT_DAMAGED: it is no event of this kind;
 * *fault (may be NULL) says why and at which byte of the line. `known_good`: the line was read as good before, so
 * nothing is validated but what is needed to find the members.
 */
enum event_verdict event_read(const char *line, size_t length, enum event_kind kind, bool known_good,
                              struct event *ret_event, struct json_fault *fault);

/* What event_check() accepts. */
struct event_rules {
    unsigned kinds;  /* set of KIND_BIT()s */
    size_t max_line; /* bytes */
};

/*
 * Validates one line of input and gives the event in canonical form. Where the line is canonical already, ret_event
 * borrows `line`; otherwise it borrows *scratch, to which the canonical line is appended (reserve it beforehand or
 * take offsets: a later append may move it, so ret_event->line is then rebased by event_rebase()).
 * ret_event->length counts no newline. *ret_canonical says which of the two happened.
 * STATUS_INVALID: *err names the member and quotes the value. STATUS_IO: no memory. Blank lines are the caller's.
 */
enum status event_check(const char *line, size_t length, const struct event_rules *rules, struct bytes *scratch,
                        struct event *ret_event, bool *ret_borrows_line, struct error *err);

/* Moves all pieces of an event to a copy of its line at `line`. */
void event_rebase(struct event *event, const char *line);

/* One entity reference. Pieces are JSON texts as they stand (absent where missing). */
struct entity_ref {
    struct json_text type;     /* ref_type, or else kind */
    struct json_text value;    /* value, or else identifier */
    struct json_text platform;
    struct json_text object;   /* the whole reference */
};

/* Walks the references that are objects. Start with json_walk_start(event->entity_refs). */
bool event_next_entity(struct json_walk *walk, struct entity_ref *ret_ref);
/* The event has at least one reference (an object). */
bool event_has_entity(const struct event *event);

/*
 * Whether a duplicate `b` says something else than the first record `a` (SPEC section 6, conflict): timestamp, source,
 * type, caused_by, payload or entities differ; not trace, raw, schema_version, nor members that are null, empty or
 * absent in both senses. Entities are compared as type + platform + value, in order.
 */
bool event_conflicts(const struct event *a, const struct event *b);

/* A 64-bit hash of the decoded id, the kind and `seed`. *scratch is working space. */
bool event_id_hash(const struct event *event, uint64_t seed, struct bytes *scratch, uint64_t *ret_hash);

#endif
