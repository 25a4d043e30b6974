#include <string.h>

#include "event/event.h"

/*
 * Two values are compared by their canonical texts, from which the members that count as absent are taken out: what
 * is left differs at most in the spelling of numbers. No recursion: stored lines may be nested to any depth.
 */

/* A member that is being copied: where its text begins, and its value. In an array: start is IN_ARRAY. */
struct member {
    size_t start, value;
};
#define IN_ARRAY SIZE_MAX

struct reduction {
    struct bytes *text; /* read from `at`, written (never further than read) at `out` */
    size_t at, out;
    struct bytes open; /* struct member, the innermost last */
};

static bool push(struct reduction *r, size_t start)
{
    struct member member = {start, r->out};
    return bytes_append(&r->open, &member, sizeof member);
}

static struct member pop(struct reduction *r)
{
    struct member member;
    r->open.length -= sizeof member;
    memcpy(&member, r->open.data + r->open.length, sizeof member);
    return member;
}

static void copy(struct reduction *r, size_t length)
{
    memmove(r->text->data + r->out, r->text->data + r->at, length);
    r->at += length;
    r->out += length;
}

/* Writes the comma that a value or member needs before it. */
static void separate(struct reduction *r)
{
    char last = r->out > 0 ? r->text->data[r->out - 1] : '[';
    if (last != '{' && last != '[' && last != ':')
        r->text->data[r->out++] = ',';
}

/* The end of the string, number or literal that begins at `at`, in canonical text. */
static const char *token_end(const char *at, const char *end)
{
    if (*at != '"') {
        while (at < end && *at != ',' && *at != ']' && *at != '}')
            at++;
        return at;
    }
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* Copies the next token, a comma aside: a bracket, a member's name (which a colon follows), or a value. */
static bool reduce_next(struct reduction *r)
{
    const char *at = r->text->data + r->at, *end = r->text->data + r->text->length;
    size_t start = r->out;
    char c = *at;
    switch (c) {
    case ',':
        r->at++;
        return true;
    case '{':
    case '[':
        separate(r);
        copy(r, 1);
        return c == '{' || push(r, IN_ARRAY);
    case ']':
        pop(r);
        /* fall through */
    case '}':
        copy(r, 1);
        break;
    default: {
        size_t length = (size_t)(token_end(at, end) - at);
        bool is_name = length < (size_t)(end - at) && at[length] == ':';
        separate(r);
        copy(r, length + is_name);
        if (is_name)
            return push(r, start);
    }
    }
    struct member member = pop(r);
    const char *value = r->text->data + member.value;
    size_t length = r->out - member.value;
    if (member.start == IN_ARRAY)
        r->open.length += sizeof member; /* stays for the elements that follow */
    else if (length == 0 || (length == 4 && memcmp(value, "null", 4) == 0) ||
             (length == 2 && (value[0] == '"' || value[0] == '[' || value[0] == '{')))
        r->out = member.start; /* it counts as absent, and its name goes with it */
    return true;
}

/* Appends the value's canonical text without the members that count as absent; nothing if it counts so itself. */
static bool reduced(struct json_text value, struct bytes *ret_text)
{
    if (!value.data)
        return true;
    if (json_canonical(value, NULL, 0, ret_text, NULL) != STATUS_OK)
        return false;
    struct reduction r = {.text = ret_text};
    bool good = push(&r, 0);
    while (good && r.at < ret_text->length)
        good = reduce_next(&r);
    ret_text->length = r.out;
    bytes_release(&r.open);
    return good;
}

/* The same text, but for the spelling of numbers. */
static bool same_text(const struct bytes *a, const struct bytes *b)
{
    if (a->length == 0 || b->length == 0)
        return a->length == b->length;
    const char *at = a->data, *end = at + a->length, *at_b = b->data, *end_b = at_b + b->length;
    while (at < end && at_b < end_b) {
        if (*at == '{' || *at == '[' || *at == '}' || *at == ']' || *at == ',' || *at == ':') {
            if (*at++ != *at_b++)
                return false;
            continue;
        }
        struct json_text token = {at, (size_t)(token_end(at, end) - at)};
        struct json_text token_b = {at_b, (size_t)(token_end(at_b, end_b) - at_b)};
        if ((token.length != token_b.length || memcmp(at, at_b, token.length) != 0) &&
            !(json_type(token) == JSON_NUMBER && json_type(token_b) == JSON_NUMBER && json_number_same(token, token_b)))
            return false;
        at += token.length;
        at_b += token_b.length;
    }
    return at == end && at_b == end_b;
}

/* Takes what is not the same out of *same, which is true until then. False: no memory. */
static bool compare(struct json_text a, struct json_text b, bool *same)
{
    if (!*same || (a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0)))
        return true;
    if (json_type(a) == JSON_STRING && json_type(b) == JSON_STRING) {
        *same = json_string_same(a, b);
        return true;
    }
    struct bytes text_a = {0}, text_b = {0};
    bool good = reduced(a, &text_a) && reduced(b, &text_b);
    if (good)
        *same = same_text(&text_a, &text_b);
    bytes_release(&text_a);
    bytes_release(&text_b);
    return good;
}

bool event_conflicts(const struct event *a, const struct event *b, bool *ret_conflicts)
{
    struct json_walk walk_a = event_entities(a), walk_b = event_entities(b);
    bool same = a->timestamp == b->timestamp, more = true;
    bool good = compare(a->source, b->source, &same) && compare(a->type, b->type, &same) &&
                compare(a->caused_by, b->caused_by, &same) && compare(a->payload, b->payload, &same);
    while (good && same && more) {
        struct entity_ref ref_a, ref_b;
        more = event_next_entity(&walk_a, &ref_a);
        same = event_next_entity(&walk_b, &ref_b) == more;
        if (same && more)
            good = compare(ref_a.type, ref_b.type, &same) && compare(ref_a.value, ref_b.value, &same) &&
                   compare(ref_a.platform, ref_b.platform, &same);
    }
    *ret_conflicts = !same;
    return good;
}
