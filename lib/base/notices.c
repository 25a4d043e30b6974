#include "base/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"

static void say(const struct notices *notices, enum notice notice, const char *text)
{
    if (notices->say)
        notices->say(notices->context, notice, text);
}

bool notices_first(struct notices *notices, const void *key, size_t length)
{
    bool added = true;
    return !string_set_add(&notices->told, key, length, &added) || added;
}

void notices_tell(struct notices *notices, enum notice notice, const char *format, ...)
{
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    if (!notices_first(notices, text, length))
        return;
    size_t before = notices->held.length;
    if (notices->holds > 0 && bytes_append_char(&notices->held, (char)notice) &&
        bytes_append(&notices->held, text, length + 1))
        return;
    notices->held.length = before;
    say(notices, notice, text);
}

void notices_hold(struct notices *notices)
{
    notices->holds++;
}

void notices_let_go(struct notices *notices)
{
    if (--notices->holds > 0)
        return;
    for (size_t at = 0; at < notices->held.length; at += strlen(notices->held.data + at + 1) + 2)
        say(notices, (enum notice)notices->held.data[at], notices->held.data + at + 1);
    bytes_clear(&notices->held);
}

void notices_release(struct notices *notices)
{
    string_set_release(&notices->told);
    bytes_release(&notices->held);
}
