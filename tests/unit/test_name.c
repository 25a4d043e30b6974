#include "store/name.h"

#include "tap.h"

int main(void)
{
    char long_name[NAME_MAX_LENGTH + 2];
    struct error err;
    static const char *const good[] = {"a", "a b", "a.b", "-", "\\", "\xc2\xa0", "\xf0\x9f\x91\x8d", "a__2026-02-05"};
    static const char *const bad[] = {"",      ".",        "..",        ".a",   "/",    "a/b",         "\x01",
                                      "a\x7f", "\xc2\x80", "a\xc2\x9f", "\xc2", "\xff", "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        is_int(name_check("checkpoint", good[i], &err), STATUS_OK, "name %zu is one", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        is_int(name_check("checkpoint", bad[i], &err), STATUS_USAGE, "name %zu is none", i);
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    is_int(name_check("checkpoint", long_name + 1, &err), STATUS_OK, "200 bytes are a name");
    is_int(name_check("checkpoint", long_name, &err), STATUS_USAGE, "201 bytes are none");
    ok(!name_is_valid("a\0b", 3), "a NUL is in no name");
    name_check("checkpoint", "a/b", &err);
    is_text(err.text, "checkpoint name \"a/b\" contains a slash", "the message quotes the name");
    return done();
}
