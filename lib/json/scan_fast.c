#include "json/index.h"
#include "json/names.h"

#ifdef JSON_HAS_INDEX

/*
 * The grammar, walked along the index of strings. Whatever is not plainly right is left to the careful scanner, which
 * begins anew, so there is one word for everything wrong: offset 0. The text begins with '{' and ends with '}': a byte
 * may be read wherever the one before was no closing brace.
 */
struct level {
    uint32_t first; /* its names begin behind this one */
    char closer;
    bool unsure; /* as in struct at, while another is the innermost */
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

/* What changes all the time: in registers, so handed only to functions that are compiled into their callers. */
struct at {
    size_t at;
    const uint32_t *next;   /* see json_index.h */
    struct json_name *name; /* the last one */
    uint64_t head;          /* its head; 0 where the innermost object has none yet */
    bool unsure;            /* a name of the innermost object may not be above the one before it */
    struct level *level;    /* the innermost */
};

ALWAYS_INLINE bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

ALWAYS_INLINE size_t some_digits(const char *text, size_t at)
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
    at = text[at] == '0' ? at + 1 : some_digits(text, at);
    if (at != 0 && text[at] == '.')
        at = some_digits(text, at + 1);
    if (at != 0 && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += text[at] == '+' || text[at] == '-';
        at = some_digits(text, at);
    }
    return at;
}

ALWAYS_INLINE size_t word_end(const struct fast *f, size_t at, const char *word, size_t length)
{
    return f->length - at > length && memcmp(f->text + at, word, length) == 0 ? at + length : 0;
}

/* Passes over a value that is neither string nor container. */
ALWAYS_INLINE bool take_scalar(struct fast *f, struct at *a)
{
    switch (f->text[a->at]) {
    case 'n':
        a->at = word_end(f, a->at, "null", 4);
        break;
    case 't':
        a->at = word_end(f, a->at, "true", 4);
        break;
    case 'f':
        a->at = word_end(f, a->at, "false", 5);
        break;
    default:
        a->at = number_end(f->text, a->at);
    }
    return a->at != 0;
}

ALWAYS_INLINE bool take_string(struct fast *f, struct at *a)
{
    a->at = json_index_string(&f->index, &a->next, a->at);
    return a->at != 0;
}

ALWAYS_INLINE void skip_space(struct fast *f, struct at *a, bool spaced)
{
    if (!spaced)
        return;
    a->at = json_index_solid(&f->index, &a->next, a->at);
}

/* A member's name and the colon behind it. */
ALWAYS_INLINE bool take_name(struct fast *f, struct at *a, struct json_name *ret_name, bool spaced)
{
    const char *name = f->text + a->at + 1;
    size_t end = json_index_string(&f->index, &a->next, a->at);
    if (UNLIKELY(end == 0))
        return false;
    size_t length = end - a->at - 2;
    json_name_set(ret_name, name, length, f->end, json_index_may_escape(&f->index, a->at, length));
    a->at = end;
    skip_space(f, a, spaced);
    bool good = f->text[a->at++] == ':';
    skip_space(f, a, spaced);
    return good;
}

/* Room for more names: where the last one is then. */
static struct json_name *more_names(struct fast *f)
{
    size_t count = f->names.capacity;
    if (!json_names_grow(&f->names))
        return NULL;
    f->last_name = f->names.items + f->names.capacity - 1;
    return f->names.items + count - 1;
}

/* As take_name; under JSON_STRICT the name is kept, otherwise it is in *scratch. NULL: something is wrong. */
ALWAYS_INLINE struct json_name *note_name(struct fast *f, struct at *a, struct json_name *scratch, bool strict,
                                          bool spaced)
{
    if (!strict)
        return take_name(f, a, scratch, spaced) ? scratch : NULL;
    if (UNLIKELY(a->name == f->last_name) && !(a->name = more_names(f)))
        return NULL;
    a->name++;
    if (!take_name(f, a, a->name, spaced))
        return NULL;
    a->unsure |= a->head >= a->name->head;
    a->head = a->name->head;
    return a->name;
}

ALWAYS_INLINE bool open_container(struct fast *f, struct at *a, char closer)
{
    if (UNLIKELY(a->level == f->levels + JSON_MAX_DEPTH))
        return false;
    a->level->unsure = a->unsure;
    a->level++;
    a->level->first = (uint32_t)(a->name - f->names.items);
    a->level->closer = closer;
    a->unsure = false;
    a->head = 0;
    a->at++;
    return true;
}

/* Looks closely at an object's names. False: one is there twice. */
static bool check_names(struct json_name *names, size_t count, bool *disordered)
{
    if (json_names_ascend(names, count))
        return true;
    *disordered = true;
    return !json_names_duplicate(names, count);
}

