/*
 * tree - the parts of a document that are not canonical, on their way into canonical form.
 *
 * A reader adds names, values and containers in the order of the text. The tree keeps the parts that cannot be copied
 * as they are: a container whose text is canonical already is folded into one leaf when it closes. Members are sorted
 * when their object closes; then the whole is written along its links. Neither direction needs a stack, however deep
 * the text is. A tree of the size of an event allocates nothing.
 */
#ifndef METASPN_JSON_TREE_H
#define METASPN_JSON_TREE_H

#include "json/names.h"

#define JSON_NO_NODE UINT32_MAX

enum json_form {
    JSON_VERBATIM,
    JSON_CONTAINER, /* 1: a container that changed */
    JSON_REWRITTEN, /* a string */
    JSON_FOREIGN,   /* verbatim, but not from the text */
};

struct json_node {
    const char *name; /* after its opening quote; NULL: an element */
    const char *text; /* the value */
    size_t name_length, length;
    uint32_t parent, next;
    uint32_t first;      /* child; while the container is open, the number of children of those around it */
    uint8_t form;        /* enum json_form; of an open container JSON_VERBATIM until something in it changes */
    bool name_rewritten; /* the canonical form of the name differs */
};

/* A child of a container that is open. */
struct json_child {
    uint64_t head;
    uint32_t node;
    bool escaped;
};

struct json_tree {
    struct json_node *nodes;     /* `local_nodes`, or owned */
    struct json_child *children; /* `local_children`, or owned */
    size_t node_count, node_capacity, child_count, child_capacity;
    uint32_t open; /* the innermost open container */
    size_t growth; /* the most that strings and overrides can add to the text */
    const struct json_override *overrides;
    size_t override_count;
    struct json_node local_nodes[64];
    struct json_child local_children[64];
};

void json_tree_init(struct json_tree *tree, const struct json_override *overrides, size_t count);
/* Empties the tree and keeps its memory. */
void json_tree_clear(struct json_tree *tree);
void json_tree_release(struct json_tree *tree);

/* Makes room for one more node. False: no memory. */
bool json_tree_grow(struct json_tree *tree);

/* Adds a value to the innermost open container; `name` is NULL for an element. NULL: no memory. */
ALWAYS_INLINE struct json_node *json_tree_add(struct json_tree *tree, const struct json_name *name, const char *text)
{
    if (UNLIKELY(tree->node_count == tree->node_capacity || tree->child_count == tree->child_capacity) &&
        !json_tree_grow(tree))
        return NULL;
    uint32_t index = (uint32_t)tree->node_count++;
    struct json_node *node = &tree->nodes[index];
    struct json_child *child = &tree->children[tree->child_count++];
    child->node = index;
    child->head = name ? name->head : 0;
    child->escaped = name && name->escaped;
    node->name = name ? name->at : NULL;
    node->name_length = name ? name->length : 0;
    node->text = text;
    node->parent = tree->open;
    node->next = JSON_NO_NODE;
    node->form = JSON_VERBATIM;
    node->name_rewritten = false;
    return node;
}

/*
 * Makes the value that was added last the innermost open container. `changed`: since the last opening or closing the
 * reader met something in the container around it that cannot be copied as it is.
 */
ALWAYS_INLINE void json_tree_open(struct json_tree *tree, struct json_node *node, bool changed)
{
    node->first = (uint32_t)tree->child_count;
    if (tree->open != JSON_NO_NODE)
        tree->nodes[tree->open].form |= changed;
    tree->open = (uint32_t)(node - tree->nodes);
}

/* Closes the innermost open container, whose text ends at `end`; `changed` is about itself. False: no memory. */
bool json_tree_close(struct json_tree *tree, const char *end, bool changed);

/* Returns how many bytes more than the text has json_tree_write() may touch. */
size_t json_tree_growth(const struct json_tree *tree);
/* Writes the complete document, whose text ended at `text_end`; returns the end of what is written. */
char *json_tree_write(const struct json_tree *tree, char *out, const char *text_end);

/* Reads a document of any shape into the empty tree, without the index of strings. False: no memory. */
bool json_tree_read(struct json_tree *tree, struct json_text document);

#endif
