#include "files/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

int watch_open(const struct workspace *workspace)
{
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch_rearm(watch, workspace);
    return watch;
}

/* Watching a folder again costs little and changes nothing. */
void watch_rearm(int watch, const struct workspace *workspace)
{
    const uint32_t changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
    char events[4096];
    if (watch < 0)
        return;
    while (read(watch, events, sizeof events) > 0)
        continue;
    inotify_add_watch(watch, workspace_store_path(workspace), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    inotify_add_watch(watch, workspace_folder_path(workspace, FOLDER_SIGNALS), changes);
    inotify_add_watch(watch, workspace_folder_path(workspace, FOLDER_EMISSIONS), changes);
}
