/*
 * interrupt - SIGINT, SIGTERM and SIGPIPE: what is in hand is finished, then the signal's own action (SPEC section 5);
 * and SIGBUS, which ends nothing.
 *
 * A reader takes the default: the signal ends it wherever it is. A command that writes calls interrupt_catch() before
 * the first thing that must not be left half done, and asks interrupt_caught() where it works in batches. System calls
 * that wait then end with EINTR (SA_RESTART is not set); for waiting without a race, use interrupt_poll(). Having
 * finished what is in hand it calls interrupt_die(), which cli_finish() does too.
 * A signal that was ignored when the command was started (nohup, a background job) stays ignored.
 */
#ifndef METASPN_INTERRUPT_H
#define METASPN_INTERRUPT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

/* From now on SIGINT and SIGTERM are only noted. */
void interrupt_catch(void);
/* The signal that was noted; 0: none. */
int interrupt_caught(void);
/* The same as a flag, for io_lock(). */
const volatile int *interrupt_flag(void);

/*
 * As poll(), but a signal that is noted before or while it waits ends it with -1 and EINTR, whenever it comes.
 * timeout_ms -1 waits for ever.
 */
int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/* While this is on, a signal that is caught acts at once, as nothing is in hand: for writes to a pipe that nobody may
 * ever read. One that was noted before acts when it is switched on. */
void interrupt_at_once(bool on);

/* Ends the process by this signal. */
_Noreturn void interrupt_die(int signal_number);

/* SIGPIPE becomes the error EPIPE of the write: for metaspn-write, which first stores the batch in hand. */
void interrupt_ignore_sigpipe(void);

/* A file that is mapped and that somebody cuts gives zeros then, and no SIGBUS (mapping.h). */
void interrupt_mend_mappings(void);

#endif
