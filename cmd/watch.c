#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_MS 1000

/* The folders may come into being later: asking again costs little and changes nothing. */
static void add_folders(const struct watch *watch)
{
    static const enum workspace_folder rooms[] = {FOLDER_SIGNALS, FOLDER_EMISSIONS};
    const uint32_t changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
    if (watch->fd < 0)
        return;
    inotify_add_watch(watch->fd, workspace_store_path(watch->workspace), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        inotify_add_watch(watch->fd, workspace_folder_path(watch->workspace, rooms[i]), changes);
}

void watch_start(struct watch *watch, struct workspace *workspace)
{
    *watch = (struct watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .workspace = workspace};
    add_folders(watch);
}

void watch_end(struct watch *watch)
{
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}

static void drain(const struct watch *watch)
{
    char events[4096];
    while (watch->fd >= 0 && read(watch->fd, events, sizeof events) > 0)
        continue;
}

enum watch_result watch_wait(struct watch *watch, int out, bool at_once)
{
    struct pollfd fds[] = {{.fd = out}, {.fd = watch->fd, .events = POLLIN}};
    int ready = poll(fds, 2, at_once ? 0 : LOOK_MS);
    if (ready > 0 && (fds[0].revents & (POLLERR | POLLHUP)) != 0)
        return WATCH_READER_GONE;
    drain(watch);
    add_folders(watch);
    return WATCH_LOOK;
}
