#include <stdint.h>
#include <stdio.h>

#include "advance.h"
#include "build.h"
#include "cli.h"
#include "input.h"
#include "interrupt.h"
#include "open.h"
#include "options.h"
#include "reading.h"
#include "store/checkpoint.h"
#include "store/name.h"
#include "table.h"

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
                                "  advance  move on to the checkpoint in FILE (metaspn-replay --next), or past\n"
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
    char *const *files; /* the operands after that */
    size_t file_count;
    const char *to, *kind; /* as given; NULL: not given */
    bool lists, as_table;  /* --format was given; as a table */
    int64_t time;          /* of reset */
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
            request->lists = true;
            request->as_table = options_choice(cli, "--format", optarg, formats) == 1;
            break;
        }
    options_finish(cli, options);
}

static void read_request(struct cli *cli, int argc, char **argv, struct options *options, struct request *request)
{
    struct error err;
    read_options(cli, argc, argv, options, request);
    char **operands = argv + optind;
    int count = argc - optind;
    if (count == 0)
        cli_usage(cli, "one of list, read, write, delete, advance, reset, build is needed");
    enum verb verb = (enum verb)options_choice(cli, "command", operands[0], verbs);
    bool is_named = verb != LIST && verb != BUILD;
    if (is_named && count < 2)
        cli_usage(cli, "%s: the name of a checkpoint is needed", operands[0]);
    request->verb = verb;
    request->name = is_named ? operands[1] : NULL;
    request->files = operands + 1 + is_named;
    request->file_count = (size_t)(count - 1 - is_named);
    if (request->file_count > 0 && verb != BUILD && (verb != ADVANCE || request->to))
        cli_usage(cli, "%s: too many operands", operands[0]);
    if (is_named && name_check("checkpoint", request->name, &err) != STATUS_OK)
        cli_die(cli, STATUS_USAGE, &err);
    if (request->to && verb != ADVANCE && verb != RESET)
        cli_usage(cli, "--to goes with advance and reset only");
    if (!request->to && verb == RESET)
        cli_usage(cli, "reset needs --to=TIME");
    if (request->to && verb == ADVANCE)
        options_file(cli, "--to", request->to);
    if (request->kind && verb != RESET)
        cli_usage(cli, "--kind goes with reset only");
    if (request->lists && verb != LIST)
        cli_usage(cli, "--format goes with list only");
    if (verb == RESET)
        request->time = options_time(cli, "--to", request->to, options->now, false);
}

/* ---- reading */

