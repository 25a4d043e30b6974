#include "files/catalog/state.h"

#define INDEX_WAIT_MS 2000                 /* how long others' commits of the index are waited for */
#define PENDING_MUCH  ((uint64_t)16 << 20) /* bytes to catch up with that are not read under the lock */

enum status catalog_see(struct catalog *store, unsigned kinds, bool *ret_much, struct error *err)
{
    uint64_t pending;
    enum status status = catalog_look(store, kinds, &pending, err);
    bool much = ret_much && pending > PENDING_MUCH;
    if (ret_much)
        *ret_much = much;
    if (status == STATUS_OK && !much)
        status = catalog_read_on(store, err);
    for (int turn = 0; status == STATUS_INVALID && turn < 2; turn++)
        status = catalog_rebuild(store, err);
    return status;
}

/* The locks: the writers', then the index's. Without the index's nothing is committed, and the turn is as good. */
static enum status take_locks(struct catalog *store, struct error *err)
{
    enum status status = catalog_lock(store, err);
    if (status == STATUS_OK)
        status = catalog_find_index(store, err);
    if (status != STATUS_OK)
        return status;
    status = index_lock(store->index, INDEX_WAIT_MS, err);
    if (status == STATUS_ABSENT)
        status = index_reload(store->index, err);
    return status;
}

void catalog_end_turn(struct catalog *store)
{
    catalog_close_files(store);
    index_unlock(store->index);
    catalog_unlock(store);
}

enum status catalog_begin_turn(struct catalog *store, unsigned kinds, struct error *err)
{
    for (int turn = 0;; turn++) {
        bool much = false;
        enum status status = take_locks(store, err);
        if (status == STATUS_OK)
            status = catalog_see(store, kinds, turn < 2 ? &much : NULL, err);
        if (status == STATUS_OK && !much)
            return STATUS_OK;
        catalog_end_turn(store);
        if (status == STATUS_OK)
            status = catalog_refresh(store, kinds, err);
        if (status != STATUS_OK)
            return status;
    }
}

enum status catalog_mend_all(struct catalog *store, struct error *err)
{
    enum status status = catalog_begin_turn(store, KIND_BITS_ALL, err);
    if (status != STATUS_OK)
        return status;
    status = catalog_mend_each(store, err);
    if (status == STATUS_OK)
        (void)index_commit(store->index, NULL);
    catalog_end_turn(store);
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

/* Everything is read before the lock is taken; what came meanwhile is caught up with by whoever comes next. */
enum status catalog_remake_index(struct catalog *store, struct error *err)
{
    enum status status = index_reset(store->index, err);
    if (status == STATUS_OK)
        status = catalog_refresh(store, KIND_BITS_ALL, err);
    if (status == STATUS_OK) /* a writer may keep the index's lock for longer than that is waited for */
        status = catalog_lock(store, err);
    if (status == STATUS_OK)
        status = index_lock(store->index, INDEX_WAIT_MS, err);
    if (status == STATUS_OK)
        status = index_commit_folded(store->index, err);
    catalog_end_turn(store);
    if (status == STATUS_OK && !index_is_persistent(store->index))
        status = error_set(err, STATUS_IO, "%s/index: cannot be written", workspace_store_path(store->workspace));
    return status == STATUS_OK ? STATUS_OK : STATUS_IO;
}
