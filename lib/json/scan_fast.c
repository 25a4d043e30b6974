#include "json/index.h"
#include "json/names.h"

#ifdef JSON_HAS_INDEX

/*
 * The grammar (RFC 8259), walked along the index of strings. Whatever is not plainly right is left to the careful
 * scanner, which begins anew, so one answer serves for everything wrong: offset 0. The text begins with '{' and ends
 * with '}': a byte may be read wherever the one before was no closing brace.
 */
struct level {
    uint32_t first; /* its names begin after this one */
    char closer;
    bool unsure; /* as in struct cursor, while another is the innermost */
};

struct fast {
    const char *text, *end;
    size_t length;
    struct json_key_set keys;
    struct json_text *found;
    bool disordered;                         /* an object was */
    struct level levels[JSON_MAX_DEPTH + 1]; /* [0] is outside */
    struct json_names names;                 /* items[0] belongs to nobody */
    const struct json_name *last_name;       /* the last one that there is room for */
    struct json_index index;
};

/* What changes all the time stays in registers: only functions compiled into their callers get a pointer to it. */
struct cursor {
    size_t offset;
    const uint32_t *next;   /* see index.h */
    struct json_name *name; /* the last one */
    uint64_t head;          /* its head; 0 where the innermost object has none yet */
    bool unsure;            /* a name of the innermost object may not be above the one before it */
    struct level *level;    /* the innermost */
};

ALWAYS_INLINE bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

ALWAYS_INLINE size_t fast_digits(const char *text, size_t at)
{
    if (!is_digit(text[at]))
        return 0;
    do
        at++;
    while (is_digit(text[at]));
    return at;
}

ALWAYS_INLINE size_t number_end(const char *text, size_t at)
{
    at += text[at] == '-';
    at = text[at] == '0' ? at + 1 : fast_digits(text, at);
    if (at != 0 && text[at] == '.')
        at = fast_digits(text, at + 1);
    if (at != 0 && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += text[at] == '+' || text[at] == '-';
        at = fast_digits(text, at);
    }
    return at;
}

ALWAYS_INLINE size_t word_end(const struct fast *f, size_t at, const char *word, size_t length)
{
    return f->length - at > length && memcmp(f->text + at, word, length) == 0 ? at + length : 0;
}

/* Passes over a value that is neither string nor container. */
ALWAYS_INLINE bool take_scalar(struct fast *f, struct cursor *a)
{
    switch (f->text[a->offset]) {
    case 'n':
        a->offset = word_end(f, a->offset, "null", 4);
        break;
    case 't':
        a->offset = word_end(f, a->offset, "true", 4);
        break;
    case 'f':
        a->offset = word_end(f, a->offset, "false", 5);
        break;
    default:
        a->offset = number_end(f->text, a->offset);
    }
    return a->offset != 0;
}

/* Room for more names: where the last one is then. Not part of the hot loop. NULL: no memory. */
static struct json_name *more_names(struct fast *f)
{
    size_t count = f->names.capacity;
    if (!json_names_grow(&f->names))
        return NULL;
    f->last_name = f->names.items + f->names.capacity - 1;
    return f->names.items + count - 1;
}

ALWAYS_INLINE bool take_string(struct fast *f, struct cursor *a)
{
    a->offset = json_index_string(&f->index, &a->next, a->offset);
    return a->offset != 0;
}

ALWAYS_INLINE void skip_space(struct fast *f, struct cursor *a, bool spaced)
{
    if (!spaced)
        return;
    a->offset = json_index_solid(&f->index, &a->next, a->offset);
}

/*
 * Takes a member's name and the colon after it. Under JSON_STRICT the name is kept, otherwise it is in *scratch.
 * NULL: something is wrong.
 */
ALWAYS_INLINE struct json_name *take_name(struct fast *f, struct cursor *a, struct json_name *scratch, bool strict,
                                          bool spaced)
{
    if (strict) {
        if (UNLIKELY(a->name == f->last_name) && !(a->name = more_names(f)))
            return NULL;
        scratch = ++a->name;
    }
    size_t start = a->offset + 1, end = json_index_string(&f->index, &a->next, a->offset);
    if (UNLIKELY(end == 0))
        return NULL;
    size_t length = end - start - 1;
    json_name_set(scratch, f->text + start, length, f->end, json_index_may_escape(&f->index, a->offset, length));
    a->offset = end;
    skip_space(f, a, spaced);
    if (f->text[a->offset++] != ':')
        return NULL;
    skip_space(f, a, spaced);
    if (strict) {
        a->unsure |= a->head >= scratch->head;
        a->head = scratch->head;
    }
    return scratch;
}

ALWAYS_INLINE bool fast_open(struct fast *f, struct cursor *a, char closer)
{
    if (UNLIKELY(a->level == f->levels + JSON_MAX_DEPTH))
        return false;
    a->level->unsure = a->unsure;
    a->level++;
    a->level->first = (uint32_t)(a->name - f->names.items);
    a->level->closer = closer;
    a->unsure = false;
    a->head = 0;
    a->offset++;
    return true;
}

