#include "build.h"

#include <stdint.h>

#include "event/event.h"
#include "input.h"
#include "store/checkpoint.h"

struct build {
    struct checkpoint checkpoint;
    unsigned kinds; /* set of KIND_BIT()s; the first event decides */
    bool any;       /* there was an event */
};

static enum status take_line(struct build *build, const struct input_line *line, struct error *err)
{
    struct event event;
    bool blank;
    enum status status = event_recognize(line->data, line->length, &build->kinds, &event, &blank, err);
    if (status != STATUS_OK || blank)
        return status;
    if (build->any && event.timestamp < build->checkpoint.last_timestamp) {
        char before[TIMESTAMP_TEXT_SIZE], now[TIMESTAMP_TEXT_SIZE];
        timestamp_format(build->checkpoint.last_timestamp, before);
        timestamp_format(event.timestamp, now);
        return error_set(err, STATUS_INVALID, "the timestamps go down, from %s to %s", before, now);
    }
    build->any = true;
    return checkpoint_note(&build->checkpoint, event.timestamp, event.id) ? STATUS_OK : error_set_memory(err);
}

enum status build_run(struct cli *cli, char *const *files, size_t count, struct output *out, struct error *err)
{
    struct build build = {.kinds = KIND_BITS_ALL};
    struct input *input = input_open(cli, files, count, SIZE_MAX);
    struct input_line line;
    struct bytes text = {0};
    struct error why;
    checkpoint_init(&build.checkpoint);
    enum status status = input ? STATUS_OK : error_set_memory(err);
    while (status == STATUS_OK && input_next(input, INPUT_FOR_EVER, &line) == INPUT_LINE) {
        status = take_line(&build, &line, &why);
        if (status != STATUS_OK)
            error_set(err, status, "%s:%llu: %s; no checkpoint was printed", line.file, (unsigned long long)line.number,
                      why.text);
        input_release(input);
    }
    if (status != STATUS_OK || !build.any || cli->status != STATUS_OK)
        goto out;
    status = checkpoint_print(&build.checkpoint, &text, err);
    if (status != STATUS_OK)
        goto out;
    output_jsonl(out, text.data, text.length - 1);
out:
    input_close(input);
    checkpoint_release(&build.checkpoint);
    bytes_release(&text);
    return status;
}
