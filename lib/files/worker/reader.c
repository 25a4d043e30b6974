#include "files/worker/reader.h"

#include <stdlib.h>
#include <unistd.h>

#include "files/replay/replay.h"
#include "files/watch.h"
#include "files/worker/resume.h"

struct reader {
    struct catalog *catalog;
    struct store_query query;
    uint64_t left;                       /* of the limit */
    struct replay *replay;               /* what a query begins with that does not resume */
    struct resume *resumes[EVENT_KINDS]; /* what it goes on with, or resumes: by kind */
    int watch;                           /* -1: there is none */
    bool waits;                          /* the caller has waited for news */
};

/* What a follower could not read whole comes again. */
static void report(void *context, const struct store_report *found)
{
    const struct reader *reader = context;
    if (reader->query.report && !(reader->query.follows && found->finding == STORE_CUT))
        reader->query.report(reader->query.report_context, found);
}

/* The query as its parts see it. */
static struct store_query inner_query(struct reader *reader)
{
    struct store_query query = reader->query;
    query.limit = reader->left;
    query.report = report;
    query.report_context = reader;
    query.counted |= query.limited;
    if (query.follows && query.tailed)
        query.limited = false;
    return query;
}

/* Opens the ways on of all kinds that are asked for. */
static enum status open_resumes(struct reader *reader, struct error *err)
{
    struct store_query query = inner_query(reader);
    enum status status = STATUS_OK;
    for (enum event_kind kind = 0; status == STATUS_OK && kind < EVENT_KINDS; kind++)
        if (reader->query.kinds & (query.kinds = KIND_BIT(kind)))
            status = resume_open(reader->catalog, &query, &reader->resumes[kind], err);
    return status;
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
    reader->watch = query->follows ? watch_open(catalog_workspace(catalog)) : -1;
    struct store_query inner = inner_query(reader);
    enum status status = catalog_refresh(catalog, query->kinds, err);
    if (status == STATUS_OK)
        status = query->resumes ? open_resumes(reader, err) : replay_open(catalog, &inner, &reader->replay, err);
    if (status != STATUS_OK)
        reader_close(reader);
    else
        *ret_reader = reader;
    return status;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    replay_close(reader->replay);
    for (size_t kind = 0; kind < EVENT_KINDS; kind++)
        resume_close(reader->resumes[kind]);
    if (reader->watch >= 0)
        close(reader->watch);
    free(reader);
}

/* The query goes on after its replay: past what that has read. */
static enum status start_following(struct reader *reader, struct error *err)
{
    replay_close(reader->replay);
    reader->replay = NULL;
    enum status status = open_resumes(reader, err);
    for (size_t kind = 0; status == STATUS_OK && kind < EVENT_KINDS; kind++)
        if (reader->resumes[kind])
            status = resume_pass_all(reader->resumes[kind], err);
    return status;
}

/* After the caller has waited it begins with another look at the store. */
static enum store_step next_item(struct reader *reader, struct scan_item *ret_item, struct error *err)
{
    enum store_step step = STORE_NONE;
    if (reader->replay)
        return replay_next(reader->replay, ret_item, err);
    if (reader->waits) {
        watch_rearm(reader->watch, catalog_workspace(reader->catalog));
        if (catalog_refresh(reader->catalog, reader->query.kinds, err) != STATUS_OK)
            return STORE_FAILED;
    }
    for (size_t kind = 0; reader->waits && kind < EVENT_KINDS; kind++)
        if (reader->resumes[kind])
            resume_restart(reader->resumes[kind]);
    reader->waits = false;
    for (size_t kind = 0; step == STORE_NONE && kind < EVENT_KINDS; kind++)
        if (reader->resumes[kind])
            step = resume_next(reader->resumes[kind], ret_item, err);
    return step;
}

enum store_step reader_next(struct reader *reader, struct store_lines *ret_lines, struct error *err)
{
    struct scan_item item;
    if (reader->left == 0)
        return STORE_NONE;
    enum store_step step = next_item(reader, &item, err);
    if (step == STORE_LINES) {
        if (reader->query.limited && item.lines > reader->left)
            scan_item_cut(&item, reader->left);
        reader->left -= reader->query.limited ? item.lines : 0;
        ret_lines->data = item.data;
        ret_lines->length = item.length;
        ret_lines->count = item.lines;
        if (reader->query.parsed)
            ret_lines->event = item.event;
        return step;
    }
    if (step == STORE_FAILED || !reader->query.follows)
        return step;
    if (reader->replay && start_following(reader, err) != STATUS_OK)
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
    for (size_t kind = 0; kind < EVENT_KINDS; kind++)
        if (reader->resumes[kind])
            return resume_checkpoint(reader->resumes[kind], ret_checkpoint, err);
    return error_set(err, STATUS_USAGE, "the query does not resume");
}

enum status reader_count(struct catalog *catalog, const struct store_query *query, uint64_t *ret_count,
                         struct error *err)
{
    struct store_query counted = *query;
    struct store_lines lines;
    struct reader *reader;
    enum store_step step;
    uint64_t count = 0;
    counted.counted = true;
    if (!query->resumes) {
        enum status status = catalog_refresh(catalog, query->kinds, err);
        return status == STATUS_OK ? replay_count(catalog, query, ret_count, err) : status;
    }
    enum status status = reader_open(catalog, &counted, &reader, err);
    if (status != STATUS_OK)
        return status;
    while ((step = reader_next(reader, &lines, err)) == STORE_LINES)
        count += lines.count;
    reader_close(reader);
    *ret_count = count;
    return step == STORE_FAILED ? STATUS_IO : STATUS_OK;
}
