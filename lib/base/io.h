/*
 * io - the only code that opens, syncs, renames and locks files: io.c opens, reads, writes and syncs, replace.c
 * replaces and sweeps, lock.c locks.
 *
 * Everything below a store's directory is opened relative to a directory descriptor and never through a symbolic
 * link; FIFOs, sockets and devices in the place of a file are refused (SPEC section 2). Reads and writes are done in
 * full, EINTR and short counts included. `label` is the name that messages use for the file. Descriptors are
 * close-on-exec and never 0, 1 or 2 (the commands see to that at their start).
 *
 * Durability: a function that says so has synced when it returns STATUS_OK. A failed sync is never tried again
 * (RELIABILITY 10): the kernel may have dropped the pages, and a second fsync would lie.
 */
#ifndef METASPN_BASE_IO_H
#define METASPN_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"

/* Opens a directory by path (links are followed: this is how a workspace and `store` itself are found).
 * STATUS_ABSENT: there is none. */
enum status io_open_directory(const char *path, int *ret_fd, struct error *err);

/* openat() below `directory`, which follows no link in any component; for replace.c. EAGAIN: another program holds a
 * lease on the file for the moment, or a rename went by. */
int io_open_beneath(int directory, const char *name, int flags, mode_t mode);

/* Opens a file of the system (below /proc, say), or of the caller's, by path, to read; a FIFO waits for its writer, and
 * only a signal that acts at once ends that. errno says why not. */
enum status io_open_system(const char *path, int *ret_fd);

/* Opens the directory `name` below `directory`, no link. With `create` it is made (0777 less umask) and its parent
 * synced. STATUS_ABSENT: there is none. STATUS_IO: it is a link or no directory. */
enum status io_open_directory_below(int directory, const char *name, bool create, const char *label, int *ret_fd,
                                    struct error *err);

enum io_open { IO_READ, IO_APPEND, IO_UPDATE };

/*
 * Opens the regular file `name` below `directory`: IO_READ to read; IO_APPEND to read and append (O_APPEND);
 * IO_UPDATE to read and write in place. With `create` (not for IO_READ) the file is made (0666 less umask) where
 * it is missing, and *ret_created (may be NULL) says so; the caller syncs the directory. STATUS_ABSENT: there is none.
 * STATUS_IO: it is a link, no regular file, or cannot be opened. A lease that another program holds on the file is
 * waited for, for longer than the kernel lets it stand then (45 s; see below).
 */
enum status io_open_below(int directory, const char *name, enum io_open how, bool create, const char *label,
                          int *ret_fd, bool *ret_created, struct error *err);

/* Reads up to `length` bytes at `offset`; fewer only at the end of the file. */
enum status io_read_at(int fd, void *buffer, size_t length, uint64_t offset, const char *label, size_t *ret_length,
                       struct error *err);
/* Reads a whole file, or a pipe to its end, into *out (cleared first), at most `limit` bytes (more: STATUS_INVALID). */
enum status io_read_all(int fd, size_t limit, const char *label, struct bytes *out, struct error *err);
/* Appends what the file holds from `offset` to its end to *out. */
enum status io_read_from(int fd, uint64_t offset, const char *label, struct bytes *out, struct error *err);
/* Writes in full at the descriptor's position, or at the end where it appends. *ret_written (may be NULL) tells how
 * far it got, on failure too. */
enum status io_write(int fd, const void *data, size_t length, const char *label, size_t *ret_written,
                     struct error *err);
/* Writes in full at `offset` (not for descriptors that append). */
enum status io_write_at(int fd, const void *data, size_t length, uint64_t offset, const char *label, struct error *err);
/* STATUS_ABSENT: the file may only grow (chattr +a). */
enum status io_truncate(int fd, uint64_t length, const char *label, struct error *err);

