#include "event/ranking.h"

#include <stdlib.h>

#include "tap.h"

/* One signal: what stands behind "score":, its time's second, its references. */
struct signal {
    const char *id, *payload;
    int second;
    const char *entity_refs;
};

static void offer(struct ranking *ranking, const struct signal *signal)
{
    char line[512];
    struct event event;
    snprintf(line, sizeof line,
             "{\"signal_id\":\"%s\",\"payload\":%s,\"timestamp\":\"2026-02-05T10:00:%02dZ\",\"entity_refs\":%s}",
             signal->id, signal->payload, signal->second, signal->entity_refs ? signal->entity_refs : "[]");
    if (event_read(line, strlen(line), EVENT_SIGNAL, false, &event, NULL) != EVENT_GOOD ||
        ranking_offer(ranking, &event, NULL) != STATUS_OK)
        ok(false, "an event is taken: %s", line);
    memset(line, 'x', sizeof line); /* what is kept is a copy */
}

/* The ids in their order, "a b c ". */
static const char *ids(struct ranking *ranking)
{
    static char got[4096];
    size_t count = ranking_finish(ranking), n = 0;
    got[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        struct ranked ranked = ranking_get(ranking, i);
        struct event event;
        if (event_read(ranked.line, ranked.length, ranked.kind, false, &event, NULL) != EVENT_GOOD)
            return "a line that is no event";
        n += (size_t)snprintf(got + n, sizeof got - n, "%.*s ", (int)event.id.length - 2, event.id.data + 1);
    }
    ranking_free(ranking);
    return got;
}

/* Ranks signals as they stand and in reverse: the result must be the same. */
static const char *ranked(const struct ranking_options *options, const struct signal *signals, size_t count)
{
    static char first[4096];
    struct ranking *forwards = ranking_new(options), *backwards = ranking_new(options);
    for (size_t i = 0; i < count; i++) {
        offer(forwards, &signals[i]);
        offer(backwards, &signals[count - 1 - i]);
    }
    snprintf(first, sizeof first, "%s", ids(forwards));
    return strcmp(first, ids(backwards)) == 0 ? first : "it depends on the order";
}

#define RANKED(options, signals) ranked(&(options), signals, sizeof(signals) / sizeof *(signals))

static void test_order(void)
{
    static const struct signal signals[] = {
        {"a", "{\"score\":0.5}", 0, NULL},      {"b", "{\"score\":1e1}", 0, NULL},
        {"c", "{\"score\":-3}", 0, NULL},       {"d", "{\"score\":0.5}", 1, NULL},
        {"e", "{\"score\":0.50}", 0, NULL},     {"ab", "{\"score\":0.5}", 0, NULL},
        {"f", "{\"score\":-0}", 0, NULL},       {"g", "{\"score\":0}", 0, NULL},
        {"h", "{\"score\":-0.0}", 1, NULL},     {"i", "{\"score\":1e400}", 0, NULL},
        {"j", "{\"score\":Infinity}", 1, NULL}, {"k", "{\"score\":-Infinity}", 1, NULL},
    };
    struct ranking_options options = {.limit = 100, .unique = RANKING_EVERY, .score_field = "score"};
    is_text(RANKED(options, signals), "j i b d e ab a h g f c k ", "score, then time, then id");
    options.unique = RANKING_BY_ENTITY;
    is_text(RANKED(options, signals), "j i b d e ab a h g f c k ", "signals without an entity stand alone");
    options.limit = 3;
    is_text(RANKED(options, signals), "j i b ", "the first three");
    options.limit = 0;
    is_text(RANKED(options, signals), "", "none");
}

