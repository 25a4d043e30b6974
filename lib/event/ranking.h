/*
 * ranking - the k best signals by score, one per entity if asked (SPEC section 6, metaspn-top).
 *
 * Order: higher score first (compared as doubles), ties by later timestamp, then by greater id (byte order of the
 * decoded id). Memory grows with the limit alone: an entity's best can only rise, so one that was pushed out of the
 * places can never come back by the same signal, and nothing need be remembered of it. Events may be offered in any
 * order: the result is the same.
 *
 * A score is a JSON number, NaN excepted. An entity is the type, platform and value of an event's first reference;
 * where that has no value, the event competes with no other for its entity.
 */
#ifndef METASPN_EVENT_RANKING_H
#define METASPN_EVENT_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "event/event.h"

enum ranking_unique { RANKING_BY_ENTITY, RANKING_EVERY };

struct ranking_options {
    size_t limit;
    enum ranking_unique
        unique;              /* RANKING_BY_ENTITY: the best of each first-named entity; one without counts by itself */
    const char *score_field; /* dotted path in the payload; borrowed */
    const char *missing_score; /* a JSON number for payloads that are objects without that member; NULL: left out */
};
/* Where missing_score is NULL, filter_add_number(filter, score_field) rejects early what would be left out here. */

struct ranking;

/* NULL: no memory. */
struct ranking *ranking_new(const struct ranking_options *options);
void ranking_free(struct ranking *ranking);

/* Offers one event (its line is copied where it is kept). STATUS_IO: no memory; only ranking_free() may follow. */
enum status ranking_offer(struct ranking *ranking, const struct event *event, struct error *err);

/* Ends the offers. Returns the number of places that are taken. */
size_t ranking_finish(struct ranking *ranking);

struct ranked {
    double score;
    enum event_kind kind;
    const char *line; /* stored line without newline; owned by the ranking */
    size_t length;
};
/* The event at `rank` (0: best) after ranking_finish(). */
struct ranked ranking_get(const struct ranking *ranking, size_t rank);

#endif
