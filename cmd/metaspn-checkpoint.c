#include <stdint.h>
#include <stdio.h>

#include "advance.h"
#include "build.h"
#include "checkpoints.h"
#include "cli.h"
#include "files/documents.h"
#include "files/worker/change.h"
#include "files/workspace.h"
#include "input.h"
#include "interrupt.h"
#include "options.h"
#include "store/checkpoint.h"
#include "store/name.h"
#include "table.h"
#include "told.h"

static const char help_text[] = "Usage: metaspn-checkpoint [OPTION]... list\n"
                                "       metaspn-checkpoint [OPTION]... read NAME\n"
                                "       metaspn-checkpoint [OPTION]... write NAME\n"
                                "       metaspn-checkpoint [OPTION]... delete NAME\n"
                                "       metaspn-checkpoint [OPTION]... advance NAME --to=FILE\n"
                                "       metaspn-checkpoint [OPTION]... advance NAME [FILE]...\n"
                                "       metaspn-checkpoint [OPTION]... reset NAME --to=TIME [--kind=KIND]\n"
                                "       metaspn-checkpoint [OPTION]... build [FILE]...\n"
                                "\n"
                                "Keep where each worker has got to. metaspn-replay --checkpoint reads it.\n"
                                "\n"
                                "  list     print the names\n"
                                "  read     print a checkpoint\n"
                                "  write    store the document on standard input; empty input changes nothing\n"
                                "  delete   remove it: the worker begins at the beginning\n"
                                "  advance  move on to the checkpoint in FILE (metaspn-replay --next), or behind\n"
                                "           the lines that are read, which a replay printed\n"
                                "  reset    move back to TIME a worker that is not running; or let a new one\n"
                                "           begin there\n"
                                "  build    print a checkpoint by time from processed events, as the original\n"
                                "\n"
                                "Options:\n"
                                "      --to=FILE|TIME    advance: the checkpoint to move on to; reset: the time\n"
                                "  -k, --kind=signals|emissions\n"
                                "                        reset: the kind of a new checkpoint (default signals)\n"
                                "      --format=names|table\n"
                                "                        list: names (default), or name, kind, last timestamp,\n"
                                "                        bytes behind and time of the file\n" COMMON_HELP "\n"
                                "Exit status: 0 done; 1 no such checkpoint; 2 usage; 3 the input is invalid;\n"
                                "5 something cannot be read or written.\n"
                                "\n"
                                "Examples:\n"
                                "  metaspn-checkpoint advance w --to=n\n"
                                "  metaspn-checkpoint reset w --to=now\n";

enum { OPTION_TO = OPTION_OWN, OPTION_FORMAT };

static const struct option long_options[] = {
    COMMON_LONG,
    {"to", required_argument, NULL, OPTION_TO},
    {"kind", required_argument, NULL, 'k'},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {0},
};

enum verb { LIST, READ, WRITE, DELETE, ADVANCE, RESET, BUILD };
static const char *const verbs[] = {"list", "read", "write", "delete", "advance", "reset", "build", NULL};
static const char *const kinds[] = {"signals", "emissions", NULL};
static const char *const formats[] = {"names", "table", NULL};

struct request {
    enum verb verb;
    const char *name;   /* NULL: the verb takes none */
    char *const *files; /* the operands behind */
    size_t file_count;
    const char *to, *kind, *format; /* as given; NULL: not given */
    int64_t time;                   /* of reset */
};

static void read_options(struct cli *cli, int argc, char **argv, struct options *options, struct request *request)
{
    for (int c; (c = options_next(cli, options, argc, argv, COMMON_SHORT "k:", long_options)) != -1;)
        switch (c) {
        case OPTION_TO:
            request->to = optarg;
            break;
        case 'k':
            options_choice(cli, "--kind", optarg, kinds);
            request->kind = optarg;
            break;
        case OPTION_FORMAT:
            options_choice(cli, "--format", optarg, formats);
            request->format = optarg;
            break;
        }
    options_finish(cli, options);
}

static void read_operands(const struct cli *cli, int count, char **operands, struct request *request)
{
    struct error err;
    if (count == 0)
        cli_usage(cli, "one of list, read, write, delete, advance, reset, build is needed");
    request->verb = (enum verb)options_choice(cli, "command", operands[0], verbs);
    bool is_named = request->verb != LIST && request->verb != BUILD;
    if (is_named && count < 2)
        cli_usage(cli, "%s: the name of a checkpoint is needed", operands[0]);
    request->name = is_named ? operands[1] : NULL;
    request->files = operands + 1 + is_named;
    request->file_count = (size_t)(count - 1 - is_named);
    bool takes_files = request->verb == BUILD || (request->verb == ADVANCE && !request->to);
    if (request->file_count > 0 && !takes_files)
        cli_usage(cli, "%s: too many operands", operands[0]);
    enum status status = is_named ? name_check("checkpoint", request->name, &err) : STATUS_OK;
    if (status != STATUS_OK)
        cli_die(cli, status, &err);
}

