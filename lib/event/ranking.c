#include "event/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

/* An event in the ranking. */
struct candidate {
    double score;
    int64_t timestamp;
    enum event_kind kind;
    struct bytes text; /* the line, then the decoded id */
    size_t line_length;
    struct bytes entity;    /* empty: competes with nobody */
    uint64_t hash;          /* of the entity */
    size_t place;           /* in the heap */
    struct candidate *next; /* of the same bucket */
};

struct ranking {
    struct ranking_options options;
    double missing;
    struct candidate **heap; /* the worst on top; in order once finished */
    size_t count, capacity;
    struct candidate **buckets; /* candidates by entity */
    size_t bucket_count;        /* a power of two */
    struct bytes id, entity, scratch;
};

/* An event that asks for a place. */
struct offer {
    const struct event *event;
    double score;
    struct json_text id; /* decoded */
    uint64_t hash;       /* of ranking->entity */
};

struct ranking *ranking_new(const struct ranking_options *options)
{
    struct ranking *ranking = calloc(1, sizeof *ranking);
    if (!ranking)
        return NULL;
    ranking->options = *options;
    const char *missing = options->missing_score;
    if (missing)
        ranking->missing = json_number_to_double((struct json_text){missing, strlen(missing)});
    return ranking;
}

void ranking_free(struct ranking *ranking)
{
    if (!ranking)
        return;
    for (size_t i = 0; i < ranking->count; i++) {
        bytes_release(&ranking->heap[i]->text);
        bytes_release(&ranking->heap[i]->entity);
        free(ranking->heap[i]);
    }
    free(ranking->heap);
    free(ranking->buckets);
    bytes_release(&ranking->id);
    bytes_release(&ranking->entity);
    bytes_release(&ranking->scratch);
    free(ranking);
}

static int compare(double score, int64_t timestamp, const char *id, size_t length, const struct candidate *c)
{
    if (score != c->score)
        return score < c->score ? -1 : 1;
    if (timestamp != c->timestamp)
        return timestamp < c->timestamp ? -1 : 1;
    size_t other = c->text.length - c->line_length, least = length < other ? length : other;
    int order = least > 0 ? memcmp(id, c->text.data + c->line_length, least) : 0;
    return order != 0 ? order : (length > other) - (length < other);
}

static bool is_better(const struct offer *offer, const struct candidate *c)
{
    return compare(offer->score, offer->event->timestamp, offer->id.data, offer->id.length, c) > 0;
}

static bool is_worse(const struct candidate *a, const struct candidate *b)
{
    return compare(a->score, a->timestamp, a->text.data + a->line_length, a->text.length - a->line_length, b) < 0;
}

static void put(struct ranking *ranking, struct candidate *c, size_t place)
{
    ranking->heap[place] = c;
    c->place = place;
}

