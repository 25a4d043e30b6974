#include <stdarg.h>
#include <stdio.h>

#include "files/check/state.h"

void check_tell(struct check *check, const char *format, ...)
{
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    if (!check->options->notice)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check->options->notice(check->options->context, NOTICE_NOTE, text);
}

/* The store says itself which ends it mended, and how. */
static void mend_ends(struct check *check)
{
    struct error why;
    if (catalog_mend_all(check->mender, &why) == STATUS_OK)
        check->totals.mended += check->torn;
    else
        check_fail(check, &why);
}

static void remake_index(struct check *check)
{
    struct error why;
    if (catalog_remake_index(check->mender, &why) != STATUS_OK) {
        check_fail(check, &why);
        return;
    }
    check->totals.mended += check->disagreements;
    check_tell(check, "%s: made anew", workspace_folder_path(catalog_workspace(check->store), FOLDER_INDEX));
}

static size_t sweep_folder(struct check *check, enum workspace_folder which)
{
    struct workspace *workspace = catalog_workspace(check->mender);
    struct error why;
    size_t removed = 0;
    int folder;
    if (workspace_folder(workspace, which, false, &folder, NULL) != STATUS_OK)
        return 0; /* it is not there, or that was told when it was looked into */
    if (io_sweep(folder, workspace_folder_path(workspace, which), check->options->now_seconds, &removed, &why) !=
        STATUS_OK)
        check_fail(check, &why);
    return removed;
}

static void sweep(struct check *check)
{
    uint64_t removed = 0;
    for (enum workspace_folder which = 0; which < WORKSPACE_ROOMS; which++)
        removed += sweep_folder(check, which);
    check->totals.mended += removed < check->left_over ? removed : check->left_over;
    if (removed > 0)
        check_tell(check, "removed %llu temporar%s", (unsigned long long)removed, removed == 1 ? "y" : "ies");
}

/* The index first: what it says is believed when ends are mended. */
void check_repair(struct check *check)
{
    if (check->disagreements > 0)
        remake_index(check);
    if (check->torn > 0 || check->unended > 0)
        mend_ends(check);
    if (check->left_over > 0)
        sweep(check);
}
