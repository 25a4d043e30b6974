#include "store/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION "\"0.1\""
#define HASH_DIGITS    16

enum { KIND, LAST_TIMESTAMP, POSITIONS, SCHEMA, SEEN_IDS, MEMBERS };
static const struct json_key keys[MEMBERS] = {JSON_KEY("kind"), JSON_KEY("last_timestamp"), JSON_KEY("positions"),
                                              JSON_KEY("schema_version"), JSON_KEY("seen_ids_at_timestamp")};

void checkpoint_init(struct checkpoint *checkpoint)
{
    *checkpoint = (struct checkpoint){.last_timestamp = TIMESTAMP_MIN};
}

void checkpoint_release(struct checkpoint *checkpoint)
{
    bytes_release(&checkpoint->document);
    string_set_release(&checkpoint->ids);
    free(checkpoint->positions);
    checkpoint_init(checkpoint);
}

/* ---- positions */

static int compare_day(const void *element, const void *key)
{
    int32_t day = ((const struct checkpoint_position *)element)->day, wanted = *(const int32_t *)key;
    return (day > wanted) - (day < wanted);
}

/* The index of this day's position, or where it belongs. */
static size_t index_of(const struct checkpoint *checkpoint, int32_t day)
{
    size_t count = checkpoint->position_count;
    if (count > 0 && checkpoint->positions[count - 1].day < day)
        return count;
    return array_lower_bound(checkpoint->positions, count, sizeof *checkpoint->positions, &day, compare_day);
}

const struct checkpoint_position *checkpoint_find(const struct checkpoint *checkpoint, int32_t day)
{
    size_t i = index_of(checkpoint, day);
    return i < checkpoint->position_count && checkpoint->positions[i].day == day ? &checkpoint->positions[i] : NULL;
}

enum status checkpoint_put(struct checkpoint *checkpoint, const struct checkpoint_position *position, struct error *err)
{
    size_t i = index_of(checkpoint, position->day), count = checkpoint->position_count;
    checkpoint->has_positions = true;
    if (i == count || checkpoint->positions[i].day != position->day) {
        if (!ARRAY_RESERVE(checkpoint->positions, count, checkpoint->position_capacity, 1))
            return error_set_memory(err);
        struct checkpoint_position *at = &checkpoint->positions[i];
        memmove(at + 1, at, (count - i) * sizeof *at);
        checkpoint->position_count++;
    }
    checkpoint->positions[i] = *position;
    return STATUS_OK;
}

/* ---- ids */

static bool add_id(struct checkpoint *checkpoint, struct json_text id)
{
    struct bytes scratch = {0};
    struct json_text decoded;
    bool good = json_string_decode(id, &scratch, &decoded) &&
                string_set_add(&checkpoint->ids, decoded.data, decoded.length, NULL);
    bytes_release(&scratch);
    return good;
}

bool checkpoint_has_id(const struct checkpoint *checkpoint, struct json_text id, bool *ret_has)
{
    struct bytes scratch = {0};
    struct json_text decoded;
    bool good = json_string_decode(id, &scratch, &decoded);
    if (good)
        *ret_has = string_set_has(&checkpoint->ids, decoded.data, decoded.length);
    bytes_release(&scratch);
    return good;
}

bool checkpoint_note(struct checkpoint *checkpoint, int64_t timestamp, struct json_text id)
{
    if (timestamp < checkpoint->last_timestamp)
        return true;
    if (timestamp > checkpoint->last_timestamp)
        string_set_clear(&checkpoint->ids);
    checkpoint->last_timestamp = timestamp;
    return add_id(checkpoint, id);
}

bool checkpoint_note_all(struct checkpoint *checkpoint, const struct checkpoint *other)
{
    if (other->last_timestamp < checkpoint->last_timestamp)
        return true;
    if (other->last_timestamp > checkpoint->last_timestamp)
        string_set_clear(&checkpoint->ids);
    checkpoint->last_timestamp = other->last_timestamp;
    for (size_t i = 0, length; i < other->ids.count; i++) {
        const char *id = string_set_get(&other->ids, i, &length);
        if (!string_set_add(&checkpoint->ids, id, length, NULL))
            return false;
    }
    return true;
}

