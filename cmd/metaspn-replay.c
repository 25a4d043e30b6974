#include "cli.h"
#include "event/event.h"
#include "options.h"
#include "replay_run.h"
#include "selection.h"

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
    "      --next=FILE       put the checkpoint behind what was read into FILE\n"
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

#define FOLLOW_TAIL 10

/* The options that say how much, and in which form. */
static bool form_option(const struct cli *cli, struct replay_request *request, int c)
{
    switch (c) {
    case 'n':
        request->limit = options_count(cli, "--limit", optarg);
        request->limited = true;
        return true;
    case OPTION_TAIL:
        request->tail = options_count(cli, "--tail", optarg);
        request->tailed = true;
        return true;
    case OPTION_COUNT:
        request->count = true;
        return true;
    case OPTION_FORMAT:
        request->as_table = options_choice(cli, "--format", optarg, format_words) == 1;
        return true;
    case OPTION_SKIP_DAMAGED:
        request->skip_damaged = true;
        return true;
    case OPTION_NO_INDEX:
        request->no_index = true;
        return true;
    default:
        return false;
    }
}

static void take_option(const struct cli *cli, struct replay_request *request, int c)
{
    switch (c) {
    case 'k': {
        int kind = options_choice(cli, "--kind", optarg, kind_words);
        request->kinds = kind == 2 ? KIND_BITS_ALL : KIND_BIT(kind);
        break;
    }
    case 'r':
        request->reverse = true;
        break;
    case 'f':
        request->follow = true;
        break;
    case OPTION_ORDER:
        options_choice(cli, "--order", optarg, order_words);
        request->order = REPLAY_AS_APPENDED;
        request->order_given = true;
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
    }
}

static void check_follow(const struct cli *cli, const struct replay_request *request)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {request->reverse, "--reverse"},   {request->count, "--count"},
        {request->order_given, "--order"}, {request->selection.until != NULL, "--until"},
        {request->next != NULL, "--next"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            cli_usage(cli, "--follow does not go with %s", others[i].name);
    if (request->tailed && request->limited)
        cli_usage(cli, "--follow goes with --tail or with --limit, not with both");
}

static void read_options(struct cli *cli, int argc, char **argv, struct options *options,
                         struct replay_request *request)
{
    static const char short_options[] = COMMON_SHORT SELECTION_SHORT "k:rn:f";
    selection_start(cli, &request->selection);
    for (int c; (c = options_next(cli, options, argc, argv, short_options, long_options)) != -1;)
        if (!selection_option(cli, &request->selection, c) && !form_option(cli, request, c))
            take_option(cli, request, c);
    options_no_operands(cli, argc, argv);
    options_finish(cli, options);
    selection_finish(cli, &request->selection, options->now);
    if (request->follow)
        check_follow(cli, request);
    worker_check(cli, request);
}

/* What --follow begins with: the last few, or all that a window or a checkpoint selects. */
static void begin(struct replay_run *run)
{
    if (run->worker->resumes) {
        replay_run_resume(run);
        return;
    }
    struct replay_options options = replay_run_options(run);
    if (!options.tailed && !run->request->selection.since && !run->request->selection.day) {
        options.tailed = true;
        options.tail = FOLLOW_TAIL;
        options.limited = false;
    }
    replay_run_print(run, &options);
}

static void answer(struct replay_run *run)
{
    if (run->request->count && run->worker->resumes) {
        replay_run_resume_count(run);
    } else if (run->request->count) {
        replay_run_count(run);
    } else if (run->request->follow) {
        replay_run_follow(run, begin);
    } else if (run->worker->resumes) {
        replay_run_resume(run);
    } else {
        struct replay_options options = replay_run_options(run);
        replay_run_print(run, &options);
    }
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-replay", help_text);
    struct options options = {0};
    struct replay_request request = {0};
    struct worker worker;
    read_options(&cli, argc, argv, &options, &request);
    worker_load(&worker, &cli, &options, &request);
    if (request.kinds == 0)
        request.kinds = KIND_BIT(request.selection.has_caused_by ? EVENT_EMISSION : EVENT_SIGNAL);
    struct replay_run run = {
        .cli = &cli,
        .options = &options,
        .request = &request,
        .worker = &worker,
        .left = request.limited ? request.limit : UINT64_MAX,
    };
    reading_open(&run.reading, &cli, &options, request.no_index, request.kinds);
    run.reading.skip_damaged = request.skip_damaged;
    run.reading.goes_on = request.follow;
    output_start(&run.out);
    printer_start(&run.printer, &run.out, request.as_table);
    answer(&run);
    printer_finish(&run.printer);
    worker_write_next(&worker, &cli, &request, &run.out);
    worker_release(&worker);
    reading_close(&run.reading);
    selection_release(&request.selection);
    return cli_finish(&cli, &run.out);
}
