/*
 * A checkpoint's document: what is read can be written, and what is written is read again as the same checkpoint.
 */
#include "fuzz.h"
#include "store/checkpoint.h"

static void print(const struct checkpoint *checkpoint, struct bytes *out)
{
    bytes_clear(out);
    require(checkpoint_print(checkpoint, out, NULL) == STATUS_OK);
    require(out->length > 0 && out->data[out->length - 1] == '\n');
}

static void read_again(const struct bytes *document, struct checkpoint *ret)
{
    struct error err;
    checkpoint_init(ret);
    require(checkpoint_parse(document->data, document->length, ret, &err) == STATUS_OK);
}

static void check_same(const struct checkpoint *a, const struct checkpoint *b)
{
    require(a->last_timestamp == b->last_timestamp && a->has_kind == b->has_kind && a->kind == b->kind);
    require(a->ids.count == b->ids.count && a->ids.text.length == b->ids.text.length);
    require(a->ids.text.length == 0 || memcmp(a->ids.text.data, b->ids.text.data, a->ids.text.length) == 0);
    require(a->has_positions == b->has_positions && a->position_count == b->position_count);
    for (size_t i = 0; i < a->position_count; i++) {
        const struct checkpoint_position *p = &a->positions[i], *q = &b->positions[i];
        require(p->day == q->day && p->has_hash == q->has_hash && p->offset == q->offset && p->hash == q->hash);
        require(i == 0 || a->positions[i - 1].day < p->day);
        require(checkpoint_find(a, p->day) == p);
    }
}

/* Events and positions that come later go in, and stay. */
static void move_on(struct checkpoint *checkpoint)
{
    static const struct checkpoint_position position = {.day = 20489, .has_hash = true, .offset = 7, .hash = 9};
    int64_t before = checkpoint->last_timestamp;
    struct json_text id = {"\"later\"", 7};
    struct bytes document = {0};
    struct checkpoint again;
    require(checkpoint_put(checkpoint, &position, NULL) == STATUS_OK);
    require(checkpoint_note(checkpoint, before, id) && checkpoint->last_timestamp == before);
    require(checkpoint_note(checkpoint, TIMESTAMP_MAX, id) && checkpoint->last_timestamp == TIMESTAMP_MAX);
    bool has;
    require(checkpoint_has_id(checkpoint, id, &has) && has);
    print(checkpoint, &document);
    read_again(&document, &again);
    check_same(checkpoint, &again);
    require(checkpoint_find(&again, position.day)->offset == position.offset);
    checkpoint_release(&again);
    bytes_release(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checkpoint checkpoint, again, copy;
    struct bytes first = {0}, second = {0};
    struct error err = {.text = ""};
    checkpoint_init(&checkpoint);
    enum status status = checkpoint_parse((const char *)data, size, &checkpoint, &err);
    require(status == STATUS_OK || (status == STATUS_INVALID && err.text[0] && !strchr(err.text, '\n')));
    if (status == STATUS_OK) {
        print(&checkpoint, &first);
        read_again(&first, &again);
        check_same(&checkpoint, &again);
        print(&again, &second);
        require(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
        checkpoint_release(&again);
        bytes_clear(&second);
        require(checkpoint_print_as_read(&checkpoint, &second, NULL) == STATUS_OK);
        read_again(&second, &again);
        check_same(&checkpoint, &again);
        require(checkpoint_copy(&checkpoint, &copy, NULL) == STATUS_OK);
        check_same(&checkpoint, &copy);
        move_on(&copy);
        checkpoint_release(&again);
        checkpoint_release(&copy);
    }
    checkpoint_release(&checkpoint);
    bytes_release(&first);
    bytes_release(&second);
    return 0;
}
