#include "store/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "store/name.h"
#include "json/json.h"

const char *snapshot_content(const char *name)
{
    return strcmp(name, "digest") == 0 ? "digest" : "report";
}

void snapshot_format_name(const char *name, struct snapshot_time when, char buffer[static SNAPSHOT_NAME_SIZE])
{
    char time[TIMESTAMP_TEXT_SIZE];
    if (when.daily)
        day_format(timestamp_day(when.time), time);
    else
        timestamp_format_compact(when.time, time);
    snprintf(buffer, SNAPSHOT_NAME_SIZE, "%s__%s", name, time);
}

bool snapshot_parse_name(const char *text, size_t length, size_t *ret_name_length, struct snapshot_time *ret_when)
{
    struct snapshot_time when = {0};
    int32_t day;
    size_t split = length;
    while (split >= 2 && (text[split - 1] != '_' || text[split - 2] != '_'))
        split--;
    if (split < 2 || !name_is_valid(text, split - 2))
        return false;
    if (day_parse(text + split, length - split, &day))
        when = (struct snapshot_time){.time = day_first(day), .daily = true};
    else if (!timestamp_parse_compact(text + split, length - split, &when.time))
        return false;
    *ret_name_length = split - 2;
    *ret_when = when;
    return true;
}

enum status snapshot_compose(const char *name, struct snapshot_time when, const char *text, size_t length,
                             struct bytes *ret_document, struct error *err)
{
    struct json_scanned scan;
    char reason[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE], day[DAY_TEXT_SIZE];
    enum status status = json_scan(text, length, JSON_STRICT, NULL, 0, NULL, &scan);
    if (status == STATUS_INVALID)
        return error_set(err, status, "invalid JSON at byte %zu: %s", scan.fault.offset + 1,
                         json_fault_tell(&scan.fault, text, reason));
    if (status != STATUS_OK)
        return error_set_memory(err);
    if (scan.type != JSON_OBJECT)
        return error_set(err, STATUS_INVALID, "not a JSON object: %s", json_quote(quoted, text, length));
    struct bytes wrapped = {0};
    struct json_text document = {text, length};
    if (when.daily) {
        day_format(timestamp_day(when.time), day);
        if (!bytes_append_format(&wrapped, "{\"day\":\"%s\",\"%s\":", day, snapshot_content(name)) ||
            !bytes_append(&wrapped, text, length) || !bytes_append_string(&wrapped, ",\"schema_version\":\"0.1\"}")) {
            bytes_release(&wrapped);
            return error_set_memory(err);
        }
        document = (struct json_text){wrapped.data, wrapped.length};
    }
    bytes_clear(ret_document);
    status = json_canonical(document, NULL, 0, ret_document, err);
    bytes_release(&wrapped);
    if (status != STATUS_OK)
        return status;
    return bytes_append_char(ret_document, '\n') ? STATUS_OK : error_set_memory(err);
}

enum status snapshot_check(const struct bytes *text, struct error *err)
{
    struct json_scanned scan;
    char reason[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    enum status status = json_scan(text->data, text->length, JSON_STORED, NULL, 0, NULL, &scan);
    if (status == STATUS_INVALID)
        return error_set(err, status, "damaged at byte %zu: %s", scan.fault.offset + 1,
                         json_fault_tell(&scan.fault, text->data, reason));
    if (status != STATUS_OK)
        return error_set_memory(err);
    if (scan.type != JSON_OBJECT)
        return error_set(err, STATUS_INVALID, "damaged: not a JSON object: %s",
                         json_quote(quoted, text->data, text->length));
    return STATUS_OK;
}
