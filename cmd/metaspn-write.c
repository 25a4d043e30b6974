#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "document.h"
#include "input.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"
#include "store.h"

static const char help_text[] = "Usage: metaspn-write [OPTION]... [FILE]...\n"
                                "\n"
                                "Read events (JSON objects, one a line) from FILEs or standard input and append\n"
                                "the new ones to the store. Nothing is stored twice: events are known by their id.\n"
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

enum print { PRINT_NONE, PRINT_PATH, PRINT_RESULT, PRINT_NEW, PRINT_ALL };
static const char *const kind_words[] = {"auto", "signals", "emissions", NULL};
static const char *const duplicate_words[] = {"return_existing", "ignore", "raise", NULL};
static const char *const invalid_words[] = {"stop", "skip", NULL};
static const char *const print_words[] = {"none", "path", "result", "new", "all", NULL};

#define BATCH_BYTES      ((size_t)8 << 20) /* of input, in one batch */
#define BATCH_MS         100               /* how long the first event of a batch waits for others */
#define REPORTED_INVALID 10                /* invalid lines that are told one by one under skip */
#define REPORTED_IDS     3                 /* conflicts that the warning names */

struct request {
    struct event_rules rules;
    struct store_options store;
    enum print print;
    bool raise, skip, stats;
    const char *rejects;
    enum progress_wish progress;
};

/* Where an item of the batch came from, and where its canonical line lies. */
struct origin {
    const char *file;
    uint64_t number;
    size_t scratch; /* offset in batch.scratch; SIZE_MAX: the line of the input itself */
};

struct batch {
    struct store_item *items;
    struct origin *origins;
    size_t count, capacity;
    size_t bytes;         /* of input */
    struct bytes scratch; /* canonical lines of those that came otherwise */
};

struct totals {
    uint64_t read, appended, duplicates, conflicts, invalid, bytes, input_bytes;
};

/* The invalid line that ended the reading. */
struct stop {
    bool set;
    const char *file;
    uint64_t number;
    struct error why;
};

struct writer {
    struct cli *cli;
    const struct options *options;
    const struct request *request;
    struct store *store;
    struct output out, rejects;
    struct batch batch;
    struct totals totals;
    struct stop stop;
    struct progress progress;
    struct bytes text;
    struct bytes conflicts; /* the first few, for the warning */
};

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

/* ---- what people and programs are told */

static void tell(void *context, enum notice notice, const char *text)
{
    struct writer *writer = context;
    progress_clear(&writer->progress);
    if (notice == NOTICE_WARNING)
        cli_warning(writer->cli, "%s", text);
    else
        cli_note(writer->cli, "%s", text);
}

/* DIR as it was given, then /store/signals/2026-02-05.jsonl. */
static bool first_path(struct writer *writer, const struct store_item *item)
{
    return store_partition_path(writer->store, item->first.partition, &writer->text);
}

static enum status print_result(struct writer *writer, const struct store_item *item, struct error *err)
{
    static const char *const statuses[] = {"appended", "duplicate", "conflict"};
    struct bytes document = {0};
    if (!first_path(writer, item))
        return error_set_memory(err);
    struct write_result result = {&item->event.id, event_kind_name(item->event.kind), writer->text.data,
                                  statuses[item->outcome]};
    enum status status = document_result(&result, &document, err);
    if (status == STATUS_OK)
        output_line(&writer->out, document.data, document.length);
    bytes_release(&document);
    return status;
}

/* The first record's line: of the store, or of this batch. */
static enum status print_first(struct writer *writer, const struct store_item *item, struct error *err)
{
    if (item->outcome != STORE_APPENDED && item->first_item == SIZE_MAX) {
        enum status status = store_read_line(writer->store, item->first, &writer->text, err);
        if (status == STATUS_OK)
            output_jsonl(&writer->out, writer->text.data, writer->text.length);
        return status == STATUS_ABSENT ? STATUS_IO : status;
    }
    if (item->outcome != STORE_APPENDED)
        item = &writer->batch.items[item->first_item];
    output_jsonl(&writer->out, item->event.line, item->event.length);
    return STATUS_OK;
}

