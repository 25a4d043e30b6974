#include "files/replay/replay.h"

#include <stdlib.h>

#include "files/replay/state.h"

struct replay {
    struct days *days; /* one of both */
    struct tail *tail;
};

enum status replay_open(struct catalog *catalog, const struct store_query *query, struct replay **ret_replay,
                        struct error *err)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return error_set_memory(err);
    enum status status =
        query->tailed ? tail_open(catalog, query, &replay->tail, err) : days_open(catalog, query, &replay->days, err);
    if (status != STATUS_OK)
        replay_close(replay);
    else
        *ret_replay = replay;
    return status;
}

void replay_close(struct replay *replay)
{
    if (!replay)
        return;
    days_close(replay->days);
    tail_close(replay->tail);
    free(replay);
}

enum store_step replay_next(struct replay *replay, struct scan_item *ret_item, struct error *err)
{
    return replay->tail ? tail_next(replay->tail, ret_item, err) : days_next(replay->days, ret_item, err);
}
