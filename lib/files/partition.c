#include "files/partition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

struct partition {
    int fd;
    char label[];
};

void partition_name(int32_t day, char buffer[static PARTITION_NAME_SIZE])
{
    day_format(day, buffer);
    memcpy(buffer + DAY_TEXT_SIZE - 1, ".jsonl", sizeof ".jsonl");
}

bool partition_name_parse(const char *name, int32_t *ret_day)
{
    return strlen(name) == PARTITION_NAME_SIZE - 1 && strcmp(name + DAY_TEXT_SIZE - 1, ".jsonl") == 0 &&
           day_parse(name, DAY_TEXT_SIZE - 1, ret_day);
}

enum status partition_open(int directory, const char *directory_label, int32_t day, enum io_open how, bool create,
                           struct partition **ret_partition, bool *ret_created, struct error *err)
{
    size_t label_size = strlen(directory_label) + 1 + PARTITION_NAME_SIZE;
    struct partition *partition = malloc(sizeof *partition + label_size);
    if (!partition)
        return error_set_memory(err);
    char name[PARTITION_NAME_SIZE];
    partition_name(day, name);
    snprintf(partition->label, label_size, "%s/%s", directory_label, name);
    enum status status =
        io_open_below(directory, name, how, create, partition->label, &partition->fd, ret_created, err);
    if (status != STATUS_OK) {
        free(partition);
        return status;
    }
    *ret_partition = partition;
    return STATUS_OK;
}

void partition_close(struct partition *partition)
{
    if (partition)
        close(partition->fd);
    free(partition);
}

const char *partition_label(const struct partition *partition)
{
    return partition->label;
}

static struct partition_stat from_stat(const struct stat *st)
{
    return (struct partition_stat){
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .size = (uint64_t)st->st_size,
        .changed = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
        .modified = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };
}

enum status partition_stat(const struct partition *partition, struct partition_stat *ret_stat, struct error *err)
{
    struct stat st;
    if (fstat(partition->fd, &st) != 0)
        return error_set_errno(err, errno, "%s", partition->label);
    *ret_stat = from_stat(&st);
    return STATUS_OK;
}

enum status partition_stat_at(int directory, const char *directory_label, int32_t day, struct partition_stat *ret_stat,
                              struct error *err)
{
    char name[PARTITION_NAME_SIZE];
    struct stat st;
    partition_name(day, name);
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        enum status status = errno == ENOENT ? STATUS_ABSENT : STATUS_IO;
        error_set_errno(err, errno, "%s/%s", directory_label, name);
        return status;
    }
    if (S_ISLNK(st.st_mode))
        return error_set(err, STATUS_IO, "%s/%s: is a symbolic link", directory_label, name);
    if (!S_ISREG(st.st_mode))
        return error_set(err, STATUS_IO, "%s/%s: is not a regular file", directory_label, name);
    *ret_stat = from_stat(&st);
    return STATUS_OK;
}

bool partition_is_same_file(const struct partition *partition, int directory, const char *name)
{
    return io_is_same_file(partition->fd, directory, name, false);
}

bool partition_is_written(const struct partition *partition)
{
    return io_is_written(partition->fd);
}

/* Reads [from, from + length) to the front of the buffer; a file that has shrunk gives less. */
static enum status read_block(const struct partition *partition, uint64_t from, size_t length, struct bytes *buffer,
                              struct error *err)
{
    bytes_clear(buffer);
    if (!bytes_reserve(buffer, length))
        return error_set_memory(err);
    return io_read_at(partition->fd, buffer->data, length, from, partition->label, &buffer->length, err);
}

