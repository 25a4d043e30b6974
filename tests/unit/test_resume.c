#include "reader_store.h"

/* One worker's loop: what is due to its checkpoint, which then moves past it. */
static struct checkpoint stored;
static bool is_stored;

static void forget(void)
{
    if (is_stored)
        checkpoint_release(&stored);
    is_stored = false;
}

static void loop(struct store_query query, const char *want, const char *what)
{
    char ids[256] = "";
    struct reader *reader = NULL;
    struct checkpoint next;
    struct error err;
    query.kinds = KIND_BIT(EVENT_SIGNAL);
    query.resumes = query.reaches = true;
    query.from = is_stored ? &stored : NULL;
    query.report = note_finding;
    if (query.window.until == 0)
        query.window = WINDOW_ALL;
    if (!ok(reader_open(catalog, &query, &reader, &err) == STATUS_OK, "%s: it is opened", what))
        return;
    is_int(read_ids(reader, ids, sizeof ids), STORE_NONE, "%s: it comes to its end", what);
    is_text(ids, want, "%s", what);
    if (ok(reader_reached(reader, &next, &err) == STATUS_OK, "%s: there is a checkpoint past it", what)) {
        forget();
        stored = next;
        is_stored = true;
    }
    reader_close(reader);
}

/* The offset of the stored checkpoint's position of a day; -1: there is none. */
static int64_t offset_of(const char *day)
{
    int32_t number;
    day_parse(day, strlen(day), &number);
    const struct checkpoint_position *position = checkpoint_find(&stored, number);
    return position ? (int64_t)position->offset : -1;
}

static const struct store_query all = {.limited = false};

#define D3 "2026-02-03"
#define D4 "2026-02-04"
#define D5 "2026-02-05"

static void lay_three_days(void)
{
    forget();
    replace_day(D3, LINE("a1", D3, "10:00:00") LINE("a2", D3, "11:00:00"));
    replace_day(D4, LINE("b1", D4, "10:00:00") LINE("b2", D4, "11:00:00"));
    replace_day(D5, LINE("c1", D5, "10:00:00") LINE("c2", D5, "11:00:00"));
}

static void test_positions(void)
{
    lay_three_days();
    loop(all, "a1 a2 b1 b2 c1 c2", "a new worker");
    is_int(offset_of(D3), 2 * (int64_t)strlen(LINE("a1", D3, "10:00:00")), "past all of a day");
    is_text(stored.ids.count == 1 ? "one" : "others", "one", "one id at the last timestamp");
    loop(all, "", "nothing is new");
    write_day(D3, LINE("a3", D3, "09:00:00"), O_APPEND);
    write_day(D5, LINE("c3", D5, "12:00:00"), O_APPEND);
    loop(all, "a3 c3", "an event that is late, and one that is not");
    write_day(D5, LINE("c1", D5, "10:00:00") "{\"signal_id\":\"to", O_APPEND);
    loop(all, "", "a repeat and a fragment");
    write_day(D5, "rn\",\"timestamp\":\"2026-02-05T13:00:00Z\"}", O_APPEND);
    loop(all, "torn", "the fragment became an event, without newline");
    write_day(D5, "\n" LINE("c4", D5, "14:00:00"), O_APPEND);
    loop(all, "c4", "its newline is no event");
}

static void test_rewritten(void)
{
    lay_three_days();
    loop(all, "a1 a2 b1 b2 c1 c2", "a new worker");
    replace_day(D4, LINE("b0", D4, "09:00:00") LINE("b1", D4, "10:00:00") LINE("b2", D4, "11:00:00"));
    loop(all, "b0 b1 b2", "a rewritten day comes from its start");
    is_text(findings, "R", "which is reported");
    char path[256], away[256];
    make_path(D4, path);
    snprintf(away, sizeof away, "%s/away", workspace);
    rename(path, away);
    int64_t before = offset_of(D4);
    loop(all, "", "a day that has gone");
    is_int(offset_of(D4), before, "keeps its position");
    rename(away, path);
    loop(all, "", "and is where it was when it comes back");
    is_text(findings, "", "unreported");
}

static void test_limit(void)
{
    lay_three_days();
    struct store_query few = {.limited = true, .limit = 3};
    loop(few, "a1 a2 b1", "the first three");
    is_int(offset_of(D5), -1, "days that were not reached have no position");
    loop(few, "b2 c1 c2", "the next three");
    few.limit = 0;
    write_day(D5, LINE("c3", D5, "12:00:00"), O_APPEND);
    loop(few, "", "none");
    loop(all, "c3", "which passed nothing");
}

static int64_t at(const char *text)
{
    int64_t time = 0;
    timestamp_parse_stored(text, strlen(text), &time);
    return time;
}

static void test_window(void)
{
    struct store_query query = all;
    lay_three_days();
    write_day(D4, LINE("b0", D4, "09:00:00"), O_APPEND);
    query.window = (struct window){TIMESTAMP_MIN, at("2026-02-04T10:30:00Z")};
    loop(query, "a1 a2 b1", "until ends its day at the first due event that is later");
    is_int(offset_of(D4), (int64_t)strlen(LINE("b1", D4, "10:00:00")), "which is not passed");
    is_int(offset_of(D5), -1, "later days are not entered");
    loop(all, "b2 b0 c1 c2", "nothing is lost");
    lay_three_days();
    query.window = (struct window){at("2026-02-04T11:00:00Z"), TIMESTAMP_MAX};
    loop(query, "b2 c1 c2", "since rejects for good");
    is_int(offset_of(D3), 2 * (int64_t)strlen(LINE("a1", D3, "10:00:00")), "days before it count as read");
    loop(all, "", "what is before it is not due any more");
}

static void test_without_positions(void)
{
    static const char text[] = "{\"last_timestamp\":\"2026-02-04T10:00:00Z\",\"seen_ids_at_timestamp\":[\"b1\"]}";
    struct error err;
    struct store_query one = {.limited = true, .limit = 1};
    lay_three_days();
    write_day(D4, LINE("b0", D4, "09:00:00") LINE("b3", D4, "12:00:00"), O_APPEND);
    is_int(checkpoint_parse(text, strlen(text), &stored, &err), STATUS_OK, "a checkpoint without positions");
    is_stored = true;
    loop(one, "b2", "what is later than its timestamp, but for its ids");
    is_int(offset_of(D3), 2 * (int64_t)strlen(LINE("a1", D3, "10:00:00")), "a day with nothing due is at its end");
    is_int(offset_of(D5), 0, "one that was not reached before its first due event");
    loop(all, "b0 b3 c1 c2", "from then on positions alone count");
}

int main(void)
{
    start_store();
    test_positions();
    test_rewritten();
    test_limit();
    test_window();
    test_without_positions();
    forget();
    end_store();
    return done();
}
