/*
 * A partition of any bytes, through the whole store. The input is what happens to the file: its first bytes, then steps
 * that begin with a byte each: 0x1c appends what follows, 0x1d puts another file in its place, 0x1e stores an event of
 * ours. After each step the store answers as a plain reading of the file does, with the index and without.
 */
#include "event/event.h"
#include "files.h"
#include "fuzz.h"

#define STEPS_MAX  6
#define EVENTS_MAX 4096

enum { STEP_APPEND = 0x1c, STEP_REPLACE = 0x1d, STEP_WRITE = 0x1e };

struct plain_event {
    int64_t timestamp;
    const char *line;
    size_t length;
    struct json_text id;
    bool of_source;
};

struct plain {
    struct plain_event events[EVENTS_MAX];
    size_t count, damaged;
};

static bool is_zero(const char *line, size_t length)
{
    return length > 0 && line[0] == '\0' && memcmp(line, line + 1, length - 1) == 0;
}

static void take_line(struct plain *plain, const char *line, size_t length, bool is_last, bool is_ended)
{
    struct event event;
    enum event_verdict verdict = event_read(line, length, EVENT_SIGNAL, false, &event, NULL);
    if (verdict == EVENT_DAMAGED) {
        bool is_torn = is_last && (is_zero(line, length) || !is_ended);
        plain->damaged += !is_torn;
    }
    if (verdict != EVENT_GOOD)
        return;
    for (size_t i = 0; i < plain->count; i++)
        if (json_string_same(plain->events[i].id, event.id))
            return;
    require(plain->count < EVENTS_MAX);
    plain->events[plain->count++] = (struct plain_event){
        .timestamp = event.timestamp,
        .line = line,
        .length = length,
        .id = event.id,
        .of_source = json_type(event.source) == JSON_STRING && json_string_is(event.source, "a", 1),
    };
}

static void read_plainly(const struct bytes *file, struct plain *plain)
{
    plain->count = plain->damaged = 0;
    for (size_t at = 0; at < file->length;) {
        const char *line = file->data + at, *newline = memchr(line, '\n', file->length - at);
        size_t length = newline ? (size_t)(newline - line) : file->length - at;
        at += length + (newline != NULL);
        take_line(plain, line, length, at == file->length, newline != NULL);
    }
}

static void print_events(const struct plain *plain, bool of_source, struct bytes *out)
{
    bytes_clear(out);
    for (size_t i = 0; i < plain->count; i++) {
        if (of_source && !plain->events[i].of_source)
            continue;
        require(bytes_append(out, plain->events[i].line, plain->events[i].length) && bytes_append_char(out, '\n'));
    }
}

/* Insertion keeps the order of equal times. */
static void sort_by_time(struct plain *plain)
{
    for (size_t i = 1; i < plain->count; i++) {
        struct plain_event event = plain->events[i];
        size_t to = i;
        for (; to > 0 && plain->events[to - 1].timestamp > event.timestamp; to--)
            plain->events[to] = plain->events[to - 1];
        plain->events[to] = event;
    }
}

static void require_text(const struct bytes *got, const struct bytes *want)
{
    if (got->length == want->length && (got->length == 0 || memcmp(got->data, want->data, got->length) == 0))
        return;
    fprintf(stderr, "got:\n%.*s\nwant:\n%.*s\n", (int)got->length, got->data, (int)want->length, want->data);
    abort();
}

static void check_answers(const struct bytes *file)
{
    static struct plain plain;
    struct fuzz_answers indexed = {0}, unindexed = {0};
    struct bytes want = {0}, reversed = {0};
    require(fuzz_ask(true, &indexed) && fuzz_ask(false, &unindexed));
    read_plainly(file, &plain);
    print_events(&plain, false, &want);
    require_text(&unindexed.as_appended, &want);
    sort_by_time(&plain);
    print_events(&plain, true, &want);
    require_text(&unindexed.of_source, &want);
    print_events(&plain, false, &want);
    require_text(&unindexed.by_time, &want);
    fuzz_reverse_lines(&want, &reversed);
    require_text(&unindexed.by_time_reversed, &reversed);
    require(unindexed.count == plain.count);
    require(unindexed.damaged == plain.damaged);
    fuzz_require_same_answers(&indexed, &unindexed);
    fuzz_answers_release(&indexed);
    fuzz_answers_release(&unindexed);
    bytes_release(&want);
    bytes_release(&reversed);
}

/* Our own event goes in, once, and all that was there stays. */
static void write_event(struct bytes *file, int number)
{
    char line[256];
    struct bytes before = {0};
    static struct plain was, is;
    int length = snprintf(line, sizeof line,
                          "{\"entity_refs\":[],\"payload\":{},\"payload_type\":\"t\",\"schema_version\":\"0.9\","
                          "\"signal_id\":\"s%d\",\"source\":\"a\",\"timestamp\":\"2026-02-05T10:00:0%dZ\"}",
                          number, number);
    require(bytes_append(&before, file->data, file->length));
    read_plainly(&before, &was);
    require(fuzz_write(line, (size_t)length));
    require(fuzz_get(FUZZ_PARTITION, file));
    read_plainly(file, &is);
    require(is.count == was.count || is.count == was.count + 1);
    for (size_t i = 0; i < was.count; i++)
        require(was.events[i].length == is.events[i].length &&
                memcmp(was.events[i].line, is.events[i].line, was.events[i].length) == 0);
    struct event event;
    require(event_read(line, (size_t)length, EVENT_SIGNAL, false, &event, NULL) == EVENT_GOOD);
    size_t found = 0;
    for (size_t i = 0; i < is.count; i++)
        found += json_string_same(is.events[i].id, event.id);
    require(found == 1);
    bytes_release(&before);
}

static bool is_step(uint8_t byte)
{
    return byte == STEP_APPEND || byte == STEP_REPLACE || byte == STEP_WRITE;
}

static void take_step(uint8_t step, const uint8_t *data, size_t length, struct bytes *file, int number)
{
    if (step == STEP_WRITE)
        write_event(file, number);
    if (step == STEP_REPLACE) {
        bytes_clear(file);
        fuzz_put(FUZZ_PARTITION, data, length);
    } else {
        fuzz_append(FUZZ_PARTITION, data, length);
    }
    require(bytes_append(file, data, length));
    check_answers(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes file = {0};
    uint8_t step = STEP_REPLACE;
    fuzz_forget_index();
    for (int number = 0; number < STEPS_MAX; number++) {
        size_t length = 0;
        while (length < size && !is_step(data[length]))
            length++;
        take_step(step, data, length, &file, number);
        if (length == size)
            break;
        step = data[length];
        data += length + 1;
        size -= length + 1;
    }
    bytes_release(&file);
    return 0;
}
