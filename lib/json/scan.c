#include "json/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("+-._", c));
}

const char *json_quote(char buffer[static QUOTED_SIZE], const char *text, size_t length)
{
    length = (size_t)(json_trim_end(text, text + length) - text);
    bool is_string = length > 1 && text[0] == '"' && text[length - 1] == '"';
    return is_string ? quote_bytes(buffer, text + 1, length - 2) : quote_bytes(buffer, text, length);
}

const char *json_fault_tell(const struct json_fault *fault, const char *text, char buffer[static JSON_FAULT_TEXT_SIZE])
{
    char quoted[QUOTED_SIZE];
    if (fault->length == 0)
        return fault->what;
    snprintf(buffer, JSON_FAULT_TEXT_SIZE, "%s: %s", fault->what,
             json_quote(quoted, text + fault->offset, fault->length));
    return buffer;
}

enum expect { VALUE, FIRST_VALUE, NAME, FIRST_NAME, SEPARATOR, NOTHING };

struct scan {
    const char *text, *at, *end;
    enum json_rules rules;
    struct json_key_set keys;
    struct json_text found[JSON_MAX_KEYS];
    size_t slot;       /* of the top-level member in hand */
    const char *value; /* where it begins */
    enum expect expect;
    enum status status; /* of a scan that fails: no memory, unless a fault was found */
    struct json_scanned result;
    size_t depth;
    uint64_t *kinds; /* a bit for each open container: is it an object? `local_kinds`, or owned */
    size_t kind_capacity;
    uint64_t local_kinds[JSON_MAX_DEPTH / 64 + 1];
    struct json_names names;
    struct {
        size_t first; /* of its names */
        bool disordered;
    } open[JSON_MAX_DEPTH + 1]; /* under JSON_STRICT only */
};

/* Of the text the word that begins at `at` is shown, else all the rest. */
static bool fault_at(struct scan *s, const char *at, const char *what)
{
    const char *stop = at, *early = at == s->end && s->at > s->text ? "ends too early, " : "";
    while (stop < s->end && is_of_word(*stop))
        stop++;
    if (stop == at)
        stop = json_trim_end(at, s->end);
    s->status = STATUS_INVALID;
    s->result.fault.offset = (size_t)(at - s->text);
    s->result.fault.length = (size_t)(stop - at);
    snprintf(s->result.fault.what, sizeof s->result.fault.what, "%s%s", early, what);
    return false;
}

#define SHOWN_BYTES 20 /* each may become \xHH, and the message must hold them */

static bool fault_duplicate(struct scan *s, const char *at)
{
    char quoted[QUOTED_SIZE];
    bool escaped;
    size_t length = (size_t)(json_string_end(at - 1, s->end, &escaped) - at - 1), shown = length;
    if (length > SHOWN_BYTES)
        for (shown = SHOWN_BYTES; (at[shown] & 0xc0) == 0x80;)
            shown--;
    fault_at(s, at - 1, "");
    snprintf(s->result.fault.what, sizeof s->result.fault.what, "duplicate member %s%s", quote_bytes(quoted, at, shown),
             shown < length ? "..." : "");
    s->result.fault.length = 0; /* it is shown */
    return false;
}

static void skip_space(struct scan *s)
{
    const char *at = json_skip_space(s->at, s->end);
    if (at != s->at)
        s->result.canonical = false;
    s->at = at;
}

static bool open_container(struct scan *s, bool object)
{
    if (s->rules == JSON_STRICT) {
        if (s->depth == JSON_MAX_DEPTH)
            return fault_at(s, s->at, "nesting deeper than 512");
        s->open[s->depth].first = s->names.count;
        s->open[s->depth].disordered = false;
    }
    if (s->depth / 64 == s->kind_capacity) {
        uint64_t *kinds = json_array_grow(s->kinds, s->local_kinds, &s->kind_capacity, sizeof *kinds);
        if (!kinds)
            return false;
        s->kinds = kinds;
    }
    uint64_t *word = &s->kinds[s->depth / 64], bit = (uint64_t)1 << (s->depth % 64);
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    s->at++;
    s->expect = object ? FIRST_NAME : FIRST_VALUE;
    return true;
}

/* A value ends at s->at. */
static bool value_done(struct scan *s)
{
    s->expect = s->depth == 0 ? NOTHING : SEPARATOR;
    if (s->depth == 1 && s->slot < s->keys.count)
        s->found[s->slot] = (struct json_text){s->value, (size_t)(s->at - s->value)};
    return true;
}

static bool close_container(struct scan *s)
{
    if (s->rules == JSON_STRICT) {
        size_t first = s->open[s->depth - 1].first;
        if (s->open[s->depth - 1].disordered) {
            s->result.canonical = false;
            const char *again = json_names_duplicate(s->names.items + first, s->names.count - first);
            if (again)
                return fault_duplicate(s, again);
        }
        s->names.count = first;
    }
    s->depth--;
    s->at++;
    return value_done(s);
}

/* From the opening quote to the place after the closing one. */
static bool take_string(struct scan *s, bool *ret_escaped)
{
    const char *start = s->at++;
    *ret_escaped = false;
    for (size_t n;; s->at += n) {
        s->at = json_plain_end(s->at, s->end);
        if (s->at == s->end)
            return fault_at(s, start, "unterminated string");
        unsigned char c = (unsigned char)*s->at;
        if (c == '"')
            break;
        if (c < 0x20)
            return fault_at(s, s->at, "control character in a string");
        n = c == '\\' ? json_escape_length(s->at, s->end) : json_utf8_sequence(s->at, s->end);
        if (n == 0)
            return fault_at(s, s->at, c == '\\' ? "invalid escape" : "invalid UTF-8");
        *ret_escaped |= c == '\\';
        s->result.canonical &= c == '\\' && json_escape_is_canonical(s->at);
    }
    s->at++;
    return true;
}