enum status partition_read_forward(const struct partition *partition, uint64_t from, uint64_t to, size_t block,
                                   struct bytes *buffer, struct chunk *ret_chunk, struct error *err)
{
    *ret_chunk = (struct chunk){.data = "", .offset = from};
    for (size_t want = block; from < to; want *= 2) {
        size_t length = to - from < want ? (size_t)(to - from) : want;
        enum status status = read_block(partition, from, length, buffer, err);
        if (status != STATUS_OK)
            return status;
        bool at_end = buffer->length < length || length == to - from;
        const char *newline = at_end ? NULL : memrchr(buffer->data, '\n', buffer->length);
        if (!at_end && !newline)
            continue;
        ret_chunk->data = buffer->data;
        ret_chunk->length = newline ? (size_t)(newline - buffer->data) + 1 : buffer->length;
        return STATUS_OK;
    }
    return STATUS_OK;
}

enum status partition_read_backward(const struct partition *partition, uint64_t from, uint64_t to, size_t block,
                                    struct bytes *buffer, struct chunk *ret_chunk, struct error *err)
{
    *ret_chunk = (struct chunk){.offset = to};
    for (size_t want = block; from < to; want *= 2) {
        bool whole = to - from <= want;
        size_t length = whole ? (size_t)(to - from) : want;
        uint64_t start = to - length;
        enum status status = read_block(partition, start, length, buffer, err);
        if (status != STATUS_OK)
            return status;
        if (buffer->length < length) { /* it has become shorter */
            to = start + buffer->length;
            want = block / 2;
            continue;
        }
        const char *data = buffer->data;
        if (!whole) {
            /* the block's first line is cut off; the newline that ends the last line begins nothing */
            const char *newline = buffer->length < 2 ? NULL : memchr(data, '\n', buffer->length - 1);
            if (!newline)
                continue;
            data = newline + 1;
        }
        ret_chunk->data = data;
        ret_chunk->length = buffer->length - (size_t)(data - buffer->data);
        ret_chunk->offset = start + (uint64_t)(data - buffer->data);
        return STATUS_OK;
    }
    return STATUS_OK;
}

enum status partition_line_start(const struct partition *partition, uint64_t at, uint64_t least, uint64_t *ret_start,
                                 struct error *err)
{
    char block[4096];
    uint64_t end = at;
    while (end > least) {
        size_t length = end - least < sizeof block ? (size_t)(end - least) : sizeof block, n;
        enum status status = io_read_at(partition->fd, block, length, end - length, partition->label, &n, err);
        if (status != STATUS_OK)
            return status;
        const char *newline = n == 0 ? NULL : memrchr(block, '\n', n);
        if (newline) {
            *ret_start = end - length + (uint64_t)(newline - block) + 1;
            return STATUS_OK;
        }
        end -= length;
    }
    *ret_start = least;
    return STATUS_OK;
}

enum status partition_skip_blanks(const struct partition *partition, uint64_t offset, uint64_t to, bool *ret_blank,
                                  uint64_t *ret_next, struct error *err)
{
    char block[256];
    *ret_blank = true;
    while (offset < to) {
        size_t n, i = 0, length = to - offset < sizeof block ? (size_t)(to - offset) : sizeof block;
        enum status status = io_read_at(partition->fd, block, length, offset, partition->label, &n, err);
        if (status != STATUS_OK)
            return status;
        while (i < n && (block[i] == ' ' || block[i] == '\t' || block[i] == '\r'))
            i++;
        offset += i;
        if (i < n) {
            *ret_blank = block[i] == '\n';
            offset++;
        }
        if (i < n || n < length)
            break;
    }
    *ret_next = offset;
    return STATUS_OK;
}

enum status partition_read_line(const struct partition *partition, uint64_t offset, uint64_t to, struct bytes *buffer,
                                uint64_t *ret_end, struct error *err)
{
    for (size_t want = 4096;; want *= 4) {
        size_t length = offset >= to ? 0 : to - offset < want ? (size_t)(to - offset) : want;
        enum status status = read_block(partition, offset, length, buffer, err);
        if (status != STATUS_OK)
            return status;
        const char *newline = buffer->length == 0 ? NULL : memchr(buffer->data, '\n', buffer->length);
        if (!newline && buffer->length == want)
            continue;
        if (newline)
            buffer->length = (size_t)(newline - buffer->data);
        *ret_end = newline ? offset + buffer->length + 1 : offset + buffer->length;
        return STATUS_OK;
    }
}

