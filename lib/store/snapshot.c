#include "store/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "store/name.h"
#include "json/json.h"

void snapshot_format_file(const char *name, struct snapshot_time when, char buffer[static SNAPSHOT_FILE_SIZE])
{
    char time[TIMESTAMP_TEXT_SIZE];
    if (when.daily)
        day_format(timestamp_day(when.time), time);
    else
        timestamp_format_compact(when.time, time);
    snprintf(buffer, SNAPSHOT_FILE_SIZE, "%s__%s.json", name, time);
}

static bool parse_time(const char *text, size_t length, struct snapshot_time *ret_when)
{
    int32_t day;
    int64_t time;
    if (day_parse(text, length, &day))
        *ret_when = (struct snapshot_time){.time = day_first(day), .daily = true};
    else if (timestamp_parse_compact(text, length, &time))
        *ret_when = (struct snapshot_time){.time = time};
    else
        return false;
    return true;
}

bool snapshot_parse_file(const char *file, size_t *ret_name_length, struct snapshot_time *ret_when)
{
    static const char suffix[] = ".json";
    size_t length = strlen(file);
    if (length < strlen(suffix) || strcmp(file + length - strlen(suffix), suffix) != 0)
        return false;
    length -= strlen(suffix);
    size_t split = length;
    while (split >= 2 && (file[split - 1] != '_' || file[split - 2] != '_'))
        split--;
    if (split < 2 || !parse_time(file + split, length - split, ret_when) || !name_is_valid(file, split - 2))
        return false;
    *ret_name_length = split - 2;
    return true;
}

int snapshot_compare_times(struct snapshot_time a, struct snapshot_time b)
{
    if (a.time != b.time)
        return a.time < b.time ? -1 : 1;
    return (int)b.daily - (int)a.daily;
}

static enum status wrap(const char *name, struct snapshot_time when, const char *text, size_t length, struct bytes *out,
                        struct error *err)
{
    char day[DAY_TEXT_SIZE];
    day_format(timestamp_day(when.time), day);
    bool good =
        bytes_append_format(out, "{\"day\":\"%s\",\"%s\":", day, strcmp(name, "digest") == 0 ? "digest" : "report") &&
        bytes_append(out, text, length) && bytes_append_string(out, ",\"schema_version\":\"0.1\"}");
    return good ? STATUS_OK : error_set_memory(err);
}

enum status snapshot_compose(const char *name, struct snapshot_time when, const char *text, size_t length,
                             struct bytes *ret_document, struct error *err)
{
    struct json_scan scan;
    char told[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    enum status status = json_scan(text, length, JSON_STRICT, NULL, 0, NULL, &scan);
    if (status == STATUS_INVALID)
        return error_set(err, status, "invalid JSON at byte %zu: %s", scan.fault.offset + 1,
                         json_fault_tell(&scan.fault, text, told));
    if (status != STATUS_OK)
        return error_set_memory(err);
    if (scan.type != JSON_OBJECT)
        return error_set(err, STATUS_INVALID, "not a JSON object: %s", json_quote(quoted, text, length));
    struct bytes wrapped = {0};
    if (when.daily)
        status = wrap(name, when, text, length, &wrapped, err);
    struct json_text document =
        when.daily ? (struct json_text){wrapped.data, wrapped.length} : (struct json_text){text, length};
    bytes_clear(ret_document);
    if (status == STATUS_OK)
        status = json_canonical(document, NULL, 0, ret_document, err);
    if (status == STATUS_OK && !bytes_append_char(ret_document, '\n'))
        status = error_set_memory(err);
    bytes_release(&wrapped);
    return status;
}
