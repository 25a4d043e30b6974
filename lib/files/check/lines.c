#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "files/check/state.h"

#define BLOCK      ((size_t)1 << 20)
#define WAIT_TURNS 100 /* of 20 ms: how long somebody else's unfinished line is waited for, 2 s */
#define WAIT_NS    20000000

/* One partition on the way through its lines. */
struct walk {
    struct check *check;
    struct checked *row;
    struct partition *partition;
    struct partition_stat stat;
    uint64_t line;                       /* number of the last one */
    struct partition_facts counted;      /* what was found in [0, counted.known) */
    const struct partition_facts *facts; /* what the index says, until it has been compared; NULL */
    uint64_t copied;                     /* damaged lines put into quarantine */
    bool torn;
    uint64_t torn_line, torn_offset, torn_length;
    struct error *err;
};

static bool is_zeros(const char *data, size_t length)
{
    return length > 0 && data[0] == '\0' && memcmp(data, data + 1, length - 1) == 0;
}

/* Reads a line as what it stands for; a line as our writers write it is read once only. */
static enum event_verdict read_line(struct walk *walk, const char *line, size_t length, struct event *ret_event,
                                    bool *ret_canonical, struct json_fault *ret_fault)
{
    enum event_kind kind = partition_number_kind(walk->row->number);
    struct event_rules rules = {KIND_BIT(kind), SIZE_MAX};
    struct bytes *scratch = &walk->check->scratch;
    bool borrowed = false;
    bytes_clear(scratch);
    enum status status = event_check(line, length, &rules, scratch, ret_event, &borrowed, NULL);
    if (status == STATUS_IO)
        return EVENT_NO_MEMORY;
    *ret_canonical = status == STATUS_OK && borrowed && ret_event->length == length;
    return *ret_canonical ? EVENT_GOOD : event_read(line, length, kind, false, ret_event, ret_fault);
}

/* `whole`: with its newline, so that an index may know of it. */
static enum status take_event(struct walk *walk, const struct event *event, uint64_t offset, bool whole)
{
    struct check *check = walk->check;
    struct partition_facts *counted = &walk->counted;
    bool first = counted->records++ == 0, late = !first && event->timestamp < counted->greatest;
    check->unended += !whole;
    check->request->late += late;
    counted->late += late;
    if (first || event->timestamp < counted->least)
        counted->least = event->timestamp;
    if (first || event->timestamp > counted->greatest)
        counted->greatest = event->timestamp;
    if (timestamp_day(event->timestamp) != partition_number_day(walk->row->number)) {
        char time[TIMESTAMP_TEXT_SIZE];
        counted->misfiled++;
        timestamp_format(event->timestamp, time);
        check_report(check, partition_label(walk->partition), walk->line, offset, "an event of another day: %s", time);
    }
    return check_note_id(check, event, walk->row->number, offset, walk->err);
}

/* Whether this check has put such a line into quarantine: it was not known before. */
static bool was_copied(const struct check *check, uint64_t hash)
{
    const char *at = check->copied.data;
    for (size_t i = 0; i < check->copied.length; i += sizeof hash)
        if (memcmp(at + i, &hash, sizeof hash) == 0)
            return true;
    return false;
}

static enum status take_damage(struct walk *walk, const char *line, size_t length, uint64_t offset,
                               const struct json_fault *fault)
{
    struct check *check = walk->check;
    uint32_t number = walk->row->number;
    uint64_t hash = hash_bytes(line, length, 0);
    char reason[JSON_FAULT_TEXT_SIZE];
    struct error why;
    bool quarantined;
    if (catalog_is_quarantined(check->store, number, line, length, &quarantined, walk->err) != STATUS_OK &&
        walk->err->no_memory)
        return STATUS_IO; /* what else stands in the place of quarantine/ is reported once, by documents.c */
    walk->counted.damaged++;
    if (quarantined && !was_copied(check, hash)) {
        check->request->quarantined++;
        return STATUS_OK;
    }
    check_report(check, partition_label(walk->partition), walk->line, offset, "damaged: %s (byte %zu of the line)",
                 json_fault_tell(fault, line, reason), fault->offset + 1);
    check->request->mended += quarantined;
    if (!check->mender || quarantined)
        return STATUS_OK;
    if (catalog_quarantine(check->mender, number, line, length, &why) != STATUS_OK) {
        check_fail(check, &why);
        return STATUS_OK;
    }
    check->request->mended++;
    walk->copied++;
    return bytes_append(&check->copied, &hash, sizeof hash) ? STATUS_OK : error_set_memory(walk->err);
}

