/*
 * partition - one day's file of one kind: bytes and lines, positions, the torn tail. Knows no JSON.
 *
 * A partition is only ever appended to; the one exception is a last line that is no event (SPEC section 8), which
 * partition_cut() takes away. Readers read with pread() up to an end that they decided on before, so a file that grows,
 * or shrinks, under them is never more than a short read.
 *
 * Offsets are bytes from the start of the file.
 */
#ifndef METASPN_FILES_PARTITION_H
#define METASPN_FILES_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/status.h"
#include "base/timestamp.h"

#define PARTITION_NAME_SIZE 17 /* "2026-02-05.jsonl" and NUL */

void partition_name(int32_t day, char buffer[static PARTITION_NAME_SIZE]);
/* False: not the name of a partition. */
bool partition_name_parse(const char *name, int32_t *ret_day);

struct partition;

/* Opens the file of `day` in `directory`. `directory_label` names the folder in messages. Statuses of io_open_below().
 */
enum status partition_open(int directory, const char *directory_label, int32_t day, enum io_open how, bool create,
                           struct partition **ret_partition, bool *ret_created, struct error *err);
/* NULL is taken. What must be on disk was synced before: a close that fails loses nothing. */
void partition_close(struct partition *partition);

/* The file's name for messages, as "ws/store/signals/2026-02-05.jsonl". */
const char *partition_label(const struct partition *partition);

/* Who the file is and how large: what tells a grown file from a replaced one. Times in nanoseconds. */
struct partition_stat {
    uint64_t device, inode, size;
    int64_t changed, modified;
};
enum status partition_stat(const struct partition *partition, struct partition_stat *ret_stat, struct error *err);
/* The same by name, without opening; refuses what is no regular file. */
enum status partition_stat_at(int directory, const char *directory_label, int32_t day, struct partition_stat *ret_stat,
                              struct error *err);

/* False where another file is known to have that name in the folder, or none. */
bool partition_is_same_file(const struct partition *partition, int directory, const char *name);

/* False where certainly nobody has the file open to write. The partition was opened by IO_READ. */
bool partition_is_written(const struct partition *partition);

/* A piece of the file that consists of whole lines; only the last one may lack its newline, at the end asked for. */
struct chunk {
    const char *data; /* in the reader's buffer: valid until the next read into it */
    size_t length;    /* 0: nothing there */
    uint64_t offset;  /* of data[0] */
};

#define PARTITION_BLOCK ((size_t)256 << 10) /* a good size of block to read, bytes */

/*
 * The next chunk in [from, to), where `from` is the start of a line: about `block` bytes, more where one line is
 * longer. A file that has become shorter than `to` gives what there is.
 */
enum status partition_read_forward(const struct partition *partition, uint64_t from, uint64_t to, size_t block,
                                   struct bytes *buffer, struct chunk *ret_chunk, struct error *err);
/* The chunk in [from, to) that ends at `to`, where `from` is the start of a line and `to` the end of one. */
enum status partition_read_backward(const struct partition *partition, uint64_t from, uint64_t to, size_t block,
                                    struct bytes *buffer, struct chunk *ret_chunk, struct error *err);
/* The start of the line that holds byte `at` (`at` itself where a line starts there), not before `least`, the start of
 * a line. */
enum status partition_line_start(const struct partition *partition, uint64_t at, uint64_t least, uint64_t *ret_start,
                                 struct error *err);
/* Whether nothing but blanks (space, tab, CR) stands between `offset` and the end of its line, or `to`; then *ret_next
 * is behind its newline, or `to`. */
enum status partition_skip_blanks(const struct partition *partition, uint64_t offset, uint64_t to, bool *ret_blank,
                                  uint64_t *ret_next, struct error *err);
/* Reads the one line that starts at `offset`, without its newline, into *buffer (cleared first). *ret_end is behind its
 * newline, or `to` where there is none. */
enum status partition_read_line(const struct partition *partition, uint64_t offset, uint64_t to, struct bytes *buffer,
                                uint64_t *ret_end, struct error *err);

/* Hash of the (at most 4096) bytes before `offset`: what a position remembers (SPEC section 6, checkpoints). Bytes that
 * are not there give a hash that fits nothing. */
#define PARTITION_HASH_REACH 4096
enum status partition_hash_before(const struct partition *partition, uint64_t offset, uint64_t *ret_hash,
                                  struct error *err);

/* How an append went, as far as the caller must know. */
enum partition_append {
    PARTITION_APPENDED, /* the bytes stand at `end`, and nobody else's between */
    PARTITION_MOVED,    /* the file had grown before, or is another one: nothing was written */
    PARTITION_MIXED,    /* written, but somebody without lock wrote too: only reading tells where the bytes stand */
    PARTITION_UNDONE,   /* failed, and the file is as it was before */
    PARTITION_TORN,     /* failed, and part of the bytes may stand in the file */
};
/*
 * Appends whole lines in one write to the file as it was `seen` under the lock, at its end: the same bytes as far as
 * can be told, and where it was empty, or not there, another empty one too. On failure (no space, size limit, I/O
 * error) what was written is undone where nobody else has the file open.
 */
enum status partition_append(struct partition *partition, const struct partition_stat *seen, const char *data,
                             size_t length, enum partition_append *ret_how, struct error *err);
/* Starts writing out what was appended, without waiting: the sync that follows waits less. */
void partition_start_sync(struct partition *partition);
/* Writes the bytes [from, to) again as they are, so that the next sync truly writes them (after a failed one). The
 * partition was opened by IO_UPDATE. */
enum status partition_rewrite(struct partition *partition, uint64_t from, uint64_t to, struct error *err);
/* fdatasync. */
enum status partition_sync(struct partition *partition, struct error *err);
/* Cuts the file back from exactly `from` bytes to `to`, only where its size is `from`, nobody else has it open (a lease
 * tells) and it may be cut at all. STATUS_ABSENT: that is not so, nothing was done. */
enum status partition_cut(struct partition *partition, uint64_t from, uint64_t to, struct error *err);

#endif