static enum status print_item(struct writer *writer, const struct store_item *item, struct error *err)
{
    switch (writer->request->print) {
    case PRINT_NONE:
        break;
    case PRINT_PATH:
        if (!first_path(writer, item))
            return error_set_memory(err);
        output_name(&writer->out, writer->text.data);
        break;
    case PRINT_RESULT:
        return print_result(writer, item, err);
    case PRINT_NEW:
        if (item->outcome == STORE_APPENDED)
            output_jsonl(&writer->out, item->event.line, item->event.length);
        break;
    case PRINT_ALL:
        return print_first(writer, item, err);
    }
    return STATUS_OK;
}

static void note_conflict(struct writer *writer, size_t i)
{
    const struct origin *origin = &writer->batch.origins[i];
    const struct json_text *id = &writer->batch.items[i].event.id;
    if (writer->totals.conflicts++ < REPORTED_IDS)
        bytes_append_format(&writer->conflicts, "%s%s:%llu: %.*s", writer->conflicts.length > 0 ? ", " : "",
                            origin->file, (unsigned long long)origin->number, id->length > 100 ? 100 : (int)id->length,
                            id->data);
}

static void warn_of_conflicts(struct writer *writer)
{
    uint64_t count = writer->totals.conflicts;
    if (count > 0)
        cli_warning(writer->cli,
                    "%llu conflict%s (a stored id came with other content; the first record stands): %.*s%s",
                    (unsigned long long)count, count == 1 ? "" : "s", (int)writer->conflicts.length,
                    writer->conflicts.data ? writer->conflicts.data : "", count > REPORTED_IDS ? ", ..." : "");
}

static void say_stats(struct writer *writer, int64_t started_ms)
{
    const struct totals *t = &writer->totals;
    cli_print(writer->cli,
              "read=%llu appended=%llu duplicates=%llu conflicts=%llu invalid=%llu bytes=%llu seconds=%.3f",
              (unsigned long long)t->read, (unsigned long long)t->appended, (unsigned long long)t->duplicates,
              (unsigned long long)t->conflicts, (unsigned long long)t->invalid, (unsigned long long)t->bytes,
              (double)(cli_monotonic_ms() - started_ms) / 1000);
}

/* ---- a batch */

static bool batch_add(struct batch *batch, const struct input_line *line, const struct event *event, size_t scratch)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity * 2 + 1024;
        struct store_item *items = reallocarray(batch->items, capacity, sizeof *items);
        if (items)
            batch->items = items;
        struct origin *origins = items ? reallocarray(batch->origins, capacity, sizeof *origins) : NULL;
        if (!origins)
            return false;
        batch->origins = origins;
        batch->capacity = capacity;
    }
    batch->items[batch->count] = (struct store_item){.event = *event};
    batch->origins[batch->count++] = (struct origin){line->file, line->number, scratch};
    batch->bytes += line->length;
    return true;
}

/* Canonical lines have moved while the batch grew. */
static void rebase_items(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->origins[i].scratch != SIZE_MAX)
            event_rebase(&batch->items[i].event, batch->scratch.data + batch->origins[i].scratch);
}

static void say_duplicate(struct writer *writer, size_t i)
{
    const struct origin *origin = &writer->batch.origins[i];
    const struct store_item *item = &writer->batch.items[i];
    char quoted[QUOTED_SIZE];
    const struct json_text *id = &item->event.id;
    cli_error(writer->cli, "%s:%llu: duplicate %s %s: not stored, nor is what follows", origin->file,
              (unsigned long long)origin->number, item->event.kind == EVENT_SIGNAL ? "signal_id" : "emission_id",
              quote_bytes(quoted, id->data + 1, id->length - 2));
    cli_note_status(writer->cli, STATUS_DUPLICATE);
}

static void say_failure(struct writer *writer, const struct error *why)
{
    cli_error(writer->cli, "%s; %llu events of the input are stored", why->text,
              (unsigned long long)(writer->totals.appended + writer->totals.duplicates));
    cli_note_status(writer->cli, STATUS_IO);
}

