/*
 * open - which kind of store a workspace names: `postgresql://...` and `postgres://...`, in any case, a database;
 * anything else a directory (`./postgresql:...` is one too).
 */
#ifndef METASPN_OPEN_H
#define METASPN_OPEN_H

#include <stdbool.h>

#include "base/status.h"
#include "store/store.h"

/* Opens the store of a workspace; NULL: none was named, so it is the current directory. The notice function must
 * outlive it. STATUS_IO: it is not there, or this build does not know its kind; no message shows a URL. */
enum status store_open(const char *workspace, const struct store_options *options, struct store **ret_store,
                       struct error *err);

/* What store_open() for writing would answer, with nothing made: before a writer waits for its input. */
enum status store_probe(const char *workspace, struct error *err);

/* True where it is a URL with a password in it, be it before the host or among the parameters. */
bool store_shows_password(const char *workspace);

#endif
