#include <signal.h>

#include "files/worker/follow.h"
#include "interrupt.h"
#include "replay_run.h"
#include "watch.h"

/* Prints what the last look has found. */
static enum status print_news(struct replay_run *run, struct follow *follow, struct error *err)
{
    struct scan_item item;
    enum status status = STATUS_OK;
    while (run->left > 0 && (status = follow_next(follow, &item, err)) == STATUS_OK) {
        if (!printer_put(&run->printer, &item))
            break;
        run->left -= run->request->limited;
    }
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status look_again(struct replay_run *run, struct follow *follow, struct error *err)
{
    enum status status = catalog_refresh(run->reading.store, run->request->kinds, err);
    if (status == STATUS_OK)
        follow_look(follow);
    return status;
}

/* Looks until nothing is new (then no file is open), and waits for news. */
static enum status go_on(struct replay_run *run, struct follow *follow, struct watch *watch, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && run->left > 0 && !output_failed(&run->out)) {
        status = look_again(run, follow, err);
        if (status == STATUS_OK)
            status = print_news(run, follow, err);
        if (status != STATUS_OK)
            break;
        bool found = follow_found(follow);
        if (!found || printer_is_due(&run->printer))
            printer_flush(&run->printer);
        if (!output_failed(&run->out) && watch_wait(watch, run->out.fd, found) == WATCH_READER_GONE)
            interrupt_die(SIGPIPE);
    }
    return status;
}

void replay_run_follow(struct replay_run *run, void (*begin)(struct replay_run *run))
{
    const struct replay_request *request = run->request;
    struct follow_options options = {
        .kinds = request->kinds,
        .window = request->selection.window,
        .filter = request->selection.filter,
        .need_events = request->as_table || request->limited,
        .report = reading_report,
        .report_context = &run->reading,
    };
    struct error err;
    struct follow *follow = NULL;
    struct watch watch;
    enum status status = STATUS_OK;
    watch_start(&watch, catalog_workspace(run->reading.store));
    begin(run);
    printer_flush(&run->printer);
    if (run->cli->status < STATUS_IO)
        status = follow_open(run->reading.store, &options, &follow, &err);
    if (status == STATUS_OK && follow)
        status = go_on(run, follow, &watch, &err);
    follow_close(follow);
    watch_end(&watch);
    cli_fail(run->cli, status, &err);
}
