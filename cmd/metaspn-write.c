#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answers.h"
#include "base/io.h"
#include "cli.h"
#include "ingest.h"
#include "input.h"
#include "interrupt.h"
#include "open.h"
#include "options.h"
#include "progress.h"

static const char help_text[] = "Usage: metaspn-write [OPTION]... [FILE]...\n"
                                "\n"
                                "Read events (JSON objects, one a line) from FILEs or standard input and append\n"
                                "the new ones to the store. Nothing is stored twice: an id makes an event.\n"
                                "\n"
                                "Options:\n"
                                "      --kind=auto|signals|emissions\n"
                                "                        what is accepted; auto (default): by the id member\n"
                                "      --on-duplicate=return_existing|ignore|raise\n"
                                "                        return_existing (default) and ignore append nothing;\n"
                                "                        raise stops at the first duplicate, exit 4\n"
                                "      --on-invalid=stop|skip\n"
                                "                        at an invalid line: stop (default), or report and go on\n"
                                "      --rejects=FILE    append invalid lines to FILE as JSON (implies skip)\n"
                                "      --print=none|path|result|new|all\n"
                                "                        what is printed for every event, once it is durable\n"
                                "      --max-line=BYTES  longest line accepted (default 16M)\n"
                                "      --no-sync         do not wait for the disk: fast, and not durable\n"
                                "      --lock-timeout=S  seconds to wait for other writers (default 60)\n"
                                "      --stats           one line of numbers on standard error at the end\n"
                                "      --progress, --no-progress\n"
                                "                        show how far it is (default: on a terminal)\n" COMMON_HELP "\n"
                                "Exit status: 0 done; 2 usage; 3 an invalid line; 4 a duplicate with\n"
                                "--on-duplicate=raise; 5 something cannot be read or written.\n"
                                "\n"
                                "Examples:\n"
                                "  metaspn-write -C ws signals.jsonl\n"
                                "  producer | metaspn-write -C ws --print=new | worker\n";

enum {
    OPTION_KIND = OPTION_OWN,
    OPTION_ON_DUPLICATE,
    OPTION_ON_INVALID,
    OPTION_REJECTS,
    OPTION_PRINT,
    OPTION_MAX_LINE,
    OPTION_NO_SYNC,
    OPTION_LOCK_TIMEOUT,
    OPTION_STATS,
    OPTION_PROGRESS,
    OPTION_NO_PROGRESS,
};

static const struct option long_options[] = {
    COMMON_LONG,
    {"kind", required_argument, NULL, OPTION_KIND},
    {"on-duplicate", required_argument, NULL, OPTION_ON_DUPLICATE},
    {"on-invalid", required_argument, NULL, OPTION_ON_INVALID},
    {"rejects", required_argument, NULL, OPTION_REJECTS},
    {"print", required_argument, NULL, OPTION_PRINT},
    {"max-line", required_argument, NULL, OPTION_MAX_LINE},
    {"no-sync", no_argument, NULL, OPTION_NO_SYNC},
    {"lock-timeout", required_argument, NULL, OPTION_LOCK_TIMEOUT},
    {"stats", no_argument, NULL, OPTION_STATS},
    {"progress", no_argument, NULL, OPTION_PROGRESS},
    {"no-progress", no_argument, NULL, OPTION_NO_PROGRESS},
    {0},
};

static const char *const kind_words[] = {"auto", "signals", "emissions", NULL};
static const char *const duplicate_words[] = {"return_existing", "ignore", "raise", NULL};
static const char *const invalid_words[] = {"stop", "skip", NULL};
static const char *const print_words[] = {"none", "path", "result", "new", "all", NULL};

/* What was asked for, as those who do it take it. */
struct request {
    struct options options;
    struct store_options store;
    struct ingest ingest;
    struct answers answers;
    enum progress_wish progress;
    bool stats;
};

