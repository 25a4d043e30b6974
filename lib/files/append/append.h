/*
 * append - the one way of new events into the store.
 *
 * A batch is appended under the writers' lock: catch up with what others wrote, mend torn last lines, look for
 * duplicates, write once per partition, sync, note it in the index. On failure what was written is undone where that is
 * safe; where it is not, it is written anew before anyone believes it (catalog/unsynced.c).
 */
#ifndef METASPN_FILES_APPEND_APPEND_H
#define METASPN_FILES_APPEND_APPEND_H

#include "files/catalog/catalog.h"

/*
 * Stores a batch. On STATUS_OK everything that `ret_result->done` counts is durable (unless no_sync), duplicates too.
 * `stop_at_duplicate`: the first duplicate ends the batch; STATUS_DUPLICATE, and item `done` is that duplicate.
 * STATUS_IO: nothing of the batch counts as stored.
 */
enum status catalog_append(struct catalog *store, struct store_item *items, size_t count, bool stop_at_duplicate,
                           struct store_result *ret_result, struct error *err);

#endif
