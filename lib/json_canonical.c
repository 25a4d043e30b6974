#include "json_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * The document becomes a tree of the parts that cannot be copied as they stand: a container whose text is canonical
 * already is folded into one leaf when it closes. Children are sorted when their container closes; then the tree is
 * written along its links, so neither way needs a stack, however deep the text is.
 */
#define NONE         UINT32_MAX
#define FEW_CHILDREN 24 /* up to here insertion sort */

enum form { VERBATIM, REWRITTEN_STRING, CONTAINER };

struct node {
    struct json_text name; /* between its quotes; data NULL: an element */
    struct json_text text; /* the value */
    uint32_t parent, next;
    uint32_t first;    /* child; while it is open, number of the children of those around it */
    uint8_t form;      /* enum form; of a container that is open: VERBATIM until something changes */
    bool name_changes; /* the name has to be rewritten */
};

/* A child of a container that is open. */
struct child {
    struct json_name name;
    uint32_t node;
};

struct builder {
    const char *at, *end;
    struct node *nodes;     /* `local_nodes`, or owned */
    struct child *children; /* `local_children`, or owned */
    size_t node_count, node_capacity, child_count, child_capacity;
    uint32_t open; /* the innermost open container */
    size_t growth; /* how much longer than the text the canonical form may be, at most */
    const struct json_override *overrides;
    size_t override_count;
    struct node local_nodes[64];
    struct child local_children[64];
};

static void *grown(void *items, void *local, size_t *capacity, size_t size)
{
    void *more = reallocarray(items == local ? NULL : items, 2 * *capacity, size);
    if (!more)
        return NULL;
    if (items == local)
        memcpy(more, local, *capacity * size);
    *capacity *= 2;
    return more;
}

static bool make_room(struct builder *b)
{
    if (b->child_count == b->child_capacity) {
        void *more = grown(b->children, b->local_children, &b->child_capacity, sizeof *b->children);
        if (!more)
            return false;
        b->children = more;
    }
    if (b->node_count < b->node_capacity)
        return true;
    if (b->node_count > NONE / 4)
        return false;
    void *more = grown(b->nodes, b->local_nodes, &b->node_capacity, sizeof *b->nodes);
    if (!more)
        return false;
    b->nodes = more;
    return true;
}

/* Adds a child to the innermost open container, there being room. */
static struct node *add_node(struct builder *b, const struct json_name *name)
{
    uint32_t index = (uint32_t)b->node_count++;
    b->children[b->child_count++] = (struct child){*name, index};
    struct node *node = &b->nodes[index];
    *node = (struct node){.name = {name->at, name->length}, .parent = b->open, .next = NONE, .first = NONE};
    return node;
}

static void changes(struct builder *b)
{
    if (b->open != NONE)
        b->nodes[b->open].form = CONTAINER;
}

static void skip_space(struct builder *b)
{
    const char *at = json_skip_space(b->at, b->end);
    if (at != b->at)
        changes(b);
    b->at = at;
}

/* Passes over the string at b->at; true where its canonical form is another. */
static bool take_string(struct builder *b, bool *ret_escaped)
{
    const char *start = b->at++;
    bool other = false;
    *ret_escaped = false;
    while ((b->at = json_plain_end(b->at, b->end)) < b->end && *b->at != '"') {
        if (*b->at == '\\') {
            size_t length = json_escape_length(b->at, b->end);
            *ret_escaped = true;
            other = other || length == 0 || !json_escape_is_canonical(b->at);
            b->at += length == 0 ? 1 : length;
        } else {
            other = true;
            b->at++;
        }
    }
    if (b->at < b->end)
        b->at++;
    if (other) {
        b->growth += 5 * (size_t)(b->at - start);
        changes(b);
    }
    return other;
}

static void take_name(struct builder *b, struct json_name *ret_name, bool *ret_changes)
{
    bool escaped;
    const char *at = b->at + 1;
    *ret_changes = take_string(b, &escaped);
    *ret_name = json_name_make(at, b->at > at ? (size_t)(b->at - at) - 1 : 0, escaped);
    skip_space(b);
    b->at += b->at < b->end; /* the colon */
    skip_space(b);
}

static bool in_object(const struct builder *b)
{
    return b->open != NONE && *b->nodes[b->open].text.data == '{';
}

/* Takes a scalar whole, of a container only its opening byte. */
static bool take_value(struct builder *b)
{
    struct json_name name = {0};
    bool name_changes = false, escaped;
    if (in_object(b))
        take_name(b, &name, &name_changes);
    if (!make_room(b))
        return false;
    struct node *node = add_node(b, &name);
    node->name_changes = name_changes;
    node->text.data = b->at;
    if (b->at < b->end && (*b->at == '{' || *b->at == '[')) {
        node->first = (uint32_t)b->child_count;
        b->open = (uint32_t)(node - b->nodes);
        b->at++;
        return true;
    }
    if (b->at < b->end && *b->at == '"')
        node->form = take_string(b, &escaped) ? REWRITTEN_STRING : VERBATIM;
    else
        b->at = json_value_end(b->at, b->end);
    node->text.length = (size_t)(b->at - node->text.data);
    return true;
}

