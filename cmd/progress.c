#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

#define INTERVAL_MS 500
#define MEGABYTE    1000000.0

void progress_start(struct progress *progress, enum progress_wish wish, uint64_t total)
{
    int64_t now = io_monotonic_ms();
    bool on = wish == PROGRESS_ALWAYS || (wish == PROGRESS_IF_TERMINAL && isatty(STDERR_FILENO) == 1);
    *progress = (struct progress){.on = on, .total = total, .started_ms = now, .next_ms = now + INTERVAL_MS};
}

static void show(const char *text, size_t length)
{
    if (write(STDERR_FILENO, text, length) < 0)
        return; /* nobody to tell */
}

void progress_update(struct progress *progress, uint64_t events, uint64_t bytes)
{
    if (!progress->on)
        return;
    int64_t now = io_monotonic_ms();
    if (now < progress->next_ms)
        return;
    progress->next_ms = now + INTERVAL_MS;
    char text[128], share[16] = "";
    double seconds = (double)(now - progress->started_ms) / 1000;
    if (progress->total > 0)
        snprintf(share, sizeof share, ", %.0f %%", (double)bytes * 100 / (double)progress->total);
    int length = snprintf(text, sizeof text, "\r\033[K%llu events, %.1f MB/s%s", (unsigned long long)events,
                          (double)bytes / MEGABYTE / seconds, share);
    show(text, (size_t)length);
    progress->shown = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->shown)
        show("\r\033[K", 4);
    progress->shown = false;
}
