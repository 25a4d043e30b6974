#include "cli.h"
#include "event/event.h"
#include "options.h"
#include "output.h"
#include "replay.h"
#include "selection.h"
#include "store/name.h"

static const char help_text[] =
    "Usage: metaspn-replay [OPTION]...\n"
    "       metaspn-replay --follow [OPTION]...\n"
    "       metaspn-replay --checkpoint=NAME [--next=FILE] [OPTION]...\n"
    "\n"
    "Print stored events, each as the line that is stored: by date and time, or as\n"
    "they are appended, or what a worker's checkpoint has not passed yet.\n"
    "\n"
    "Which events (all must hold):\n"
    "  -k, --kind=signals|emissions|all\n"
    "                        which kind; default: the checkpoint's, else emissions\n"
    "                        with --caused-by, else signals\n" SELECTION_HELP SELECTION_CAUSED_BY_HELP "\n"
    "How many, in which order:\n"
    "  -r, --reverse         exactly the reverse order: the latest first\n"
    "      --order=append    as the lines lie, not by time\n"
    "  -n, --limit=N         the first N in that order\n"
    "      --tail=N          the last N in that order\n"
    "      --count           only the number of events\n"
    "  -f, --follow          then go on with events as they are appended\n"
    "\n"
    "For a worker:\n"
    "      --checkpoint=NAME what the checkpoint NAME has not passed yet\n"
    "      --checkpoint-file=FILE\n"
    "                        the same, with a checkpoint in FILE\n"
    "      --next=FILE       put the checkpoint past what was read into FILE\n"
    "\n"
    "Output and the rest:\n"
    "      --format=jsonl|table\n"
    "                        stored lines (default), or fields for people and cut\n"
    "      --skip-damaged    damaged lines do not change the exit status\n"
    "      --no-index        answer from the partitions alone\n" COMMON_HELP "\n"
    "Exit status: 0 done, also where nothing was found; 2 usage; 3 a stored line is\n"
    "damaged, the others were printed; 5 something cannot be read or written.\n"
    "\n"
    "Examples:\n"
    "  metaspn-replay --type=SocialPostSeen --entity=handle:alice --reverse -n 3\n"
    "  metaspn-replay --kind=all --since=-2h --format=table | cut -f 1-4,6\n";

enum {
    OPTION_ORDER = OPTION_OWN,
    OPTION_TAIL,
    OPTION_COUNT,
    OPTION_CHECKPOINT,
    OPTION_CHECKPOINT_FILE,
    OPTION_NEXT,
    OPTION_FORMAT,
    OPTION_SKIP_DAMAGED,
    OPTION_NO_INDEX,
};

static const struct option long_options[] = {
    COMMON_LONG,
    SELECTION_LONG,
    SELECTION_CAUSED_BY_LONG,
    {"kind", required_argument, NULL, 'k'},
    {"reverse", no_argument, NULL, 'r'},
    {"order", required_argument, NULL, OPTION_ORDER},
    {"limit", required_argument, NULL, 'n'},
    {"tail", required_argument, NULL, OPTION_TAIL},
    {"count", no_argument, NULL, OPTION_COUNT},
    {"follow", no_argument, NULL, 'f'},
    {"checkpoint", required_argument, NULL, OPTION_CHECKPOINT},
    {"checkpoint-file", required_argument, NULL, OPTION_CHECKPOINT_FILE},
    {"next", required_argument, NULL, OPTION_NEXT},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"skip-damaged", no_argument, NULL, OPTION_SKIP_DAMAGED},
    {"no-index", no_argument, NULL, OPTION_NO_INDEX},
    {0},
};

static const char *const kind_words[] = {"signals", "emissions", "all", NULL};
static const char *const order_words[] = {"append", NULL};
static const char *const format_words[] = {"jsonl", "table", NULL};

