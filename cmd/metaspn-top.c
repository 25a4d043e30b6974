#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "document.h"
#include "event/ranking.h"
#include "open.h"
#include "options.h"
#include "reading.h"
#include "selection.h"
#include "table.h"
#include "json/json.h"

static const char help_text[] = "Usage: metaspn-top [OPTION]...\n"
                                "\n"
                                "Print the signals with the highest scores: best first, of equal scores the later\n"
                                "one, then the one with the greater id; each entity once, with its best signal.\n"
                                "\n"
                                "Ranking:\n"
                                "  -n, --limit=N         how many (default 25)\n"
                                "      --score-field=PATH\n"
                                "                        where the score stands in the payload (default score)\n"
                                "      --missing-score=NUMBER\n"
                                "                        the score of a payload without that member\n"
                                "      --unique-by=entity|none\n"
                                "                        the best of each first-named entity (default), or all\n"
                                "      --format=jsonl|digest|table\n"
                                "                        stored lines (default), one object with the ids, or\n"
                                "                        fields for people and cut\n"
                                "\n"
                                "Which signals (all must hold):\n" SELECTION_HELP "\n"
                                "The rest:\n"
                                "      --skip-damaged    damaged lines do not change the exit status\n"
                                "      --no-index        answer from the partitions alone\n" COMMON_HELP "\n"
                                "Exit status: 0 done, also where nothing was found; 2 usage; 3 a stored line is\n"
                                "damaged, the others were ranked; 5 something cannot be read or written.\n"
                                "\n"
                                "Examples:\n"
                                "  metaspn-top --day=today --unique-by=none --format=table | cut -f 1,5-7\n"
                                "  metaspn-top --format=digest | metaspn-snapshot write digest --day=today\n";

enum {
    OPTION_SCORE_FIELD = OPTION_OWN,
    OPTION_MISSING_SCORE,
    OPTION_UNIQUE_BY,
    OPTION_FORMAT,
    OPTION_SKIP_DAMAGED,
    OPTION_NO_INDEX,
};

static const struct option long_options[] = {
    COMMON_LONG,
    SELECTION_LONG,
    {"limit", required_argument, NULL, 'n'},
    {"score-field", required_argument, NULL, OPTION_SCORE_FIELD},
    {"missing-score", required_argument, NULL, OPTION_MISSING_SCORE},
    {"unique-by", required_argument, NULL, OPTION_UNIQUE_BY},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"skip-damaged", no_argument, NULL, OPTION_SKIP_DAMAGED},
    {"no-index", no_argument, NULL, OPTION_NO_INDEX},
    {0},
};

enum format { FORMAT_JSONL, FORMAT_DIGEST, FORMAT_TABLE };
static const char *const format_words[] = {"jsonl", "digest", "table", NULL};
static const char *const unique_words[] = {"entity", "none", NULL};

struct request {
    struct selection selection;
    struct ranking_options ranking;
    enum format format;
    bool skip_damaged, no_index;
};

static void take_option(const struct cli *cli, struct request *request, int c)
{
    char quoted[QUOTED_SIZE];
    switch (c) {
    case 'n':
        request->ranking.limit = options_count(cli, "--limit", optarg);
        break;
    case OPTION_SCORE_FIELD:
        request->ranking.score_field = optarg;
        break;
    case OPTION_MISSING_SCORE:
        if (!json_is_number(optarg, strlen(optarg)))
            cli_usage(cli, "--missing-score: not a JSON number: %s", quote_string(quoted, optarg));
        request->ranking.missing_score = optarg;
        break;
    case OPTION_UNIQUE_BY:
        request->ranking.unique =
            options_choice(cli, "--unique-by", optarg, unique_words) == 0 ? RANKING_BY_ENTITY : RANKING_EVERY;
        break;
    case OPTION_FORMAT:
        request->format = (enum format)options_choice(cli, "--format", optarg, format_words);
        break;
    case OPTION_SKIP_DAMAGED:
        request->skip_damaged = true;
        break;
    case OPTION_NO_INDEX:
        request->no_index = true;
        break;
    }
}