/* Starts the writing out of a file's pages without waiting for it; a hint, no promise. */
void io_start_sync(int fd);
/* fdatasync of a file; fsync of a directory (a file system that cannot sync directories is let off). */
enum status io_sync(int fd, const char *label, struct error *err);
enum status io_sync_directory(int fd, const char *label, struct error *err);
/* The same for the directory that holds the directory `fd`; one that may not be opened is let off. */
enum status io_sync_parent(int fd, const char *label, struct error *err);
/* True unless `name` in `directory` (AT_FDCWD: a path) is known to be something else than what `fd` has open, or gone.
 * `follow`: where the name is a link, what it leads to counts. */
bool io_is_same_file(int fd, int directory, const char *name, bool follow);
/* Closes, NULL err allowed; reports a failed close of a written file. -1 is closed already. */
enum status io_close(int fd, const char *label, struct error *err);

/*
 * Replaces the file `name` in `directory` atomically and durably: temporary beside it, write, fsync, rename, fsync of
 * the directory. A reader, or a crash at any moment, sees the old file or the new one, whole. `durable` false leaves
 * out both syncs (derived files only). On failure the temporary is removed and the old file stands.
 */
enum status io_replace(int directory, const char *name, const void *data, size_t length, bool durable,
                       const char *label, struct error *err);
/* As io_replace for a file named by a path (the directory of the path is opened; `-f` must be a regular file or
 * absent). */
enum status io_replace_path(const char *path, const void *data, size_t length, struct error *err);

/* Names of temporaries begin with this; what is left over from a killed process may be swept. */
#define IO_TEMPORARY_PREFIX ".tmp-metaspn-"
/* The entry is a temporary that is older than an hour (by `now_seconds`, Unix time): it belongs to nobody any more. */
bool io_is_left_over(int directory, const char *name, int64_t now_seconds);
/* Removes such temporaries, up to one that cannot be removed (STATUS_IO); *ret_removed (may be NULL) is how many. */
enum status io_sweep(int directory, const char *label, int64_t now_seconds, size_t *ret_removed, struct error *err);

/* STATUS_OK where `name` is absent or is what `type` says (S_IFREG or S_IFDIR); STATUS_IO where a link, a FIFO, a
 * device or something else stands in its place. */
enum status io_check_type(int directory, const char *name, mode_t type, const char *label, struct error *err);

/* The file belongs to the account that this process runs as. */
bool io_is_owner(int fd);

/* Removes a file. STATUS_ABSENT: there was none. With `durable` the directory is synced. */
enum status io_remove(int directory, const char *name, bool durable, const char *label, struct error *err);

/*
 * Calls `visit` for each entry's name (not "." and ".."), in no order; it returns false to stop. The type is d_type.
 */
typedef bool io_visit(void *context, const char *name, unsigned char type);
enum status io_list(int directory, const char *label, io_visit *visit, void *context, struct error *err);

/* A clock that only goes forward, milliseconds. */
int64_t io_monotonic_ms(void);

/*
 * Takes the exclusive open-file-description lock on the whole file: dropped when the descriptor is closed, by no other
 * close. Waits up to `timeout_ms` (0: does not wait; -1: for ever). STATUS_ABSENT: not to be had in that time. A signal
 * that interrupts the wait gives STATUS_ABSENT too when *interrupted (may be NULL) has become true.
 */
enum status io_lock(int fd, int timeout_ms, const volatile int *interrupted, const char *label, struct error *err);
enum status io_unlock(int fd, const char *label, struct error *err);

/*
 * True where no other open file description of this file exists anywhere, so that truncating cannot hurt an unlocked
 * writer: takes a write lease (F_SETLEASE) on `fd` and keeps it until io_lease_release(). False: somebody has it open,
 * or this file system knows no leases.
 */
bool io_lease_acquire(int fd);
/*
 * Whether the lease still stands and nobody is waiting for it. Who opens the file meanwhile is kept waiting by the
 * kernel, but only for /proc/sys/fs/lease-break-time (45 s) from then on; a holder that was stopped for longer has lost
 * the lease and is not told. Acquiring it again is as good an answer.
 */
bool io_lease_holds(int fd);
void io_lease_release(int fd);
/* False where certainly nobody has this file open to write: takes a read lease on `fd`, which was opened by IO_READ,
 * and gives it back. True: somebody has, or it cannot be told. */
bool io_is_written(int fd);

#endif
