/*
 * nomemory.so - preloaded by memory.py: a command that runs again and again, and in each run other allocations fail.
 *
 * Where main() would begin, requests are read from the socket of number $NOMEMORY_SOCKET: {N, on}, two longs. For each
 * the process is copied, and the copy goes on with main(): the allocation of number N fails, and with `on` also every
 * one after it, counted from 1 over malloc, calloc, realloc and reallocarray as long as main() runs (what a checker
 * does before and afterwards is not tested). It reads what stands in the file "stdin" from a pipe, and writes to the
 * files "stdout" and "stderr", all three in $NOMEMORY_FILES. The answer is {wait status, allocations}, two longs. No
 * program is loaded and linked for a run, which is most of what a short one costs.
 *
 * Where N is 0 none fails, and a long for each follows in the answer that tells by which calls it was come to.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#define SECONDS 60   /* after which a run hangs */
#define LIMIT   5000 /* allocations of which it is told where they are */

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static long at;
static bool on;
static atomic_bool running;

static struct shared { /* with the copies */
    atomic_long status, count;
    unsigned long places[LIMIT];
} * shared;

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
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *hash)
{
    Dl_info info;
    uintptr_t at = _Unwind_GetIP(context);
    if (dladdr((void *)at, &info) != 0)
        *(uintptr_t *)hash = (*(uintptr_t *)hash ^ (at - (uintptr_t)info.dli_fbase)) * 0x9e3779b97f4a7c15u;
    return _URC_NO_REASON;
}

/* The same for each way of calls, wherever program and libraries were loaded. (backtrace() would load one more.) */
static unsigned long place_of_call(void)
{
    uintptr_t hash = 0;
    _Unwind_Backtrace(add_frame, &hash);
    return hash;
}

static void note_place(long number)
{
    if (at != 0 || number > LIMIT)
        return;
    running = false;
    shared->places[number - 1] = place_of_call();
    running = true;
}

static bool fails(void)
{
    if (!running)
        return false;
    long number = atomic_fetch_add(&shared->count, 1) + 1;
    note_place(number);
    if (at == 0 || (number != at && !(on && number > at)))
        return false;
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

/* AddressSanitizer has these, too, and then they would not come here for their memory. */
char *strndup(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, strlen(text));
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

/* ---- runs */

typedef int main_function(int, char **, char **);
static main_function *real_main;

_Noreturn static void die(const char *what)
{
    perror(what);
    _exit(125);
}

static void open_as(int wanted, const char *name, int flags)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("NOMEMORY_FILES"), name);
    int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0 || dup2(fd, wanted) < 0)
        die(path);
    close(fd);
}

/* It is small enough for a pipe to hold. */
static void give_input(void)
{
    char data[16384];
    int ends[2];
    open_as(STDIN_FILENO, "stdin", O_RDONLY);
    ssize_t length = read(STDIN_FILENO, data, sizeof data);
    if (length < 0 || length == sizeof data || pipe(ends) != 0 || write(ends[1], data, (size_t)length) != length)
        die("stdin");
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
}

static void begin_run(int socket)
{
    close(socket);
    give_input();
    open_as(STDOUT_FILENO, "stdout", O_WRONLY | O_CREAT | O_TRUNC);
    open_as(STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
    alarm(SECONDS);
    shared->count = 0;
    running = true;
}

static int watched_main(int argument_count, char **arguments, char **environment)
{
    long request[2];
    int socket = atoi(getenv("NOMEMORY_SOCKET"));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap");
    while (read(socket, request, sizeof request) == sizeof request) {
        int status;
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child == 0) {
            at = request[0];
            on = request[1] != 0;
            begin_run(socket);
            status = real_main(argument_count, arguments, environment);
            running = false;
            return status;
        }
        waitpid(child, &status, 0);
        shared->status = status;
        size_t places = request[0] != 0 ? 0 : shared->count < LIMIT ? (size_t)shared->count : LIMIT;
        size_t length = offsetof(struct shared, places) + places * sizeof *shared->places;
        if (write(socket, shared, length) != (ssize_t)length)
            die("answer");
    }
    _exit(0);
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
