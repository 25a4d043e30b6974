#include "base/timestamp.h"
#include "cli.h"
#include "input.h"
#include "interrupt.h"
#include "open.h"
#include "options.h"
#include "store/name.h"
#include "store/snapshot.h"
#include "table.h"

static const char help_text[] =
    "Usage: metaspn-snapshot [OPTION]... write NAME [--at=T | --day=D]\n"
    "       metaspn-snapshot [OPTION]... read NAME [--at=T | --day=D]\n"
    "       metaspn-snapshot [OPTION]... list [NAME]\n"
    "\n"
    "Keep JSON objects by name and UTC second, or by name and UTC day, and find\n"
    "them again.\n"
    "\n"
    "  write    store the object on standard input; the same name and time replaces\n"
    "  read     print the latest document, or the day's\n"
    "  list     print the paths, oldest first\n"
    "\n"
    "Options:\n"
    "      --at=T            write: at this second (default: now); read: the latest\n"
    "                        at or before T\n"
    "      --day=D           the daily document of D (2026-02-05, today, yesterday)\n"
    "      --print=none|path\n"
    "                        write: print the path of what was stored\n"
    "      --format=names|table\n"
    "                        list: paths (default), or name, time and path\n" COMMON_HELP "\n"
    "Exit status: 0 done; 1 no such document; 2 usage; 3 the input is no JSON\n"
    "object; 5 something cannot be read or written.\n"
    "\n"
    "Examples:\n"
    "  echo '{\"open_drafts\":1}' | metaspn-snapshot write system_state\n"
    "  metaspn-snapshot read digest --day=yesterday\n";

enum { OPTION_AT = OPTION_OWN, OPTION_DAY, OPTION_PRINT, OPTION_FORMAT };

static const struct option long_options[] = {
    COMMON_LONG,
    {"at", required_argument, NULL, OPTION_AT},
    {"day", required_argument, NULL, OPTION_DAY},
    {"print", required_argument, NULL, OPTION_PRINT},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {0},
};

enum verb { WRITE, READ, LIST };
static const char *const verbs[] = {"write", "read", "list", NULL};

struct request {
    enum verb verb;
    const char *name; /* NULL: every name */
    struct snapshot_time when;
    bool print_path, as_table;
};

/* The options as they were given; NULL: not given. */
struct given {
    const char *at, *day, *print, *format;
};

static void read_options(struct cli *cli, int argc, char **argv, struct options *options, struct given *given)
{
    for (int c; (c = options_next(cli, options, argc, argv, COMMON_SHORT, long_options)) != -1;)
        switch (c) {
        case OPTION_AT:
            given->at = optarg;
            break;
        case OPTION_DAY:
            given->day = optarg;
            break;
        case OPTION_PRINT:
            given->print = optarg;
            break;
        case OPTION_FORMAT:
            given->format = optarg;
            break;
        }
    options_finish(cli, options);
}

static void read_request(struct cli *cli, int argc, char **argv, struct options *options, struct request *request)
{
    static const char *const prints[] = {"none", "path", NULL};
    static const char *const formats[] = {"names", "table", NULL};
    struct given given = {0};
    struct error err;
    read_options(cli, argc, argv, options, &given);
    char **operands = argv + optind;
    int count = argc - optind;
    if (count == 0)
        cli_usage(cli, "one of write, read, list is needed");
    enum verb verb = (enum verb)options_choice(cli, "command", operands[0], verbs);
    request->verb = verb;
    request->name = count > 1 ? operands[1] : NULL;
    if (!request->name && verb != LIST)
        cli_usage(cli, "%s: the name of a snapshot is needed", operands[0]);
    if (count > 2)
        cli_usage(cli, "%s: too many operands", operands[0]);
    if (request->name && name_check("snapshot", request->name, &err) != STATUS_OK)
        cli_die(cli, STATUS_USAGE, &err);
    if (given.at && given.day)
        cli_usage(cli, "--at does not go with --day");
    if (verb == LIST && (given.at || given.day))
        cli_usage(cli, "list takes neither --at nor --day");
    if (verb != WRITE && given.print)
        cli_usage(cli, "--print goes with write only");
    if (verb != LIST && given.format)
        cli_usage(cli, "--format goes with list only");
    request->print_path = given.print && options_choice(cli, "--print", given.print, prints) == 1;
    request->as_table = given.format && options_choice(cli, "--format", given.format, formats) == 1;
    request->when.time = verb == WRITE ? options->now : TIMESTAMP_MAX;
    if (given.at)
        request->when.time = options_time(cli, "--at", given.at, options->now, verb == READ);
    if (given.day) {
        request->when.daily = true;
        request->when.time = day_first(options_day(cli, "--day", given.day, options->now));
    }
}

