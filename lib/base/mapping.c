#include "base/mapping.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A handler of signals takes no context: the one list of all that are open. */
static struct mapping *volatile mappings;

bool mapping_open(struct mapping *mapping, int fd, size_t length)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || (uintmax_t)st.st_size != length)
        return false;
    void *data = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        return false;
    *mapping = (struct mapping){.data = data, .length = length, .next = mappings};
    mappings = mapping;
    return true;
}

void mapping_close(struct mapping *mapping)
{
    if (!mapping->data)
        return;
    if (mappings == mapping)
        mappings = mapping->next;
    for (struct mapping *other = mappings; other; other = other->next)
        if (other->next == mapping)
            other->next = mapping->next;
    munmap((void *)(uintptr_t)mapping->data, mapping->length);
    *mapping = (struct mapping){0};
}

bool mapping_mend(const void *address)
{
    struct mapping *mapping = mappings;
    while (mapping && (uintptr_t)address - (uintptr_t)mapping->data >= mapping->length)
        mapping = mapping->next;
    if (!mapping)
        return false;
    mapping->torn = true;
    return mmap((void *)(uintptr_t)mapping->data, mapping->length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0) != MAP_FAILED;
}
