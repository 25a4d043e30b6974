#include "reader_store.h"

#define D4 "2026-02-04"
#define D5 "2026-02-05"

static struct reader *open_reader(struct store_query query)
{
    struct reader *reader = NULL;
    struct error err;
    query.kinds = KIND_BIT(EVENT_SIGNAL);
    query.follows = true;
    query.window = WINDOW_ALL;
    query.report = note_finding;
    if (reader_open(catalog, &query, &reader, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return reader;
}

static void gives(struct reader *reader, const char *want, enum store_step step, const char *what)
{
    char ids[256];
    is_int(read_ids(reader, ids, sizeof ids), step, "%s: and then", what);
    is_text(ids, want, "%s", what);
}

/* How many days this process has open. */
static int open_days(void)
{
    char link[64], target[256];
    int count = 0;
    for (int fd = 0; fd < 64; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        count += strstr(target, ".jsonl") != NULL;
    }
    return count;
}

static void test_append(void)
{
    replace_day(D4, LINE("a1", D4, "10:00:00") LINE("a2", D4, "11:00:00"));
    replace_day(D5, LINE("b1", D5, "10:00:00"));
    struct reader *reader = open_reader((struct store_query){.tailed = true, .tail = 2});
    gives(reader, "a2 b1", STORE_WAIT, "it begins with a tail");
    is_int(open_days(), 0, "no day is open while it waits");
    gives(reader, "", STORE_WAIT, "nothing is new");
    write_day(D4, LINE("a0", D4, "09:00:00"), O_APPEND);
    write_day("2026-02-06", LINE("c1", "2026-02-06", "10:00:00"), 0);
    gives(reader, "a0 c1", STORE_WAIT, "a late event and a new day");
    is_int(open_days(), 0, "no day is open");
    write_day(D4, LINE("a1", D4, "10:00:00"), O_APPEND);
    gives(reader, "", STORE_WAIT, "a repeat is no event");
    reader_close(reader);
}

static void test_torn_end(void)
{
    replace_day(D4, LINE("a1", D4, "10:00:00"));
    replace_day(D5, LINE("b1", D5, "10:00:00"));
    struct reader *reader = open_reader((struct store_query){.tailed = true});
    gives(reader, "", STORE_WAIT, "a tail of none");
    write_day(D5, "{\"signal_id\":\"b2\",\"time", O_APPEND);
    gives(reader, "", STORE_WAIT, "a fragment is held back");
    write_day(D5, "stamp\":\"2026-02-05T11:00:00Z\"}", O_APPEND);
    gives(reader, "b2", STORE_WAIT, "until it is whole, newline or not");
    write_day(D5, "{\"signal_id\":", O_APPEND);
    gives(reader, "", STORE_WAIT, "a fragment that is glued to it");
    is_text(findings, "", "makes no rewritten day");
    replace_day(D5, LINE("b1", D5, "10:00:00") LINE("b2", D5, "11:00:00") LINE("b3", D5, "12:00:00"));
    gives(reader, "b3", STORE_WAIT, "its newline is no event, what follows is");
    reader_close(reader);
}

static void test_replaced(void)
{
    replace_day(D4, LINE("a1", D4, "10:00:00"));
    replace_day(D5, LINE("b1", D5, "10:00:00"));
    struct reader *reader = open_reader((struct store_query){.order = STORE_BY_TIME});
    char ids[256];
    is_int(read_ids(reader, ids, sizeof ids), STORE_WAIT, "a follower without tail begins with everything");
    replace_day(D5, LINE("b1", D5, "10:00:00"));
    gives(reader, "", STORE_WAIT, "a day that is replaced by the same lines");
    is_text(findings, "", "is not reported");
    replace_day(D5, LINE("b0", D5, "09:00:00") LINE("b1", D5, "10:00:00"));
    gives(reader, "b0 b1", STORE_WAIT, "by others: from its start");
    is_text(findings, "R", "which is reported");
    reader_close(reader);
}

static void test_limit(void)
{
    replace_day(D4, LINE("a1", D4, "10:00:00"));
    replace_day(D5, LINE("b1", D5, "10:00:00"));
    struct reader *reader = open_reader((struct store_query){.tailed = true, .tail = 1, .limited = true, .limit = 3});
    char ids[256];
    is_int(read_ids(reader, ids, sizeof ids), STORE_WAIT, "one of three");
    write_day(D4, LINE("a2", D4, "11:00:00") LINE("a3", D4, "12:00:00") LINE("a4", D4, "13:00:00"), O_APPEND);
    gives(reader, "a2 a3", STORE_NONE, "the limit ends it, within a block");
    reader_close(reader);
}

static void test_checkpoint(void)
{
    struct checkpoint checkpoint;
    struct error err;
    static const char text[] = "{\"last_timestamp\":\"2026-02-05T10:00:00Z\",\"seen_ids_at_timestamp\":[]}";
    replace_day(D4, LINE("a1", D4, "10:00:00"));
    replace_day(D5, LINE("b1", D5, "10:00:00"));
    is_int(checkpoint_parse(text, strlen(text), &checkpoint, &err), STATUS_OK, "a checkpoint without positions");
    struct reader *reader = open_reader((struct store_query){.resumes = true, .from = &checkpoint});
    char ids[256];
    read_ids(reader, ids, sizeof ids);
    ok(strncmp(ids, "b1", 2) == 0, "it begins with what is due to it: %s", ids);
    write_day(D4, LINE("a2", D4, "09:00:00"), O_APPEND);
    gives(reader, "a2", STORE_WAIT, "whatever is appended then is due, late or not");
    reader_close(reader);
    checkpoint_release(&checkpoint);
}

int main(void)
{
    start_store();
    test_append();
    test_torn_end();
    test_replaced();
    test_limit();
    test_checkpoint();
    end_store();
    return done();
}