static int compare_children(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    int order = json_name_compare(&x->name, &y->name);
    return order != 0 ? order : x->node < y->node ? -1 : 1;
}

static void sort_children(struct child *items, size_t count)
{
    if (count > FEW_CHILDREN) {
        qsort(items, count, sizeof *items, compare_children);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct child item = items[i];
        size_t to = i;
        for (; to > 0 && json_name_compare(&items[to - 1].name, &item.name) > 0; to--)
            items[to] = items[to - 1];
        items[to] = item;
    }
}

static bool is_ascending(const struct child *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (json_name_compare(&items[i - 1].name, &items[i].name) >= 0)
            return false;
    return true;
}

/* Of members with the same name, which are neighbours now, the last one stays. */
static size_t drop_repeated(struct child *items, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || json_name_compare(&items[i].name, &items[i + 1].name) != 0)
            items[kept++] = items[i];
    return kept;
}

static bool add_overrides(struct builder *b)
{
    for (size_t i = 0; i < b->override_count; i++) {
        const struct json_override *o = &b->overrides[i];
        size_t length = strlen(o->name);
        struct json_name name = json_name_make(o->name, length, false);
        if (!make_room(b))
            return false;
        add_node(b, &name)->text = o->value;
        b->growth += length + o->value.length + 4;
        changes(b);
    }
    return true;
}

static void link_children(struct builder *b, struct node *node, const struct child *items, size_t count)
{
    node->first = count > 0 ? items[0].node : NONE;
    for (size_t i = 0; i + 1 < count; i++)
        b->nodes[items[i].node].next = items[i + 1].node;
}

static bool close_container(struct builder *b)
{
    uint32_t index = b->open;
    b->at += b->at < b->end;
    if (b->nodes[index].parent == NONE && *b->nodes[index].text.data == '{' && !add_overrides(b))
        return false;
    struct node *node = &b->nodes[index];
    size_t below = node->first, count = b->child_count - below;
    struct child *items = b->children + below;
    node->text.length = (size_t)(b->at - node->text.data);
    if (*node->text.data == '{' && !is_ascending(items, count)) {
        sort_children(items, count);
        count = drop_repeated(items, count);
        node->form = CONTAINER;
    }
    b->open = node->parent;
    b->child_count = below;
    if (node->form == VERBATIM) {
        b->node_count = (size_t)index + 1;
    } else {
        link_children(b, node, items, count);
        changes(b);
    }
    return true;
}

static bool build(struct builder *b)
{
    skip_space(b);
    do {
        skip_space(b);
        bool closes = b->open != NONE && (b->at == b->end || *b->at == '}' || *b->at == ']');
        if (!(closes ? close_container(b) : take_value(b)))
            return false;
        if (b->open == NONE)
            return true;
        skip_space(b);
        if (b->at < b->end && *b->at == ',')
            b->at++;
    } while (true);
}

static char *put(char *out, struct json_text text)
{
    memcpy(out, text.data, text.length);
    return out + text.length;
}

static char *put_name(char *out, const struct node *node)
{
    *out++ = '"';
    if (node->name_changes)
        out = json_put_string(out, node->name.data, node->name.data + node->name.length);
    else
        out = put(out, node->name);
    *out++ = '"';
    *out++ = ':';
    return out;
}

static char *put_value(char *out, const struct node *node)
{
    if (node->form == VERBATIM)
        return put(out, node->text);
    *out++ = '"';
    out = json_put_string(out, node->text.data + 1, node->text.data + node->text.length - 1);
    *out++ = '"';
    return out;
}

static char *write_tree(const struct node *nodes, char *out)
{
    for (const struct node *node = nodes;;) {
        if (node->name.data)
            out = put_name(out, node);
        if (node->form == CONTAINER) {
            *out++ = *node->text.data;
            if (node->first != NONE) {
                node = &nodes[node->first];
                continue;
            }
            *out++ = *node->text.data == '{' ? '}' : ']';
        } else {
            out = put_value(out, node);
        }
        while (node->next == NONE) {
            if (node->parent == NONE)
                return out;
            node = &nodes[node->parent];
            *out++ = *node->text.data == '{' ? '}' : ']';
        }
        *out++ = ',';
        node = &nodes[node->next];
    }
}

enum status json_canonical(struct json_text document, const struct json_override *overrides, size_t count,
                           struct bytes *out, struct error *err)
{
    struct builder b;
    memset(&b, 0, offsetof(struct builder, local_nodes));
    b.at = document.data;
    b.end = document.data + document.length;
    b.nodes = b.local_nodes;
    b.children = b.local_children;
    b.node_capacity = sizeof b.local_nodes / sizeof *b.local_nodes;
    b.child_capacity = sizeof b.local_children / sizeof *b.local_children;
    b.open = NONE;
    b.overrides = overrides;
    b.override_count = count;
    bool good = build(&b) && bytes_reserve(out, document.length + b.growth);
    if (good)
        out->length = (size_t)(write_tree(b.nodes, out->data + out->length) - out->data);
    if (b.nodes != b.local_nodes)
        free(b.nodes);
    if (b.children != b.local_children)
        free(b.children);
    return good ? STATUS_OK : error_set_memory(err);
}
