/*
 * name - the one validator of the names that users give to checkpoints and snapshots (SPEC section 6): they become
 * parts of file names.
 */
#ifndef METASPN_STORE_NAME_H
#define METASPN_STORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define NAME_MAX_LENGTH 200

/* 1-200 bytes of UTF-8 without `/`, control characters (C0, DEL, C1) and a leading dot. */
bool name_is_valid(const char *name, size_t length);

/* STATUS_OK, or STATUS_USAGE with a message that quotes the name; `what` is "checkpoint" or "snapshot". */
enum status name_check(const char *what, const char *name, struct error *err);

#endif
