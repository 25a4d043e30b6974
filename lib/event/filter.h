/*
 * filter - a predicate over events (SPEC section 6, metaspn-replay): several values of one kind are any-of, kinds must
 * all hold.
 *
 * Fill a filter with the filter_add_...() functions (each copies its argument), then ask filter_matches(). A filter
 * without conditions matches every event. The time window is not part of it. Members of an event that are missing or
 * of the wrong type match no condition; strings are compared decoded.
 */
#ifndef METASPN_EVENT_FILTER_H
#define METASPN_EVENT_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "event/event.h"

struct filter;

struct filter *filter_new(void); /* NULL: no memory */
void filter_free(struct filter *filter);

/* Source and stage match no emission, caused_by no signal. A stage S is a source that is S or begins with `S.`. */
enum filter_member { FILTER_SOURCE, FILTER_TYPE, FILTER_STAGE, FILTER_ID, FILTER_CAUSED_BY };
#define FILTER_MEMBERS 5

/* Adds a value. STATUS_IO: no memory. */
enum status filter_add(struct filter *filter, enum filter_member member, const char *value, struct error *err);

/*
 * `spec` is TYPE:VALUE or a JSON object: a reference matches if every member that is given equals its own (null: null
 * or absent; numbers are compared as decimals; ref_type and kind are the type, value and identifier the value).
 * STATUS_USAGE with a message where the spec is neither.
 */
enum status filter_add_entity(struct filter *filter, const char *spec, struct error *err);

/*
 * `spec` is PATH=VALUE: the payload's member at the dotted path is the JSON scalar VALUE (numbers compared as
 * decimals) or the string VALUE. Values of one PATH are any-of. STATUS_USAGE where there is no `=`, or a name of the
 * path is empty.
 */
enum status filter_add_where(struct filter *filter, const char *spec, struct error *err);

/*
 * The payload's member at the dotted path is a number (NaN is none): what a ranking that leaves out events without a
 * score may ask for, so that they are never parsed. STATUS_USAGE where a name of the path is empty.
 */
enum status filter_add_number(struct filter *filter, const char *path, struct error *err);

/* Resolved: has an entity reference, or its type is EntityResolved, EntityMerged or EntityAliasAdded. */
enum filter_resolution { FILTER_ANY_RESOLUTION, FILTER_RESOLVED, FILTER_UNRESOLVED };
void filter_set_resolution(struct filter *filter, enum filter_resolution resolution);

/* No condition at all. */
bool filter_is_empty(const struct filter *filter);

/* The judge: reads the event's parsed members alone. False: no memory. */
bool filter_matches(const struct filter *filter, const struct event *event, bool *ret_matches);

/*
 * Cheap rejection: a hint of whether a block of whole lines can hold a match at all. False only where no line in it
 * can match (escaped spellings are allowed for); true means nothing. Returns by *ret_at (may be NULL) the offset in
 * the block at which the first line that may match begins: the lines before it cannot. To go on after that line, ask
 * about the rest of the block. Costs one pass over what it rejects, whatever is asked how often.
 */
bool filter_may_match(const struct filter *filter, const char *block, size_t length, size_t *ret_at);

/*
 * Keys of the index's secondary table by which the filter's candidates can be found: an event of this kind that
 * matches has at least one of them. Count 0: the filter gives no keys (scan). They belong to one condition, the one
 * that is likely to select least: ids, else caused_by, else entities (if each names a type and a value), else types,
 * else sources.
 */
struct filter_keys {
    const uint64_t *keys; /* owned by the filter, valid until it changes or is asked again */
    size_t count;
    bool are_ids;    /* the keys are id hashes (event_id_hash) rather than reference keys */
    bool are_blocks; /* the keys are of the sort that event_index_keys() calls block keys */
};
struct filter_keys filter_index_keys(struct filter *filter, enum event_kind kind, uint64_t seed);

/*
 * The secondary keys of an event: calls `emit` for each. `block` keys (source, type) may be noted once per block of
 * the partition, the others (entity references by type and value, caused_by) at the line itself. The keys equal those
 * that filter_index_keys() gives for a filter that asks for that source, type, entity type and value, or cause. An
 * event that names an entity twice gives its key twice. False: no memory; some keys were not emitted.
 */
typedef void filter_emit_key(void *context, uint64_t key, bool block);
bool event_index_keys(const struct event *event, uint64_t seed, struct bytes *scratch, filter_emit_key *emit,
                      void *context);

#endif
