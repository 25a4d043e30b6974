#include <stdio.h>
#include <string.h>

#include "files/check/state.h"
#include "files/documents.h"
#include "files/worker/advance.h"
#include "store/checkpoint.h"
#include "store/name.h"
#include "store/snapshot.h"

static void lack_memory(struct check *check)
{
    struct error why;
    error_set_memory(&why);
    check_fail(check, &why);
}

/* Reads a file of a folder. STATUS_IO: that was told. STATUS_ABSENT: it has gone. */
static enum status read_file(struct check *check, enum workspace_folder which, const char *name, const char *path,
                             size_t limit, struct bytes *out)
{
    struct error why;
    int folder, fd = -1;
    enum status status = workspace_folder(catalog_workspace(check->store), which, false, &folder, &why);
    if (status == STATUS_OK)
        status = io_open_below(folder, name, IO_READ, false, path, &fd, NULL, &why);
    if (status == STATUS_OK)
        status = io_read_all(fd, limit, path, out, &why);
    io_close(fd, path, NULL);
    if (status != STATUS_OK && status != STATUS_ABSENT)
        check_fail(check, &why);
    return status;
}

/* ---- checkpoints */

/* Where a position does not fit, that partition is delivered from its start. */
static enum status check_position(struct check *check, enum event_kind kind, const struct checkpoint_position *position,
                                  const char *path, struct error *err)
{
    struct partition *partition;
    struct catalog_partition row = {.number = partition_number(kind, position->day),
                                    .kind = kind,
                                    .day = position->day};
    bool fits = true;
    uint64_t from;
    enum status status = catalog_open_partition(check->store, row.number, &partition, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = partition_stat(partition, &row.stat, err);
    row.end = row.stat.size;
    partition_close(partition);
    if (status == STATUS_OK)
        status = checkpoint_fit(check->store, &row, position, &fits, &from, err);
    if (status == STATUS_OK && !fits) {
        char day[DAY_TEXT_SIZE];
        day_format(position->day, day);
        check_report(check, path, 0, 0, "the position in %s does not fit: that day is due from its start", day);
    }
    return status == STATUS_ABSENT ? STATUS_OK : status; /* it has gone just now */
}

static void check_checkpoint(struct check *check, const char *path, const struct bytes *text)
{
    struct checkpoint checkpoint;
    struct error why;
    enum status status = checkpoint_parse(text->data, text->length, &checkpoint, &why);
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

static void check_checkpoints(struct check *check)
{
    struct workspace *workspace = catalog_workspace(check->store);
    struct checkpoint_list list;
    struct error why;
    struct bytes text = {0}, path = {0};
    if (checkpoint_list(workspace, &list, &why) != STATUS_OK)
        check_fail(check, &why);
    for (size_t i = 0; i < list.count && !check_is_interrupted(check); i++) {
        char name[NAME_MAX_LENGTH + sizeof ".json"];
        snprintf(name, sizeof name, "%s.json", list.names[i]);
        if (!workspace_path(workspace, FOLDER_CHECKPOINTS, name, &path))
            lack_memory(check);
        else if (read_file(check, FOLDER_CHECKPOINTS, name, path.data, CHECKPOINT_MAX, &text) == STATUS_OK)
            check_checkpoint(check, path.data, &text);
    }
    checkpoint_list_release(&list);
    bytes_release(&text);
    bytes_release(&path);
}

/* ---- snapshots */

/* A daily one is wrapped, and says which day it is of. */
static void check_wrapping(struct check *check, const struct snapshot *snapshot, struct json_text document)
{
    const char *content = strcmp(snapshot->name, "digest") == 0 ? "digest" : "report";
    char day[DAY_TEXT_SIZE];
    day_format(timestamp_day(snapshot->when.time), day);
    struct json_text member = json_member(document, "day", strlen("day"));
    if (json_type(member) != JSON_STRING || !json_string_is(member, day, strlen(day)))
        check_report(check, snapshot->path, 0, 0, "day: is not \"%s\"", day);
    if (json_type(json_member(document, content, strlen(content))) != JSON_OBJECT)
        check_report(check, snapshot->path, 0, 0, "%s: is not an object", content);
}

static void check_snapshot(struct check *check, const struct snapshot *snapshot, const struct bytes *text)
{
    struct json_scan scan;
    char told[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    enum status status = json_scan(text->data, text->length, JSON_STORED, NULL, 0, NULL, &scan);
    if (status == STATUS_IO) {
        lack_memory(check);
    } else if (status != STATUS_OK) {
        check_report(check, snapshot->path, 0, 0, "damaged at byte %zu: %s", scan.fault.offset + 1,
                     json_fault_tell(&scan.fault, text->data, told));
    } else if (scan.type != JSON_OBJECT) {
        check_report(check, snapshot->path, 0, 0, "damaged: not a JSON object: %s",
                     json_quote(quoted, text->data, text->length));
    } else if (snapshot->when.daily) {
        check_wrapping(check, snapshot, (struct json_text){text->data, text->length});
    }
}

static void check_snapshots(struct check *check)
{
    struct snapshot_list list;
    struct error why;
    struct bytes text = {0};
    if (snapshot_list(catalog_workspace(check->store), NULL, &list, &why) != STATUS_OK)
        check_fail(check, &why);
    for (size_t i = 0; i < list.count && !check_is_interrupted(check); i++) {
        const struct snapshot *snapshot = &list.items[i];
        const char *name = strrchr(snapshot->path, '/') + 1;
        if (read_file(check, FOLDER_SNAPSHOTS, name, snapshot->path, SNAPSHOT_MAX, &text) == STATUS_OK)
            check_snapshot(check, snapshot, &text);
    }
    snapshot_list_release(&list);
    bytes_release(&text);
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
    (void)type;
    if (!io_is_left_over(search->folder, name, check->options->now_seconds))
        return true;
    if (!workspace_path(catalog_workspace(check->store), search->which, name, &check->path)) {
        lack_memory(check);
        return false;
    }
    check->left_over++;
    check_report(check, check->path.data, 0, 0, "a temporary that was left over");
    return true;
}

static void check_temporaries(struct check *check)
{
    struct workspace *workspace = catalog_workspace(check->store);
    for (enum workspace_folder which = 0; which < WORKSPACE_ROOMS; which++) {
        struct search search = {check, which, -1};
        struct error why;
        enum status status = workspace_folder(workspace, which, false, &search.folder, &why);
        bool told = which <= FOLDER_SNAPSHOTS; /* when it was looked into */
        if (which == FOLDER_INDEX)
            told = !check->disk || (status != STATUS_OK && check->disk_is_bad);
        if (status == STATUS_OK)
            status = io_list(search.folder, workspace_folder_path(workspace, which), search_entry, &search, &why);
        if (status != STATUS_OK && status != STATUS_ABSENT && !told)
            check_fail(check, &why);
    }
}

void check_documents(struct check *check)
{
    check_checkpoints(check);
    check_snapshots(check);
    check_temporaries(check);
}
