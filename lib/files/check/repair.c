#include "files/check/state.h"

/* Removes the temporaries that were left over. */
static void sweep(struct check *check)
{
    struct workspace *workspace = catalog_workspace(check->mender);
    uint64_t all = 0;
    for (enum workspace_folder which = 0; which < WORKSPACE_FOLDERS; which++) {
        struct error why;
        size_t removed = 0;
        int folder;
        if (workspace_folder(workspace, which, false, &folder, NULL) != STATUS_OK)
            continue; /* it is not there, or that was reported when it was looked into */
        const char *path = workspace_folder_path(workspace, which);
        if (io_sweep(folder, path, check->options->now_seconds, &removed, &why) != STATUS_OK)
            check_fail(check, &why);
        all += removed;
    }
    check->request->mended += all < check->left_over ? all : check->left_over;
    if (all > 0)
        notices_tell(&check->notices, NOTICE_NOTE, "removed %llu temporar%s", (unsigned long long)all,
                     all == 1 ? "y" : "ies");
}

void check_repair(struct check *check)
{
    struct error why;
    /* The index first: what it says is believed when ends are mended. */
    if (check->disagreements > 0 && catalog_remake_index(check->mender, &why) != STATUS_OK) {
        check_fail(check, &why);
    } else if (check->disagreements > 0) {
        check->request->mended += check->disagreements;
        notices_tell(&check->notices, NOTICE_NOTE, "%s: made anew",
                     workspace_folder_path(catalog_workspace(check->store), FOLDER_INDEX));
    }
    /* The store says itself which ends it mended, and how. */
    if ((check->torn > 0 || check->unended > 0) && catalog_mend_all(check->mender, &why) != STATUS_OK)
        check_fail(check, &why);
    else
        check->request->mended += check->torn;
    if (check->left_over > 0)
        sweep(check);
}
