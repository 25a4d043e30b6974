/*
 * mapping - a file that is mapped to be read, though others may cut it meanwhile.
 *
 * Where a mapped file is cut, the kernel answers a read past its end with SIGBUS. The program's handler of that signal
 * calls mapping_mend(), which puts zeros in place of the file's bytes and marks the mapping torn: the library takes no
 * signals over. Whoever has read from a mapping looks whether it is torn before believing what was read. Without such a
 * handler a file that is cut ends the process.
 *
 * Mappings are opened and closed by one thread at a time.
 */
#ifndef METASPN_BASE_MAPPING_H
#define METASPN_BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

struct mapping {
    const void *data; /* NULL: nothing is mapped */
    size_t length;    /* bytes */
    volatile bool torn;
    struct mapping *next; /* all that are open, for mapping_mend() */
};

/* Maps the `length` bytes of the file. False: the file is of another length, or cannot be mapped. *mapping stays where
 * it is until mapping_close(); the descriptor need not stay open. */
bool mapping_open(struct mapping *mapping, int fd, size_t length);
/* Nothing open: nothing happens. */
void mapping_close(struct mapping *mapping);

/* For a handler of SIGBUS: where the address (si_addr) lies in a mapping, zeros take the place of the whole file, and
 * the mapping is torn. False: the address lies in none, or that cannot be done. */
bool mapping_mend(const void *address);

#endif
