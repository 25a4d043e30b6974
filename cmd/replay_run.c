#include "replay_run.h"

#include <stdio.h>

struct replay_options replay_run_options(struct replay_run *run)
{
    const struct replay_request *request = run->request;
    return (struct replay_options){
        .kinds = request->kinds,
        .window = request->selection.window,
        .filter = request->selection.filter,
        .order = request->order,
        .reverse = request->reverse,
        .limited = request->limited,
        .limit = request->limit,
        .tailed = request->tailed,
        .tail = request->tail,
        .need_events = request->as_table,
        .use_index = !request->no_index,
        .report = reading_report,
        .report_context = &run->reading,
    };
}

void replay_run_print(struct replay_run *run, const struct replay_options *options)
{
    struct error err;
    struct replay *replay;
    struct scan_item item;
    enum status status = replay_open(run->reading.store, options, &replay, &err);
    if (status != STATUS_OK) {
        cli_fail(run->cli, status, &err);
        return;
    }
    while (run->left > 0 && (status = replay_next(replay, &item, &err)) == STATUS_OK &&
           printer_put(&run->printer, &item))
        run->left -= item.lines;
    if (status != STATUS_ABSENT)
        cli_fail(run->cli, status, &err);
    replay_close(replay);
}

void replay_run_count(struct replay_run *run)
{
    struct error err;
    uint64_t count;
    char line[32];
    struct replay_options options = replay_run_options(run);
    enum status status = replay_count(run->reading.store, &options, &count, &err);
    if (cli_fail(run->cli, status, &err) != STATUS_OK)
        return;
    int length = snprintf(line, sizeof line, "%llu", (unsigned long long)count);
    output_line(&run->out, line, (size_t)length);
}
