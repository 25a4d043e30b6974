#include "checkpoints.h"

#include "base/timestamp.h"
#include "files/documents.h"
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

enum status checkpoints_lock(struct checkpoints *checkpoints, unsigned kinds, struct error *err)
{
    enum status status = kinds != 0 ? catalog_refresh(checkpoints->store, kinds, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = catalog_lock(checkpoints->store, err);
    if (status != STATUS_OK || kinds == 0)
        return status;
    status = catalog_refresh(checkpoints->store, kinds, err);
    if (status != STATUS_OK)
        catalog_unlock(checkpoints->store);
    return status;
}

void checkpoints_unlock(struct checkpoints *checkpoints)
{
    catalog_unlock(checkpoints->store);
    catalog_close_files(checkpoints->store);
}

enum status checkpoints_load(struct checkpoints *checkpoints, const char *name, struct checkpoint *ret_checkpoint,
                             bool *ret_absent, struct error *err)
{
    enum status status = checkpoint_load(catalog_workspace(checkpoints->store), name, ret_checkpoint, err);
    *ret_absent = status == STATUS_ABSENT;
    if (status == STATUS_ABSENT)
        checkpoint_init(ret_checkpoint);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status checkpoints_save(struct checkpoints *checkpoints, const char *name, const struct checkpoint *checkpoint,
                             struct error *err)
{
    struct bytes text = {0};
    enum status status = checkpoint_print(checkpoint, &text, err);
    if (status == STATUS_OK)
        status = checkpoint_save(catalog_workspace(checkpoints->store), name, &text,
                                 checkpoints->options->clock / MICROSECONDS_A_SECOND, err);
    bytes_release(&text);
    return status;
}
