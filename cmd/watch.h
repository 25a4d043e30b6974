/*
 * watch - waiting for news of a store: the kernel's word of changes below signals/ and emissions/, and a look every
 * second where there is none (network file systems).
 */
#ifndef METASPN_WATCH_H
#define METASPN_WATCH_H

#include <stdbool.h>

#include "files/workspace.h"

struct watch {
    int fd; /* inotify; -1: there is none */
    struct workspace *workspace;
};

/* What happens from now on is noticed. */
void watch_start(struct watch *watch, struct workspace *workspace);
void watch_end(struct watch *watch);

enum watch_result { WATCH_LOOK, WATCH_READER_GONE };
/* Waits until it is worth looking (`at_once`: it is), or until the reader of `out` is gone. */
enum watch_result watch_wait(struct watch *watch, int out, bool at_once);

#endif
