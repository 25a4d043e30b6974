/*
 * mutant - switches that take out one safety mechanism at a time, to show that the tests notice.
 *
 * MUTANT(NO_LOCK) is a constant: 1 in a build with `meson setup -Dmutant=no_lock`, else 0, and the compiler leaves out
 * what depends on it. Nothing of it is in a build that anybody uses. The names: no_fdatasync, no_directory_fsync,
 * no_fsync_before_rename, acknowledge_before_sync, index_before_jsonl, watermark_before_entries, no_tail_check,
 * no_lock, hit_not_confirmed, unguarded_ftruncate.
 */
#ifndef METASPN_BASE_MUTANT_H
#define METASPN_BASE_MUTANT_H

/* A macro that -D defines is 1; one that is not defined stays a name, which pushes no argument in. */
#define MUTANT(name)                      MUTANT_IS_ONE(METASPN_MUTANT_##name)
#define MUTANT_IS_ONE(value)              MUTANT_PUSH(value)
#define MUTANT_PUSH(value)                MUTANT_PICK(MUTANT_PUSHED_##value)
#define MUTANT_PICK(pushed)               MUTANT_SECOND(pushed 1, 0, 0)
#define MUTANT_PUSHED_1                   0,
#define MUTANT_SECOND(first, second, ...) second

#endif
