/*
 * mapping - a file that is mapped to be read, though others may write to it or cut it meanwhile.
 *
 * What was checked when a file was mapped need not hold later: what others write to the file shows in the mapping, and
 * where they cut it the kernel answers a look with SIGBUS. So whoever has read from a mapping asks mapping_is_intact()
 * before believing it. For the signal there is mapping_mend(), which the program's handler calls: the library takes no
 * signals over. Without such a handler a file that is cut ends the process.
 *
 * Mappings are opened and closed by one thread at a time.
 */
#ifndef METASPN_BASE_MAPPING_H
#define METASPN_BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct mapping {
    const void *data; /* NULL: nothing is mapped */
    size_t length;    /* bytes */
    int fd;           /* the caller's, open as long as the mapping */
    struct timespec written;
    volatile bool torn;
    struct mapping *next; /* all that are open, for mapping_mend() */
};

/* Maps the `length` bytes that the file consists of. False: the file is of another length, or cannot be mapped. It
 * stays where it is until mapping_close(). */
bool mapping_open(struct mapping *mapping, int fd, size_t length);
/* Nothing open: nothing happens. */
void mapping_close(struct mapping *mapping);

/* Nobody has written to the file or cut it since it was mapped, so what was read since is what stood there then. A
 * write within the tick of the file system's clock (4 ms, say) in which the file was last written before may be missed.
 */
bool mapping_is_intact(const struct mapping *mapping);

/* For a handler of SIGBUS: where the address (si_addr) lies in a mapping, zeros take the place of its bytes, and it is
 * not intact. False: it lies in none, or that cannot be done. */
bool mapping_mend(const void *address);

#endif