static enum status take_line(struct walk *walk, const char *line, size_t length, uint64_t offset, bool whole)
{
    struct store_check *totals = walk->check->request;
    struct event event;
    struct json_fault fault = {0};
    bool canonical = false, last = offset + length + whole == walk->stat.size;
    enum event_verdict verdict = EVENT_DAMAGED;
    enum status status = STATUS_OK;
    walk->line++;
    if (last && is_zeros(line, length))
        whole = false;
    else
        verdict = read_line(walk, line, length, &event, &canonical, &fault);
    if (verdict == EVENT_NO_MEMORY)
        return error_set_memory(walk->err);
    if (verdict == EVENT_DAMAGED && !whole) {
        walk->torn = true;
        walk->torn_line = walk->line--;
        walk->torn_offset = offset;
        walk->torn_length = walk->stat.size - offset;
        return STATUS_OK;
    }
    totals->lines++;
    totals->uncanonical += verdict == EVENT_GOOD && !canonical;
    if (verdict == EVENT_GOOD)
        status = take_event(walk, &event, offset, whole);
    else if (verdict == EVENT_DAMAGED)
        status = take_damage(walk, line, length, offset, &fault);
    else
        walk->counted.blank++;
    if (whole)
        walk->counted.known = offset + length + 1;
    return status;
}

static enum status read_lines(struct walk *walk, uint64_t from)
{
    struct check *check = walk->check;
    struct bytes buffer = {0};
    struct chunk chunk = {.length = 1};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && from < walk->stat.size && chunk.length > 0 && !check_is_interrupted(check)) {
        status = partition_read_forward(walk->partition, from, walk->stat.size, BLOCK, &buffer, &chunk, walk->err);
        const char *at = chunk.data, *end = chunk.data + chunk.length;
        while (status == STATUS_OK && at < end) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            size_t length = (size_t)((newline ? newline : end) - at);
            status = take_line(walk, at, length, chunk.offset + (uint64_t)(at - chunk.data), newline != NULL);
            at = newline ? newline + 1 : end;
            /* As soon as as much was read as the index speaks of, both must have found the same. */
            const struct partition_facts *facts = walk->facts;
            if (status == STATUS_OK && facts && walk->counted.known >= facts->known) {
                walk->facts = NULL;
                status = check_compare_facts(check, facts, &walk->counted, walk->err);
            }
        }
        from += chunk.length;
        check->bytes += chunk.length;
        check->request->progress(check->request->context, check->request->lines, check->bytes, check->total);
    }
    bytes_release(&buffer);
    return status;
}

/* Waits for whoever writes there. True: the file has changed, and walk->stat is new. */
static bool tail_goes_on(struct walk *walk)
{
    for (int turn = 0; turn < WAIT_TURNS && !check_is_interrupted(walk->check); turn++) {
        bool written = partition_is_written(walk->partition);
        struct partition_stat stat;
        if (partition_stat(walk->partition, &stat, NULL) == STATUS_OK && stat.size != walk->stat.size) {
            walk->stat = stat;
            return true;
        }
        if (!written)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
    return false;
}

/* A line that somebody is writing is waited for; not the next one that he has begun by then, or it would never end. */
static enum status read_partition(struct walk *walk)
{
    uint64_t from = 0;
    bool awaited = false;
    enum status status;
    do {
        walk->torn = false;
        status = read_lines(walk, from);
        if (awaited && walk->torn && walk->torn_offset > from && partition_is_written(walk->partition))
            walk->torn = false;
        from = walk->torn_offset;
        awaited = true;
    } while (status == STATUS_OK && walk->torn && tail_goes_on(walk) && walk->stat.size > from);
    return status;
}

void check_partition(struct check *check, struct checked *row)
{
    struct error why;
    struct walk walk = {.check = check, .row = row, .err = &why};
    enum status status = catalog_open_partition(check->store, row->number, &walk.partition, &why);
    if (status == STATUS_ABSENT)
        return;
    if (status != STATUS_OK || (status = partition_stat(walk.partition, &walk.stat, &why)) != STATUS_OK ||
        (status = check_index_facts(check, row, walk.partition, &walk.stat, &walk.facts, &why)) != STATUS_OK ||
        (status = read_partition(&walk)) != STATUS_OK)
        goto out;
    const char *file = partition_label(walk.partition);
    check->request->parts++;
    if (walk.torn && walk.stat.size > walk.torn_offset) {
        check_report(check, file, walk.torn_line, walk.torn_offset, "torn end: %llu bytes that are no event",
                     (unsigned long long)walk.torn_length);
        check->torn++;
    }
    if (walk.facts && !check_is_interrupted(check))
        status = check_disagree(check, row->number, &why, "knows %llu bytes, where lines end at byte %llu",
                                (unsigned long long)walk.facts->known, (unsigned long long)walk.counted.known);
    if (walk.copied > 0)
        notices_tell(&check->notices, NOTICE_NOTE, "%s: copied %llu damaged line%s to %s", file,
                     (unsigned long long)walk.copied, walk.copied == 1 ? "" : "s",
                     workspace_folder_path(catalog_workspace(check->store), FOLDER_QUARANTINE));
out:
    if (status != STATUS_OK)
        check_fail(check, &why);
    partition_close(walk.partition);
}