static void take_option(const struct cli *cli, struct replay_request *request, int c)
{
    struct store_query *query = &request->query;
    int kind;
    switch (c) {
    case 'k':
        kind = options_choice(cli, "--kind", optarg, kind_words);
        query->kinds = kind == 2 ? KIND_BITS_ALL : KIND_BIT(kind);
        break;
    case 'r':
        query->reverse = true;
        break;
    case 'f':
        query->follows = true;
        break;
    case 'n':
        query->limit = options_count(cli, "--limit", optarg);
        query->limited = true;
        break;
    case OPTION_TAIL:
        query->tail = options_count(cli, "--tail", optarg);
        query->tailed = true;
        break;
    case OPTION_ORDER:
        options_choice(cli, "--order", optarg, order_words);
        query->order = STORE_AS_APPENDED;
        break;
    case OPTION_COUNT:
        request->count = true;
        break;
    case OPTION_CHECKPOINT:
        request->checkpoint = optarg;
        break;
    case OPTION_CHECKPOINT_FILE:
        request->checkpoint_file = options_file(cli, "--checkpoint-file", optarg);
        break;
    case OPTION_NEXT:
        request->next = options_file(cli, "--next", optarg);
        break;
    case OPTION_FORMAT:
        request->as_table = options_choice(cli, "--format", optarg, format_words) == 1;
        break;
    case OPTION_SKIP_DAMAGED:
        request->skip_damaged = true;
        break;
    case OPTION_NO_INDEX:
        request->no_index = true;
        break;
    }
}

struct other {
    bool given;
    const char *name;
};

static void refuse_others(const struct cli *cli, const char *what, const struct other *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (others[i].given)
            cli_usage(cli, "%s does not go with %s", what, others[i].name);
}

static void check_follow(const struct cli *cli, const struct replay_request *request)
{
    const struct store_query *query = &request->query;
    const struct other others[] = {
        {query->reverse, "--reverse"},
        {request->count, "--count"},
        {query->order == STORE_AS_APPENDED, "--order"},
        {request->selection.until != NULL, "--until"},
        {request->next != NULL, "--next"},
    };
    refuse_others(cli, "--follow", others, sizeof others / sizeof *others);
    if (query->tailed && query->limited)
        cli_usage(cli, "--follow goes with --tail or with --limit, not with both");
}

static void check_checkpoint(const struct cli *cli, const struct replay_request *request)
{
    const struct store_query *query = &request->query;
    struct error err;
    const struct other others[] = {
        {query->kinds == KIND_BITS_ALL, "--kind=all"},
        {query->reverse, "--reverse"},
        {query->order == STORE_AS_APPENDED, "--order"},
        {query->tailed, "--tail"},
    };
    if (request->checkpoint && request->checkpoint_file)
        cli_usage(cli, "--checkpoint does not go with --checkpoint-file");
    if (!request->checkpoint && !request->checkpoint_file) {
        if (request->next)
            cli_usage(cli, "--next needs --checkpoint or --checkpoint-file");
        return;
    }
    refuse_others(cli, "a checkpoint", others, sizeof others / sizeof *others);
    if (request->next && request->count)
        cli_usage(cli, "--next does not go with --count");
    if (request->checkpoint && name_check("checkpoint", request->checkpoint, &err) != STATUS_OK)
        cli_die(cli, STATUS_USAGE, &err);
}

static void read_options(struct cli *cli, int argc, char **argv, struct options *options,
                         struct replay_request *request)
{
    static const char short_options[] = COMMON_SHORT SELECTION_SHORT "k:rn:f";
    selection_start(cli, &request->selection);
    for (int c; (c = options_next(cli, options, argc, argv, short_options, long_options)) != -1;)
        if (!selection_option(cli, &request->selection, c))
            take_option(cli, request, c);
    options_no_operands(cli, argc, argv);
    options_finish(cli, options);
    selection_finish(cli, &request->selection, options->now);
    if (request->query.follows)
        check_follow(cli, request);
    check_checkpoint(cli, request);
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-replay", help_text);
    struct options options = {0};
    struct replay_request request = {0};
    struct output out;
    read_options(&cli, argc, argv, &options, &request);
    output_start(&out);
    replay_run(&cli, &options, &request, &out);
    selection_release(&request.selection);
    return cli_finish(&cli, &out);
}
