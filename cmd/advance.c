#include "advance.h"

#include <stdint.h>

#include "base/io.h"
#include "checkpoints.h"
#include "files/documents.h"
#include "files/worker/advance.h"
#include "files/worker/lines.h"
#include "input.h"
#include "interrupt.h"

#define STORE_AFTER_MS 500 /* from the first line that is not stored yet */

struct advance {
    struct checkpoints checkpoints;
    const char *name;
};

/* `settle`: a stored checkpoint without positions gets them before it moves. */
static enum status merge(struct advance *advance, const struct checkpoint *to, bool settle, struct error *err)
{
    struct checkpoint checkpoint;
    bool absent, moved = false;
    struct catalog *store = advance->checkpoints.store;
    enum status status = checkpoints_load(&advance->checkpoints, advance->name, &checkpoint, &absent, err);
    if (status != STATUS_OK)
        return status;
    if (settle && !absent)
        status = checkpoint_complete(store, to->kind, &checkpoint, err);
    if (status == STATUS_OK)
        status = checkpoint_advance(store, &checkpoint, to, &moved, err);
    if (status == STATUS_OK && (moved || absent))
        status = checkpoints_save(&advance->checkpoints, advance->name, &checkpoint, err);
    checkpoint_release(&checkpoint);
    return status;
}

static enum status merge_locked(struct advance *advance, const struct checkpoint *to, bool settle, struct error *err)
{
    unsigned kinds = to->has_kind ? KIND_BIT(to->kind) : KIND_BITS_ALL;
    enum status status = checkpoints_lock(&advance->checkpoints, kinds, err);
    if (status != STATUS_OK)
        return status;
    status = merge(advance, to, settle, err);
    checkpoints_unlock(&advance->checkpoints);
    return status;
}

/* ---- to another checkpoint */

static enum status run_to(struct advance *advance, const char *path, struct error *err)
{
    struct checkpoint to;
    struct error why;
    interrupt_at_once(true); /* FILE may be a FIFO that nobody ever opens */
    enum status status = checkpoint_load_path(path, &to, &why);
    interrupt_at_once(false);
    if (status == STATUS_INVALID)
        return error_set(err, status, "%s; nothing was moved", why.text);
    if (status != STATUS_OK)
        return error_set(err, STATUS_IO, "%s", why.text);
    status = merge_locked(advance, &to, false, &why);
    if (status == STATUS_INVALID)
        error_set(err, status, "%s: %s; nothing was moved", path, why.text);
    else if (status != STATUS_OK)
        *err = why;
    checkpoint_release(&to);
    return status;
}

/* ---- behind lines */

static enum status store_passed(struct advance *advance, struct checkpoint_lines *lines, struct error *err)
{
    struct checkpoint passed;
    if (!checkpoint_lines_pending(lines))
        return STATUS_OK;
    enum status status = checkpoint_lines_take(lines, &passed, err);
    if (status != STATUS_OK)
        return status;
    status = merge_locked(advance, &passed, true, err);
    checkpoint_release(&passed);
    return status;
}

/* The next line. No file is held open, and none of the input's memory, while it is waited for. */
static enum input_result next_line(struct input *input, struct checkpoint_lines *lines, int64_t deadline,
                                   struct input_line *ret_line)
{
    enum input_result result = input_next(input, 0, ret_line);
    if (result != INPUT_PENDING)
        return result;
    input_release(input);
    checkpoint_lines_rest(lines);
    return input_next(input, deadline, ret_line);
}

static enum status pass_line(struct checkpoint_lines *lines, const struct input_line *line, struct error *err)
{
    struct error why;
    enum status status = checkpoint_lines_pass(lines, line->data, line->length, &why);
    if (status != STATUS_OK)
        error_set(err, status, "%s:%llu: %s", line->file, (unsigned long long)line->number, why.text);
    return status;
}

/* Reads lines until there are no more, or what comes cannot be passed: *ret_read and *why. Stores as it goes, a slow
 * worker's at once in time; returns how that went. */
static enum status pass_lines(struct advance *advance, struct input *input, struct checkpoint_lines *lines,
                              enum status *ret_read, struct error *why, struct error *err)
{
    int64_t deadline = INPUT_FOR_EVER;
    enum status read = STATUS_OK, stored = STATUS_OK;
    struct input_line line;
    while (read == STATUS_OK && stored == STATUS_OK) {
        enum input_result result = next_line(input, lines, deadline, &line);
        if (result == INPUT_END || result == INPUT_INTERRUPTED) {
            read = input_failure(input, why);
            break;
        }
        if (result == INPUT_LINE)
            read = pass_line(lines, &line, why);
        if (deadline == INPUT_FOR_EVER && checkpoint_lines_pending(lines))
            deadline = io_monotonic_ms() + STORE_AFTER_MS;
        if (read == STATUS_OK && (result == INPUT_PENDING || io_monotonic_ms() >= deadline)) {
            stored = store_passed(advance, lines, err);
            deadline = INPUT_FOR_EVER;
        }
    }
    *ret_read = read;
    return stored;
}

/* What precedes that which cannot be passed is stored all the same. */
static enum status pass_and_store(struct advance *advance, struct input *input, struct checkpoint_lines *lines,
                                  struct error *err)
{
    struct error why;
    enum status read;
    enum status stored = pass_lines(advance, input, lines, &read, &why, err);
    if (stored == STATUS_OK)
        stored = store_passed(advance, lines, err);
    if (read == STATUS_OK)
        return stored;
    if (stored == STATUS_OK)
        return error_set(err, read, "%s; what precedes it counts", why.text);
    cli_fail(advance->checkpoints.cli, read, &why);
    return stored;
}

static enum status run_lines(struct advance *advance, const struct advance_request *request, struct error *err)
{
    struct cli *cli = advance->checkpoints.cli;
    struct checkpoint_lines lines = {.store = advance->checkpoints.store, .kinds = KIND_BITS_ALL};
    struct checkpoint checkpoint;
    struct input *input = NULL;
    bool absent;
    enum status status = checkpoints_load(&advance->checkpoints, advance->name, &checkpoint, &absent, err);
    if (status != STATUS_OK)
        return status;
    if (checkpoint.has_kind)
        lines.kinds = KIND_BIT(checkpoint.kind);
    checkpoint_release(&checkpoint);
    status = catalog_refresh(lines.store, lines.kinds, err);
    if (status == STATUS_OK && !(input = input_open(cli, request->files, request->file_count, SIZE_MAX)))
        status = error_set_memory(err);
    if (status == STATUS_OK) {
        input_stop_at_failure(input);
        status = pass_and_store(advance, input, &lines, err);
    }
    input_close(input);
    checkpoint_lines_release(&lines);
    return status;
}

enum status advance_run(struct cli *cli, const struct options *options, const struct advance_request *request,
                        struct error *err)
{
    struct advance advance = {.name = request->name};
    interrupt_catch();
    enum status status = checkpoints_open(&advance.checkpoints, cli, options, WORKSPACE_WRITE, err);
    if (status == STATUS_OK)
        status = request->to ? run_to(&advance, request->to, err) : run_lines(&advance, request, err);
    checkpoints_close(&advance.checkpoints);
    return status;
}
