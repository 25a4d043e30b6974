#include "interrupt.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mapping.h"

static const int caught_signals[] = {SIGINT, SIGTERM};
#define CAUGHT_SIGNALS (sizeof caught_signals / sizeof caught_signals[0])

/* What the handler tells the program: the only state of this file, as a handler takes no context. */
static volatile int noted_signal;
static volatile sig_atomic_t acts_at_once;

static void handle_signal(int signal_number)
{
    noted_signal = signal_number;
    if (acts_at_once) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

static sigset_t signal_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < CAUGHT_SIGNALS; i++)
        sigaddset(&set, caught_signals[i]);
    return set;
}

void interrupt_catch(void)
{
    for (size_t i = 0; i < CAUGHT_SIGNALS; i++) {
        struct sigaction old, action = {.sa_handler = handle_signal};
        action.sa_mask = signal_set();
        if (sigaction(caught_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(caught_signals[i], &action, NULL);
    }
}

int interrupt_caught(void)
{
    return noted_signal;
}

const volatile int *interrupt_flag(void)
{
    return &noted_signal;
}

int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    sigset_t held = signal_set(), before;
    struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    sigprocmask(SIG_BLOCK, &held, &before);
    int ready = -1, error = EINTR;
    if (!noted_signal) {
        ready = ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, &before);
        error = errno;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return ready;
}

void interrupt_at_once(bool on)
{
    acts_at_once = on;
    if (on && noted_signal)
        interrupt_die(noted_signal);
}

_Noreturn void interrupt_die(int signal_number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    signal(signal_number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(signal_number);
    _exit(128 + signal_number);
}

/* A fault that was not ours to mend comes again at once, and ends the process. */
static void mend_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    int error = errno;
    if (!mapping_mend(info->si_addr))
        signal(signal_number, SIG_DFL);
    errno = error;
}

void interrupt_mend_mappings(void)
{
    struct sigaction action = {.sa_sigaction = mend_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}

void interrupt_ignore_sigpipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}
