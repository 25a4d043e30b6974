/* Growing arrays, the lower bound, sets of strings, and notices that are told once. */
#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/notices.h"
#include "tap.h"

static int compare_ints(const void *element, const void *key)
{
    return *(const int *)element - *(const int *)key;
}

static void test_grows(void)
{
    int *numbers = NULL;
    size_t count = 0, capacity = 0;
    bool all = true;
    for (int i = 0; i < 1000; i++) {
        all = all && ARRAY_RESERVE(numbers, count, capacity, 1);
        numbers[count++] = i;
    }
    for (int i = 0; i < 1000; i++)
        all = all && numbers[i] == i;
    ok(all && capacity >= 1000, "an array grows and keeps what it holds");
    ok(!ARRAY_RESERVE(numbers, count, capacity, SIZE_MAX / 2) && count == 1000 && numbers[999] == 999,
       "what no memory can hold is refused, and the array stays");
    free(numbers);
}

static void test_lower_bound(void)
{
    static const int sorted[] = {1, 3, 3, 7};
    static const struct {
        int key;
        size_t at;
    } cases[] = {{0, 0}, {1, 0}, {2, 1}, {3, 1}, {4, 3}, {7, 3}, {8, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(array_lower_bound(sorted, 4, sizeof *sorted, &cases[i].key, compare_ints) == cases[i].at,
           "the lower bound of %d is %zu", cases[i].key, cases[i].at);
    ok(array_lower_bound(NULL, 0, sizeof *sorted, &cases[0].key, compare_ints) == 0, "in nothing it is 0");
}

static void test_sets(void)
{
    struct string_set set = {0};
    bool added = false, all = true;
    char text[16];
    size_t length;
    ok(!string_set_has(&set, "a", 1), "an empty set has nothing");
    for (int i = 0; i < 5000; i++)
        all = all && string_set_add(&set, text, (size_t)snprintf(text, sizeof text, "id%d", i), &added) && added;
    ok(all && set.count == 5000, "each of many strings is added");
    ok(string_set_add(&set, "id77", 4, &added) && !added && set.count == 5000, "one that is there is not");
    ok(string_set_has(&set, "id4999", 6) && !string_set_has(&set, "id5000", 6) && !string_set_has(&set, "id", 2),
       "it has these and no others");
    ok(strncmp(string_set_get(&set, 42, &length), "id42", 4) == 0 && length == 4, "in the order in which they came");
    ok(string_set_add(&set, "", 0, &added) && added && string_set_has(&set, "", 0), "the empty string is one");
    string_set_clear(&set);
    ok(set.count == 0 && !string_set_has(&set, "id1", 3), "cleared, it is empty");
    string_set_release(&set);
}

static void listen(void *context, enum notice notice, const char *text)
{
    char *heard = context;
    size_t length = strlen(heard);
    snprintf(heard + length, 256 - length, "%c:%s;", notice == NOTICE_NOTE ? 'n' : 'w', text);
}

static void test_notices(void)
{
    char heard[256] = "";
    struct notices notices = {.say = listen, .context = heard};
    notices_tell(&notices, NOTICE_NOTE, "day %d", 1);
    notices_tell(&notices, NOTICE_NOTE, "day %d", 1);
    ok(strcmp(heard, "n:day 1;") == 0, "a text is told once");
    notices_hold(&notices);
    notices_hold(&notices);
    notices_tell(&notices, NOTICE_WARNING, "held");
    notices_tell(&notices, NOTICE_NOTE, "too");
    notices_let_go(&notices);
    ok(strcmp(heard, "n:day 1;") == 0, "nothing is told while a lock is held");
    notices_let_go(&notices);
    ok(strcmp(heard, "n:day 1;w:held;n:too;") == 0, "and all of it afterwards, in order");
    ok(notices_first(&notices, "key", 3) && !notices_first(&notices, "key", 3), "a thing is new once");
    notices_release(&notices);
    notices = (struct notices){0};
    notices_tell(&notices, NOTICE_NOTE, "nobody listens");
    notices_release(&notices);
    ok(true, "nobody has to listen");
}

int main(void)
{
    test_grows();
    test_lower_bound();
    test_sets();
    test_notices();
    return done();
}