static bool print_batch(struct writer *writer, size_t done)
{
    struct error why;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < done && status == STATUS_OK && !output_failed(&writer->out); i++) {
        if (writer->batch.items[i].outcome == STORE_CONFLICT)
            note_conflict(writer, i);
        status = print_item(writer, &writer->batch.items[i], &why);
    }
    if (status != STATUS_OK)
        cli_fail(writer->cli, status, &why);
    return status == STATUS_OK && output_flush(&writer->out);
}

/* Stores what was gathered, and prints what that made of it. False: no more input is wanted. */
static bool store_batch(struct writer *writer)
{
    struct batch *batch = &writer->batch;
    struct store_result result;
    struct error why;
    if (batch->count == 0)
        return true;
    rebase_items(batch);
    enum status status = store_append(writer->store, batch->items, batch->count, writer->request->raise, &result, &why);
    progress_clear(&writer->progress);
    if (status != STATUS_OK && status != STATUS_DUPLICATE) {
        say_failure(writer, &why);
        return false;
    }
    writer->totals.appended += result.appended;
    writer->totals.duplicates += result.duplicates;
    writer->totals.bytes += result.bytes;
    bool printed = print_batch(writer, result.done);
    if (status == STATUS_DUPLICATE)
        say_duplicate(writer, result.done);
    writer->totals.input_bytes += batch->bytes;
    progress_update(&writer->progress, writer->totals.read, writer->totals.input_bytes);
    batch->count = batch->bytes = 0;
    bytes_clear(&batch->scratch);
    return printed && status == STATUS_OK;
}

/* ---- lines */

static enum status reject_line(struct writer *writer, const struct input_line *line, const struct error *why)
{
    struct bytes document = {0};
    struct error err;
    struct rejected_line rejected = {line->file,           line->number, why->text,
                                     writer->options->now, line->data,   line->length};
    enum status status = document_rejected(&rejected, &document, &err);
    if (status == STATUS_OK)
        output_line(&writer->rejects, document.data, document.length);
    bytes_release(&document);
    return status;
}

/* An invalid line: the end, or counted, told and put aside. */
static bool refuse_line(struct writer *writer, const struct input_line *line, const struct error *why)
{
    writer->totals.invalid++;
    if (!writer->request->skip) {
        writer->stop = (struct stop){true, line->file, line->number, *why};
        return false;
    }
    progress_clear(&writer->progress);
    if (writer->totals.invalid <= REPORTED_INVALID)
        cli_error(writer->cli, "%s:%llu: %s", line->file, (unsigned long long)line->number, why->text);
    cli_note_status(writer->cli, STATUS_INVALID);
    if (!writer->request->rejects)
        return true;
    if (reject_line(writer, line, why) != STATUS_OK || output_failed(&writer->rejects)) {
        cli_error(writer->cli, "%s: cannot write", writer->request->rejects);
        cli_note_status(writer->cli, STATUS_IO);
        return false;
    }
    return true;
}

/* False: reading ends here. */
static bool take_line(struct writer *writer, const struct input_line *line)
{
    struct batch *batch = &writer->batch;
    struct event event;
    struct error why;
    bool borrowed = true;
    size_t before = batch->scratch.length;
    if (!line->too_long && json_is_blank(line->data, line->length))
        return true;
    writer->totals.read++;
    enum status status =
        line->too_long
            ? error_set(&why, STATUS_INVALID, "line is longer than %zu bytes", writer->request->rules.max_line)
            : event_check(line->data, line->length, &writer->request->rules, &batch->scratch, &event, &borrowed, &why);
    if (status == STATUS_INVALID)
        return refuse_line(writer, line, &why);
    if (status == STATUS_OK && !batch_add(batch, line, &event, borrowed ? SIZE_MAX : before))
        status = error_set_memory(&why);
    return cli_fail(writer->cli, status, &why) == STATUS_OK;
}

static bool batch_is_full(const struct batch *batch)
{
    return batch->bytes >= BATCH_BYTES || batch->scratch.length >= BATCH_BYTES;
}

