#include "files/worker/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/replay/replay.h"
#include "files/watch.h"
#include "files/worker/follow.h"
#include "files/worker/resume.h"

struct reader {
    struct catalog *catalog;
    struct store_query query;
    uint64_t left;         /* of the limit */
    struct replay *replay; /* one of both: what the query begins with */
    struct resume *resume;
    struct follow *follow; /* instead, when that is done */
    int watch;             /* -1: there is none */
    bool waits;            /* the caller has waited for news */
};

static void report(void *context, const struct scan_report_line *found)
{
    const struct store_query *query = context;
    struct store_report told = {(enum store_finding)found->finding, found->file, found->line, found->offset,
                                found->what};
    /* what a follower could not read comes again */
    if (query->report && !(query->follows && found->finding == SCAN_CUT))
        query->report(query->report_context, &told);
}

static struct replay_options replay_options(struct store_query *query)
{
    return (struct replay_options){
        .kinds = query->kinds,
        .window = query->window,
        .filter = query->filter,
        .order = query->order == STORE_BY_TIME ? REPLAY_BY_TIME : REPLAY_AS_APPENDED,
        .reverse = query->reverse,
        .limited = query->limited && !(query->follows && query->tailed),
        .limit = query->limit,
        .tailed = query->tailed,
        .tail = query->tail,
        .need_events = query->parsed,
        .use_index = true,
        .report = report,
        .report_context = query,
    };
}

static struct resume_options resume_options(struct store_query *query)
{
    return (struct resume_options){
        .kind = query->kinds & KIND_BIT(EVENT_EMISSION) ? EVENT_EMISSION : EVENT_SIGNAL,
        .checkpoint = query->from,
        .window = query->window,
        .until_filters = query->follows,
        .filter = query->filter,
        .limited = query->limited,
        .limit = query->limit,
        .need_events = query->parsed,
        .need_lines = query->counted || query->limited,
        .need_checkpoint = query->reaches,
        .report = report,
        .report_context = query,
    };
}

static struct follow_options follow_options(struct store_query *query)
{
    return (struct follow_options){
        .kinds = query->kinds,
        .window = query->window,
        .filter = query->filter,
        .need_events = query->parsed || query->limited,
        .need_lines = query->counted,
        .report = report,
        .report_context = query,
    };
}

static enum status begin(struct reader *reader, struct error *err)
{
    struct replay_options replay = replay_options(&reader->query);
    struct resume_options resume = resume_options(&reader->query);
    if (reader->query.follows)
        reader->watch = watch_open(catalog_workspace(reader->catalog));
    enum status status = catalog_refresh(reader->catalog, reader->query.kinds, err);
    if (status != STATUS_OK)
        return status;
    return reader->query.resumes ? resume_open(reader->catalog, &resume, &reader->resume, err)
                                 : replay_open(reader->catalog, &replay, &reader->replay, err);
}

enum status reader_open(struct catalog *catalog, const struct store_query *query, struct reader **ret_reader,
                        struct error *err)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_set_memory(err);
    reader->catalog = catalog;
    reader->query = *query;
    reader->left = query->limited ? query->limit : UINT64_MAX;
    reader->watch = -1;
    enum status status = begin(reader, err);
    if (status != STATUS_OK) {
        reader_close(reader);
        return status;
    }
    *ret_reader = reader;
    return STATUS_OK;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    replay_close(reader->replay);
    resume_close(reader->resume);
    follow_close(reader->follow);
    if (reader->watch >= 0)
        close(reader->watch);
    free(reader);
}

/* What the query began with is done. */
static enum status start_following(struct reader *reader, struct error *err)
{
    struct follow_options options = follow_options(&reader->query);
    enum status status = follow_open(reader->catalog, &options, &reader->follow, err);
    replay_close(reader->replay);
    resume_close(reader->resume);
    reader->replay = NULL;
    reader->resume = NULL;
    return status;
}

static enum status look_again(struct reader *reader, struct error *err)
{
    reader->waits = false;
    watch_rearm(reader->watch, catalog_workspace(reader->catalog));
    enum status status = catalog_refresh(reader->catalog, reader->query.kinds, err);
    if (status == STATUS_OK)
        follow_look(reader->follow);
    return status;
}

/* STATUS_ABSENT: nothing, or nothing yet. */
static enum status next_item(struct reader *reader, struct scan_item *ret_item, struct error *err)
{
    if (reader->replay)
        return replay_next(reader->replay, ret_item, err);
    if (reader->resume)
        return resume_next(reader->resume, ret_item, err);
    enum status status = reader->waits ? look_again(reader, err) : STATUS_OK;
    return status == STATUS_OK ? follow_next(reader->follow, ret_item, err) : status;
}

enum store_step reader_next(struct reader *reader, struct store_lines *ret_lines, struct error *err)
{
    const struct store_query *query = &reader->query;
    struct scan_item item;
    if (reader->left == 0)
        return STORE_NONE;
    enum status status = next_item(reader, &item, err);
    if (status == STATUS_OK) {
        reader->left -= !query->limited ? 0 : query->parsed || reader->follow ? 1 : item.lines;
        *ret_lines = (struct store_lines){item.data, item.length, item.lines, item.event};
        return STORE_LINES;
    }
    if (status != STATUS_ABSENT)
        return STORE_FAILED;
    if (!query->follows)
        return STORE_NONE;
    if (!reader->follow && start_following(reader, err) != STATUS_OK)
        return STORE_FAILED;
    catalog_close_files(reader->catalog);
    reader->waits = true;
    return STORE_WAIT;
}

int reader_news(const struct reader *reader)
{
    return reader->watch;
}

enum status reader_reached(struct reader *reader, struct checkpoint *ret_checkpoint, struct error *err)
{
    return resume_checkpoint(reader->resume, ret_checkpoint, err);
}

static enum status count_due(struct catalog *catalog, const struct resume_options *options, uint64_t *ret_count,
                             struct error *err)
{
    struct resume *resume;
    struct scan_item item;
    uint64_t count = 0;
    enum status status = resume_open(catalog, options, &resume, err);
    if (status != STATUS_OK)
        return status;
    while ((status = resume_next(resume, &item, err)) == STATUS_OK)
        count += item.lines;
    resume_close(resume);
    *ret_count = count;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status reader_count(struct catalog *catalog, const struct store_query *query, uint64_t *ret_count,
                         struct error *err)
{
    struct store_query copy = *query;
    struct replay_options replay = replay_options(&copy);
    struct resume_options resume = resume_options(&copy);
    resume.need_lines = true;
    enum status status = catalog_refresh(catalog, query->kinds, err);
    if (status != STATUS_OK)
        return status;
    return query->resumes ? count_due(catalog, &resume, ret_count, err)
                          : replay_count(catalog, &replay, ret_count, err);
}
