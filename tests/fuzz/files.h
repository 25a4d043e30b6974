/*
 * files - a workspace in memory for the fuzzers that need one (below /dev/shm where there is one), and what a store in
 * it answers.
 */
#ifndef METASPN_FUZZ_FILES_H
#define METASPN_FUZZ_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* The workspace of this process, made at the first call with signals/ and index/ in its store, and removed at exit. */
const char *fuzz_workspace(void);
#define FUZZ_PARTITION "signals/2026-02-05.jsonl"

/* Files by their path below store/. */
void fuzz_put(const char *name, const void *data, size_t length); /* replaces it as a new file */
void fuzz_append(const char *name, const void *data, size_t length);
bool fuzz_get(const char *name, struct bytes *out); /* false: there is none */
/* Removes what is derived, and what was put aside. */
void fuzz_forget_index(void);

/* Stores this line as metaspn-write would; false: the store says no. */
bool fuzz_write(const char *line, size_t length);

/* What a store says of its signals, each as the lines one after the other. */
struct fuzz_answers {
    struct bytes by_time, by_time_reversed, as_appended, last, of_source, of_id;
    unsigned long long count, count_of_source;
    size_t damaged; /* lines that one whole replay told as damaged, in quarantine/ or not */
};
/* With the index, which is left on disk, or without. False: the store says no. */
bool fuzz_ask(bool use_index, struct fuzz_answers *ret_answers);
void fuzz_answers_release(struct fuzz_answers *answers);
/* Ends the process where they differ. */
void fuzz_require_same_answers(const struct fuzz_answers *a, const struct fuzz_answers *b);

/* The lines of `text` in the opposite order. */
void fuzz_reverse_lines(const struct bytes *text, struct bytes *out);

#endif
