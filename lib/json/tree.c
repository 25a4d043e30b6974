#include "json/tree.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define RANKED_CHILDREN 20 /* up to here the place of each is found by comparing it with each */

void json_tree_clear(struct json_tree *tree)
{
    tree->node_count = tree->child_count = tree->growth = 0;
    tree->open = JSON_NO_NODE;
}

void json_tree_init(struct json_tree *tree, const struct json_override *overrides, size_t count)
{
    tree->nodes = tree->local_nodes;
    tree->children = tree->local_children;
    tree->node_capacity = sizeof tree->local_nodes / sizeof *tree->local_nodes;
    tree->child_capacity = sizeof tree->local_children / sizeof *tree->local_children;
    json_tree_clear(tree);
    tree->overrides = overrides;
    tree->override_count = count;
}

void json_tree_release(struct json_tree *tree)
{
    if (tree->nodes != tree->local_nodes)
        free(tree->nodes);
    if (tree->children != tree->local_children)
        free(tree->children);
}

bool json_tree_grow(struct json_tree *tree)
{
    void *more;
    if (tree->child_count == tree->child_capacity) {
        more = json_array_grow(tree->children, tree->local_children, &tree->child_capacity, sizeof *tree->children);
        if (!more)
            return false;
        tree->children = more;
    }
    if (tree->node_count == tree->node_capacity) {
        if (tree->node_count > JSON_NO_NODE / 4)
            return false;
        more = json_array_grow(tree->nodes, tree->local_nodes, &tree->node_capacity, sizeof *tree->nodes);
        if (!more)
            return false;
        tree->nodes = more;
    }
    return true;
}

static struct json_name name_of(const struct json_tree *tree, const struct json_child *child)
{
    const struct json_node *node = &tree->nodes[child->node];
    return (struct json_name){child->head, node->name, node->name_length, child->escaped};
}

/* By name; of the same name the one that came first. */
static int compare_children(const void *a, const void *b, void *context)
{
    const struct json_child *x = a, *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    struct json_name name = name_of(context, x), other = name_of(context, y);
    int order = json_name_compare_rest(&name, &other);
    return order != 0 ? order : x->node < y->node ? -1 : 1;
}

static bool is_same_name(struct json_tree *tree, const struct json_child *a, const struct json_child *b)
{
    struct json_name name = name_of(tree, a), other = name_of(tree, b);
    return json_name_compare(&name, &other) == 0;
}

static bool is_ascending(struct json_tree *tree, const struct json_child *items, size_t count)
{
    bool descends = false, alike = false;
    for (size_t i = 1; i < count; i++) {
        descends |= items[i - 1].head > items[i].head;
        alike |= items[i - 1].head == items[i].head;
    }
    for (size_t i = 1; alike && !descends && i < count; i++)
        descends = compare_children(&items[i - 1], &items[i], tree) > 0 || is_same_name(tree, &items[i - 1], &items[i]);
    return !descends;
}

/*
 * Sorts by the heads, and where those are the same as it was before: by counting for each child those below it, so
 * that no branch depends on the order. True: some heads are the same.
 */
static bool sort_by_rank(struct json_child *items, size_t count)
{
    struct json_child sorted[RANKED_CHILDREN];
    for (size_t i = 0; i < count; i++) {
        size_t rank = 0;
        for (size_t j = 0; j < i; j++)
            rank += items[j].head <= items[i].head;
        for (size_t j = i + 1; j < count; j++)
            rank += items[j].head < items[i].head;
        sorted[rank] = items[i];
    }
    bool alike = false;
    for (size_t i = 0; i < count; i++) {
        alike |= i > 0 && sorted[i - 1].head == sorted[i].head;
        items[i] = sorted[i];
    }
    return alike;
}