/* Gathers lines until the batch is full or its first event has waited long enough. False: the input is at its end. */
static bool gather_batch(struct writer *writer, struct input *input)
{
    int64_t deadline = INPUT_FOR_EVER;
    while (!batch_is_full(&writer->batch)) {
        struct input_line line;
        switch (input_next(input, deadline, &line)) {
        case INPUT_LINE:
            if (!take_line(writer, &line))
                return false;
            if (writer->batch.count > 0 && deadline == INPUT_FOR_EVER)
                deadline = cli_monotonic_ms() + BATCH_MS;
            break;
        case INPUT_PENDING:
            return true;
        case INPUT_END:
        case INPUT_INTERRUPTED:
            return false;
        }
    }
    return true;
}

static void run(struct writer *writer, struct input *input)
{
    for (bool more = true; more;) {
        more = gather_batch(writer, input);
        if (!store_batch(writer))
            return;
        if (more)
            input_release(input);
        if (writer->request->rejects && !output_flush(&writer->rejects))
            return;
    }
    if (writer->stop.set) {
        cli_error(writer->cli, "%s:%llu: %s: not stored, nor is what follows", writer->stop.file,
                  (unsigned long long)writer->stop.number, writer->stop.why.text);
        cli_note_status(writer->cli, STATUS_INVALID);
    }
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

static void finish_rejects(struct writer *writer)
{
    if (!writer->request->rejects)
        return;
    uint64_t count = writer->totals.invalid;
    if (output_close(&writer->rejects) != 0) {
        cli_error(writer->cli, "%s: cannot write", writer->request->rejects);
        cli_note_status(writer->cli, STATUS_IO);
    } else if (count > 0) {
        cli_note(writer->cli, "%llu invalid line%s put into %s", (unsigned long long)count, count == 1 ? "" : "s",
                 writer->request->rejects);
    }
}

static void finish(struct writer *writer, int64_t started_ms)
{
    progress_clear(&writer->progress);
    if (writer->request->skip && writer->totals.invalid > REPORTED_INVALID)
        cli_error(writer->cli, "%llu invalid lines in all", (unsigned long long)writer->totals.invalid);
    finish_rejects(writer);
    warn_of_conflicts(writer);
    if (writer->request->stats)
        say_stats(writer, started_ms);
    store_close(writer->store);
    free(writer->batch.items);
    free(writer->batch.origins);
    bytes_release(&writer->batch.scratch);
    bytes_release(&writer->text);
    bytes_release(&writer->conflicts);
}

int main(int argc, char **argv)
{
    struct cli cli = cli_start("metaspn-write", help_text);
    int64_t started_ms = cli_monotonic_ms();
    struct options options = {0};
    struct request request = {
        .rules = {KIND_BITS_ALL, EVENT_MAX_LINE},
        .store = {.access = WORKSPACE_WRITE, .lock_timeout_ms = 60000, .interrupted = interrupt_flag()},
    };
    struct writer writer = {.cli = &cli, .options = &options, .request = &request};
    struct error err;
    read_options(&cli, argc, argv, &options, &request);
    request.store.notice = tell;
    request.store.notice_context = &writer;
    output_start(&writer.out);
    interrupt_catch();
    interrupt_ignore_sigpipe();
    enum status status = store_open(options.workspace, &request.store, &writer.store, &err);
    if (status == STATUS_OK && request.rejects)
        status = output_append_to(&writer.rejects, request.rejects, &err);
    if (status != STATUS_OK) {
        store_close(writer.store);
        cli_die(&cli, status, &err);
    }
    size_t files = (size_t)(argc - optind);
    struct input *input = input_open(&cli, argv + optind, files, request.rules.max_line);
    progress_start(&writer.progress, request.progress, input_size(argv + optind, files));
    if (input)
        run(&writer, input);
    else
        cli_fail(&cli, error_set_memory(&err), &err);
    finish(&writer, started_ms);
    input_close(input);
    return cli_finish(&cli, &writer.out);
}
