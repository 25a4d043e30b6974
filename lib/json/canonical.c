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

/* Takes a scalar whole, of a container only its opening bracket. False: no memory. */
static bool take_value(struct reader *r)
{
    struct json_tree *tree = r->tree;
    struct json_name name;
    bool is_member = tree->open != JSON_NO_NODE && *tree->nodes[tree->open].text == '{';
    bool escaped, name_rewritten = false;
    if (is_member) {
        const char *at = r->at + 1;
        name_rewritten = take_string(r, &escaped);
        name = json_name_make(at, r->at > at ? (size_t)(r->at - at) - 1 : 0, escaped);
        skip_space(r);
        r->at += r->at < r->end; /* the colon */
        skip_space(r);
    }
    struct json_node *node = json_tree_add(tree, is_member ? &name : NULL, r->at);
    if (!node)
        return false;
    node->name_rewritten = name_rewritten;
    char first = r->at < r->end ? *r->at : '\0';
    if (first == '{' || first == '[') {
        json_tree_open(tree, node, r->changed);
        r->changed = false;
        r->at++;
        return true;
    }
    if (first == '"')
        node->form = take_string(r, &escaped) ? JSON_REWRITTEN : JSON_VERBATIM;
    else
        r->at = json_value_end(r->at, r->end);
    node->length = (size_t)(r->at - node->text);
    return true;
}

bool json_tree_read(struct json_tree *tree, struct json_text document)
{
    struct reader r = {document.data, document.data + document.length, tree, false};
    do {
        skip_space(&r);
        if (tree->open != JSON_NO_NODE && (r.at == r.end || *r.at == '}' || *r.at == ']')) {
            r.at += r.at < r.end;
            if (!json_tree_close(tree, r.at, r.changed))
                return false;
            r.changed = false;
        } else if (!take_value(&r)) {
            return false;
        }
        skip_space(&r);
        if (tree->open != JSON_NO_NODE && r.at < r.end && *r.at == ',')
            r.at++;
    } while (tree->open != JSON_NO_NODE);
    return true;
}
