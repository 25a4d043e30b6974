#include "json/index.h"
#include "json/names.h"
#include "json/tree.h"

#ifdef JSON_HAS_INDEX

struct reader {
    const char *text;
    size_t length;
    struct json_tree *tree;
    struct json_index index;
};

/* What changes all the time stays in registers: only functions compiled into their callers get a pointer to it. */
struct at {
    size_t at;
    const uint32_t *next;
    bool changed; /* as json_tree_open() wants to know it */
};

ALWAYS_INLINE void skip_space(struct reader *r, struct at *a, bool spaced)
{
    if (!spaced)
        return;
    size_t at = json_index_solid(&r->index, &a->next, a->at);
    a->changed |= at != a->at;
    a->at = at;
}

/* *ret_rewritten: its canonical form is another. False: the text is not what it should be. */
ALWAYS_INLINE bool take_string(struct reader *r, struct at *a, bool *ret_rewritten)
{
    size_t start = a->at, end = json_index_string(&r->index, &a->next, start);
    if (end == 0)
        return false;
    a->at = end;
    *ret_rewritten = UNLIKELY(json_index_may_rewrite(&r->index, start, end)) &&
                     !json_string_is_canonical(r->text + start, r->text + end);
    if (UNLIKELY(*ret_rewritten)) {
        r->tree->growth += 5 * (end - start);
        a->changed = true;
    }
    return true;
}

ALWAYS_INLINE bool take_name(struct reader *r, struct at *a, struct json_name *ret_name, bool *ret_rewritten,
                             bool spaced)
{
    size_t start = a->at + 1;
    if (!take_string(r, a, ret_rewritten))
        return false;
    bool escapes = json_index_may_escape(&r->index, start, a->at - start);
    json_name_set(ret_name, r->text + start, a->at - start - 1, r->text + r->length, escapes);
    skip_space(r, a, spaced);
    if (r->text[a->at++] != ':')
        return false;
    skip_space(r, a, spaced);
    return true;
}

ALWAYS_INLINE bool take_leaf(struct reader *r, struct at *a, struct json_node *node)
{
    const char *text = r->text;
    bool rewritten = false;
    if (*node->text == '"') {
        if (!take_string(r, a, &rewritten))
            return false;
        node->form = rewritten ? JSON_REWRITTEN : JSON_VERBATIM;
    } else {
        while ((unsigned char)text[a->at] > ' ' && text[a->at] != ',' && (text[a->at] | 0x20) != '}')
            a->at++;
    }
    node->length = (size_t)(text + a->at - node->text);
    return true;
}

/* From the opening bracket to the closing one, which ends the text. */
ALWAYS_INLINE bool take_document(struct reader *r, const uint32_t *next, bool spaced)
{
    const char *text = r->text;
    struct json_tree *tree = r->tree;
    struct at a = {0, next, false};
    struct json_name name;
    bool object, name_rewritten = false;
    struct json_node *node = json_tree_add(tree, NULL, text);
opened:
    object = text[a.at] == '{';
    json_tree_open(tree, node, a.changed);
    a.changed = false;
    a.at++;
    skip_space(r, &a, spaced);
    if ((text[a.at] | 0x20) == '}')
        goto closed;
item:
    if (object && !take_name(r, &a, &name, &name_rewritten, spaced))
        return false;
    node = json_tree_add(tree, object ? &name : NULL, text + a.at);
    if (!node)
        return false;
    node->name_rewritten = name_rewritten & object;
    if ((text[a.at] | 0x20) == '{')
        goto opened;
    if (!take_leaf(r, &a, node))
        return false;
after:
    skip_space(r, &a, spaced);
    if (text[a.at] == ',') {
        a.at++;
        skip_space(r, &a, spaced);
        goto item;
    }
    if ((text[a.at] | 0x20) != '}')
        return false;
closed:
    a.at++;
    if (!json_tree_close(tree, text + a.at, a.changed))
        return false;
    a.changed = false;
    if (a.at == r->length)
        return tree->open == JSON_NO_NODE;
    if (tree->open == JSON_NO_NODE)
        return false;
    object = *tree->nodes[tree->open].text == '{';
    goto after;
}

/* Compiled once for each kind of text. */
static bool take_text(struct reader *r, const uint32_t *next, bool spaced)
{
    return spaced ? take_document(r, next, true) : take_document(r, next, false);
}

/* False: json_tree_read() must do it. */
static bool read_fast(struct json_tree *tree, struct json_text document)
{
    const char *at = json_skip_space(document.data, document.data + document.length);
    size_t length = (size_t)(json_trim_end(at, document.data + document.length) - at);
    if (!json_may_use(JSON_SSE2) || length < 2 || length > JSON_INDEX_MAX)
        return false;
    if ((at[0] | 0x20) != '{' || (at[length - 1] | 0x20) != '}')
        return false;
    struct reader r;
    r.text = at;
    r.length = length;
    r.tree = tree;
    if (take_text(&r, json_index_start(&r.index, at, length, false), false))
        return true;
    json_tree_clear(tree);
    return take_text(&r, json_index_space(&r.index), true);
}

#else
#define read_fast(tree, document) false
#endif

enum status json_canonical(struct json_text document, const struct json_override *overrides, size_t count,
                           struct bytes *out, struct error *err)
{
    struct json_tree tree;
    json_tree_init(&tree, overrides, count);
    bool good = read_fast(&tree, document);
    if (!good) {
        json_tree_clear(&tree);
        good = json_tree_read(&tree, document);
    }
    good = good && bytes_reserve(out, document.length + json_tree_growth(&tree));
    if (good) {
        char *end = json_tree_write(&tree, out->data + out->length, document.data + document.length);
        out->length = (size_t)(end - out->data);
    }
    json_tree_release(&tree);
    return good ? STATUS_OK : error_set_memory(err);
}
