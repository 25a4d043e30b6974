#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "cli.h"
#include "document.h"
#include "interrupt.h"
#include "open.h"
#include "options.h"
#include "progress.h"

static const char help_text[] = "Usage: metaspn-fsck [OPTION]...\n"
                                "\n"
                                "Look at every line of a store, its checkpoints and snapshots and its index, and\n"
                                "report what is wrong, one finding a line: FILE:LINE:BYTE: what. Changes nothing\n"
                                "without --repair; others may go on writing meanwhile.\n"
                                "\n"
                                "Options:\n"
                                "      --repair          mend torn ends, copy damaged lines to quarantine/,\n"
                                "                        remove left-over temporaries, rebuild a wrong index\n"
                                "      --json            each finding as a JSON object: byte, file, line, what\n"
                                "      --progress, --no-progress\n"
                                "                        show how far it is (default: on a terminal)\n" COMMON_HELP "\n"
                                "Exit status: 0 clean, or all findings mended; 2 usage; 3 there are findings;\n"
                                "5 something cannot be read, or with --repair not be written.\n"
                                "\n"
                                "Examples:\n"
                                "  metaspn-fsck -C ws\n"
                                "  metaspn-fsck -C ws --json | jq -r .what | sort | uniq -c\n";

enum { OPTION_REPAIR = OPTION_OWN, OPTION_JSON, OPTION_PROGRESS, OPTION_NO_PROGRESS };

static const struct option long_options[] = {
    COMMON_LONG,
    {"repair", no_argument, NULL, OPTION_REPAIR},
    {"json", no_argument, NULL, OPTION_JSON},
    {"progress", no_argument, NULL, OPTION_PROGRESS},
    {"no-progress", no_argument, NULL, OPTION_NO_PROGRESS},
    {0},
};

struct fsck {
    struct cli *cli;
    struct options options;
    bool repair, json;
    enum progress_wish wish;
    struct progress progress;
    struct output out;
    struct bytes text;
};

static void read_options(struct fsck *fsck, int argc, char **argv)
{
    for (int c; (c = options_next(fsck->cli, &fsck->options, argc, argv, COMMON_SHORT, long_options)) != -1;)
        switch (c) {
        case OPTION_REPAIR:
            fsck->repair = true;
            break;
        case OPTION_JSON:
            fsck->json = true;
            break;
        case OPTION_PROGRESS:
            fsck->wish = PROGRESS_ALWAYS;
            break;
        case OPTION_NO_PROGRESS:
            fsck->wish = PROGRESS_NEVER;
            break;
        }
    options_no_operands(fsck->cli, argc, argv);
    options_finish(fsck->cli, &fsck->options);
}

/* ---- what the check tells */

static void found(void *context, const struct store_flaw *flaw)
{
    struct fsck *fsck = context;
    struct finding finding = {flaw->file, flaw->line, flaw->byte, flaw->what};
    struct bytes *text = &fsck->text;
    struct error err;
    progress_clear(&fsck->progress);
    bytes_clear(text);
    if (fsck->json) {
        if (cli_fail(fsck->cli, document_finding(&finding, text, &err), &err) == STATUS_OK)
            output_line(&fsck->out, text->data, text->length);
        return;
    }
    bool good = bytes_append_string(text, flaw->file);
    if (good && flaw->line > 0)
        good = bytes_append_format(text, ":%llu:%llu", (unsigned long long)flaw->line, (unsigned long long)flaw->byte);
    if (good && bytes_append_format(text, ": %s", flaw->what) && bytes_append_char(text, '\0'))
        output_name(&fsck->out, text->data);
    else
        cli_fail(fsck->cli, error_set_memory(&err), &err);
}

/* Before a message, so that both stand in their order where they go to one place. */
static void show_findings(struct fsck *fsck)
{
    progress_clear(&fsck->progress);
    output_flush(&fsck->out);
}

static void failed(void *context, const struct error *why)
{
    struct fsck *fsck = context;
    show_findings(fsck);
    cli_fail(fsck->cli, STATUS_IO, why);
}

static void go_on(void *context, uint64_t lines, uint64_t bytes, uint64_t total)
{
    struct fsck *fsck = context;
    fsck->progress.total = total > bytes ? total : bytes; /* others may have appended */
    progress_update(&fsck->progress, lines, bytes);
}

static void notice(void *context, enum notice kind, const char *text)
{
    struct fsck *fsck = context;
    show_findings(fsck);
    cli_notice(fsck->cli, kind, text);
}

/* ---- what came of it */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* More than three of them make. */
#define REMARKS_SIZE 256

static void add_remark(char *text, uint64_t count, const char *what)
{
    size_t used = strlen(text);
    if (count > 0)
        snprintf(text + used, REMARKS_SIZE - used, "%s%llu %s",
                 used > 0 ? ", " : "; lines: ", (unsigned long long)count, what);
}

static void summarize(const struct fsck *fsck, const struct store_check *check)
{
    char mended[64] = "", lines[REMARKS_SIZE] = "";
    if (check->mended > 0)
        snprintf(mended, sizeof mended, ", %llu mended", (unsigned long long)check->mended);
    add_remark(lines, check->quarantined, "in quarantine");
    add_remark(lines, check->uncanonical, "not canonical");
    add_remark(lines, check->late, "out of order");
    cli_sum(fsck->cli, "%llu finding%s in %llu line%s of %llu partition%s%s%s", (unsigned long long)check->flaws,
            plural(check->flaws), (unsigned long long)check->lines, plural(check->lines),
            (unsigned long long)check->parts, plural(check->parts), mended, lines);
}

static void run(struct fsck *fsck)
{
    struct store_options opening = options_store(fsck->cli, &fsck->options);
    struct store_check check = {
        .repair = fsck->repair,
        .found = found,
        .failed = failed,
        .progress = go_on,
        .context = fsck,
    };
    struct store *store = NULL;
    struct error err;
    opening.only_documents = true; /* the check opens what it needs of the events */
    opening.notice = notice;
    opening.notice_context = fsck;
    enum status status = store_open(fsck->options.workspace, &opening, &store, &err);
    if (status == STATUS_OK)
        status = store_check(store, &check, &err);
    store_close(store);
    show_findings(fsck);
    if (cli_fail(fsck->cli, status, &err) != STATUS_OK)
        return;
    if (check.flaws > check.mended)
        cli_note_status(fsck->cli, STATUS_INVALID);
    if (!interrupt_caught())
        summarize(fsck, &check);
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-fsck", help_text);
    struct fsck fsck = {.cli = &cli};
    read_options(&fsck, argc, argv);
    output_start(&fsck.out);
    progress_start(&fsck.progress, fsck.wish, 0);
    cli.progress = &fsck.progress;
    if (fsck.repair) {
        interrupt_catch();
        interrupt_ignore_sigpipe();
    }
    run(&fsck);
    bytes_release(&fsck.text);
    return cli_finish(&cli, &fsck.out);
}
