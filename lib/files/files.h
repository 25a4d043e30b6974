/*
 * files - the store in files of a directory: fills the interface of store/store.h (SPEC section 2).
 */
#ifndef METASPN_FILES_FILES_H
#define METASPN_FILES_FILES_H

#include "base/status.h"
#include "store/store.h"

/* Opens the store of the directory `workspace`, as workspace_open() does. */
enum status files_open(const char *workspace, const struct store_options *options, struct store **ret_store,
                       struct error *err);

#endif
