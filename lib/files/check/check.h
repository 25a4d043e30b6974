/*
 * check - a look at a whole store, and the mending of what may be mended (metaspn-fsck).
 *
 * The look reads every byte of every partition, each checkpoint and snapshot, and the index as it is on disk, while
 * others go on writing: it takes no lock, makes no file, and believes nothing but what it reads. What it comes upon is
 * of three sorts:
 *
 *   a finding  something is wrong: damage that is not in quarantine/, an id that stands in its kind twice, an event in
 *              the wrong day's file, a torn end, a temporary that was left over, a checkpoint or snapshot that is not
 *              what it should be, a position that does not fit, an index that does not agree with the partitions
 *   a remark   nobody is worse off for it, so it is only counted: damage that is in quarantine/, a line that is not in
 *              canonical form (others may write so), a line with a lesser timestamp than one before it
 *   a failure  it could not look: a file that cannot be read, a link or a device in the place of one of ours
 *
 * An index that is missing, or behind the partitions, is no finding: the next command reads on. An end is called torn
 * only where nobody has the file open to write, or does not go on for two seconds.
 *
 * With `repair` what SPEC section 8 allows is done too: torn ends are mended as the next writer would, a last event
 * without newline gets one, the bytes of damaged lines are copied to quarantine/, temporaries that were left over are
 * removed, an index that does not agree is made anew. No byte of a partition changes but its torn end.
 *
 * Memory: 16 bytes an event, for the ids; besides blocks, and one line at a time.
 */
#ifndef METASPN_FILES_CHECK_CHECK_H
#define METASPN_FILES_CHECK_CHECK_H

#include "base/status.h"
#include "store/store.h"

/*
 * Checks the store of the directory `workspace` (NULL: none was named), with the writers' lock, `interrupted`, the time
 * and the notices of `options`. STATUS_OK: it looked, and *request says what came of it. STATUS_IO: there is no such
 * store, or no memory.
 */
enum status check_store(const char *workspace, const struct store_options *options, struct store_check *request,
                        struct error *err);

#endif
