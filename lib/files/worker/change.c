#include "files/worker/change.h"

#include "files/documents.h"
#include "files/worker/advance.h"
#include "files/worker/lines.h"

/* Refreshes before the lock is taken, as that may take long, and once more under it. `kinds` 0: no partition is needed.
 */
static enum status lock(struct catalog *store, unsigned kinds, struct error *err)
{
    enum status status = kinds != 0 ? catalog_refresh(store, kinds, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    status = catalog_lock(store, err);
    if (status != STATUS_OK || kinds == 0)
        return status;
    status = catalog_refresh(store, kinds, err);
    if (status != STATUS_OK)
        catalog_unlock(store);
    return status;
}

static void unlock(struct catalog *store)
{
    catalog_unlock(store);
    catalog_close_files(store);
}

enum status change_put(struct catalog *store, const struct document_key *key, const struct bytes *text,
                       int64_t now_seconds, struct error *err)
{
    enum status status = lock(store, 0, err);
    if (status != STATUS_OK)
        return status;
    status = documents_put(catalog_workspace(store), key, text, now_seconds, NULL, err);
    unlock(store);
    return status;
}

enum status change_delete(struct catalog *store, const struct document_key *key, struct error *err)
{
    enum status status = lock(store, 0, err);
    if (status != STATUS_OK)
        return status;
    status = documents_delete(catalog_workspace(store), key, err);
    unlock(store);
    return status;
}

/* One that is absent has passed nothing. */
static enum status load(struct catalog *store, const char *name, struct checkpoint *ret_checkpoint, bool *ret_absent,
                        struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = name};
    struct document document;
    enum status status = documents_read(catalog_workspace(store), &key, &document, err);
    *ret_absent = status == STATUS_ABSENT;
    if (status == STATUS_ABSENT)
        checkpoint_init(ret_checkpoint);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = checkpoint_read(&document, ret_checkpoint, err);
    document_release(&document);
    return status == STATUS_INVALID ? STATUS_IO : status;
}

static enum status save(struct catalog *store, const char *name, const struct checkpoint *checkpoint,
                        int64_t now_seconds, struct error *err)
{
    struct document_key key = {.shelf = STORE_CHECKPOINTS, .name = name};
    struct bytes text = {0};
    enum status status = checkpoint_print(checkpoint, &text, err);
    if (status != STATUS_OK)
        goto out;
    status = documents_put(catalog_workspace(store), &key, &text, now_seconds, NULL, err);
out:
    bytes_release(&text);
    return status;
}

/* `complete`: a stored checkpoint without positions gets them before it moves. */
static enum status advance(struct catalog *store, const char *name, const struct checkpoint *to, bool complete,
                           int64_t now_seconds, struct error *err)
{
    struct checkpoint checkpoint;
    bool absent, moved = false;
    enum status status = lock(store, to->has_kind ? KIND_BIT(to->kind) : KIND_BITS_ALL, err);
    if (status != STATUS_OK)
        return status;
    status = load(store, name, &checkpoint, &absent, err);
    if (status != STATUS_OK)
        goto unlock;
    if (complete && !absent)
        status = checkpoint_complete(store, to->kind, &checkpoint, err);
    if (status != STATUS_OK)
        goto release;
    status = checkpoint_advance(store, &checkpoint, to, &moved, err);
    if (status != STATUS_OK)
        goto release;
    if (moved || absent)
        status = save(store, name, &checkpoint, now_seconds, err);
release:
    checkpoint_release(&checkpoint);
unlock:
    unlock(store);
    return status;
}

enum status change_advance(struct catalog *store, const char *name, const struct checkpoint *to, int64_t now_seconds,
                           struct error *err)
{
    return advance(store, name, to, false, now_seconds, err);
}

enum status change_pass(struct catalog *store, const char *name, struct store_echo *echo, int64_t now_seconds,
                        struct error *err)
{
    struct checkpoint checkpoint;
    bool absent;
    enum status status = load(store, name, &checkpoint, &absent, err);
    if (status != STATUS_OK)
        return status;
    struct checkpoint_lines lines = {
        .store = store,
        .kinds = checkpoint.has_kind ? KIND_BIT(checkpoint.kind) : KIND_BITS_ALL,
    };
    checkpoint_release(&checkpoint);
    status = catalog_refresh(store, lines.kinds, err);
    if (status != STATUS_OK)
        return status;
    echo->refused = STATUS_OK;
    for (echo->passed = 0; echo->passed < echo->count; echo->passed++) {
        const struct json_text *line = &echo->lines[echo->passed];
        echo->refused = checkpoint_lines_pass(&lines, line->data, line->length, &echo->why);
        if (echo->refused != STATUS_OK)
            break;
    }
    struct checkpoint passed;
    status = checkpoint_lines_take(&lines, &passed, err);
    if (status != STATUS_OK)
        goto out;
    if (passed.position_count > 0)
        status = advance(store, name, &passed, true, now_seconds, err);
out:
    checkpoint_release(&passed);
    checkpoint_lines_release(&lines);
    catalog_close_files(store);
    return status;
}

enum status change_rewind(struct catalog *store, const char *name, const enum event_kind *kind, int64_t time,
                          int64_t now_seconds, struct error *err)
{
    struct checkpoint checkpoint;
    bool absent;
    enum status status = lock(store, KIND_BITS_ALL, err);
    if (status != STATUS_OK)
        return status;
    status = load(store, name, &checkpoint, &absent, err);
    if (status != STATUS_OK)
        goto unlock;
    checkpoint.has_positions |= absent;
    enum event_kind own = checkpoint.has_kind ? checkpoint.kind : kind ? *kind : EVENT_SIGNAL;
    if (kind && own != *kind) {
        status = error_set(err, STATUS_USAGE, "%s is a checkpoint of %s", name, event_kind_name(own));
        goto release;
    }
    status = checkpoint_reset(store, own, time, &checkpoint, err);
    if (status != STATUS_OK)
        goto release;
    status = save(store, name, &checkpoint, now_seconds, err);
release:
    checkpoint_release(&checkpoint);
unlock:
    unlock(store);
    return status;
}

/* ---- how far */

enum status change_see(struct catalog *store, struct change_seen *ret_seen, struct error *err)
{
    enum status status = catalog_refresh(store, KIND_BITS_ALL, err);
    ret_seen->kinds = status == STATUS_OK ? KIND_BITS_ALL : 0;
    return status;
}

enum status change_behind(struct catalog *store, struct change_seen *seen, const struct checkpoint *checkpoint,
                          uint64_t *ret_bytes, struct error *err)
{
    enum event_kind kind = checkpoint->has_kind ? checkpoint->kind : EVENT_SIGNAL;
    enum status status = STATUS_OK;
    if (!(seen->kinds & KIND_BIT(kind))) {
        status = catalog_refresh(store, KIND_BIT(kind), err);
        seen->kinds = status == STATUS_OK ? KIND_BIT(kind) : 0;
    }
    return status == STATUS_OK ? checkpoint_bytes_behind(store, kind, checkpoint, ret_bytes, err) : status;
}
