/*
 * index_files - the files of a small index, and what may become of one of them: for the fuzzers of the index.
 */
#ifndef METASPN_FUZZ_INDEX_FILES_H
#define METASPN_FUZZ_INDEX_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* The partition that the index is of, whole lines: what is indexed by the manifest, then what is in the log. */
struct index_files_text {
    const char *front, *back;
};
extern const struct index_files_text index_files_text;
void index_files_put_partition(void);

/* Makes the index in the workspace of this process (files.h) and remembers its files. */
void index_files_prepare(void);

/*
 * The file that an input is about, and what it then holds: the input's first byte says which file, the second what
 * becomes of it, the rest is bytes, or places and bytes. *ret_lies: its checksums were mended, so that it may be
 * believed. NULL: the input is too short. *out is cleared first.
 */
const char *index_files_change(const uint8_t *data, size_t size, struct bytes *out, bool *ret_lies);

/* The files as they were. */
void index_files_restore(void);
const struct bytes *index_files_original(const char *name);

#endif
