#include "options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static const struct cli cli = {.name = "test"};
static const char *const words[] = {"jsonl", "table", NULL};

enum reader { COUNT, SIZE, SECONDS, CHOICE };

static int64_t read_value(enum reader reader, const char *text)
{
    switch (reader) {
    case COUNT:
        return (int64_t)options_count(&cli, "--x", text);
    case SIZE:
        return (int64_t)options_size(&cli, "--x", text);
    case SECONDS:
        return options_seconds(&cli, "--x", text);
    default:
        return options_choice(&cli, "--x", text, words);
    }
}

/* The exit status of a process that reads this value; 0 where it is one. */
static int exit_status_of(enum reader reader, const char *text)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        read_value(reader, text);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_good_values(void)
{
    static const struct {
        enum reader reader;
        const char *text;
        int64_t value;
    } rows[] = {
        {COUNT, "0", 0},          {COUNT, "007", 7},     {COUNT, "9223372036854775807", INT64_MAX},
        {SIZE, "1", 1},           {SIZE, "3K", 3072},    {SIZE, "16M", 16 << 20},
        {SIZE, "1G", 1 << 30},    {SECONDS, "0", 0},     {SECONDS, "60", 60000},
        {SECONDS, "1.5", 1500},   {SECONDS, "0.001", 1}, {SECONDS, "0.0001", 1},
        {SECONDS, "0.2000", 200}, {CHOICE, "jsonl", 0},  {CHOICE, "table", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_int(read_value(rows[i].reader, rows[i].text), rows[i].value, "%s is a value", rows[i].text);
}

static void test_bad_values(void)
{
    static const struct {
        enum reader reader;
        const char *text;
    } rows[] = {
        {COUNT, ""},
        {COUNT, "-1"},
        {COUNT, "+1"},
        {COUNT, " 1"},
        {COUNT, "1 "},
        {COUNT, "1.0"},
        {COUNT, "0x10"},
        {COUNT, "ten"},
        {COUNT, "18446744073709551616"},
        {SIZE, "0"},
        {SIZE, "-1"},
        {SIZE, "1k"},
        {SIZE, "1KB"},
        {SIZE, "K"},
        {SIZE, "9999999999G"},
        {SECONDS, ""},
        {SECONDS, "-1"},
        {SECONDS, "1."},
        {SECONDS, ".5"},
        {SECONDS, "1s"},
        {SECONDS, "1e3"},
        {SECONDS, "99999999999"},
        {CHOICE, ""},
        {CHOICE, "json"},
        {CHOICE, "Table"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_int(exit_status_of(rows[i].reader, rows[i].text), STATUS_USAGE, "\"%s\" is none", rows[i].text);
}

int main(void)
{
    test_good_values();
    test_bad_values();
    return done();
}
