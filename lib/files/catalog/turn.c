#include <unistd.h>

#include "files/catalog/state.h"

#define LOCK_TURNS    8                    /* lock files that are tried: a file system may tell inodes as it likes */
#define INDEX_WAIT_MS 2000                 /* how long others' commits of the index are waited for */
#define PENDING_MUCH  ((uint64_t)16 << 20) /* bytes to catch up with that are not read under the lock */

/* ---- the writers' lock */

enum status catalog_lock(struct catalog *store, struct error *err)
{
    const char *path = workspace_lock_path(store->workspace);
    for (int turn = 1;; turn++) {
        if (turn > 1 && workspace_refresh(store->workspace, err) != STATUS_OK)
            return STATUS_IO;
        if (store->lock < 0 && workspace_open_lock(store->workspace, &store->lock, err) != STATUS_OK)
            return STATUS_IO;
        if (io_lock(store->lock, store->options.lock_timeout_ms, store->options.interrupted, path, err) != STATUS_OK)
            return STATUS_IO;
        /* A copy of another store may have brought its own lock file: then the one that is open keeps nobody out. */
        if (turn == LOCK_TURNS || io_is_same_file(store->lock, workspace_store(store->workspace), "lock", false))
            break;
        close(store->lock);
        store->lock = -1;
    }
    store->locked = true;
    notices_hold(&store->notices); /* whoever listens may be slow */
    if (catalog_load_unsynced(store, err) == STATUS_OK)
        return STATUS_OK;
    catalog_unlock(store);
    return STATUS_IO;
}

void catalog_unlock(struct catalog *store)
{
    if (!store->locked)
        return;
    catalog_save_unsynced(store);
    io_unlock(store->lock, workspace_lock_path(store->workspace), NULL);
    store->locked = false;
    notices_let_go(&store->notices);
}

/* ---- the turn */

enum status catalog_see(struct catalog *store, unsigned kinds, bool *ret_much, struct error *err)
{
    uint64_t pending;
    enum status status = catalog_look(store, kinds, &pending, err);
    if (ret_much)
        *ret_much = pending > PENDING_MUCH;
    if (status != STATUS_OK || (ret_much && *ret_much))
        return status;
    return catalog_read_on(store, err);
}

void catalog_end_turn(struct catalog *store)
{
    catalog_close_files(store);
    index_unlock(store->index);
    catalog_unlock(store);
}

enum status catalog_begin_turn(struct catalog *store, unsigned kinds, struct error *err)
{
    enum status status;
    for (int turn = 0;; turn++) {
        bool much = false;
        status = catalog_lock(store, err);
        if (status != STATUS_OK)
            break;
        status = catalog_find_index(store, err);
        if (status != STATUS_OK)
            break;
        status = index_lock(store->index, INDEX_WAIT_MS, err);
        if (status == STATUS_ABSENT) /* not to be had: nothing is committed, and the turn is as good */
            status = index_reload(store->index, err);
        if (status != STATUS_OK)
            break;
        status = catalog_see(store, kinds, turn < 2 ? &much : NULL, err);
        if (status != STATUS_OK)
            break;
        if (!much)
            return STATUS_OK;
        catalog_end_turn(store);
        status = catalog_refresh(store, kinds, err);
        if (status != STATUS_OK)
            return status;
    }
    catalog_end_turn(store);
    return status;
}

/* Everything is read before the lock is taken; what came meanwhile is caught up with by whoever comes next. */
enum status catalog_remake_index(struct catalog *store, struct error *err)
{
    index_reset(store->index);
    enum status status = catalog_refresh(store, KIND_BITS_ALL, err);
    if (status != STATUS_OK)
        goto out;
    status = catalog_lock(store, err); /* a writer may keep the index's lock for longer than that is waited for */
    if (status != STATUS_OK)
        goto out;
    status = index_lock(store->index, INDEX_WAIT_MS, err);
    if (status != STATUS_OK)
        goto out;
    status = index_commit_folded(store->index, err);
out:
    catalog_end_turn(store);
    if (status != STATUS_OK)
        return STATUS_IO;
    if (!index_is_persistent(store->index))
        return error_set(err, STATUS_IO, "%s/index: cannot be written", workspace_store_path(store->workspace));
    return STATUS_OK;
}
