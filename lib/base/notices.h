/*
 * notices - what a person is told that is no error: each text once, and never while a lock is held.
 *
 *     struct notices notices = {.say = say, .context = context};
 *     notices_tell(&notices, NOTICE_NOTE, "%s: ...", path);       told at once, or when the last hold is gone
 *     notices_hold(&notices); ... notices_let_go(&notices);       around what must not wait for a reader of stderr
 *     notices_release(&notices);
 */
#ifndef METASPN_BASE_NOTICES_H
#define METASPN_BASE_NOTICES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"
#include "base/bytes.h"

enum notice { NOTICE_NOTE, NOTICE_WARNING };
typedef void notice_say(void *context, enum notice notice, const char *text);

struct notices {
    notice_say *say; /* NULL: nobody listens */
    void *context;
    struct string_set told;
    struct bytes held; /* what came up meanwhile: a letter, a text and a NUL each */
    unsigned holds;
};

/* Tells a text unless it was told before. Where there is no memory to remember it, it is told. */
void notices_tell(struct notices *notices, enum notice notice, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* True the first time that this key is named: for what is told once of a thing, however its text reads. */
bool notices_first(struct notices *notices, const void *key, size_t length);
void notices_hold(struct notices *notices);
void notices_let_go(struct notices *notices);
void notices_release(struct notices *notices);

#endif
