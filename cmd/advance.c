#include "advance.h"

#include <stdint.h>

#include "base/io.h"
#include "base/timestamp.h"
#include "checkpoints.h"
#include "files/worker/change.h"
#include "input.h"
#include "interrupt.h"

#define STORE_AFTER_MS 500 /* from the first line that is not stored yet */

struct advance {
    struct checkpoints checkpoints;
    const char *name;
    int64_t now_seconds;
};

/* ---- to another checkpoint */

static enum status run_to(struct advance *advance, const char *path, struct error *err)
{
    struct checkpoint to;
    struct error why;
    bool moved;
    interrupt_at_once(true); /* FILE may be a FIFO that nobody ever opens */
    enum status status = checkpoint_read_path(path, &to, &why);
    interrupt_at_once(false);
    if (status == STATUS_INVALID)
        return error_set(err, status, "%s; nothing was moved", why.text);
    if (status != STATUS_OK)
        return error_set(err, STATUS_IO, "%s", why.text);
    status = change_advance(advance->checkpoints.store, advance->name, &to, advance->now_seconds, &moved, &why);
    if (status == STATUS_INVALID)
        error_set(err, status, "%s: %s; nothing was moved", path, why.text);
    else if (status != STATUS_OK)
        *err = why;
    checkpoint_release(&to);
    return status;
}

/* ---- past lines */

/* The next line. No file is held open, and none of the input's memory, while it is waited for. */
static enum input_result next_line(struct input *input, struct change_pass *pass, int64_t deadline,
                                   struct input_line *ret_line)
{
    enum input_result result = input_next(input, 0, ret_line);
    if (result != INPUT_PENDING)
        return result;
    input_release(input);
    change_pass_rest(pass);
    return input_next(input, deadline, ret_line);
}

static enum status pass_line(struct change_pass *pass, const struct input_line *line, struct error *err)
{
    struct error why;
    enum status status = change_pass(pass, line->data, line->length, &why);
    if (status != STATUS_OK)
        error_set(err, status, "%s:%llu: %s", line->file, (unsigned long long)line->number, why.text);
    return status;
}

/* Reads lines until there are no more, or what comes cannot be passed: *ret_read and *why. Stores as it goes, a slow
 * worker's at once in time; returns how that went. */
static enum status pass_lines(struct input *input, struct change_pass *pass, enum status *ret_read, struct error *why,
                              struct error *err)
{
    int64_t deadline = INPUT_FOR_EVER;
    enum status read = STATUS_OK, stored = STATUS_OK;
    struct input_line line;
    while (read == STATUS_OK && stored == STATUS_OK) {
        enum input_result result = next_line(input, pass, deadline, &line);
        if (result == INPUT_END || result == INPUT_INTERRUPTED) {
            read = input_failure(input, why);
            break;
        }
        if (result == INPUT_LINE)
            read = pass_line(pass, &line, why);
        if (deadline == INPUT_FOR_EVER && change_pass_pending(pass))
            deadline = io_monotonic_ms() + STORE_AFTER_MS;
        if (read == STATUS_OK && (result == INPUT_PENDING || io_monotonic_ms() >= deadline)) {
            stored = change_pass_store(pass, err);
            deadline = INPUT_FOR_EVER;
        }
    }
    *ret_read = read;
    return stored;
}

/* What precedes that which cannot be passed is stored all the same. */
static enum status pass_and_store(struct advance *advance, struct input *input, struct change_pass *pass,
                                  struct error *err)
{
    struct error why;
    enum status read;
    enum status stored = pass_lines(input, pass, &read, &why, err);
    if (stored == STATUS_OK)
        stored = change_pass_store(pass, err);
    if (read == STATUS_OK)
        return stored;
    if (stored == STATUS_OK)
        return error_set(err, read, "%s; what precedes it counts", why.text);
    cli_fail(advance->checkpoints.cli, read, &why);
    return stored;
}

static enum status run_lines(struct advance *advance, const struct advance_request *request, struct error *err)
{
    struct change_pass *pass = NULL;
    struct input *input = NULL;
    enum status status = change_pass_open(advance->checkpoints.store, advance->name, advance->now_seconds, &pass, err);
    if (status == STATUS_OK &&
        !(input = input_open(advance->checkpoints.cli, request->files, request->file_count, SIZE_MAX)))
        status = error_set_memory(err);
    if (status == STATUS_OK) {
        input_stop_at_failure(input);
        status = pass_and_store(advance, input, pass, err);
    }
    input_close(input);
    change_pass_close(pass);
    return status;
}

enum status advance_run(struct cli *cli, const struct options *options, const struct advance_request *request,
                        struct error *err)
{
    struct advance advance = {.name = request->name, .now_seconds = options->clock / MICROSECONDS_A_SECOND};
    interrupt_catch();
    enum status status = checkpoints_open(&advance.checkpoints, cli, options, WORKSPACE_WRITE, err);
    if (status == STATUS_OK)
        status = request->to ? run_to(&advance, request->to, err) : run_lines(&advance, request, err);
    checkpoints_close(&advance.checkpoints);
    return status;
}
