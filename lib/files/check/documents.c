#include <string.h>

#include "files/catalog/position.h"
#include "files/check/state.h"
#include "files/documents.h"
#include "store/checkpoint.h"
#include "store/snapshot.h"

/* ---- checkpoints */

/* Where a position does not fit, that partition is delivered from its start. */
static enum status check_position(struct check *check, enum event_kind kind, const struct checkpoint_position *position,
                                  const char *path, struct error *err)
{
    struct day day = {.number = partition_number(kind, position->day)};
    bool fits = true;
    uint64_t from;
    enum status status = catalog_open_partition(check->store, day.number, &day.file, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = partition_stat(day.file, &day.stat, err);
    day.end = day.stat.size;
    if (status == STATUS_OK)
        status = position_fits_day(&day, position, &fits, &from, err);
    partition_close(day.file);
    if (status == STATUS_OK && !fits) {
        char text[DAY_TEXT_SIZE];
        day_format(position->day, text);
        check_report(check, path, 0, 0, "the position in %s does not fit: that day is due from its start", text);
    }
    return status;
}

static void check_checkpoint(struct check *check, const struct document *document)
{
    const char *path = document->label.data;
    struct checkpoint checkpoint;
    struct error why;
    enum status status = checkpoint_parse(document->text.data, document->text.length, &checkpoint, &why);
    if (status == STATUS_INVALID)
        check_report(check, path, 0, 0, "damaged: %s", why.text);
    if (status == STATUS_IO)
        check_fail(check, &why);
    if (status != STATUS_OK)
        return;
    enum event_kind kind = checkpoint.has_kind ? checkpoint.kind : EVENT_SIGNAL;
    for (size_t i = 0; i < checkpoint.position_count; i++)
        if (check_position(check, kind, &checkpoint.positions[i], path, &why) != STATUS_OK)
            check_fail(check, &why);
    checkpoint_release(&checkpoint);
}

/* ---- snapshots */

static void check_snapshot(struct check *check, const struct document_item *item, const struct bytes *text)
{
    struct json_text document = {text->data, text->length};
    const char *content = snapshot_content(item->name);
    char day[DAY_TEXT_SIZE];
    struct error why;
    enum status status = snapshot_check(text, &why);
    if (status == STATUS_INVALID)
        check_report(check, item->label, 0, 0, "%s", why.text);
    else if (status != STATUS_OK)
        check_fail(check, &why);
    if (status != STATUS_OK || !item->when.daily)
        return;
    /* A daily one is wrapped, and says which day it is of. */
    day_format(timestamp_day(item->when.time), day);
    struct json_text member = json_member(document, "day", strlen("day"));
    if (json_type(member) != JSON_STRING || !json_string_is(member, day, strlen(day)))
        check_report(check, item->label, 0, 0, "day: is not \"%s\"", day);
    if (json_type(json_member(document, content, strlen(content))) != JSON_OBJECT)
        check_report(check, item->label, 0, 0, "%s: is not an object", content);
}

static void check_shelf(struct check *check, enum store_shelf shelf)
{
    struct workspace *workspace = catalog_workspace(check->store);
    struct document_list list;
    struct error why;
    if (documents_list(workspace, shelf, NULL, &list, &why) != STATUS_OK)
        check_fail(check, &why);
    for (size_t i = 0; i < list.count && !check_is_interrupted(check); i++) {
        const struct document_item *item = &list.items[i];
        struct document_key key = {shelf, item->name, item->when};
        struct document document;
        enum status status = documents_read(workspace, &key, &document, &why);
        if (status == STATUS_ABSENT) /* it has gone meanwhile */
            continue;
        if (status != STATUS_OK) {
            check_fail(check, &why);
            continue;
        }
        if (shelf == STORE_CHECKPOINTS)
            check_checkpoint(check, &document);
        else
            check_snapshot(check, item, &document.text);
        document_release(&document);
    }
    document_list_release(&list);
}

/* ---- temporaries */

struct search {
    struct check *check;
    enum workspace_folder which;
    int folder;
};

static bool search_entry(void *context, const char *name, unsigned char type)
{
    const struct search *search = context;
    struct check *check = search->check;
    struct error why;
    (void)type;
    if (!io_is_left_over(search->folder, name, check->options->now_seconds))
        return true;
    if (!workspace_path(catalog_workspace(check->store), search->which, name, &check->path)) {
        error_set_memory(&why);
        check_fail(check, &why);
        return false;
    }
    check->left_over++;
    check_report(check, check->path.data, 0, 0, "a temporary that was left over");
    return true;
}

void check_documents(struct check *check)
{
    struct workspace *workspace = catalog_workspace(check->store);
    check_shelf(check, STORE_CHECKPOINTS);
    check_shelf(check, STORE_SNAPSHOTS);
    for (enum workspace_folder which = 0; which < WORKSPACE_FOLDERS; which++) {
        struct search search = {check, which, -1};
        struct error why;
        enum status status = workspace_folder(workspace, which, false, &search.folder, &why);
        if (status == STATUS_OK)
            status = io_list(search.folder, workspace_folder_path(workspace, which), search_entry, &search, &why);
        bool reported = which == FOLDER_INDEX && !check->disk;
        if (status != STATUS_OK && status != STATUS_ABSENT && !reported)
            check_fail(check, &why);
    }
}
