/*
 * scan_lines - says of each line of stdin what the scanner makes of it, for scanner.py:
 *
 *   R             refused
 *   W CANONICAL   only what stands in the store may look so
 *   S CANONICAL   input may look so
 *   C CANONICAL   and it is in canonical form already
 *
 * followed by a tab and what went wrong, where the ways through the text differ: fast and portable code, looking for
 * members with and without checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

#define KEYS 4
static const struct json_key keys[KEYS] = {JSON_KEY("a"), JSON_KEY("payload"), JSON_KEY("signal_id"),
                                           JSON_KEY("timestamp")};

struct view {
    enum status strict, stored;
    bool canonical, object;
    struct json_text members[KEYS];
};

static struct view look(const char *text, size_t length, enum json_code code)
{
    struct view view = {0};
    struct json_scanned scan = {0};
    json_use(code);
    view.strict = json_scan(text, length, JSON_STRICT, keys, KEYS, view.members, &scan);
    view.canonical = view.strict == STATUS_OK && scan.canonical;
    memset(view.members, 0, sizeof view.members);
    view.stored = json_scan(text, length, JSON_STORED, keys, KEYS, view.members, &scan);
    view.object = view.stored == STATUS_OK && scan.type == JSON_OBJECT;
    if (view.stored != STATUS_OK)
        memset(view.members, 0, sizeof view.members);
    return view;
}

static const char *difference(const char *text, size_t length, const struct view *fast, const struct view *portable)
{
    struct json_text found[KEYS];
    if (fast->strict != portable->strict || fast->stored != portable->stored || fast->canonical != portable->canonical)
        return "the portable code has another verdict";
    if (memcmp(fast->members, portable->members, sizeof fast->members) != 0)
        return "the portable code finds other members";
    if (!fast->object)
        return "";
    for (int how = 0; how < 2; how++) {
        json_use(how ? JSON_PORTABLE : JSON_AVX512);
        json_find(text, length, keys, KEYS, found);
        if (memcmp(fast->members, found, sizeof found) != 0)
            return how ? "json_find, portable, finds other members" : "json_find finds other members";
    }
    return "";
}

static void tell(const char *text, size_t length, struct bytes *canonical)
{
    struct view fast = look(text, length, JSON_AVX512), portable = look(text, length, JSON_PORTABLE);
    char verdict = fast.canonical ? 'C' : fast.strict == STATUS_OK ? 'S' : fast.stored == STATUS_OK ? 'W' : 'R';
    bytes_clear(canonical);
    json_use(JSON_AVX512);
    if (verdict != 'R' && json_canonical((struct json_text){text, length}, NULL, 0, canonical, NULL) != STATUS_OK)
        exit(5);
    printf("%c %.*s\t%s\n", verdict, (int)canonical->length, canonical->data,
           difference(text, length, &fast, &portable));
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    struct bytes canonical = {0};
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
        length -= line[length - 1] == '\n';
        char *exact = malloc(length ? (size_t)length : 1); /* so that a checker of memory sees its end */
        if (!exact)
            return 5;
        memcpy(exact, line, (size_t)length);
        tell(exact, (size_t)length, &canonical);
        free(exact);
    }
    bytes_release(&canonical);
    free(line);
    return fflush(stdout) == 0 ? 0 : 5;
}
