/*
 * filter - a predicate over events (SPEC section 6, metaspn-replay): several values of one kind are any-of, kinds must
 * all hold.
 *
 * Fill a filter with the filter_add_...() functions (each copies its argument), then ask filter_matches(). A filter
 * without conditions matches every event. The time window is not part of it.
 */
#ifndef METASPN_FILTER_H
#define METASPN_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "status.h"

struct filter;

struct filter *filter_new(void); /* NULL: no memory */
void filter_free(struct filter *filter);

enum filter_member { FILTER_SOURCE, FILTER_TYPE, FILTER_STAGE, FILTER_ID, FILTER_CAUSED_BY };

/* Adds a value. STATUS_IO: no memory. */
enum status filter_add(struct filter *filter, enum filter_member member, const char *value, struct error *err);
/* `spec` is TYPE:VALUE or a JSON object. STATUS_USAGE with a message where it is neither. */
enum status filter_add_entity(struct filter *filter, const char *spec, struct error *err);
/* `spec` is PATH=VALUE. STATUS_USAGE where there is no `=` or PATH is empty. */
enum status filter_add_where(struct filter *filter, const char *spec, struct error *err);

enum filter_resolution { FILTER_ANY_RESOLUTION, FILTER_RESOLVED, FILTER_UNRESOLVED };
void filter_set_resolution(struct filter *filter, enum filter_resolution resolution);

/* No condition at all. */
bool filter_is_empty(const struct filter *filter);

/* The judge: looks at the event's parsed members alone. */
bool filter_matches(const struct filter *filter, const struct event *event);

/*
 * Cheap rejection: a hint of whether a block of whole lines can hold a match at all. False only where no line in it
 * can match (escaped spellings are allowed for); true means nothing. Returns by *ret_at (may be NULL) the offset of the
 * first byte of the block from which a match may begin: lines that end before it cannot match.
 */
bool filter_may_match(const struct filter *filter, const char *block, size_t length, size_t *ret_at);

/*
 * Keys of the index's secondary table by which the filter's candidates can be found: an event that matches has at
 * least one of them. Count 0: the filter gives no keys (scan). `kind` tells which kind is asked about.
 */
struct filter_keys {
    const uint64_t *keys; /* owned by the filter, valid until it changes */
    size_t count;
    bool are_ids; /* the keys are id hashes (event_id_hash) rather than reference keys */
};
struct filter_keys filter_index_keys(struct filter *filter, enum event_kind kind, uint64_t seed);

/*
 * The secondary keys of an event: calls `emit` for each. `block` keys (source, type) may be noted once per block of
 * the partition, the others (entity references, caused_by) at the line itself. The keys equal those that
 * filter_index_keys() gives for a filter that asks for that source, type, entity type and value, or cause.
 */
typedef void filter_emit_key(void *context, uint64_t key, bool block);
bool event_index_keys(const struct event *event, uint64_t seed, struct bytes *scratch, filter_emit_key *emit,
                      void *context);

#endif