/* From the closing bracket on. */
ALWAYS_INLINE bool close_container(struct fast *f, struct at *a)
{
    struct json_name *first = f->names.items + a->level->first, *last = a->name;
    bool unsure = a->unsure;
    a->level--;
    a->unsure = a->level->unsure;
    a->name = first;
    a->head = first->head;
    a->at++;
    return LIKELY(!unsure) || check_names(first + 1, (size_t)(last - first), &f->disordered);
}

/* From the opening bracket to behind the closing one, whatever lies between. */
ALWAYS_INLINE bool take_container(struct fast *f, struct at *a, bool strict, bool spaced)
{
    struct level *outside = a->level;
    const char *text = f->text;
    struct json_name scratch;
    char closer;
opened:
    closer = (char)(text[a->at] + 2); /* both brackets of a pair are two apart */
    if (!open_container(f, a, closer))
        return false;
    skip_space(f, a, spaced);
    if (text[a->at] == closer)
        goto closed;
item:
    if (closer == '}' && !note_name(f, a, &scratch, strict, spaced))
        return false;
    if ((text[a->at] | 0x20) == '{')
        goto opened;
    if (!(text[a->at] == '"' ? take_string(f, a) : take_scalar(f, a)))
        return false;
behind:
    skip_space(f, a, spaced);
    if (text[a->at] == ',') {
        a->at++;
        skip_space(f, a, spaced);
        goto item;
    }
    if (text[a->at] != closer)
        return false;
closed:
    if (!close_container(f, a) || a->at == f->length)
        return false;
    if (a->level == outside)
        return true;
    closer = a->level->closer;
    goto behind;
}

ALWAYS_INLINE bool take_member(struct fast *f, struct at *a, bool strict, bool spaced)
{
    struct json_name scratch, *name = note_name(f, a, &scratch, strict, spaced);
    if (!name)
        return false;
    size_t value = a->at, i = json_key_index(&f->keys, name);
    char c = f->text[value];
    if (!(c == '"' ? take_string(f, a) : (c | 0x20) == '{' ? take_container(f, a, strict, spaced) : take_scalar(f, a)))
        return false;
    if (i < f->keys.count)
        f->found[i] = (struct json_text){f->text + value, a->at - value};
    return true;
}

/* The whole document, which is an object. */
ALWAYS_INLINE bool take_document(struct fast *f, const uint32_t *next, bool strict, bool spaced)
{
    struct at a = {.next = next, .name = f->names.items, .level = f->levels};
    f->disordered = false;
    open_container(f, &a, '}');
    skip_space(f, &a, spaced);
    for (bool more = f->text[a.at] != '}'; more;) {
        if (!take_member(f, &a, strict, spaced))
            return false;
        skip_space(f, &a, spaced);
        more = f->text[a.at] == ',';
        a.at += more;
        skip_space(f, &a, spaced);
    }
    return f->text[a.at] == '}' && close_container(f, &a) && a.at == f->length && !f->index.invalid;
}

static bool take_compact(struct fast *f, const uint32_t *next, bool strict)
{
    return strict ? take_document(f, next, true, false) : take_document(f, next, false, false);
}

static bool take_spaced(struct fast *f, const uint32_t *next, bool strict)
{
    return strict ? take_document(f, next, true, true) : take_document(f, next, false, true);
}

static void find_nothing(struct json_text *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        members[i] = (struct json_text){NULL, 0};
}

bool json_scan_fast(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                    struct json_text *ret_members, bool *ret_canonical)
{
    size_t white = 0;
    while (white < length && json_is_space(text[length - white - 1]))
        white++;
    length -= white;
    if (length < 2 || length > JSON_INDEX_MAX || text[0] != '{' || text[length - 1] != '}')
        return false;
    struct fast f;
    f.text = text;
    f.length = length;
    f.end = text + length;
    f.keys = json_key_set_make(keys, count);
    f.found = ret_members;
    json_names_init(&f.names);
    f.names.items[0].head = 0;
    f.last_name = f.names.items + f.names.capacity - 1;
    bool strict = rules == JSON_STRICT;
    find_nothing(ret_members, count);
    const uint32_t *next = json_index_start(&f.index, text, length, true);
    bool good = take_compact(&f, next, strict);
    if (!good && !f.index.invalid) {
        find_nothing(ret_members, count);
        good = take_spaced(&f, json_index_space(&f.index), strict);
        f.disordered = true; /* if it is good, then it was white space that kept it from being taken before */
    }
    json_names_release(&f.names);
    *ret_canonical = strict && white == 0 && !f.disordered && !f.index.rewritten;
    return good;
}

#else

bool json_scan_fast(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                    struct json_text *ret_members, bool *ret_canonical)
{
    (void)text, (void)length, (void)rules, (void)keys, (void)count, (void)ret_members, (void)ret_canonical;
    return false;
}

#endif