static void read_options(struct cli *cli, int argc, char **argv, struct options *options, struct request *request)
{
    static const char short_options[] = COMMON_SHORT SELECTION_SHORT "n:";
    struct error err;
    selection_start(cli, &request->selection);
    for (int c; (c = options_next(cli, options, argc, argv, short_options, long_options)) != -1;)
        if (!selection_option(cli, &request->selection, c))
            take_option(cli, request, c);
    options_no_operands(cli, argc, argv);
    options_finish(cli, options);
    selection_finish(cli, &request->selection, options->now);
    /* What cannot get a score need not be read. Without a missing score that is a condition like the others. */
    const char *missing = request->ranking.missing_score;
    struct filter *checked = missing ? filter_new() : request->selection.filter;
    enum status status =
        checked ? filter_add_number(checked, request->ranking.score_field, &err) : error_set_memory(&err);
    if (status == STATUS_USAGE)
        cli_usage(cli, "--score-field: %s", err.text);
    if (status != STATUS_OK)
        cli_die(cli, status, &err);
    if (missing)
        filter_free(checked);
}

/* Offers every signal that the selection lets through. */
static enum status rank(struct store *store, const struct store_query *query, struct ranking *ranking,
                        struct error *err)
{
    struct store_lines lines;
    enum store_step step;
    enum status status = store_read(store, query, err);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && (step = store_next(store, &lines, err)) != STORE_NONE)
        status = step == STORE_FAILED ? STATUS_IO : ranking_offer(ranking, &lines.event, err);
    store_end(store);
    return status;
}

/* The ranking has a copy of a line that was an event. */
static enum status read_ranked(const struct ranked *ranked, struct event *ret_event, struct error *err)
{
    return event_read(ranked->line, ranked->length, ranked->kind, true, ret_event, NULL) == EVENT_GOOD
               ? STATUS_OK
               : error_set_memory(err);
}

static enum status print_table(const struct ranking *ranking, const struct ranking_options *options, size_t count,
                               struct output *out, struct error *err)
{
    struct table table;
    enum status status = STATUS_OK;
    table_start(&table, out);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct ranked ranked = ranking_get(ranking, i);
        struct event event;
        status = read_ranked(&ranked, &event, err);
        if (status != STATUS_OK)
            break;
        struct json_text score = event_payload_at(&event, options->score_field, strlen(options->score_field));
        if (!score.data)
            score = (struct json_text){options->missing_score, strlen(options->missing_score)};
        table_event(&table, &event, &score);
    }
    table_finish(&table);
    return status;
}

static enum status print_digest(const struct ranking *ranking, size_t count, struct output *out, struct error *err)
{
    struct bytes document = {0};
    struct json_text *ids = reallocarray(NULL, count + 1, sizeof *ids);
    if (!ids)
        return error_set_memory(err);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct ranked ranked = ranking_get(ranking, i);
        struct event event;
        status = read_ranked(&ranked, &event, err);
        if (status == STATUS_OK)
            ids[i] = event.id;
    }
    if (status != STATUS_OK)
        goto out;
    status = document_digest(ids, count, &document, err);
    if (status != STATUS_OK)
        goto out;
    output_line(out, document.data, document.length);
out:
    bytes_release(&document);
    free(ids);
    return status;
}

static enum status print(struct ranking *ranking, const struct request *request, struct output *out, struct error *err)
{
    size_t count = ranking_finish(ranking);
    if (request->format == FORMAT_DIGEST)
        return print_digest(ranking, count, out, err);
    if (request->format == FORMAT_TABLE)
        return print_table(ranking, &request->ranking, count, out, err);
    for (size_t i = 0; i < count; i++) {
        struct ranked ranked = ranking_get(ranking, i);
        output_jsonl(out, ranked.line, ranked.length);
    }
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-top", help_text);
    struct options options = {0};
    struct request request = {.ranking = {.limit = 25, .score_field = "score"}};
    struct store *store;
    struct output out;
    struct error err;
    read_options(&cli, argc, argv, &options, &request);
    struct store_options opening = options_store(&cli, &options);
    opening.no_index = request.no_index;
    enum status status = store_open(options.workspace, &opening, &store, &err);
    if (status != STATUS_OK)
        cli_die(&cli, status, &err);
    struct reading reading = {.cli = &cli, .skip_damaged = request.skip_damaged};
    struct store_query query = {
        .kinds = KIND_BIT(EVENT_SIGNAL),
        .window = request.selection.window,
        .filter = request.selection.filter,
        .order = STORE_AS_APPENDED,
        .parsed = true,
        .report = reading_report,
        .report_context = &reading,
    };
    output_start(&out);
    struct ranking *ranking = ranking_new(&request.ranking);
    status = ranking ? rank(store, &query, ranking, &err) : error_set_memory(&err);
    if (status == STATUS_OK)
        status = print(ranking, &request, &out, &err);
    cli_fail(&cli, status, &err);
    ranking_free(ranking);
    store_close(store);
    selection_release(&request.selection);
    return cli_finish(&cli, &out);
}