static void refuse_what_does_not_fit(const struct cli *cli, const struct request *request)
{
    if (request->to && request->verb != ADVANCE && request->verb != RESET)
        cli_usage(cli, "--to goes with advance and reset only");
    if (!request->to && request->verb == RESET)
        cli_usage(cli, "reset needs --to=TIME");
    if (request->to && request->verb == ADVANCE)
        options_file(cli, "--to", request->to);
    if (request->kind && request->verb != RESET)
        cli_usage(cli, "--kind goes with reset only");
    if (request->format && request->verb != LIST)
        cli_usage(cli, "--format goes with list only");
}

static void read_request(struct cli *cli, int argc, char **argv, struct options *options, struct request *request)
{
    read_options(cli, argc, argv, options, request);
    read_operands(cli, argc - optind, argv + optind, request);
    refuse_what_does_not_fit(cli, request);
    if (request->verb == RESET)
        request->time = options_time(cli, "--to", request->to, options->now, false);
}

/* ---- reading */

static enum status print_checkpoint(const struct checkpoint *checkpoint, struct output *out, struct error *err)
{
    struct bytes text = {0};
    enum status status = checkpoint_print_as_read(checkpoint, &text, err);
    if (status == STATUS_OK)
        output_jsonl(out, text.data, text.length - 1);
    bytes_release(&text);
    return status;
}

static enum status run_read(const struct options *options, const struct request *request, struct output *out,
                            struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = request->name};
    struct workspace *workspace = NULL;
    struct document document = {0};
    struct checkpoint checkpoint;
    enum status status = workspace_open(options->workspace, WORKSPACE_READ, &workspace, err);
    if (status == STATUS_OK)
        status = documents_read(workspace, &key, &document, err);
    if (status == STATUS_OK)
        status = checkpoint_read(&document, &checkpoint, err);
    if (status == STATUS_OK) {
        status = print_checkpoint(&checkpoint, out, err);
        checkpoint_release(&checkpoint);
    }
    document_release(&document);
    workspace_close(workspace);
    return status == STATUS_INVALID ? STATUS_IO : status;
}

struct lister {
    struct checkpoints checkpoints;
    struct table table;
    struct change_seen seen;
};

static enum status add_row(struct lister *lister, const char *name, struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = name};
    struct catalog *store = lister->checkpoints.store;
    struct table *table = &lister->table;
    struct document document;
    struct checkpoint checkpoint;
    char time[TIMESTAMP_TEXT_SIZE], number[24];
    uint64_t behind;
    enum status status = documents_read(catalog_workspace(store), &key, &document, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status; /* deleted meanwhile */
    status = checkpoint_read(&document, &checkpoint, err);
    document_release(&document);
    if (status != STATUS_OK)
        return STATUS_IO;
    status = change_behind(store, &lister->seen, &checkpoint, &behind, err);
    if (status == STATUS_OK) {
        table_string(table, name);
        table_string(table, event_kind_name(checkpoint.has_kind ? checkpoint.kind : EVENT_SIGNAL));
        timestamp_format(checkpoint.last_timestamp, time);
        table_string(table, time);
        snprintf(number, sizeof number, "%llu", (unsigned long long)behind);
        table_string(table, number);
        timestamp_format(checkpoint.replaced, time);
        table_string(table, time);
        table_end_row(table);
    }
    checkpoint_release(&checkpoint);
    return status;
}

/* Each failure once. */
static void report(struct lister *lister, enum status status, const struct error *err)
{
    if (status != STATUS_OK && !told_before(&lister->checkpoints.told, err->text))
        cli_fail(lister->checkpoints.cli, STATUS_IO, err);
}

/* A checkpoint that cannot be read is reported; the others are listed all the same. */
static void list_as_table(struct cli *cli, const struct options *options, const struct document_list *list,
                          struct output *out)
{
    struct lister lister = {0};
    struct error err;
    enum status status = checkpoints_open(&lister.checkpoints, cli, options, WORKSPACE_READ, &err);
    if (cli_fail(cli, status, &err) == STATUS_OK) {
        report(&lister, change_see(lister.checkpoints.store, &lister.seen, &err), &err);
        table_start(&lister.table, out);
        for (size_t i = 0; i < list->count; i++)
            report(&lister, add_row(&lister, list->items[i].name, &err), &err);
        table_finish(&lister.table);
    }
    checkpoints_close(&lister.checkpoints);
}

