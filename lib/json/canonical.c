#include "json/tree.h"

struct reader {
    const char *at, *end;
    struct json_tree *tree;
    bool changed; /* as json_tree_open() wants to know it */
};

static void skip_space(struct reader *r)
{
    const char *at = json_skip_space(r->at, r->end);
    r->changed |= at != r->at;
    r->at = at;
}

/* Passes over the string at r->at; true where its canonical form is another. */
static bool take_string(struct reader *r, bool *ret_escaped)
{
    const char *start = r->at;
    r->at = json_string_end(start, r->end, ret_escaped);
    if (json_string_is_canonical(start, r->at))
        return false;
    r->tree->growth += 5 * (size_t)(r->at - start);
    r->changed = true;
    return true;
}

/* A member's name and the colon behind it. */
static bool take_name(struct reader *r, struct json_name *ret_name)
{
    bool escaped;
    const char *at = r->at + 1;
    bool rewritten = take_string(r, &escaped);
    *ret_name = json_name_make(at, r->at > at ? (size_t)(r->at - at) - 1 : 0, escaped);
    skip_space(r);
    r->at += r->at < r->end;
    skip_space(r);
    return rewritten;
}

/* A scalar is taken whole, of a container only its opening bracket. False: no memory. */
static bool take_value(struct reader *r)
{
    struct json_tree *tree = r->tree;
    struct json_name name;
    bool is_member = tree->open != JSON_NO_NODE && *tree->nodes[tree->open].text == '{', escaped;
    bool name_rewritten = is_member && take_name(r, &name);
    struct json_node *node = json_tree_add(tree, is_member ? &name : NULL, r->at);
    if (!node)
        return false;
    node->name_rewritten = name_rewritten;
    if (r->at < r->end && (*r->at == '{' || *r->at == '[')) {
        json_tree_open(tree, node, r->changed);
        r->changed = false;
        r->at++;
        return true;
    }
    if (r->at < r->end && *r->at == '"')
        node->form = take_string(r, &escaped) ? JSON_REWRITTEN : JSON_VERBATIM;
    else
        r->at = json_value_end(r->at, r->end);
    node->length = (size_t)(r->at - node->text);
    return true;
}

static bool close_container(struct reader *r)
{
    r->at += r->at < r->end;
    bool changed = r->changed;
    r->changed = false;
    return json_tree_close(r->tree, r->at, changed);
}

/* False: no memory. */
static bool read_document(struct json_tree *tree, struct json_text document)
{
    struct reader r = {document.data, document.data + document.length, tree, false};
    do {
        skip_space(&r);
        bool closes = tree->open != JSON_NO_NODE && (r.at == r.end || *r.at == '}' || *r.at == ']');
        if (!(closes ? close_container(&r) : take_value(&r)))
            return false;
        skip_space(&r);
        if (tree->open != JSON_NO_NODE && r.at < r.end && *r.at == ',')
            r.at++;
    } while (tree->open != JSON_NO_NODE);
    return true;
}

enum status json_canonical(struct json_text document, const struct json_override *overrides, size_t count,
                           struct bytes *out, struct error *err)
{
    struct json_tree tree;
    json_tree_init(&tree, overrides, count);
    bool good = json_tree_read_fast(&tree, document);
    if (!good) {
        json_tree_clear(&tree);
        good = read_document(&tree, document);
    }
    good = good && bytes_reserve(out, document.length + json_tree_growth(&tree));
    if (good) {
        char *end = json_tree_write(&tree, out->data + out->length, document.data + document.length);
        out->length = (size_t)(end - out->data);
    }
    json_tree_release(&tree);
    return good ? STATUS_OK : error_set_memory(err);
}
