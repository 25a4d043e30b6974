#include <string.h>

#include "event/filter_parts.h"

/* Every condition that can be looked for, those first that are likely to hold for fewer lines. */
#define MOST_CONDITIONS 16

struct conditions {
    const struct needles *items[MOST_CONDITIONS];
    size_t count;
};

static void add(struct conditions *conditions, const struct needles *needles, bool searchable)
{
    if (searchable && needles->count > 0 && conditions->count < MOST_CONDITIONS)
        conditions->items[conditions->count++] = needles;
}

static void collect(const struct filter *filter, struct conditions *ret)
{
    static const enum filter_member first[] = {FILTER_ID, FILTER_CAUSED_BY};
    static const enum filter_member last[] = {FILTER_TYPE, FILTER_SOURCE, FILTER_STAGE};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        add(ret, &filter->members[first[i]].needles, true);
    add(ret, &filter->entities.needles, !filter->entities.unsearchable);
    for (size_t i = 0; i < filter->where_count; i++)
        add(ret, where_needles(&filter->wheres[i]), true);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        add(ret, &filter->members[last[i]].needles, true);
}

/* All conditions but the first may hold in the line. */
static bool others_may_hold(const struct conditions *conditions, const char *line, const char *end)
{
    for (size_t i = 1; i < conditions->count; i++)
        if (!needles_find(conditions->items[i], line, end))
            return false;
    return true;
}

bool filter_may_match(const struct filter *filter, const char *block, size_t length, size_t *ret_at)
{
    struct conditions conditions = {.count = 0};
    collect(filter, &conditions);
    const char *line = block, *end = block + length;
    if (conditions.count > 0) {
        for (const char *from = block;;) {
            const char *hit = needles_find(conditions.items[0], from, end);
            if (!hit)
                return false;
            const char *before = memrchr(from, '\n', (size_t)(hit - from));
            const char *newline = memchr(hit, '\n', (size_t)(end - hit));
            line = before ? before + 1 : from;
            if (others_may_hold(&conditions, line, newline ? newline : end))
                break;
            if (!newline)
                return false;
            from = newline + 1;
        }
    }
    if (ret_at)
        *ret_at = (size_t)(line - block);
    return true;
}
