#include "checkpoints.h"

#include "interrupt.h"
#include "told.h"

#define LOCK_TIMEOUT_MS 60000

static void tell(void *context, enum notice notice, const char *text)
{
    struct checkpoints *checkpoints = context;
    if (told_before(&checkpoints->told, text)) /* by the look before the lock */
        return;
    if (notice == NOTICE_WARNING)
        cli_warning(checkpoints->cli, "%s", text);
    else
        cli_note(checkpoints->cli, "%s", text);
}

enum status checkpoints_open(struct checkpoints *checkpoints, struct cli *cli, const struct options *options,
                             enum workspace_access access, struct error *err)
{
    struct catalog_options catalog_options = {
        .access = access,
        .lock_timeout_ms = LOCK_TIMEOUT_MS,
        .interrupted = interrupt_flag(),
        .notice = tell,
        .notice_context = checkpoints,
    };
    *checkpoints = (struct checkpoints){.cli = cli, .options = options};
    return catalog_open(options->workspace, &catalog_options, &checkpoints->store, err);
}

void checkpoints_close(struct checkpoints *checkpoints)
{
    catalog_close(checkpoints->store);
    checkpoints->store = NULL;
    bytes_release(&checkpoints->told);
}
