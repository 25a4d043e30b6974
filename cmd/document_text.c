#include "document.h"

#include <string.h>

#include "json/json.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

bool document_clean(const char *data, size_t length, struct bytes *out)
{
    size_t at = json_utf8_valid(data, length);
    bool good = bytes_append(out, data, at);
    while (good && at < length) {
        size_t valid = json_utf8_valid(data + at + 1, length - at - 1);
        good = bytes_append_string(out, REPLACEMENT) && bytes_append(out, data + at + 1, valid);
        at += 1 + valid;
    }
    return good;
}

enum status document_canonical(const char *text, size_t length, struct bytes *out, struct error *err)
{
    return json_canonical((struct json_text){text, length}, NULL, 0, out, err);
}

/* Ids are put together as text: jansson refuses those that hold an escaped lone surrogate. */
static enum status finish_text(bool good, size_t before, struct bytes *out, struct error *err)
{
    if (good)
        return STATUS_OK;
    out->length = before;
    return error_set_memory(err);
}

enum status document_result(const struct write_result *result, struct bytes *out, struct error *err)
{
    size_t before = out->length;
    bool good = bytes_append_string(out, "{\"id\":") && bytes_append(out, result->id->data, result->id->length) &&
                bytes_append_format(out, ",\"kind\":\"%s\",\"path\":", result->kind) &&
                json_string_encode(out, result->path, strlen(result->path)) &&
                bytes_append_format(out, ",\"status\":\"%s\"}", result->status);
    return finish_text(good, before, out, err);
}

enum status document_digest(const struct json_text *ids, size_t count, struct bytes *out, struct error *err)
{
    size_t before = out->length;
    bool good = bytes_append_string(out, "{\"top_candidates\":[");
    for (size_t i = 0; good && i < count; i++) {
        good = (i == 0 || bytes_append_char(out, ',')) && json_canonical(ids[i], NULL, 0, out, err) == STATUS_OK;
    }
    good = good && bytes_append_string(out, "]}");
    return finish_text(good, before, out, err);
}