enum status partition_hash_before(const struct partition *partition, uint64_t offset, uint64_t *ret_hash,
                                  struct error *err)
{
    char block[PARTITION_HASH_REACH];
    size_t length = offset < sizeof block ? (size_t)offset : sizeof block, n;
    enum status status = io_read_at(partition->fd, block, length, offset - length, partition->label, &n, err);
    if (status != STATUS_OK)
        return status;
    *ret_hash = n == length ? hash_bytes(block, n, 0) : ~hash_bytes(block, n, offset);
    return STATUS_OK;
}

enum status partition_append(struct partition *partition, const struct partition_stat *seen, const char *data,
                             size_t length, enum partition_append *ret_how, struct error *err)
{
    struct partition_stat now;
    size_t written = 0;
    uint64_t end = seen->size;
    *ret_how = PARTITION_MOVED;
    /* where that cannot be told, reading tells it after the write */
    if (partition_stat(partition, &now, NULL) == STATUS_OK) {
        bool is_same = now.device == seen->device && now.inode == seen->inode && now.modified == seen->modified;
        if (now.size != end || (!is_same && now.size > 0))
            return STATUS_OK;
    }
    enum status status = io_write(partition->fd, data, length, partition->label, &written, err);
    if (status != STATUS_OK) {
        bool undone = written == 0 || partition_cut(partition, end + written, end, NULL) == STATUS_OK;
        *ret_how = undone ? PARTITION_UNDONE : PARTITION_TORN;
        return status;
    }
    bool grew_so = partition_stat(partition, &now, NULL) == STATUS_OK && now.size == end + length;
    *ret_how = grew_so ? PARTITION_APPENDED : PARTITION_MIXED;
    return STATUS_OK;
}

void partition_start_sync(struct partition *partition)
{
    io_start_sync(partition->fd);
}

enum status partition_rewrite(struct partition *partition, uint64_t from, uint64_t to, struct error *err)
{
    struct bytes block = {0};
    enum status status = STATUS_OK;
    while (from < to) {
        size_t length = to - from < PARTITION_BLOCK ? (size_t)(to - from) : PARTITION_BLOCK;
        status = read_block(partition, from, length, &block, err);
        if (status != STATUS_OK || block.length == 0)
            break;
        status = io_write_at(partition->fd, block.data, block.length, from, partition->label, err);
        if (status != STATUS_OK)
            break;
        from += block.length;
    }
    bytes_release(&block);
    return status;
}

enum status partition_sync(struct partition *partition, struct error *err)
{
    return io_sync(partition->fd, partition->label, err);
}

/*
 * Nobody else's bytes can be cut off: when the lease is asked for last, no one has the file open or waits for it. To
 * write something before the cut, one would have to open it after that, and this process to stand still for the whole
 * lease-break-time between two system calls.
 */
enum status partition_cut(struct partition *partition, uint64_t from, uint64_t to, struct error *err)
{
    if (!io_lease_acquire(partition->fd))
        return error_set(err, STATUS_ABSENT, "%s: is open elsewhere", partition->label);
    struct partition_stat st;
    enum status status = partition_stat(partition, &st, err);
    if (status != STATUS_OK)
        goto out;
    if (st.size != from)
        status = error_set(err, STATUS_ABSENT, "%s: has grown meanwhile", partition->label);
    else if (!io_lease_holds(partition->fd))
        status = error_set(err, STATUS_ABSENT, "%s: was opened elsewhere meanwhile", partition->label);
    else
        status = io_truncate(partition->fd, to, partition->label, err);
out:
    io_lease_release(partition->fd);
    return status;
}
