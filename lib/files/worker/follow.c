#include "files/worker/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "files/partition.h"

/* How far one partition has been handed out. */
struct place {
    uint32_t number;
    uint64_t offset;
    uint64_t hash;              /* of the bytes before */
    struct partition_stat stat; /* when it was looked at */
};

struct follow {
    struct catalog *store;
    struct follow_options options;
    struct place *places; /* owned; ascending by number; those of files that have gone stay */
    size_t count, capacity;
    size_t next; /* row of the store that is looked at next */
    bool found;  /* the last look has found something */
    struct scan *scan;
    struct place at; /* of the partition in hand: where it will be when the scan is done */
};

/* The place of a partition, or where it would be. */
static size_t place_index(const struct follow *follow, uint32_t number)
{
    size_t low = 0, high = follow->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (follow->places[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct place *find_place(const struct follow *follow, uint32_t number)
{
    size_t i = place_index(follow, number);
    return i < follow->count && follow->places[i].number == number ? &follow->places[i] : NULL;
}

static enum status put_place(struct follow *follow, const struct place *place, struct error *err)
{
    size_t i = place_index(follow, place->number);
    if (i == follow->count || follow->places[i].number != place->number) {
        if (follow->count == follow->capacity) {
            size_t capacity = 2 * follow->capacity + 64;
            struct place *places = reallocarray(follow->places, capacity, sizeof *places);
            if (!places)
                return error_set_memory(err);
            follow->places = places;
            follow->capacity = capacity;
        }
        memmove(&follow->places[i + 1], &follow->places[i], (follow->count - i) * sizeof *follow->places);
        follow->count++;
    }
    follow->places[i] = *place;
    return STATUS_OK;
}

static bool same_stat(const struct partition_stat *a, const struct partition_stat *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->changed == b->changed &&
           a->modified == b->modified;
}

/* Opens the partition for the hashes before `from` and before its end. */
static enum status hash_places(struct follow *follow, const struct catalog_partition *row, uint64_t from,
                               uint64_t *ret_before, uint64_t *ret_at_end, struct error *err)
{
    struct partition *partition;
    enum status status = catalog_open_partition(follow->store, row->number, &partition, err);
    if (status != STATUS_OK)
        return status;
    status = partition_hash_before(partition, from, ret_before, err);
    if (status == STATUS_OK)
        status = partition_hash_before(partition, row->end, ret_at_end, err);
    partition_close(partition);
    return status;
}

/* A place in no file: what was handed out of the partition is not what stands there. */
static struct place nowhere(uint32_t number)
{
    return (struct place){.number = number, .hash = ~hash_bytes("", 0, 0)};
}

/* The place behind a partition that was handed out as its row has it. */
static enum status place_behind(struct follow *follow, const struct catalog_partition *row, struct place *ret_place,
                                struct error *err)
{
    const struct partition_facts *facts = &row->facts;
    struct place place = {.number = row->number, .offset = row->end, .hash = facts->hash, .stat = row->stat};
    uint64_t known = facts->hash;
    enum status status = STATUS_OK;
    if (row->end != facts->known || row->end == 0)
        status = hash_places(follow, row, facts->known, &known, &place.hash, err);
    if (status == STATUS_OK)
        *ret_place = row->is_unread || (facts->known > 0 && known != facts->hash) ? nowhere(row->number) : place;
    return status;
}

static enum status pass_all(struct follow *follow, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(follow->store, &count);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct place place;
        status = place_behind(follow, &rows[i], &place, err);
        if (status == STATUS_OK)
            status = put_place(follow, &place, err);
        else if (status == STATUS_ABSENT)
            status = STATUS_OK;
    }
    follow->next = count;
    return status;
}

enum status follow_open(struct catalog *store, const struct follow_options *options, struct follow **ret_follow,
                        struct error *err)
{
    struct follow *follow = calloc(1, sizeof *follow);
    if (!follow)
        return error_set_memory(err);
    follow->store = store;
    follow->options = *options;
    enum status status = pass_all(follow, err);
    if (status != STATUS_OK) {
        follow_close(follow);
        return status;
    }
    *ret_follow = follow;
    return STATUS_OK;
}

void follow_close(struct follow *follow)
{
    if (!follow)
        return;
    scan_close(follow->scan);
    free(follow->places);
    free(follow);
}

void follow_look(struct follow *follow)
{
    follow->next = 0;
    follow->found = false;
}

bool follow_found(const struct follow *follow)
{
    return follow->found;
}

static void report_rewritten(const struct follow *follow, const struct catalog_partition *row)
{
    struct bytes path = {0};
    if (follow->options.report && catalog_partition_path(follow->store, row->number, &path)) {
        struct scan_report_line found = {.finding = SCAN_REWRITTEN, .file = path.data, .what = "was rewritten"};
        follow->options.report(follow->options.report_context, &found);
    }
    bytes_release(&path);
}

/* Where to go on in a partition that has changed; behind its end where a last line that was whole is no more. */
static enum status find_start(struct follow *follow, const struct catalog_partition *row, const struct place *place,
                              uint64_t *ret_from, struct error *err)
{
    uint64_t before;
    enum status status = hash_places(follow, row, place ? place->offset : 0, &before, &follow->at.hash, err);
    if (status != STATUS_OK)
        return status;
    bool fits = !place || (place->offset <= row->stat.size && place->hash == before);
    *ret_from = place && fits ? place->offset : 0;
    if (!fits)
        report_rewritten(follow, row);
    return STATUS_OK;
}

static bool is_due(const struct follow *follow, const struct catalog_partition *row)
{
    const struct window *window = &follow->options.window;
    return follow->options.kinds & KIND_BIT(row->kind) && day_last(row->day) >= window->since &&
           day_first(row->day) <= window->until;
}

/* Opens a scan of what is new in this partition, if there is anything. */
static enum status open_news(struct follow *follow, const struct catalog_partition *row, struct error *err)
{
    const struct place *place = find_place(follow, row->number);
    if (!is_due(follow, row) || (place && place->offset >= row->end && same_stat(&place->stat, &row->stat)))
        return STATUS_OK;
    follow->found = true;
    bool changed;
    enum status status = catalog_confirm(follow->store, row, &changed, err);
    follow->at = (struct place){.number = row->number, .offset = row->end, .stat = row->stat};
    uint64_t from;
    if (status == STATUS_OK)
        status = find_start(follow, row, place, &from, err);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    struct scan_options scan = {
        .partition = row->number,
        .from = from,
        .to = row->end,
        .window = follow->options.window,
        .filter = follow->options.filter,
        .need_events = follow->options.need_events,
        .need_lines = follow->options.need_lines,
        .report = follow->options.report,
        .report_context = follow->options.report_context,
    };
    if (from > row->end)
        follow->at = (struct place){.number = row->number, .offset = from, .hash = place->hash, .stat = row->stat};
    if (from < row->end)
        status = scan_open(follow->store, &scan, &follow->scan, err);
    else
        status = put_place(follow, &follow->at, err);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status follow_next(struct follow *follow, struct scan_item *ret_item, struct error *err)
{
    size_t count;
    const struct catalog_partition *rows = catalog_partitions(follow->store, &count);
    enum status status = STATUS_ABSENT;
    while (status == STATUS_ABSENT) {
        if (follow->scan) {
            status = scan_next(follow->scan, ret_item, err);
            if (status != STATUS_ABSENT)
                break;
            if (scan_was_cut(follow->scan))
                follow->at = nowhere(follow->at.number);
            scan_close(follow->scan);
            follow->scan = NULL;
            status = put_place(follow, &follow->at, err);
        } else if (follow->next < count) {
            status = open_news(follow, &rows[follow->next++], err);
        } else {
            return error_set(err, STATUS_ABSENT, "nothing new");
        }
        status = status == STATUS_OK ? STATUS_ABSENT : status;
    }
    return status;
}