/* ---- reading the document */

static enum status wrong(struct error *err, const char *member, const char *must, struct json_text value)
{
    char quoted[QUOTED_SIZE];
    if (!value.data)
        return error_set(err, STATUS_INVALID, "%s: missing", member);
    if (json_type(value) == JSON_STRING)
        return error_set(err, STATUS_INVALID, "%s: must be %s, not %s", member, must,
                         quote_bytes(quoted, value.data + 1, value.length - 2));
    quote_bytes(quoted, value.data, value.length);
    return error_set(err, STATUS_INVALID, "%s: must be %s, not %.*s", member, must, (int)strlen(quoted) - 2,
                     quoted + 1);
}

/* Exactly 16 lower-case hex digits. */
static bool read_hash(struct json_text value, uint64_t *ret_hash)
{
    uint64_t hash = 0;
    if (json_type(value) != JSON_STRING || value.length != HASH_DIGITS + 2)
        return false;
    for (size_t i = 1; i <= HASH_DIGITS; i++) {
        char c = value.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        hash = hash << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret_hash = hash;
    return true;
}

/* A whole number from 0, in digits alone; one that is too large for any file stays so. */
static bool read_offset(struct json_text value, uint64_t *ret_offset)
{
    uint64_t offset = 0;
    if (json_type(value) != JSON_NUMBER)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(value.data[i] - '0');
        offset = offset > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * offset + digit;
    }
    *ret_offset = offset;
    return true;
}

static enum status read_position(struct json_text name, struct json_text value, struct checkpoint_position *ret,
                                 struct error *err)
{
    char member[32 + DAY_TEXT_SIZE], day[DAY_TEXT_SIZE], quoted[QUOTED_SIZE];
    struct bytes scratch = {0};
    struct json_text decoded;
    struct checkpoint_position position = {.text = value};
    if (!json_string_decode(name, &scratch, &decoded))
        return error_set_memory(err);
    bool is_day = day_parse(decoded.data, decoded.length, &position.day);
    bytes_release(&scratch);
    if (!is_day)
        return error_set(err, STATUS_INVALID, "positions: %s is no day",
                         quote_bytes(quoted, name.data + 1, name.length - 2));
    day_format(position.day, day);
    snprintf(member, sizeof member, "positions.%s", day);
    if (json_type(value) != JSON_OBJECT)
        return wrong(err, member, "an object", value);
    struct json_text offset = json_member(value, "offset", strlen("offset"));
    snprintf(member, sizeof member, "positions.%s.offset", day);
    if (!offset.data || !read_offset(offset, &position.offset))
        return wrong(err, member, "a whole number from 0", offset);
    struct json_text hash = json_member(value, "hash", strlen("hash"));
    position.has_hash = hash.data && read_hash(hash, &position.hash);
    *ret = position;
    return STATUS_OK;
}

