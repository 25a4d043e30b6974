/*
 * watch - the kernel's word of changes below signals/ and emissions/ (inotify). Where there is none, as on network file
 * systems, whoever waits looks again every second.
 */
#ifndef METASPN_FILES_WATCH_H
#define METASPN_FILES_WATCH_H

#include "files/workspace.h"

/* A descriptor that becomes readable when something changes from now on; -1: there is none. The caller closes it. */
int watch_open(const struct workspace *workspace);
/* Takes what is to be read, and watches folders that have come into being since; before each look at the store. */
void watch_rearm(int watch, const struct workspace *workspace);

#endif