static void test_ids_decoded(void)
{
    static const struct signal signals[] = {
        {"\\u0061z", "{\"score\":1}", 0, NULL},
        {"b", "{\"score\":1}", 0, NULL},
        {"\\u007a", "{\"score\":1}", 0, NULL},
        {"\xc3\xa9", "{\"score\":1}", 0, NULL},
    };
    struct ranking_options options = {.limit = 4, .unique = RANKING_EVERY, .score_field = "score"};
    is_text(RANKED(options, signals), "\xc3\xa9 \\u007a b \\u0061z ", "ids are compared by their decoded bytes");
    options.limit = 2;
    is_text(RANKED(options, signals), "\xc3\xa9 \\u007a ", "for the last place, too");
}

static void test_scores(void)
{
    static const struct signal signals[] = {
        {"num", "{\"score\":1}", 0, NULL},
        {"str", "{\"score\":\"5\"}", 0, NULL},
        {"bool", "{\"score\":true}", 0, NULL},
        {"null", "{\"score\":null}", 0, NULL},
        {"nan", "{\"score\":NaN}", 0, NULL},
        {"obj", "{\"score\":{}}", 0, NULL},
        {"absent", "{\"other\":7}", 0, NULL},
        {"empty", "{}", 0, NULL},
        {"array", "[1]", 0, NULL},
        {"scalar", "3", 0, NULL},
        {"nested", "{\"s\":{\"score\":9}}", 0, NULL},
    };
    struct ranking_options options = {.limit = 100, .unique = RANKING_EVERY, .score_field = "score"};
    is_text(RANKED(options, signals), "num ", "only numbers are scores");
    options.missing_score = "0.5";
    is_text(RANKED(options, signals), "num nested empty absent ", "objects without the member have the missing score");
    options.missing_score = "-1e3";
    is_text(RANKED(options, signals), "num nested empty absent ", "whatever it is");
    options.score_field = "s.score";
    options.missing_score = NULL;
    is_text(RANKED(options, signals), "nested ", "a dotted path");
    options.missing_score = "10";
    is_text(RANKED(options, signals), "str obj num null nan empty bool absent nested ",
            "the same with a missing score");
}

#define REF(kind, value)           "[{\"kind\":\"" kind "\",\"identifier\":\"" value "\"}]"
#define REF_ON(kind, value, place) "[{\"ref_type\":\"" kind "\",\"value\":\"" value "\",\"platform\":" place "}]"

static void test_entities(void)
{
    static const struct signal signals[] = {
        {"a1", "{\"score\":1}", 0, REF("h", "x")},
        {"a2", "{\"score\":3}", 0, REF_ON("h", "x", "null")},
        {"a3", "{\"score\":3}", 1, REF_ON("h", "\\u0078", "null")},
        {"b1", "{\"score\":2}", 0, REF_ON("h", "x", "\"p\"")},
        {"b2", "{\"score\":1}", 0,
         "[{\"ref_type\":\"h\",\"value\":\"x\",\"platform\":\"p\",\"label\":\"l\"},{\"kind\":\"z\"}]"},
        {"c1", "{\"score\":5}", 0, REF("i", "x")},
        {"c2", "{\"score\":4}", 9, REF("i", "x")},
        {"d1", "{\"score\":0}", 0, REF("hx", "")},
        {"f1", "{\"score\":-1}", 0, REF_ON("h", "v", "\"xsp\"")},
        {"f2", "{\"score\":-2}", 0, REF_ON("hsx", "v", "\"p\"")},
        {"n1", "{\"score\":0.5}", 0, "[{\"kind\":\"h\"}]"},
        {"n2", "{\"score\":0.5}", 1, "[{\"kind\":\"h\"}]"},
        {"n3", "{\"score\":0.5}", 2, "[{\"kind\":\"h\",\"value\":7}]"},
        {"n4", "{\"score\":0.4}", 2, "[{\"kind\":\"h\",\"identifier\":7,\"value\":null}]"},
        {"n5", "{\"score\":0.3}", 2, "[{\"kind\":\"h\",\"value\":\"7\"}]"},
        {"e1", "{\"score\":0.1}", 2, "[7,{\"kind\":\"e\",\"value\":\"7\"}]"},
        {"e2", "{\"score\":0.2}", 2, REF("e", "7")},
    };
    struct ranking_options options = {.limit = 100, .unique = RANKING_BY_ENTITY, .score_field = "score"};
    is_text(RANKED(options, signals), "c1 a3 b1 n3 n2 n1 n5 e2 d1 f1 f2 ", "the best of each entity");
    options.limit = 3;
    is_text(RANKED(options, signals), "c1 a3 b1 ", "the best three of them");
    options.limit = 2;
    is_text(RANKED(options, signals), "c1 a3 ", "the best two");
    options.unique = RANKING_EVERY;
    is_text(RANKED(options, signals), "c1 c2 ", "the best two of all");
}