/* Sorts the members of an object; of those with the same name only the last one stays. Returns how many are left. */
static size_t sort_children(struct json_tree *tree, struct json_child *items, size_t count)
{
    if (count > RANKED_CHILDREN) {
        qsort_r(items, count, sizeof *items, compare_children, tree);
    } else if (!sort_by_rank(items, count)) {
        return count;
    } else {
        for (size_t i = 1; i < count; i++) {
            struct json_child item = items[i];
            size_t to = i;
            for (; to > 0 && compare_children(&items[to - 1], &item, tree) > 0; to--)
                items[to] = items[to - 1];
            items[to] = item;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || !is_same_name(tree, &items[i], &items[i + 1]))
            items[kept++] = items[i];
    return kept;
}

static bool add_overrides(struct json_tree *tree)
{
    for (size_t i = 0; i < tree->override_count; i++) {
        const struct json_override *o = &tree->overrides[i];
        struct json_name name = json_name_make(o->name, strlen(o->name), false);
        struct json_node *node = json_tree_add(tree, &name, o->value.data);
        if (!node)
            return false;
        node->length = o->value.length;
        node->form = JSON_FOREIGN;
        node->name_rewritten = true;
        tree->growth += name.length + o->value.length + 4;
        tree->nodes[tree->open].form = JSON_CONTAINER;
    }
    return true;
}

bool json_tree_close(struct json_tree *tree, const char *end, bool changed)
{
    uint32_t index = tree->open;
    bool object = *tree->nodes[index].text == '{';
    if (object && tree->nodes[index].parent == JSON_NO_NODE && !add_overrides(tree))
        return false;
    struct json_node *node = &tree->nodes[index];
    size_t below = node->first, count = tree->child_count - below;
    struct json_child *items = tree->children + below;
    node->length = (size_t)(end - node->text);
    node->form |= changed;
    if (object && !is_ascending(tree, items, count)) {
        count = sort_children(tree, items, count);
        node->form = JSON_CONTAINER;
    }
    tree->open = node->parent;
    tree->child_count = below;
    if (node->form == JSON_VERBATIM) {
        tree->node_count = (size_t)index + 1;
        return true;
    }
    node->first = count > 0 ? items[0].node : JSON_NO_NODE;
    for (size_t i = 0; i + 1 < count; i++)
        tree->nodes[items[i].node].next = items[i + 1].node;
    if (tree->open != JSON_NO_NODE)
        tree->nodes[tree->open].form = JSON_CONTAINER;
    return true;
}

#define SLACK       32 /* bytes that put() may write in vain */
#define PUNCTUATION 8  /* of a node, all of which may be missing in bytes that were changed since they were good */

size_t json_tree_growth(const struct json_tree *tree)
{
    return tree->growth + PUNCTUATION * tree->node_count + SLACK;
}

/* Copies, and perhaps writes up to SLACK bytes more: most pieces are short. */
ALWAYS_INLINE char *put(char *out, const char *text, size_t length, const char *text_end)
{
#ifdef __SSE2__
    if (LIKELY(length <= 32 && text_end - text >= 32)) {
        __m128i front = _mm_loadu_si128((const __m128i *)(const void *)text);
        __m128i back = _mm_loadu_si128((const __m128i *)(const void *)(text + 16));
        _mm_storeu_si128((__m128i *)(void *)out, front);
        _mm_storeu_si128((__m128i *)(void *)(out + 16), back);
        return out + length;
    }
#endif
    (void)text_end;
    memcpy(out, text, length);
    return out + length;
}

ALWAYS_INLINE char *put_name(char *out, const struct json_node *node, const char *text_end)
{
    *out++ = '"';
    if (UNLIKELY(node->name_rewritten))
        out = json_put_string(out, node->name, node->name + node->name_length);
    else
        out = put(out, node->name, node->name_length, text_end);
    *out++ = '"';
    *out++ = ':';
    return out;
}

ALWAYS_INLINE char *put_value(char *out, const struct json_node *node, const char *text_end)
{
    if (LIKELY(node->form == JSON_VERBATIM))
        return put(out, node->text, node->length, text_end);
    if (node->form == JSON_FOREIGN)
        return put(out, node->text, node->length, node->text);
    *out++ = '"';
    out = json_put_string(out, node->text + 1, node->text + node->length - 1);
    *out++ = '"';
    return out;
}

ALWAYS_INLINE char closing(const struct json_node *container)
{
    return *container->text == '{' ? '}' : ']';
}

char *json_tree_write(const struct json_tree *tree, char *out, const char *text_end)
{
    for (const struct json_node *node = tree->nodes;;) {
        if (node->name)
            out = put_name(out, node, text_end);
        if (node->form == JSON_CONTAINER) {
            *out++ = *node->text;
            if (node->first != JSON_NO_NODE) {
                node = &tree->nodes[node->first];
                continue;
            }
            *out++ = closing(node);
        } else {
            out = put_value(out, node, text_end);
        }
        while (node->next == JSON_NO_NODE) {
            if (node->parent == JSON_NO_NODE)
                return out;
            node = &tree->nodes[node->parent];
            *out++ = closing(node);
        }
        *out++ = ',';
        node = &tree->nodes[node->next];
    }
}