static enum status run_read(struct store *store, const char *name, struct output *out, struct error *err)
{
    struct checkpoint checkpoint;
    struct bytes text = {0};
    enum status status = reading_checkpoint(store, name, &checkpoint, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_print_as_read(&checkpoint, &text, err);
    if (status != STATUS_OK)
        goto out;
    output_jsonl(out, text.data, text.length - 1);
out:
    bytes_release(&text);
    checkpoint_release(&checkpoint);
    return status;
}

/* Where events cannot be read, which many checkpoints have in common, that is reported once. False: they cannot. */
static bool look_behind(struct cli *cli, struct store *store, const struct checkpoint *checkpoint, uint64_t *ret_behind)
{
    struct error err;
    enum status status = store_behind(store, checkpoint, ret_behind, &err);
    if (status != STATUS_OK && cli_first(cli, err.text))
        cli_fail(cli, STATUS_IO, &err);
    return status == STATUS_OK;
}

static enum status add_row(struct cli *cli, struct store *store, const char *name, struct table *table,
                           struct error *err)
{
    struct checkpoint checkpoint;
    char time[TIMESTAMP_TEXT_SIZE], number[24];
    uint64_t behind;
    enum status status = reading_checkpoint(store, name, &checkpoint, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status; /* deleted meanwhile */
    if (look_behind(cli, store, &checkpoint, &behind)) {
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
    return STATUS_OK;
}

/* A checkpoint that cannot be read is reported; the others are listed all the same. */
static enum status run_list(struct cli *cli, struct store *store, bool as_table, struct output *out, struct error *err)
{
    struct document_list list = {0};
    struct table table;
    struct error why;
    uint64_t behind;
    enum status status = store_list(store, STORE_CHECKPOINTS, NULL, &list, err);
    for (enum event_kind kind = 0; as_table && kind < EVENT_KINDS; kind++) {
        struct checkpoint none = {.has_kind = true, .kind = kind, .has_positions = true};
        look_behind(cli, store, &none, &behind);
    }
    table_start(&table, out);
    for (size_t i = 0; i < list.count; i++)
        if (as_table)
            cli_fail(cli, add_row(cli, store, list.items[i].name, &table, &why), &why);
        else
            output_name(out, list.items[i].name);
    table_finish(&table);
    document_list_release(&list);
    return status;
}

/* ---- changing */

/* Reads and checks what is to be stored; *ret_document stays empty where there was nothing. */
static enum status read_document(const struct cli *cli, const struct options *options, struct bytes *ret_document,
                                 struct error *err)
{
    struct bytes text = {0};
    struct checkpoint checkpoint;
    struct error why;
    enum status status = store_probe(options->workspace, err);
    if (status == STATUS_OK)
        status = input_read_document(cli, DOCUMENT_MAX, &text, err);
    if (status != STATUS_OK || json_is_blank(text.data, text.length))
        goto out;
    status = checkpoint_parse(text.data, text.length, &checkpoint, &why);
    if (status != STATUS_OK) {
        error_set(err, status, "-: %s; nothing was stored", why.text);
        goto out;
    }
    status = checkpoint_print_as_read(&checkpoint, ret_document, err);
    checkpoint_release(&checkpoint);
out:
    bytes_release(&text);
    return status;
}

static enum status run_reset(const struct cli *cli, struct store *store, const struct request *request,
                             struct error *err)
{
    enum event_kind kind = EVENT_SIGNAL;
    struct error why;
    if (request->kind)
        kind = (enum event_kind)options_choice(cli, "--kind", request->kind, kinds);
    enum status status = store_rewind(store, request->name, request->kind ? &kind : NULL, request->time, &why);
    if (status == STATUS_USAGE)
        return error_set(err, status, "--kind=%s: %s", request->kind, why.text);
    if (status != STATUS_OK)
        *err = why;
    return status;
}

static enum status run(struct cli *cli, const struct options *options, const struct request *request,
                       struct output *out, struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = request->name};
    struct store_options opening = options_store(cli, options);
    struct store *store = NULL;
    struct bytes document = {0};
    enum verb verb = request->verb;
    enum status status = STATUS_OK;
    if (verb == BUILD)
        return build_run(cli, request->files, request->file_count, out, err);
    if (verb == WRITE) {
        status = read_document(cli, options, &document, err);
        if (status != STATUS_OK || document.length == 0)
            return status;
    }
    opening.write = verb == WRITE || verb == ADVANCE || verb == RESET;
    opening.only_documents = verb == READ || (verb == LIST && !request->as_table);
    if (opening.write)
        interrupt_catch();
    status = store_open(options->workspace, &opening, &store, err);
    if (status != STATUS_OK)
        goto out;
    if (verb == LIST)
        status = run_list(cli, store, request->as_table, out, err);
    else if (verb == READ)
        status = run_read(store, request->name, out, err);
    else if (verb == WRITE)
        status = store_put(store, &key, &document, NULL, err);
    else if (verb == DELETE)
        status = store_delete(store, &key, err);
    else if (verb == RESET)
        status = run_reset(cli, store, request, err);
    else if (request->to)
        status = advance_to(store, request->name, request->to, err);
    else
        status = advance_past(cli, store, request->name, request->files, request->file_count, err);
out:
    store_close(store);
    bytes_release(&document);
    return status;
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
