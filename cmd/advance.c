#include "advance.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/io.h"
#include "input.h"
#include "interrupt.h"
#include "json/json.h"

#define STORE_AFTER_MS 500                /* from the first line that is not stored yet */
#define ECHO_BYTES     ((size_t)16 << 20) /* of lines, in one step */

enum status advance_to(struct store *store, const char *name, const char *path, struct error *err)
{
    struct checkpoint to;
    struct error why;
    interrupt_at_once(true); /* FILE may be a FIFO that nobody ever opens */
    enum status status = checkpoint_read_path(path, &to, &why);
    interrupt_at_once(false);
    if (status == STATUS_INVALID)
        return error_set(err, status, "%s; nothing was moved", why.text);
    if (status != STATUS_OK)
        return error_set(err, STATUS_IO, "%s", why.text);
    status = store_advance(store, name, &to, &why);
    if (status == STATUS_INVALID)
        error_set(err, status, "%s: %s; nothing was moved", path, why.text);
    else if (status != STATUS_OK)
        *err = why;
    checkpoint_release(&to);
    return status;
}

/* Lines that are passed in one step. */
struct lines {
    struct json_text *texts;
    struct input_line *origins;
    size_t count, text_capacity, origin_capacity;
    size_t bytes;
};

/* Gathers lines until there are many, or the first one has waited long enough. *ret_more: more may come. */
static enum status gather(struct input *input, struct lines *lines, bool *ret_more, struct error *err)
{
    int64_t deadline = INPUT_FOR_EVER;
    enum input_result result = INPUT_LINE;
    struct input_line line;
    lines->count = lines->bytes = 0;
    while (lines->bytes < ECHO_BYTES && (result = input_next(input, deadline, &line)) == INPUT_LINE) {
        if (!ARRAY_RESERVE(lines->texts, lines->count, lines->text_capacity, 1) ||
            !ARRAY_RESERVE(lines->origins, lines->count, lines->origin_capacity, 1))
            return error_set_memory(err);
        lines->texts[lines->count] = (struct json_text){line.data, line.length};
        lines->origins[lines->count++] = line;
        lines->bytes += line.length + sizeof *lines->texts + sizeof *lines->origins;
        if (deadline == INPUT_FOR_EVER)
            deadline = io_monotonic_ms() + STORE_AFTER_MS;
    }
    *ret_more = result == INPUT_LINE || result == INPUT_PENDING;
    return STATUS_OK;
}

/* What precedes that which cannot be passed is stored all the same. */
static enum status pass(struct cli *cli, struct store *store, const char *name, const struct lines *lines,
                        struct error *err)
{
    struct store_echo echo = {.lines = lines->texts, .count = lines->count};
    enum status status = store_pass(store, name, &echo, err);
    if (echo.refused == STATUS_OK)
        return status;
    const struct input_line *line = &lines->origins[echo.passed];
    unsigned long long number = line->number;
    if (status == STATUS_OK)
        return error_set(err, echo.refused, "%s:%llu: %s; what precedes it counts", line->file, number, echo.why.text);
    cli_error(cli, "%s:%llu: %s", line->file, number, echo.why.text);
    cli_note_status(cli, echo.refused);
    return status;
}

enum status advance_past(struct cli *cli, struct store *store, const char *name, char *const *files, size_t count,
                         struct error *err)
{
    struct input *input = input_open(cli, files, count, SIZE_MAX);
    struct lines lines = {0};
    struct error why;
    bool more = true;
    /* no line yet: a store that cannot be read is not waited for */
    enum status status = input ? pass(cli, store, name, &lines, err) : error_set_memory(err);
    if (status == STATUS_OK)
        input_stop_at_failure(input);
    while (status == STATUS_OK && more) {
        status = gather(input, &lines, &more, err);
        if (status == STATUS_OK && lines.count > 0)
            status = pass(cli, store, name, &lines, err);
        input_release(input);
    }
    if (status != STATUS_OK)
        goto out;
    if (input_failure(input, &why) != STATUS_OK)
        status = error_set(err, STATUS_IO, "%s; what precedes it counts", why.text);
out:
    input_close(input);
    free(lines.texts);
    free(lines.origins);
    return status;
}