/* At the closing bracket. False: a name is there twice. */
ALWAYS_INLINE bool fast_close(struct fast *f, struct cursor *a)
{
    struct json_name *first = f->names.items + a->level->first, *last = a->name;
    bool unsure = a->unsure;
    a->level--;
    a->unsure = a->level->unsure;
    a->name = first;
    a->head = first->head;
    a->offset++;
    size_t count = (size_t)(last - first);
    if (LIKELY(!unsure) || json_names_ascend(first + 1, count))
        return true;
    f->disordered = true;
    return !json_names_duplicate(first + 1, count);
}

/* From the opening bracket to the place after the closing one, whatever lies between. */
ALWAYS_INLINE bool take_container(struct fast *f, struct cursor *a, bool strict, bool spaced)
{
    struct level *outside = a->level;
    const char *text = f->text;
    struct json_name scratch;
    char closer;
opened:
    closer = (char)(text[a->offset] + 2); /* both brackets of a pair are two apart */
    if (!fast_open(f, a, closer))
        return false;
    skip_space(f, a, spaced);
    if (text[a->offset] == closer)
        goto closed;
item:
    if (closer == '}' && !take_name(f, a, &scratch, strict, spaced))
        return false;
    if ((text[a->offset] | 0x20) == '{')
        goto opened;
    if (!(text[a->offset] == '"' ? take_string(f, a) : take_scalar(f, a)))
        return false;
after:
    skip_space(f, a, spaced);
    if (text[a->offset] == ',') {
        a->offset++;
        skip_space(f, a, spaced);
        goto item;
    }
    if (text[a->offset] != closer)
        return false;
closed:
    if (!fast_close(f, a) || a->offset == f->length)
        return false;
    if (a->level == outside)
        return true;
    closer = a->level->closer;
    goto after;
}

ALWAYS_INLINE bool take_member(struct fast *f, struct cursor *a, bool strict, bool spaced)
{
    struct json_name scratch, *name = take_name(f, a, &scratch, strict, spaced);
    if (!name)
        return false;
    size_t value = a->offset, i = json_key_index(&f->keys, name);
    char c = f->text[value];
    if (!(c == '"' ? take_string(f, a) : (c | 0x20) == '{' ? take_container(f, a, strict, spaced) : take_scalar(f, a)))
        return false;
    if (i < f->keys.count)
        f->found[i] = (struct json_text){f->text + value, a->offset - value};
    return true;
}

/* The whole document, which is an object. */
ALWAYS_INLINE bool take_document(struct fast *f, const uint32_t *next, bool strict, bool spaced)
{
    struct cursor a = {.next = next, .name = f->names.items, .level = f->levels};
    f->disordered = false;
    fast_open(f, &a, '}');
    skip_space(f, &a, spaced);
    for (bool more = f->text[a.offset] != '}'; more;) {
        if (!take_member(f, &a, strict, spaced))
            return false;
        skip_space(f, &a, spaced);
        more = f->text[a.offset] == ',';
        a.offset += more;
        skip_space(f, &a, spaced);
    }
    return f->text[a.offset] == '}' && fast_close(f, &a) && a.offset == f->length && !f->index.invalid;
}

/* Compiled once for each kind of text, with no test of `spaced` or `strict` left in the loop. */
static bool take_text(struct fast *f, const uint32_t *next, bool strict, bool spaced)
{
    for (size_t i = 0; i < f->keys.count; i++)
        f->found[i] = (struct json_text){NULL, 0};
    if (spaced)
        return strict ? take_document(f, next, true, true) : take_document(f, next, false, true);
    return strict ? take_document(f, next, true, false) : take_document(f, next, false, false);
}

/* False: json_scan_carefully() must say what to think of it (a fault, a text of another shape, no memory). */
static bool scan_fast(const char *text, size_t length, bool strict, struct json_key_set keys,
                      struct json_text *ret_members, bool *ret_canonical)
{
    size_t trimmed = (size_t)(json_trim_end(text, text + length) - text);
    if (trimmed < 2 || trimmed > JSON_INDEX_MAX || text[0] != '{' || text[trimmed - 1] != '}')
        return false;
    struct fast f;
    f.text = text;
    f.length = trimmed;
    f.end = text + trimmed;
    f.keys = keys;
    f.found = ret_members;
    json_names_init(&f.names);
    f.names.items[0].head = 0;
    f.last_name = f.names.items + f.names.capacity - 1;
    bool good = take_text(&f, json_index_start(&f.index, text, trimmed, true), strict, false);
    if (!good && !f.index.invalid) {
        good = take_text(&f, json_index_space(&f.index), strict, true);
        f.disordered = true; /* if it is good, white space kept it from being taken before */
    }
    json_names_release(&f.names);
    *ret_canonical = strict && trimmed == length && !f.disordered && !f.index.rewritten;
    return good;
}

#endif

enum status json_scan(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                      struct json_text *ret_members, struct json_scanned *ret)
{
    if (count > JSON_MAX_KEYS)
        count = JSON_MAX_KEYS;
#ifdef JSON_HAS_INDEX
    struct json_text found[JSON_MAX_KEYS];
    if (json_may_use(JSON_SSE2) &&
        scan_fast(text, length, rules == JSON_STRICT, json_key_set_make(keys, count), found, &ret->canonical)) {
        for (size_t i = 0; i < count; i++)
            ret_members[i] = found[i];
        ret->type = JSON_OBJECT;
        return STATUS_OK;
    }
#endif
    return json_scan_carefully(text, length, rules, keys, count, ret_members, ret);
}