static uint64_t state = 88172645463325252;

static unsigned roll(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

struct drawn {
    char id[16], payload[32], entity_refs[64];
    int score, second, entity;
    bool taken;
};

static bool beats(const struct drawn *a, const struct drawn *b)
{
    return a->score != b->score     ? a->score > b->score
           : a->second != b->second ? a->second > b->second
                                    : strcmp(a->id, b->id) > 0;
}

/* The answer by looking at everything again for each place. */
static void expect(struct drawn *drawn, size_t count, size_t limit, bool unique, char *ret_ids)
{
    size_t n = 0;
    ret_ids[0] = '\0';
    for (size_t place = 0; place < limit; place++) {
        struct drawn *best = NULL;
        for (size_t i = 0; i < count; i++)
            if (!drawn[i].taken && (!best || beats(&drawn[i], best)))
                best = &drawn[i];
        if (!best)
            return;
        n += (size_t)sprintf(ret_ids + n, "%s ", best->id);
        for (size_t i = 0; i < count; i++)
            drawn[i].taken =
                drawn[i].taken || &drawn[i] == best || (unique && best->entity > 0 && drawn[i].entity == best->entity);
    }
}

static void test_random(void)
{
    enum { COUNT = 300 };
    static struct drawn drawn[COUNT];
    static char wanted[8192];
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
        size_t limit = 1 + roll(60);
        bool unique = roll(2);
        unsigned entities = 1 + roll(round % 3 ? 200 : 20);
        struct ranking_options options = {limit, unique ? RANKING_BY_ENTITY : RANKING_EVERY, "score", NULL};
        struct ranking *ranking = ranking_new(&options);
        for (int i = 0; i < COUNT; i++) {
            struct drawn *d = &drawn[i];
            *d = (struct drawn){.score = (int)roll(40), .second = (int)roll(4), .entity = (int)roll(entities)};
            sprintf(d->id, "%x", (i * 7919) & 0xfff);
            sprintf(d->payload, "{\"score\":%d}", d->score);
            sprintf(d->entity_refs, d->entity ? REF("k", "%d") : "[]", d->entity);
            offer(ranking, &(struct signal){d->id, d->payload, d->second, d->entity_refs});
        }
        expect(drawn, COUNT, limit, unique, wanted);
        wrong += strcmp(ids(ranking), wanted) != 0;
    }
    is_int(wrong, 0, "random offers, against a plain search");
}

static void test_places(void)
{
    struct ranking_options options = {.limit = SIZE_MAX, .unique = RANKING_EVERY, .score_field = "score"};
    struct ranking *ranking = ranking_new(&options);
    is_int(ranking_finish(ranking), 0, "an empty ranking has no places");
    offer(ranking, &(struct signal){"a", "{\"score\":2.5}", 0, NULL});
    is_int(ranking_finish(ranking), 1, "a limit that is never reached takes no memory");
    ok(ranking_get(ranking, 0).score == 2.5 && ranking_get(ranking, 0).kind == EVENT_SIGNAL, "the score and the kind");
    ranking_free(ranking);
    ranking_free(NULL);
}

int main(void)
{
    test_order();
    test_ids_decoded();
    test_scores();
    test_entities();
    test_random();
    test_places();
    return done();
}
