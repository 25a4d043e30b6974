#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/append/append.h"
#include "files/catalog/catalog.h"
#include "files/replay/replay.h"
#include "fuzz.h"

static char workspace[64];
static int store_fd = -1;

static void forget(const char *room)
{
    int fd = openat(store_fd, room, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    DIR *directory = fdopendir(fd);
    require(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.')
            unlinkat(fd, entry->d_name, 0);
    closedir(directory);
}

void fuzz_forget_index(void)
{
    forget("index");
    forget("quarantine");
}

static void remove_workspace(void)
{
    static const char *const rooms[] = {"signals", "index", "quarantine"};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        forget(rooms[i]);
        unlinkat(store_fd, rooms[i], AT_REMOVEDIR);
    }
    unlinkat(store_fd, "lock", 0);
    char path[80];
    snprintf(path, sizeof path, "%s/store", workspace);
    rmdir(path);
    rmdir(workspace);
}

const char *fuzz_workspace(void)
{
    if (store_fd >= 0)
        return workspace;
    struct stat st;
    bool in_memory = stat("/dev/shm", &st) == 0 && access("/dev/shm", W_OK) == 0;
    snprintf(workspace, sizeof workspace, "%s/metaspn-fuzz-XXXXXX", in_memory ? "/dev/shm" : "/tmp");
    require(mkdtemp(workspace));
    char path[80];
    snprintf(path, sizeof path, "%s/store", workspace);
    require(mkdir(path, 0777) == 0);
    store_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(store_fd >= 0 && mkdirat(store_fd, "signals", 0777) == 0 && mkdirat(store_fd, "index", 0777) == 0);
    atexit(remove_workspace);
    return workspace;
}

static void write_file(const char *name, int flags, const void *data, size_t length)
{
    fuzz_workspace();
    int fd = openat(store_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    require(fd >= 0);
    require(length == 0 || write(fd, data, length) == (ssize_t)length);
    close(fd);
}

void fuzz_put(const char *name, const void *data, size_t length)
{
    fuzz_workspace();
    unlinkat(store_fd, name, 0);
    write_file(name, O_EXCL, data, length);
}

void fuzz_append(const char *name, const void *data, size_t length)
{
    write_file(name, O_APPEND, data, length);
}

bool fuzz_get(const char *name, struct bytes *out)
{
    fuzz_workspace();
    bytes_clear(out);
    int fd = openat(store_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct stat st;
    require(fstat(fd, &st) == 0 && bytes_reserve(out, (size_t)st.st_size + 1));
    require(read(fd, out->data, (size_t)st.st_size) == st.st_size);
    out->length = (size_t)st.st_size;
    close(fd);
    return true;
}

static bool open_store(enum workspace_access access, bool use_index, struct catalog **ret_store)
{
    const struct catalog_options options = {.access = access,
                                            .no_index = !use_index,
                                            .no_sync = true,
                                            .lock_timeout_ms = 0};
    struct error err;
    return catalog_open(fuzz_workspace(), &options, ret_store, &err) == STATUS_OK;
}

bool fuzz_write(const char *line, size_t length)
{
    const struct event_rules rules = {KIND_BIT(EVENT_SIGNAL), EVENT_MAX_LINE};
    struct bytes scratch = {0};
    struct store_item item = {0};
    struct store_result result;
    struct catalog *store;
    bool borrows;
    require(event_check(line, length, &rules, &scratch, &item.event, &borrows, NULL) == STATUS_OK);
    bool good = open_store(WORKSPACE_WRITE, true, &store);
    if (good) {
        good = catalog_append(store, &item, 1, false, &result, NULL) == STATUS_OK && result.done == 1;
        catalog_close(store);
    }
    bytes_release(&scratch);
    return good;
}

static void count_damaged(void *context, const struct store_report *found)
{
    size_t *damaged = context;
    if (found->finding == STORE_DAMAGED || found->finding == STORE_QUARANTINED)
        ++*damaged;
}

static bool replay_into(struct catalog *store, struct store_query options, struct bytes *out)
{
    struct replay *replay;
    struct scan_item item;
    struct error err;
    enum store_step step;
    if (replay_open(store, &options, &replay, &err) != STATUS_OK)
        return false;
    while ((step = replay_next(replay, &item, &err)) == STORE_LINES)
        require(bytes_append(out, item.data, item.length));
    replay_close(replay);
    return step == STORE_NONE;
}

static bool ask_filtered(struct catalog *store, struct store_query options, struct fuzz_answers *answers)
{
    struct filter *of_source = filter_new(), *of_id = filter_new();
    require(of_source && of_id);
    require(filter_add(of_source, FILTER_SOURCE, "a", NULL) == STATUS_OK);
    require(filter_add(of_id, FILTER_ID, "s1", NULL) == STATUS_OK);
    options.report = NULL;
    options.filter = of_source;
    uint64_t count = 0;
    bool good =
        replay_into(store, options, &answers->of_source) && replay_count(store, &options, &count, NULL) == STATUS_OK;
    answers->count_of_source = count;
    options.filter = of_id;
    good = good && replay_into(store, options, &answers->of_id);
    filter_free(of_source);
    filter_free(of_id);
    return good;
}

static bool ask_store(struct catalog *store, struct fuzz_answers *answers)
{
    struct store_query options = {.kinds = KIND_BIT(EVENT_SIGNAL), .window = WINDOW_ALL};
    uint64_t count = 0;
    if (catalog_refresh(store, options.kinds, NULL) != STATUS_OK ||
        replay_count(store, &options, &count, NULL) != STATUS_OK)
        return false;
    answers->count = count;
    if (!ask_filtered(store, options, answers))
        return false;
    struct store_query last = options;
    last.tailed = true;
    last.tail = 3;
    struct store_query reversed = options;
    reversed.reverse = true;
    struct store_query appended = options;
    appended.order = STORE_AS_APPENDED;
    options.report = count_damaged;
    options.report_context = &answers->damaged;
    return replay_into(store, options, &answers->by_time) && replay_into(store, reversed, &answers->by_time_reversed) &&
           replay_into(store, appended, &answers->as_appended) && replay_into(store, last, &answers->last);
}

bool fuzz_ask(bool use_index, struct fuzz_answers *ret_answers)
{
    struct catalog *store;
    if (!open_store(use_index ? WORKSPACE_WRITE : WORKSPACE_READ, use_index, &store))
        return false;
    bool good = ask_store(store, ret_answers);
    catalog_close(store);
    return good;
}

void fuzz_answers_release(struct fuzz_answers *answers)
{
    bytes_release(&answers->by_time);
    bytes_release(&answers->by_time_reversed);
    bytes_release(&answers->as_appended);
    bytes_release(&answers->last);
    bytes_release(&answers->of_source);
    bytes_release(&answers->of_id);
}

static bool same(const struct bytes *a, const struct bytes *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

void fuzz_require_same_answers(const struct fuzz_answers *a, const struct fuzz_answers *b)
{
    require(a->count == b->count && a->count_of_source == b->count_of_source && a->damaged == b->damaged);
    require(same(&a->by_time, &b->by_time) && same(&a->by_time_reversed, &b->by_time_reversed));
    require(same(&a->as_appended, &b->as_appended) && same(&a->last, &b->last));
    require(same(&a->of_source, &b->of_source) && same(&a->of_id, &b->of_id));
}

void fuzz_reverse_lines(const struct bytes *text, struct bytes *out)
{
    bytes_clear(out);
    for (size_t end = text->length; end > 0;) {
        const char *before = memrchr(text->data, '\n', end - 1);
        size_t start = before ? (size_t)(before - text->data) + 1 : 0;
        require(bytes_append(out, text->data + start, end - start));
        end = start;
    }
}