static bool take_name(struct scan *s)
{
    bool escaped;
    const char *at = s->at + 1;
    if (s->at == s->end || *s->at != '"')
        return fault_at(s, s->at, s->expect == NAME ? "expected a member name" : "expected a member name or '}'");
    if (!take_string(s, &escaped))
        return false;
    struct json_name name = json_name_make(at, (size_t)(s->at - at) - 1, escaped);
    if (s->depth == 1)
        s->slot = json_key_index(&s->keys, &name);
    if (s->rules == JSON_STRICT) {
        size_t first = s->open[s->depth - 1].first;
        if (s->names.count > first && json_name_compare(&s->names.items[s->names.count - 1], &name) >= 0)
            s->open[s->depth - 1].disordered = true;
        if (!json_names_push(&s->names, &name))
            return false;
    }
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return fault_at(s, s->at, "expected ':'");
    s->at++;
    s->expect = VALUE;
    return true;
}

static bool fault_no_value(struct scan *s)
{
    return fault_at(s, s->at, s->expect == VALUE ? "expected a value" : "expected a value or ']'");
}

/* A word that is no number of RFC 8259. */
static bool take_constant(struct scan *s, const char *word, const char *fault)
{
    size_t length = strlen(word);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return *s->at == '-' ? fault_at(s, s->at, "invalid number") : fault_no_value(s);
    if (fault && s->rules == JSON_STRICT)
        return fault_at(s, s->at, fault);
    s->at += length;
    return value_done(s);
}

static bool take_value(struct scan *s)
{
    bool escaped;
    if (s->at == s->end)
        return fault_no_value(s);
    if (s->depth == 1)
        s->value = s->at;
    switch (*s->at) {
    case '"':
        return take_string(s, &escaped) && value_done(s);
    case '{':
    case '[':
        return open_container(s, *s->at == '{');
    case 't':
        return take_constant(s, "true", NULL);
    case 'f':
        return take_constant(s, "false", NULL);
    case 'n':
        return take_constant(s, "null", NULL);
    case 'N':
        return take_constant(s, "NaN", "NaN is not allowed");
    case 'I':
        return take_constant(s, "Infinity", "Infinity is not allowed");
    case '-':
    case '0' ... '9':
        break;
    default:
        return fault_no_value(s);
    }
    if (s->end - s->at > 1 && s->at[1] == 'I')
        return take_constant(s, "-Infinity", "-Infinity is not allowed");
    const char *after = json_number_end(s->at, s->end);
    if (!after || (after < s->end && ((*after >= '0' && *after <= '9') || *after == '.')))
        return fault_at(s, s->at, "invalid number");
    s->at = after;
    return value_done(s);
}

/* What comes next: a name, a value, a separator or the end of a container. */
static bool step(struct scan *s)
{
    skip_space(s);
    char c = s->at < s->end ? *s->at : '\0';
    switch (s->expect) {
    case FIRST_NAME:
        return c == '}' ? close_container(s) : take_name(s);
    case NAME:
        return take_name(s);
    case FIRST_VALUE:
        return c == ']' ? close_container(s) : take_value(s);
    case VALUE:
        return take_value(s);
    default:
        break;
    }
    bool object = s->kinds[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1;
    if (c == (object ? '}' : ']'))
        return close_container(s);
    if (c != ',')
        return fault_at(s, s->at, object ? "expected ',' or '}'" : "expected ',' or ']'");
    s->at++;
    s->expect = object ? NAME : VALUE;
    return true;
}

static bool scan_document(struct scan *s)
{
    if (json_is_blank(s->text, (size_t)(s->end - s->text))) {
        fault_at(s, s->end, "empty");
        s->result.fault.offset = 0;
        return false;
    }
    if (s->end - s->text >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0)
        return fault_at(s, s->text, "unexpected byte order mark");
    skip_space(s);
    s->result.type = json_type((struct json_text){s->at, 1});
    while (s->expect != NOTHING)
        if (!step(s))
            return false;
    skip_space(s);
    return s->at == s->end || fault_at(s, s->at, "trailing data after the document");
}

enum status json_scan_carefully(const char *text, size_t length, enum json_rules rules, const struct json_key *keys,
                                size_t count, struct json_text *ret_members, struct json_scanned *ret)
{
    struct scan s;
    memset(&s, 0, offsetof(struct scan, names));
    s.text = s.at = text;
    s.end = text + length;
    s.rules = rules;
    s.status = STATUS_IO;
    s.keys = json_key_set_make(keys, count);
    s.slot = count;
    s.result.canonical = rules == JSON_STRICT;
    s.kinds = s.local_kinds;
    s.kind_capacity = sizeof s.local_kinds / sizeof *s.local_kinds;
    json_names_init(&s.names);
    if (scan_document(&s)) {
        s.status = STATUS_OK;
        if (s.result.type == JSON_OBJECT && count > 0)
            memcpy(ret_members, s.found, count * sizeof *ret_members);
    }
    if (s.status != STATUS_IO)
        *ret = s.result;
    if (s.kinds != s.local_kinds)
        free(s.kinds);
    json_names_release(&s.names);
    return s.status;
}