static enum status run_list(struct cli *cli, const struct options *options, const struct request *request,
                            struct output *out, struct error *err)
{
    struct workspace *workspace = NULL;
    struct document_list list = {0};
    bool as_table = request->format && options_choice(cli, "--format", request->format, formats) == 1;
    enum status status = workspace_open(options->workspace, WORKSPACE_READ, &workspace, err);
    if (status == STATUS_OK)
        status = documents_list(workspace, STORE_CHECKPOINTS, NULL, &list, err);
    if (workspace && as_table)
        list_as_table(cli, options, &list, out);
    else
        for (size_t i = 0; i < list.count; i++)
            output_name(out, list.items[i].name);
    document_list_release(&list);
    workspace_close(workspace);
    return status;
}

/* ---- changing */

/* Reads and checks what is to be stored; *ret_document stays empty where there was nothing. */
static enum status read_document(const struct cli *cli, struct bytes *ret_document, struct error *err)
{
    struct bytes text = {0};
    struct checkpoint checkpoint;
    struct error why;
    enum status status = input_read_document(cli, DOCUMENT_MAX, &text, err);
    if (status == STATUS_OK && !json_is_blank(text.data, text.length)) {
        status = checkpoint_parse(text.data, text.length, &checkpoint, &why);
        if (status == STATUS_OK) {
            status = checkpoint_print_as_read(&checkpoint, ret_document, err);
            checkpoint_release(&checkpoint);
        } else {
            error_set(err, status, "-: %s; nothing was stored", why.text);
        }
    }
    bytes_release(&text);
    return status;
}

static enum status run_write(struct cli *cli, const struct options *options, const struct request *request,
                             struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = request->name};
    struct checkpoints checkpoints;
    struct bytes document = {0};
    enum status status = workspace_check(options->workspace, err);
    if (status == STATUS_OK)
        status = read_document(cli, &document, err);
    if (status == STATUS_OK && document.length > 0) {
        interrupt_catch();
        status = checkpoints_open(&checkpoints, cli, options, WORKSPACE_WRITE, err);
        if (status == STATUS_OK)
            status = change_put(checkpoints.store, &key, &document, options->clock / MICROSECONDS_A_SECOND, err);
        checkpoints_close(&checkpoints);
    }
    bytes_release(&document);
    return status;
}

static enum status run_delete(struct cli *cli, const struct options *options, const struct request *request,
                              struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = request->name};
    struct checkpoints checkpoints;
    enum status status = checkpoints_open(&checkpoints, cli, options, WORKSPACE_READ, err);
    if (status == STATUS_OK)
        status = change_delete(checkpoints.store, &key, err);
    checkpoints_close(&checkpoints);
    return status;
}

static enum status run_reset(struct cli *cli, const struct options *options, const struct request *request,
                             struct error *err)
{
    struct checkpoints checkpoints;
    struct error why;
    enum event_kind kind = EVENT_SIGNAL;
    if (request->kind)
        kind = (enum event_kind)options_choice(cli, "--kind", request->kind, kinds);
    interrupt_catch();
    enum status status = checkpoints_open(&checkpoints, cli, options, WORKSPACE_WRITE, err);
    if (status == STATUS_OK) {
        status = change_rewind(checkpoints.store, request->name, request->kind ? &kind : NULL, request->time,
                               options->clock / MICROSECONDS_A_SECOND, &why);
        if (status == STATUS_USAGE)
            error_set(err, status, "--kind=%s: %s", request->kind, why.text);
        else if (status != STATUS_OK)
            *err = why;
    }
    checkpoints_close(&checkpoints);
    return status;
}

static enum status run(struct cli *cli, const struct options *options, const struct request *request,
                       struct output *out, struct error *err)
{
    switch (request->verb) {
    case LIST:
        return run_list(cli, options, request, out, err);
    case READ:
        return run_read(options, request, out, err);
    case WRITE:
        return run_write(cli, options, request, err);
    case DELETE:
        return run_delete(cli, options, request, err);
    case RESET:
        return run_reset(cli, options, request, err);
    case BUILD:
        return build_run(cli, request->files, request->file_count, out, err);
    case ADVANCE:
        break;
    }
    struct advance_request advance = {request->name, request->to, request->files, request->file_count};
    return advance_run(cli, options, &advance, err);
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-checkpoint", help_text);
    struct options options = {0};
    struct request request = {0};
    struct output out;
    struct error err;
    read_request(&cli, argc, argv, &options, &request);
    output_start(&out);
    enum status status = run(&cli, &options, &request, &out, &err);
    if (status == STATUS_USAGE)
        cli_die(&cli, status, &err);
    cli_fail(&cli, status, &err);
    return cli_finish(&cli, &out);
}
