#include "replay_resume.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files/documents.h"
#include "files/worker/resume.h"
#include "files/workspace.h"
#include "interrupt.h"
#include "replay_run.h"
#include "store/name.h"

/* ---- what was asked for */

void worker_check(const struct cli *cli, const struct replay_request *request)
{
    struct error err;
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {request->kinds == KIND_BITS_ALL, "--kind=all"},
        {request->reverse, "--reverse"},
        {request->order_given, "--order"},
        {request->tailed, "--tail"},
    };
    if (request->checkpoint && request->checkpoint_file)
        cli_usage(cli, "--checkpoint does not go with --checkpoint-file");
    if (!request->checkpoint && !request->checkpoint_file) {
        if (request->next)
            cli_usage(cli, "--next needs --checkpoint or --checkpoint-file");
        return;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            cli_usage(cli, "a checkpoint does not go with %s", others[i].name);
    if (request->next && request->count)
        cli_usage(cli, "--next does not go with --count");
    if (request->checkpoint && name_check("checkpoint", request->checkpoint, &err) != STATUS_OK)
        cli_die(cli, STATUS_USAGE, &err);
}

/* What cannot be replaced is better said before the lines are out than after. */
static void check_next(const struct cli *cli, const char *path)
{
    struct stat st;
    struct error err;
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        cli_die(cli, error_set(&err, STATUS_IO, "%s: is not a regular file", path), &err);
}

static enum status load(const struct options *options, const struct replay_request *request,
                        struct checkpoint *ret_checkpoint, struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = request->checkpoint};
    struct workspace *workspace = NULL;
    struct document document = {0};
    enum status status;
    if (request->checkpoint_file) {
        status = checkpoint_read_path(request->checkpoint_file, ret_checkpoint, err);
        return status == STATUS_INVALID ? STATUS_IO : status;
    }
    status = workspace_open(options->workspace, WORKSPACE_READ, &workspace, err);
    if (status == STATUS_OK)
        status = documents_read(workspace, &key, &document, err);
    if (status == STATUS_OK)
        status = checkpoint_read(&document, ret_checkpoint, err);
    document_release(&document);
    workspace_close(workspace);
    return status == STATUS_INVALID ? STATUS_IO : status;
}

/* The kind that is meant; another one than the checkpoint's is refused. */
static void settle_kind(const struct cli *cli, const struct checkpoint *checkpoint, struct replay_request *request)
{
    if (!checkpoint->has_kind)
        return;
    if (request->kinds != 0 && request->kinds != KIND_BIT(checkpoint->kind))
        cli_usage(cli, "the checkpoint is one of %s", event_kind_name(checkpoint->kind));
    request->kinds = KIND_BIT(checkpoint->kind);
}

void worker_load(struct worker *worker, const struct cli *cli, const struct options *options,
                 struct replay_request *request)
{
    struct error err;
    *worker = (struct worker){.resumes = request->checkpoint || request->checkpoint_file};
    checkpoint_init(&worker->checkpoint);
    checkpoint_init(&worker->next);
    if (!worker->resumes)
        return;
    if (request->next)
        check_next(cli, request->next);
    enum status status = load(options, request, &worker->checkpoint, &err);
    worker->is_absent = status == STATUS_ABSENT;
    if (worker->is_absent)
        cli_note(cli, "%s; everything is due, from the beginning", err.text);
    else if (status != STATUS_OK)
        cli_die(cli, status, &err);
    settle_kind(cli, &worker->checkpoint, request);
}

void worker_release(struct worker *worker)
{
    checkpoint_release(&worker->checkpoint);
    checkpoint_release(&worker->next);
}

/* ---- what is due */

static struct resume_options resume_options(struct replay_run *run)
{
    const struct replay_request *request = run->request;
    return (struct resume_options){
        .kind = request->kinds & KIND_BIT(EVENT_EMISSION) ? EVENT_EMISSION : EVENT_SIGNAL,
        .checkpoint = run->worker->is_absent ? NULL : &run->worker->checkpoint,
        .window = request->selection.window,
        .until_filters = request->follow,
        .filter = request->selection.filter,
        .limited = request->limited,
        .limit = request->limit,
        .need_events = request->as_table,
        .need_lines = request->count || request->limited,
        .need_checkpoint = request->next != NULL,
        .report = reading_report,
        .report_context = &run->reading,
    };
}

static enum status print_due(struct replay_run *run, struct resume *resume, struct error *err)
{
    struct scan_item item;
    enum status status = STATUS_OK;
    while ((status = resume_next(resume, &item, err)) == STATUS_OK && printer_put(&run->printer, &item))
        if (run->request->limited)
            run->left -= item.lines;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

void replay_run_resume(struct replay_run *run)
{
    struct resume_options options = resume_options(run);
    struct resume *resume = NULL;
    struct error err;
    enum status status = resume_open(run->reading.store, &options, &resume, &err);
    if (status == STATUS_OK)
        status = print_due(run, resume, &err);
    if (status == STATUS_OK && options.need_checkpoint && !output_failed(&run->out)) {
        status = resume_checkpoint(resume, &run->worker->next, &err);
        run->worker->has_next = status == STATUS_OK;
    }
    resume_close(resume);
    cli_fail(run->cli, status, &err);
}

void replay_run_resume_count(struct replay_run *run)
{
    struct resume_options options = resume_options(run);
    struct resume *resume = NULL;
    struct scan_item item;
    struct error err;
    uint64_t count = 0;
    char line[32];
    enum status status = resume_open(run->reading.store, &options, &resume, &err);
    while (status == STATUS_OK && (status = resume_next(resume, &item, &err)) == STATUS_OK)
        count += item.lines;
    resume_close(resume);
    if (status != STATUS_ABSENT) {
        cli_fail(run->cli, status, &err);
        return;
    }
    int length = snprintf(line, sizeof line, "%llu", (unsigned long long)count);
    output_line(&run->out, line, (size_t)length);
}

/* ---- the next checkpoint */

static enum status replace_next(const struct checkpoint *next, const char *path, struct error *err)
{
    struct bytes text = {0};
    enum status status = checkpoint_print(next, &text, err);
    if (status == STATUS_OK) {
        interrupt_hold();
        status = document_write_path(path, STORE_CHECKPOINTS, &text, err);
        interrupt_release();
    }
    bytes_release(&text);
    return status;
}

void worker_write_next(struct worker *worker, struct cli *cli, const struct replay_request *request, struct output *out)
{
    struct error err;
    if (!worker->has_next || output_close(out) != 0 || cli->status > STATUS_INVALID)
        return;
    cli_fail(cli, replace_next(&worker->next, request->next, &err), &err);
}
