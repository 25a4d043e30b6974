#include "base/mapping.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

enum { LENGTH = 3 * 4096 };

static void mend(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    if (!mapping_mend(info->si_addr))
        signal(signal_number, SIG_DFL);
}

/* A file of so many letters. */
static int letters(void)
{
    char path[] = "/tmp/test_mapping_XXXXXX", text[LENGTH];
    int fd = mkstemp(path);
    memset(text, 'a', sizeof text);
    if (fd < 0 || write(fd, text, sizeof text) != sizeof text)
        abort();
    unlink(path);
    return fd;
}

static void open_mapping(struct mapping *mapping, int fd)
{
    if (!mapping_open(mapping, fd, LENGTH))
        abort();
}

static void test_what_nobody_touches(void)
{
    struct mapping mapping = {0};
    int fd = letters();
    ok(!mapping_open(&mapping, fd, LENGTH - 1), "a file that is longer than expected is not mapped");
    ok(!mapping_open(&mapping, fd, LENGTH + 1), "nor one that is shorter");
    mapping_close(&mapping);
    ok(mapping_open(&mapping, fd, LENGTH), "a file is mapped");
    ok(((const char *)mapping.data)[LENGTH - 1] == 'a', "its bytes are there");
    ok(!mapping.torn, "it is not torn");
    mapping_close(&mapping);
    ok(!mapping.data, "it is closed");
    close(fd);
}

/* Three at once, as the list of them is longer than one; the middle one is cut. */
static void test_cut(void)
{
    struct mapping mappings[3];
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = letters();
        open_mapping(&mappings[i], fds[i]);
    }
    ok(ftruncate(fds[1], 0) == 0, "somebody cuts the file");
    const volatile char *data = mappings[1].data;
    ok(data[4096] == 0, "its bytes are zeros, and no signal ends the program");
    ok(ftruncate(fds[1], LENGTH) == 0, "the file becomes as long as it was");
    ok(mappings[1].torn, "it stays torn");
    ok(!mappings[0].torn && !mappings[2].torn, "the others are not");
    for (int i = 1; i >= -1; i--)
        mapping_close(&mappings[(i + 3) % 3]);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void test_of_others(void)
{
    struct mapping mapping;
    char outside;
    int fd = letters();
    open_mapping(&mapping, fd);
    const char *data = mapping.data;
    ok(!mapping_mend(data - 1) && !mapping_mend(data + LENGTH), "what lies beside a mapping is not mended");
    ok(!mapping_mend(&outside), "nor any other memory");
    ok(!mapping.torn, "it is not torn");
    mapping_close(&mapping);
    ok(!mapping_mend(data), "nor one that is closed");
    close(fd);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    test_what_nobody_touches();
    test_cut();
    test_of_others();
    return done();
}
