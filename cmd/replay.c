#include "replay.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "open.h"
#include "reading.h"
#include "store/checkpoint.h"

#define LOOK_MS     1000 /* where the store has no news of its own, and for the reader of stdout being gone */
#define FOLLOW_TAIL 10

struct replay {
    struct cli *cli;
    const struct replay_request *request;
    struct store *store;
    struct reading reading;
    struct store_query query;
    struct checkpoint from, next; /* from the first on; past what was read */
    bool has_next;
    struct output *out;
};

/* Goes on from the checkpoint that was named, of its kind. It is read before the events are: no position may seem to
 * lie past an end. */
static void resume(struct replay *replay)
{
    const struct replay_request *request = replay->request;
    struct cli *cli = replay->cli;
    struct store_query *query = &replay->query;
    struct checkpoint *from = &replay->from;
    struct error err;
    struct stat st;
    enum status status;
    if (request->next && lstat(request->next, &st) == 0 && !S_ISREG(st.st_mode)) /* rather now than after the lines */
        cli_die(cli, error_set(&err, STATUS_IO, "%s: is not a regular file", request->next), &err);
    if (request->checkpoint_file)
        status = checkpoint_read_path(request->checkpoint_file, from, &err);
    else
        status = reading_checkpoint(replay->store, request->checkpoint, from, &err);
    if (status == STATUS_ABSENT)
        cli_note(cli, "%s; everything is due, from the beginning", err.text);
    else if (status != STATUS_OK)
        cli_die(cli, STATUS_IO, &err);
    query->resumes = true;
    query->reaches = request->next != NULL;
    query->from = status == STATUS_OK ? from : NULL;
    if (from->has_kind && query->kinds != 0 && query->kinds != KIND_BIT(from->kind))
        cli_usage(cli, "the checkpoint is one of %s", event_kind_name(from->kind));
    if (from->has_kind)
        query->kinds = KIND_BIT(from->kind);
}

/* Opens the store, and says what is to be read of it. What fails ends the process. */
static void start(struct replay *replay, const struct options *options)
{
    const struct replay_request *request = replay->request;
    struct store_options opening = options_store(replay->cli, options);
    struct store_query *query = &replay->query;
    struct error err;
    opening.no_index = request->no_index;
    enum status status = store_open(options->workspace, &opening, &replay->store, &err);
    if (status != STATUS_OK)
        cli_die(replay->cli, status, &err);
    *query = request->query;
    if (request->checkpoint || request->checkpoint_file)
        resume(replay);
    else if (query->follows && !query->tailed && !request->selection.since && !request->selection.day) {
        query->tailed = true;
        query->tail = FOLLOW_TAIL;
    }
    if (query->kinds == 0)
        query->kinds = KIND_BIT(request->selection.has_caused_by ? EVENT_EMISSION : EVENT_SIGNAL);
    query->window = request->selection.window;
    query->filter = request->selection.filter;
    query->parsed = request->as_table;
    query->report = reading_report;
    query->report_context = &replay->reading;
}

/* Until it is worth looking; or the reader of stdout is gone, and so are we. */
static void wait_for_news(const struct replay *replay)
{
    struct pollfd fds[] = {{.fd = replay->out->fd}, {.fd = store_news(replay->store), .events = POLLIN}};
    if (poll(fds, 2, LOOK_MS) > 0 && (fds[0].revents & (POLLERR | POLLHUP)) != 0)
        interrupt_die(SIGPIPE);
}

static enum status print_events(struct replay *replay, struct error *err)
{
    struct store_lines lines;
    struct printer printer;
    enum store_step step;
    enum status status = store_read(replay->store, &replay->query, err);
    if (status != STATUS_OK)
        return status;
    printer_start(&printer, replay->out, replay->request->as_table);
    while ((step = store_next(replay->store, &lines, err)) == STORE_LINES || step == STORE_WAIT) {
        if (step == STORE_LINES)
            printer_put(&printer, &lines);
        else
            printer_flush(&printer);
        if (output_failed(replay->out))
            break;
        if (step == STORE_WAIT)
            wait_for_news(replay);
    }
    if (step == STORE_FAILED)
        status = STATUS_IO;
    if (status == STATUS_OK && replay->query.reaches && !output_failed(replay->out)) {
        status = store_reached(replay->store, &replay->next, err);
        replay->has_next = status == STATUS_OK;
    }
    store_end(replay->store);
    printer_finish(&printer);
    return status;
}

static enum status print_count(struct replay *replay, struct error *err)
{
    uint64_t count;
    char line[32];
    enum status status = store_count(replay->store, &replay->query, &count, err);
    if (status != STATUS_OK)
        return status;
    int length = snprintf(line, sizeof line, "%llu", (unsigned long long)count);
    output_line(replay->out, line, (size_t)length);
    return STATUS_OK;
}

static enum status replace_next(const struct replay *replay, struct error *err)
{
    struct bytes text = {0};
    enum status status = checkpoint_print(&replay->next, &text, err);
    interrupt_catch(); /* what it replaces is whole, and no temporary is left */
    if (status != STATUS_OK)
        goto out;
    status = document_write_path(replay->request->next, STORE_CHECKPOINTS, &text, err);
out:
    bytes_release(&text);
    return status;
}

void replay_run(struct cli *cli, const struct options *options, const struct replay_request *request,
                struct output *out)
{
    struct replay replay = {
        .cli = cli,
        .request = request,
        .reading = {.cli = cli, .skip_damaged = request->skip_damaged},
        .out = out,
    };
    struct error err;
    checkpoint_init(&replay.from);
    checkpoint_init(&replay.next);
    start(&replay, options);
    enum status status = request->count ? print_count(&replay, &err) : print_events(&replay, &err);
    cli_fail(cli, status, &err);
    if (replay.has_next && output_close(out) == 0 && cli->status <= STATUS_INVALID)
        cli_fail(cli, replace_next(&replay, &err), &err);
    checkpoint_release(&replay.from);
    checkpoint_release(&replay.next);
    store_close(replay.store);
}