static enum status read_positions(struct checkpoint *checkpoint, struct json_text value, struct error *err)
{
    struct json_text name, member;
    struct checkpoint_position position;
    if (!value.data)
        return STATUS_OK;
    if (json_type(value) != JSON_OBJECT)
        return wrong(err, "positions", "an object", value);
    checkpoint->has_positions = true;
    for (struct json_walk walk = json_walk_start(value); json_walk_member(&walk, &name, &member);) {
        enum status status = read_position(name, member, &position, err);
        if (status != STATUS_OK)
            return status;
        status = checkpoint_put(checkpoint, &position, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_time(struct checkpoint *checkpoint, struct json_text value, struct error *err)
{
    struct bytes scratch = {0};
    struct json_text decoded;
    if (json_type(value) != JSON_STRING)
        return wrong(err, keys[LAST_TIMESTAMP].name, "a time", value);
    if (!json_string_decode(value, &scratch, &decoded))
        return error_set_memory(err);
    bool good = timestamp_parse_stored(decoded.data, decoded.length, &checkpoint->last_timestamp);
    bytes_release(&scratch);
    return good ? STATUS_OK : wrong(err, keys[LAST_TIMESTAMP].name, "a time", value);
}

static enum status read_ids(struct checkpoint *checkpoint, struct json_text value, struct error *err)
{
    struct json_text id;
    if (!value.data)
        return STATUS_OK;
    if (json_type(value) != JSON_ARRAY)
        return wrong(err, keys[SEEN_IDS].name, "an array of strings", value);
    for (struct json_walk walk = json_walk_start(value); json_walk_element(&walk, &id);) {
        if (json_type(id) != JSON_STRING)
            return wrong(err, keys[SEEN_IDS].name, "an array of strings", value);
        if (!add_id(checkpoint, id))
            return error_set_memory(err);
    }
    return STATUS_OK;
}

static enum status read_kind(struct checkpoint *checkpoint, struct json_text value, struct error *err)
{
    if (!value.data)
        return STATUS_OK;
    for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
        const char *name = event_kind_name(kind);
        if (json_type(value) == JSON_STRING && json_string_is(value, name, strlen(name))) {
            checkpoint->has_kind = true;
            checkpoint->kind = kind;
            return STATUS_OK;
        }
    }
    return wrong(err, keys[KIND].name, "signals or emissions", value);
}

enum status checkpoint_parse(const char *text, size_t length, struct checkpoint *ret_checkpoint, struct error *err)
{
    struct checkpoint checkpoint;
    struct json_text members[MEMBERS];
    struct json_scanned scan;
    char reason[JSON_FAULT_TEXT_SIZE], quoted[QUOTED_SIZE];
    if (json_is_blank(text, length))
        return error_set(err, STATUS_INVALID, "is empty");
    checkpoint_init(&checkpoint);
    struct bytes *document = &checkpoint.document; /* the positions borrow from it */
    if (!bytes_append(document, text, length))
        return error_set_memory(err);
    enum status status = json_scan(document->data, length, JSON_STRICT, keys, MEMBERS, members, &scan);
    if (status == STATUS_INVALID)
        error_set(err, status, "invalid JSON at byte %zu: %s", scan.fault.offset + 1,
                  json_fault_tell(&scan.fault, document->data, reason));
    else if (status != STATUS_OK)
        error_set_memory(err);
    else if (scan.type != JSON_OBJECT)
        status = error_set(err, STATUS_INVALID, "not a JSON object: %s", json_quote(quoted, document->data, length));
    if (status != STATUS_OK)
        goto out;
    checkpoint.has_schema_version = members[SCHEMA].data != NULL;
    if ((status = read_kind(&checkpoint, members[KIND], err)) == STATUS_OK &&
        (status = read_time(&checkpoint, members[LAST_TIMESTAMP], err)) == STATUS_OK &&
        (status = read_ids(&checkpoint, members[SEEN_IDS], err)) == STATUS_OK)
        status = read_positions(&checkpoint, members[POSITIONS], err);
out:
    if (status == STATUS_OK)
        *ret_checkpoint = checkpoint;
    else
        checkpoint_release(&checkpoint);
    return status;
}

enum status checkpoint_read(const struct document *document, struct checkpoint *ret_checkpoint, struct error *err)
{
    struct error reason;
    enum status status = checkpoint_parse(document->text.data, document->text.length, ret_checkpoint, &reason);
    if (status != STATUS_OK)
        return error_set(err, status, "%s: %s%s", document->label.data, status == STATUS_INVALID ? "damaged: " : "",
                         reason.text);
    ret_checkpoint->replaced = document->replaced;
    return STATUS_OK;
}

enum status checkpoint_read_path(const char *path, struct checkpoint *ret_checkpoint, struct error *err)
{
    struct document document;
    enum status status = document_read_path(path, &document, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_read(&document, ret_checkpoint, err);
    document_release(&document);
    return status;
}

/* ---- writing it */

static bool print_ids(const struct string_set *ids, struct bytes *out)
{
    bool good = bytes_append_char(out, '[');
    for (size_t i = 0, length; good && i < ids->count; i++) {
        const char *id = string_set_get(ids, i, &length);
        good = (i == 0 || bytes_append_char(out, ',')) && json_string_encode(out, id, length);
    }
    return good && bytes_append_char(out, ']');
}

static enum status print_positions(const struct checkpoint *checkpoint, struct bytes *out, struct error *err)
{
    bool good = bytes_append_char(out, '{');
    for (size_t i = 0; good && i < checkpoint->position_count; i++) {
        const struct checkpoint_position *position = &checkpoint->positions[i];
        char day[DAY_TEXT_SIZE];
        day_format(position->day, day);
        good = bytes_append_format(out, "%s\"%s\":", i == 0 ? "" : ",", day);
        if (good && position->text.data) {
            if (json_canonical(position->text, NULL, 0, out, err) != STATUS_OK)
                return STATUS_IO;
            continue;
        }
        good = good && bytes_append_char(out, '{') &&
               (!position->has_hash || bytes_append_format(out, "\"hash\":\"%016" PRIx64 "\",", position->hash)) &&
               bytes_append_format(out, "\"offset\":%" PRIu64 "}", position->offset);
    }
    return good && bytes_append_char(out, '}') ? STATUS_OK : error_set_memory(err);
}

enum status checkpoint_print(const struct checkpoint *checkpoint, struct bytes *out, struct error *err)
{
    struct bytes ids = {0}, positions = {0};
    struct json_text document = {checkpoint->document.data, checkpoint->document.length};
    struct json_override overrides[MEMBERS]; /* our members, which replace those of the document */
    size_t count = 0, before = out->length;
    char kind[16], time[TIMESTAMP_TEXT_SIZE], quoted_time[TIMESTAMP_TEXT_SIZE + 2];
    enum status status = print_ids(&checkpoint->ids, &ids) ? STATUS_OK : error_set_memory(err);
    if (status != STATUS_OK)
        goto out;
    status = print_positions(checkpoint, &positions, err);
    if (status != STATUS_OK)
        goto out;
    if (checkpoint->has_kind) {
        int length = snprintf(kind, sizeof kind, "\"%s\"", event_kind_name(checkpoint->kind));
        overrides[count++] = (struct json_override){keys[KIND].name, {kind, (size_t)length}};
    }
    timestamp_format(checkpoint->last_timestamp, time);
    int length = snprintf(quoted_time, sizeof quoted_time, "\"%s\"", time);
    overrides[count++] = (struct json_override){keys[LAST_TIMESTAMP].name, {quoted_time, (size_t)length}};
    if (checkpoint->has_positions)
        overrides[count++] = (struct json_override){keys[POSITIONS].name, {positions.data, positions.length}};
    if (!checkpoint->has_schema_version)
        overrides[count++] = (struct json_override){keys[SCHEMA].name, {SCHEMA_VERSION, strlen(SCHEMA_VERSION)}};
    overrides[count++] = (struct json_override){keys[SEEN_IDS].name, {ids.data, ids.length}};
    if (!document.data)
        document = (struct json_text){"{}", 2};
    status = json_canonical(document, overrides, count, out, err);
    if (status == STATUS_OK && !bytes_append_char(out, '\n')) {
        out->length = before;
        status = error_set_memory(err);
    }
out:
    bytes_release(&ids);
    bytes_release(&positions);
    return status;
}

enum status checkpoint_print_as_read(const struct checkpoint *checkpoint, struct bytes *out, struct error *err)
{
    struct json_text document = {checkpoint->document.data, checkpoint->document.length};
    enum status status = json_canonical(document, NULL, 0, out, err);
    return status == STATUS_OK && !bytes_append_char(out, '\n') ? error_set_memory(err) : status;
}

enum status checkpoint_copy(const struct checkpoint *checkpoint, struct checkpoint *ret_copy, struct error *err)
{
    struct bytes text = {0};
    enum status status = checkpoint_print(checkpoint, &text, err);
    if (status != STATUS_OK)
        goto out;
    status = checkpoint_parse(text.data, text.length, ret_copy, err);
out:
    bytes_release(&text);
    return status;
}