static void sift_up(struct ranking *ranking, struct candidate *c)
{
    size_t place = c->place;
    for (; place > 0 && is_worse(c, ranking->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(ranking, ranking->heap[(place - 1) / 2], place);
    put(ranking, c, place);
}

static void sift_down(struct ranking *ranking, struct candidate *c)
{
    size_t place = c->place;
    for (size_t child; (child = 2 * place + 1) < ranking->count; place = child) {
        if (child + 1 < ranking->count && is_worse(ranking->heap[child + 1], ranking->heap[child]))
            child++;
        if (!is_worse(ranking->heap[child], c))
            break;
        put(ranking, ranking->heap[child], place);
    }
    put(ranking, c, place);
}

static struct candidate **bucket_of(const struct ranking *ranking, uint64_t hash)
{
    return &ranking->buckets[hash & (ranking->bucket_count - 1)];
}

static void link_candidate(struct ranking *ranking, struct candidate *c)
{
    if (c->entity.length == 0)
        return;
    struct candidate **bucket = bucket_of(ranking, c->hash);
    c->next = *bucket;
    *bucket = c;
}

static void unlink_candidate(struct ranking *ranking, struct candidate *c)
{
    if (c->entity.length == 0)
        return;
    struct candidate **at = bucket_of(ranking, c->hash);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
}

/* Makes room for one more candidate in the heap and the table. What array_grow() gives is a power of two here. */
static bool make_room(struct ranking *ranking)
{
    if (!ARRAY_RESERVE(ranking->heap, ranking->count, ranking->capacity, 1))
        return false;
    if (ranking->bucket_count == ranking->capacity)
        return true;
    struct candidate **buckets = calloc(ranking->capacity, sizeof *buckets);
    if (!buckets)
        return false;
    free(ranking->buckets);
    ranking->buckets = buckets;
    ranking->bucket_count = ranking->capacity;
    for (size_t i = 0; i < ranking->count; i++)
        link_candidate(ranking, ranking->heap[i]);
    return true;
}

/* The candidate of ranking->entity, or NULL. */
static struct candidate *find_entity(const struct ranking *ranking, uint64_t hash)
{
    const struct bytes *entity = &ranking->entity;
    if (entity->length == 0 || ranking->bucket_count == 0)
        return NULL;
    struct candidate *c = *bucket_of(ranking, hash);
    while (c && (c->hash != hash || c->entity.length != entity->length ||
                 memcmp(c->entity.data, entity->data, entity->length) != 0))
        c = c->next;
    return c;
}

static bool find_score(const struct ranking *ranking, const struct event *event, double *ret_score)
{
    const char *path = ranking->options.score_field;
    struct json_text value = event_payload_at(event, path, strlen(path));
    if (json_type(value) == JSON_NUMBER) {
        double score = json_number_to_double(value);
        if (isnan(score))
            return false;
        *ret_score = score;
        return true;
    }
    if (value.data || !ranking->options.missing_score || json_type(event->payload) != JSON_OBJECT)
        return false;
    *ret_score = ranking->missing;
    return true;
}

/* Appends one part of an entity, so that no two entities have the same bytes. */
static bool append_part(struct ranking *ranking, struct json_text part)
{
    bool is_string = json_type(part) == JSON_STRING;
    if (is_string && !json_string_decode(part, &ranking->scratch, &part))
        return false;
    return bytes_append_char(&ranking->entity, is_string ? 's' : '-') &&
           bytes_append(&ranking->entity, &part.length, sizeof part.length) &&
           bytes_append(&ranking->entity, part.data, part.length);
}

/* Puts the event's entity into ranking->entity, which stays empty where it has none. */
static bool name_entity(struct ranking *ranking, struct offer *offer)
{
    struct json_walk walk = event_entities(offer->event);
    struct entity_ref ref;
    bytes_clear(&ranking->entity);
    if (ranking->options.unique == RANKING_EVERY || !event_next_entity(&walk, &ref) || !ref.value.data)
        return true;
    if (!append_part(ranking, ref.type) || !append_part(ranking, ref.platform) || !append_part(ranking, ref.value))
        return false;
    offer->hash = hash_bytes(ranking->entity.data, ranking->entity.length, 0);
    return true;
}

/* Gives an offer the place of the candidate that loses it, or (NULL) a new one. False: no memory. */
static bool take_place(struct ranking *ranking, struct candidate *loser, const struct offer *offer)
{
    const struct event *event = offer->event;
    struct candidate *c = loser;
    if (loser) {
        unlink_candidate(ranking, loser);
    } else {
        if (!make_room(ranking) || !(c = calloc(1, sizeof *c)))
            return false;
        put(ranking, c, ranking->count++);
    }
    c->score = offer->score;
    c->timestamp = event->timestamp;
    c->kind = event->kind;
    c->hash = offer->hash;
    c->line_length = event->length;
    bytes_clear(&c->text);
    bytes_clear(&c->entity);
    if (!bytes_append(&c->text, event->line, event->length) ||
        !bytes_append(&c->text, offer->id.data, offer->id.length) ||
        !bytes_append(&c->entity, ranking->entity.data, ranking->entity.length))
        return false;
    link_candidate(ranking, c);
    if (loser)
        sift_down(ranking, c);
    else
        sift_up(ranking, c);
    return true;
}

enum status ranking_offer(struct ranking *ranking, const struct event *event, struct error *err)
{
    struct offer offer = {.event = event};
    if (ranking->options.limit == 0 || !find_score(ranking, event, &offer.score))
        return STATUS_OK;
    struct candidate *worst = ranking->count == ranking->options.limit ? ranking->heap[0] : NULL;
    if (worst && offer.score < worst->score)
        return STATUS_OK;
    if (!json_string_decode(event->id, &ranking->id, &offer.id))
        return error_set_memory(err);
    if (worst && !is_better(&offer, worst))
        return STATUS_OK;
    if (!name_entity(ranking, &offer))
        return error_set_memory(err);
    struct candidate *same = find_entity(ranking, offer.hash);
    if (same && !is_better(&offer, same))
        return STATUS_OK;
    return take_place(ranking, same ? same : worst, &offer) ? STATUS_OK : error_set_memory(err);
}

static int best_first(const void *a, const void *b)
{
    const struct candidate *const *left = a, *const *right = b;
    return is_worse(*left, *right) ? 1 : is_worse(*right, *left) ? -1 : 0;
}

size_t ranking_finish(struct ranking *ranking)
{
    if (ranking->count > 0)
        qsort(ranking->heap, ranking->count, sizeof(struct candidate *), best_first);
    return ranking->count;
}

struct ranked ranking_get(const struct ranking *ranking, size_t rank)
{
    const struct candidate *c = ranking->heap[rank];
    return (struct ranked){c->score, c->kind, c->text.data, c->line_length};
}