/* Nothing is made or changed before the input has proved good. */
static enum status run_write(struct cli *cli, const struct options *options, const struct request *request,
                             struct output *out, struct error *err)
{
    struct document_key key = {STORE_SNAPSHOTS, request->name, request->when};
    struct store_options opening = options_store(cli, options);
    struct store *store = NULL;
    struct bytes text = {0}, document = {0}, name = {0};
    struct error why;
    enum status status = store_probe(options->workspace, err);
    if (status != STATUS_OK)
        goto out;
    status = input_read_document(cli, DOCUMENT_MAX, &text, err);
    if (status != STATUS_OK)
        goto out;
    status = snapshot_compose(request->name, request->when, text.data, text.length, &document, &why);
    if (status != STATUS_OK) {
        error_set(err, status, "-: %s; nothing was stored", why.text);
        goto out;
    }
    interrupt_catch();
    opening.write = opening.only_documents = true;
    status = store_open(options->workspace, &opening, &store, err);
    if (status == STATUS_OK)
        status = store_put(store, &key, &document, &name, err);
    if (status == STATUS_OK && request->print_path)
        output_name(out, name.data);
    store_close(store);
out:
    bytes_release(&text);
    bytes_release(&document);
    bytes_release(&name);
    return status;
}

static enum status run_read(struct store *store, const struct request *request, struct output *out, struct error *err)
{
    struct document_key key = {STORE_SNAPSHOTS, request->name, request->when};
    struct document document = {0};
    struct error reason;
    enum status status = store_get(store, &key, &document, err);
    if (status == STATUS_OK && snapshot_check(&document.text, &reason) != STATUS_OK)
        status = error_set(err, STATUS_IO, "%s: %s", document.label.data, reason.text);
    struct bytes *text = &document.text;
    if (status != STATUS_OK)
        goto out;
    if (text->data[text->length - 1] != '\n' && !bytes_append_char(text, '\n'))
        status = error_set_memory(err);
    if (status != STATUS_OK)
        goto out;
    output_lines(out, text->data, text->length);
out:
    document_release(&document);
    return status;
}

static void add_row(struct table *table, const struct document_item *item)
{
    char time[TIMESTAMP_TEXT_SIZE];
    table_string(table, item->name);
    if (item->when.daily)
        day_format(timestamp_day(item->when.time), time);
    else
        timestamp_format(item->when.time, time);
    table_string(table, time);
    table_string(table, item->label);
    table_end_row(table);
}

static enum status run_list(struct store *store, const struct request *request, struct output *out, struct error *err)
{
    struct document_list list;
    struct table table;
    enum status status = store_list(store, STORE_SNAPSHOTS, request->name, &list, err);
    table_start(&table, out);
    for (size_t i = 0; i < list.count; i++)
        if (request->as_table)
            add_row(&table, &list.items[i]);
        else
            output_name(out, list.items[i].label);
    table_finish(&table);
    document_list_release(&list);
    return status;
}

static enum status run_reader(struct cli *cli, const struct options *options, const struct request *request,
                              struct output *out, struct error *err)
{
    struct store_options opening = options_store(cli, options);
    struct store *store = NULL;
    opening.only_documents = true;
    enum status status = store_open(options->workspace, &opening, &store, err);
    if (status != STATUS_OK)
        return status;
    status = request->verb == READ ? run_read(store, request, out, err) : run_list(store, request, out, err);
    store_close(store);
    return status;
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-snapshot", help_text);
    struct options options = {0};
    struct request request = {0};
    struct output out;
    struct error err;
    read_request(&cli, argc, argv, &options, &request);
    output_start(&out);
    enum status status = request.verb == WRITE ? run_write(&cli, &options, &request, &out, &err)
                                               : run_reader(&cli, &options, &request, &out, &err);
    cli_fail(&cli, status, &err);
    return cli_finish(&cli, &out);
}
