/*
 * memory - large pieces of memory that are about to be filled.
 *
 * A fresh page costs a page fault when it is first touched, which is dear in some virtual machines: 12 to 19 us were
 * seen. Pages that were asked for all at once cost half of that there, the first touch included.
 */
#ifndef METASPN_BASE_MEMORY_H
#define METASPN_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define MEMORY_PAGE  ((size_t)4096)
#define MEMORY_LARGE ((size_t)128 << 10) /* bytes below which asking does not pay */

/*
 * Makes the whole pages in [start, start + length) present, which the caller has allocated and is going to write to
 * from end to end. A hint: where the kernel cannot (before Linux 5.14), they come one by one as ever.
 */
static inline void memory_populate(void *start, size_t length)
{
    uintptr_t from = ((uintptr_t)start + MEMORY_PAGE - 1) & ~(uintptr_t)(MEMORY_PAGE - 1);
    uintptr_t to = ((uintptr_t)start + length) & ~(uintptr_t)(MEMORY_PAGE - 1);
#ifdef MADV_POPULATE_WRITE
    if (length >= MEMORY_LARGE && to > from)
        (void)madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
    (void)from;
    (void)to;
#endif
}

#endif
