#include "files/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/notices.h"
#include "files/append/append.h"
#include "files/catalog/catalog.h"
#include "files/check/check.h"
#include "files/documents.h"
#include "files/worker/change.h"
#include "files/worker/reader.h"
#include "files/workspace.h"

struct files {
    struct store store;
    struct store_options options;
    struct notices notices;
    char *name;                  /* of the workspace; NULL: none was named */
    struct workspace *workspace; /* of only_documents; else the catalog's */
    struct catalog *catalog;     /* NULL: only_documents */
    struct reader *reader;       /* of the query in hand */
    bool has_seen;
    struct change_seen seen; /* by files_behind() */
};

static struct files *files_of(struct store *store)
{
    return (struct files *)store;
}

static void tell(void *context, enum notice notice, const char *text)
{
    struct files *files = context;
    notices_tell(&files->notices, notice, "%s", text);
}

static struct workspace *workspace_of(const struct files *files)
{
    return files->catalog ? catalog_workspace(files->catalog) : files->workspace;
}

static void files_close(struct store *store)
{
    struct files *files = files_of(store);
    reader_close(files->reader);
    catalog_close(files->catalog);
    workspace_close(files->workspace);
    notices_release(&files->notices);
    free(files->name);
    free(files);
}

/* ---- in */

static enum status files_append(struct store *store, struct store_item *items, size_t count, bool stop_at_duplicate,
                                struct store_result *ret_result, struct error *err)
{
    return catalog_append(files_of(store)->catalog, items, count, stop_at_duplicate, ret_result, err);
}

static enum status files_first(struct store *store, const struct store_item *item, struct bytes *line,
                               struct error *err)
{
    enum status status = catalog_read_record(files_of(store)->catalog, item->first, &item->event, line, err);
    return status == STATUS_ABSENT ? STATUS_IO : status;
}

static bool files_item_name(struct store *store, const struct store_item *item, struct bytes *out)
{
    return catalog_partition_path(files_of(store)->catalog, item->first.part, out);
}

static void files_rest(struct store *store)
{
    catalog_close_files(files_of(store)->catalog);
}

/* ---- out */

static enum status files_read(struct store *store, const struct store_query *query, struct error *err)
{
    struct files *files = files_of(store);
    return reader_open(files->catalog, query, &files->reader, err);
}

static enum store_step files_next(struct store *store, struct store_lines *ret_lines, struct error *err)
{
    return reader_next(files_of(store)->reader, ret_lines, err);
}

static int files_news(struct store *store)
{
    return reader_news(files_of(store)->reader);
}

static enum status files_reached(struct store *store, struct checkpoint *ret_checkpoint, struct error *err)
{
    return reader_reached(files_of(store)->reader, ret_checkpoint, err);
}

static void files_end(struct store *store)
{
    struct files *files = files_of(store);
    reader_close(files->reader);
    files->reader = NULL;
}

static enum status files_count(struct store *store, const struct store_query *query, uint64_t *ret_count,
                               struct error *err)
{
    return reader_count(files_of(store)->catalog, query, ret_count, err);
}

/* ---- documents */

static enum status files_get(struct store *store, const struct document_key *key, struct document *ret_document,
                             struct error *err)
{
    return documents_get(workspace_of(files_of(store)), key, ret_document, err);
}

/* Who moves a checkpoint must not lose what was put meanwhile; nobody changes a snapshot. */
static enum status files_put(struct store *store, const struct document_key *key, const struct bytes *text,
                             struct bytes *ret_name, struct error *err)
{
    struct files *files = files_of(store);
    int64_t now = files->options.now_seconds;
    return key->shelf == STORE_CHECKPOINTS ? change_put(files->catalog, key, text, now, err)
                                           : documents_put(workspace_of(files), key, text, now, ret_name, err);
}

static enum status files_remove(struct store *store, const struct document_key *key, struct error *err)
{
    return change_delete(files_of(store)->catalog, key, err);
}

static enum status files_list(struct store *store, enum store_shelf shelf, const char *name,
                              struct document_list *ret_list, struct error *err)
{
    return documents_list(workspace_of(files_of(store)), shelf, name, ret_list, err);
}

/* ---- one step under the lock */

static enum status files_advance(struct store *store, const char *name, const struct checkpoint *to, struct error *err)
{
    struct files *files = files_of(store);
    return change_advance(files->catalog, name, to, files->options.now_seconds, err);
}

static enum status files_pass(struct store *store, const char *name, struct store_echo *echo, struct error *err)
{
    struct files *files = files_of(store);
    return change_pass(files->catalog, name, echo, files->options.now_seconds, err);
}

static enum status files_rewind(struct store *store, const char *name, const enum event_kind *kind, int64_t time,
                                struct error *err)
{
    struct files *files = files_of(store);
    return change_rewind(files->catalog, name, kind, time, files->options.now_seconds, err);
}

/* Bytes. Where both kinds cannot be looked at together, each is by itself. */
static enum status files_behind(struct store *store, const struct checkpoint *checkpoint, uint64_t *ret_behind,
                                struct error *err)
{
    struct files *files = files_of(store);
    if (!files->has_seen)
        (void)change_see(files->catalog, &files->seen, err);
    files->has_seen = true;
    return change_behind(files->catalog, &files->seen, checkpoint, ret_behind, err);
}

static enum status files_check(struct store *store, struct store_check *check, struct error *err)
{
    const struct files *files = files_of(store);
    return check_store(files->name, &files->options, check, err);
}

static const struct store_kind files_kind = {
    .name = "files",
    .close = files_close,
    .append = files_append,
    .first = files_first,
    .item_name = files_item_name,
    .rest = files_rest,
    .read = files_read,
    .next = files_next,
    .news = files_news,
    .reached = files_reached,
    .end = files_end,
    .count = files_count,
    .get = files_get,
    .put = files_put,
    .remove = files_remove,
    .list = files_list,
    .advance = files_advance,
    .pass = files_pass,
    .rewind = files_rewind,
    .behind = files_behind,
    .check = files_check,
};

enum status files_open(const char *workspace, const struct store_options *options, struct store **ret_store,
                       struct error *err)
{
    struct files *files = calloc(1, sizeof *files);
    if (!files)
        return error_set_memory(err);
    *files = (struct files){
        .store.kind = &files_kind,
        .options = *options,
        .notices = {.say = options->notice, .context = options->notice_context},
    };
    enum workspace_access access = options->write ? WORKSPACE_WRITE : WORKSPACE_READ;
    struct catalog_options catalog = {
        .access = access,
        .no_index = options->no_index,
        .no_sync = options->no_sync,
        .lock_timeout_ms = options->lock_timeout_ms,
        .interrupted = options->interrupted,
        .notice = tell,
        .notice_context = files,
    };
    enum status status;
    if (workspace && !(files->name = strdup(workspace)))
        status = error_set_memory(err);
    else if (options->only_documents)
        status = workspace_open(workspace, access, &files->workspace, err);
    else
        status = catalog_open(workspace, &catalog, &files->catalog, err);
    if (status != STATUS_OK) {
        files_close(&files->store);
        return status;
    }
    *ret_store = &files->store;
    return STATUS_OK;
}
