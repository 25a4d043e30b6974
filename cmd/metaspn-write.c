#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "cli.h"
#include "files/catalog/catalog.h"
#include "files/workspace.h"
#include "ingest.h"
#include "input.h"
#include "interrupt.h"
#include "options.h"

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

static void read_options(struct cli *cli, int argc, char **argv, struct options *options, struct request *request)
{
    for (int c; (c = options_next(cli, options, argc, argv, COMMON_SHORT, long_options)) != -1;)
        switch (c) {
        case OPTION_KIND: {
            int kind = options_choice(cli, "--kind", optarg, kind_words);
            request->rules.kinds = kind == 0 ? KIND_BITS_ALL : KIND_BIT(kind - 1);
            break;
        }
        case OPTION_ON_DUPLICATE:
            request->raise = options_choice(cli, "--on-duplicate", optarg, duplicate_words) == 2;
            break;
        case OPTION_ON_INVALID:
            request->skip = options_choice(cli, "--on-invalid", optarg, invalid_words) == 1;
            break;
        case OPTION_REJECTS:
            request->rejects = optarg;
            break;
        case OPTION_PRINT:
            request->print = (enum print)options_choice(cli, "--print", optarg, print_words);
            break;
        case OPTION_MAX_LINE:
            request->rules.max_line = options_size(cli, "--max-line", optarg);
            break;
        case OPTION_NO_SYNC:
            request->store.no_sync = true;
            break;
        case OPTION_LOCK_TIMEOUT:
            request->store.lock_timeout_ms = options_seconds(cli, "--lock-timeout", optarg);
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
    options_finish(cli, options);
    request->skip = request->skip || request->rejects;
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

/* The operand is that very file. */
static bool operand_is(const char *operand, const struct stat *file)
{
    struct stat st;
    int result = strcmp(operand, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(operand, &st);
    return result == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* What is read and written at once is never at its end: each line that goes to `fd` would be read again. */
static enum status check_output(int fd, const char *what, char *const *files, size_t count, struct error *err)
{
    char *const stdin_only[] = {(char[]){"-"}};
    struct stat output;
    if (fstat(fd, &output) != 0 || !S_ISREG(output.st_mode))
        return STATUS_OK;
    if (count == 0) {
        files = stdin_only;
        count = 1;
    }
    for (size_t i = 0; i < count; i++)
        if (operand_is(files[i], &output))
            return error_set(err, STATUS_USAGE, "%s: the input is the file of %s itself", files[i], what);
    return STATUS_OK;
}

/* Opens the store and the rejects. STATUS_USAGE: some output is the input, too. The store is made last: what is refused
 * has done nothing. */
static enum status open_all(struct writer *writer, char *const *files, size_t count, struct error *err)
{
    const struct request *request = writer->request;
    enum status status = STATUS_OK;
    if (request->print != PRINT_NONE)
        status = check_output(STDOUT_FILENO, "standard output", files, count, err);
    if (status == STATUS_OK && request->rejects)
        status = workspace_check(writer->options->workspace, err);
    if (status == STATUS_OK && request->rejects)
        status = output_append_to(&writer->rejects, request->rejects, err);
    if (status == STATUS_OK && request->rejects)
        status = check_output(writer->rejects.fd, "--rejects", files, count, err);
    if (status == STATUS_OK)
        status = catalog_open(writer->options->workspace, &request->store, &writer->store, err);
    return status;
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-write", help_text);
    int64_t started_ms = io_monotonic_ms();
    struct options options = {0};
    struct request request = {
        .rules = {KIND_BITS_ALL, EVENT_MAX_LINE},
        .store = {.access = WORKSPACE_WRITE, .lock_timeout_ms = 60000, .interrupted = interrupt_flag()},
    };
    struct writer writer = {.cli = &cli, .options = &options, .request = &request};
    struct error err;
    read_options(&cli, argc, argv, &options, &request);
    request.store.notice = ingest_notice;
    request.store.notice_context = &writer;
    output_start(&writer.out);
    interrupt_catch();
    interrupt_ignore_sigpipe();
    size_t files = (size_t)(argc - optind);
    enum status status = open_all(&writer, argv + optind, files, &err);
    if (status != STATUS_OK) {
        catalog_close(writer.store);
        cli_die(&cli, status, &err);
    }
    struct input *input = input_open(&cli, argv + optind, files, request.rules.max_line);
    progress_start(&writer.progress, request.progress, input_size(argv + optind, files));
    cli.progress = &writer.progress;
    if (input)
        ingest_run(&writer, input);
    else
        cli_fail(&cli, error_set_memory(&err), &err);
    ingest_finish(&writer, started_ms);
    input_close(input);
    return cli_finish(&cli, &writer.out);
}