static void read_options(struct cli *cli, int argc, char **argv, struct request *request)
{
    struct ingest *ingest = &request->ingest;
    bool no_sync = false;
    int kind, lock_timeout_ms = LOCK_TIMEOUT_MS;
    ingest->rules = (struct event_rules){KIND_BITS_ALL, EVENT_MAX_LINE};
    for (int c; (c = options_next(cli, &request->options, argc, argv, COMMON_SHORT, long_options)) != -1;)
        switch (c) {
        case OPTION_KIND:
            kind = options_choice(cli, "--kind", optarg, kind_words);
            ingest->rules.kinds = kind == 0 ? KIND_BITS_ALL : KIND_BIT(kind - 1);
            break;
        case OPTION_ON_DUPLICATE:
            ingest->raise = options_choice(cli, "--on-duplicate", optarg, duplicate_words) == 2;
            break;
        case OPTION_ON_INVALID:
            ingest->skip = options_choice(cli, "--on-invalid", optarg, invalid_words) == 1;
            break;
        case OPTION_REJECTS:
            request->answers.rejects_name = optarg;
            break;
        case OPTION_PRINT:
            request->answers.print = (enum print)options_choice(cli, "--print", optarg, print_words);
            break;
        case OPTION_MAX_LINE:
            ingest->rules.max_line = options_size(cli, "--max-line", optarg);
            break;
        case OPTION_NO_SYNC:
            no_sync = true;
            break;
        case OPTION_LOCK_TIMEOUT:
            lock_timeout_ms = options_seconds(cli, "--lock-timeout", optarg);
            break;
        case OPTION_STATS:
            request->stats = true;
            break;
        case OPTION_PROGRESS:
            request->progress = PROGRESS_ALWAYS;
            break;
        case OPTION_NO_PROGRESS:
            request->progress = PROGRESS_NEVER;
            break;
        }
    options_finish(cli, &request->options);
    ingest->skip = ingest->skip || request->answers.rejects_name;
    request->store = options_store(cli, &request->options);
    request->store.write = true;
    request->store.no_sync = no_sync;
    request->store.lock_timeout_ms = lock_timeout_ms;
}

/* Bytes of the FILE operands; 0 where one of them is no regular file. */
static uint64_t input_size(char *const *files, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (stat(files[i], &st) != 0 || !S_ISREG(st.st_mode))
            return 0;
        total += (uint64_t)st.st_size;
    }
    return total;
}

/* What is read and written at once is never at its end: each line that goes to `fd` would be read again. */
static enum status check_output(int fd, const char *what, char *const *files, size_t count, struct error *err)
{
    char *const stdin_only[] = {(char[]){"-"}};
    struct stat output, input;
    if (fstat(fd, &output) != 0 || !S_ISREG(output.st_mode))
        return STATUS_OK;
    if (count == 0) {
        files = stdin_only;
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        int result = strcmp(files[i], "-") == 0 ? fstat(STDIN_FILENO, &input) : stat(files[i], &input);
        if (result == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino)
            return error_set(err, STATUS_USAGE, "%s: the input is the file of %s itself", files[i], what);
    }
    return STATUS_OK;
}

/* Opens the store and the rejects. STATUS_USAGE: some output is the input, too. The store is made last: what is refused
 * has done nothing. */
static enum status open_all(struct request *request, char *const *files, size_t count, struct error *err)
{
    const char *workspace = request->options.workspace;
    struct answers *answers = &request->answers;
    enum status status = STATUS_OK;
    if (answers->print != PRINT_NONE)
        status = check_output(STDOUT_FILENO, "standard output", files, count, err);
    if (status == STATUS_OK && answers->rejects_name) {
        status = store_probe(workspace, err);
        if (status == STATUS_OK)
            status = output_append_to(&answers->rejects, answers->rejects_name, err);
        if (status == STATUS_OK)
            status = check_output(answers->rejects.fd, "--rejects", files, count, err);
    }
    return status == STATUS_OK ? store_open(workspace, &request->store, &answers->store, err) : status;
}

static void print_stats(const struct ingest *ingest, int64_t started_ms)
{
    const struct answers *answers = ingest->answers;
    cli_figures("read=%llu appended=%llu duplicates=%llu conflicts=%llu invalid=%llu bytes=%llu seconds=%.3f",
                (unsigned long long)ingest->read, (unsigned long long)ingest->appended,
                (unsigned long long)ingest->duplicates, (unsigned long long)answers->conflicts,
                (unsigned long long)answers->invalid, (unsigned long long)ingest->bytes,
                (double)(io_monotonic_ms() - started_ms) / 1000);
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-write", help_text);
    int64_t started_ms = io_monotonic_ms();
    struct request request = {0};
    struct answers *answers = &request.answers;
    struct ingest *ingest = &request.ingest;
    struct progress progress;
    struct error err;
    read_options(&cli, argc, argv, &request);
    char *const *files = argv + optind;
    size_t count = (size_t)(argc - optind);
    answers->cli = &cli;
    answers->options = &request.options;
    output_start(&answers->out);
    interrupt_catch();
    interrupt_ignore_sigpipe();
    enum status status = open_all(&request, files, count, &err);
    if (status != STATUS_OK)
        cli_die(&cli, status, &err);
    progress_start(&progress, request.progress, input_size(files, count));
    cli.progress = &progress;
    ingest->cli = &cli;
    ingest->store = answers->store;
    ingest->input = input_open(&cli, files, count, ingest->rules.max_line);
    ingest->answers = answers;
    ingest->progress = &progress;
    if (ingest->input)
        ingest_run(ingest);
    else
        cli_fail(&cli, error_set_memory(&err), &err);
    progress_clear(&progress);
    answers_finish(answers);
    if (request.stats)
        print_stats(ingest, started_ms);
    store_close(answers->store);
    input_close(ingest->input);
    return cli_finish(&cli, &answers->out);
}
