/*
 * nomemory.so - preloaded by memory.py: the allocation of number $NOMEMORY_AT fails (with $NOMEMORY_ON also every one
 * after it), counted from 1 over malloc, calloc, realloc and reallocarray, as long as main() runs: what a checker does
 * before and afterwards is not tested. The file $NOMEMORY_HIT is made when that happens.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static long at;
static bool on;
static atomic_bool running;
static atomic_long count;

/* What dlsym() asks for before there is anything to ask. */
static char early[4096];
static size_t early_used;

static void *take_early(size_t size)
{
    void *taken = early + early_used;
    early_used += (size + 15) / 16 * 16;
    return early_used <= sizeof early ? taken : NULL;
}

static bool is_early(const void *memory)
{
    return (const char *)memory >= early && (const char *)memory < early + sizeof early;
}

__attribute__((constructor)) static void begin(void)
{
    next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    const char *number = getenv("NOMEMORY_AT");
    on = getenv("NOMEMORY_ON") != NULL;
    at = number ? atol(number) : 0;
}

static bool fails(void)
{
    if (at == 0 || !running)
        return false;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (number != at && !(on && number > at))
        return false;
    const char *hit = getenv("NOMEMORY_HIT");
    if (number == at && hit) {
        int fd = open(hit, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd >= 0)
            close(fd);
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    if (!next_malloc)
        return take_early(size);
    return fails() ? NULL : next_malloc(size);
}

void *calloc(size_t items, size_t size)
{
    if (!next_calloc)
        return take_early(items * size);
    return fails() ? NULL : next_calloc(items, size);
}

void *realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    if (!is_early(memory))
        return next_realloc(memory, size);
    void *moved = next_malloc(size);
    return moved ? memcpy(moved, memory, size < 256 ? size : 256) : NULL;
}

void *reallocarray(void *memory, size_t items, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(items, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, bytes);
}

void free(void *memory)
{
    static void (*next_free)(void *);
    if (is_early(memory))
        return;
    if (!next_free)
        next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    next_free(memory);
}

typedef int main_function(int, char **, char **);
static main_function *real_main;

static int watched_main(int argument_count, char **arguments, char **environment)
{
    running = true;
    int status = real_main(argument_count, arguments, environment);
    running = false;
    return status;
}

void exit(int status)
{
    void (*next)(int) = (void (*)(int))dlsym(RTLD_NEXT, "exit");
    running = false;
    next(status);
    abort();
}

int __libc_start_main(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
int __libc_start_main(main_function *function, int argument_count, char **arguments, void (*init)(void),
                      void (*finish)(void), void (*finish_loader)(void), void *stack)
{
    typedef int start(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    start *next = (start *)dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = function;
    return next(watched_main, argument_count, arguments, init, finish, finish_loader, stack);
}
