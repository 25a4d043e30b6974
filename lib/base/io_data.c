#include <errno.h>
#include <unistd.h>

#include "base/io.h"
#include "base/memory.h"

#define IO_BLOCK 65536

enum status io_read_at(int fd, void *buffer, size_t length, uint64_t offset, const char *label, size_t *ret_length,
                       struct error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pread(fd, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, errno, "%s: cannot read", label);
        done += (size_t)n;
    }
    *ret_length = done;
    return STATUS_OK;
}

enum status io_read_from(int fd, uint64_t offset, const char *label, struct bytes *out, struct error *err)
{
    size_t room, n;
    do {
        if (!bytes_reserve(out, IO_BLOCK))
            return error_set_memory(err);
        room = out->capacity - out->length;
        enum status status = io_read_at(fd, out->data + out->length, room, offset, label, &n, err);
        if (status != STATUS_OK)
            return status;
        out->length += n;
        offset += n;
    } while (n == room);
    return STATUS_OK;
}

/* Appends what comes to its end, or a little more than the limit. */
static enum status read_stream(int fd, size_t limit, const char *label, struct bytes *out, struct error *err)
{
    while (out->length <= limit) {
        if (!bytes_reserve(out, IO_BLOCK))
            return error_set_memory(err);
        ssize_t n = read(fd, out->data + out->length, IO_BLOCK);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, errno, "%s: cannot read", label);
        out->length += (size_t)n;
    }
    return STATUS_OK;
}

static enum status refuse_size(size_t limit, const char *label, struct error *err)
{
    return error_set(err, STATUS_INVALID, "%s: is larger than %zu bytes", label, limit);
}

enum status io_read_all(int fd, size_t limit, const char *label, struct bytes *out, struct error *err)
{
    struct stat st;
    bytes_clear(out);
    if (fstat(fd, &st) != 0)
        return error_set_errno(err, errno, "%s", label);
    enum status status;
    if (S_ISREG(st.st_mode)) {
        if ((uint64_t)st.st_size > limit)
            return refuse_size(limit, label, err);
        if (!bytes_reserve(out, (size_t)st.st_size + IO_BLOCK)) /* the end is found without growing once more */
            return error_set_memory(err);
        memory_populate(out->data, (size_t)st.st_size);
        status = io_read_from(fd, 0, label, out, err);
    } else {
        status = read_stream(fd, limit, label, out, err);
    }
    return status == STATUS_OK && out->length > limit ? refuse_size(limit, label, err) : status;
}

enum status io_write(int fd, const void *data, size_t length, const char *label, size_t *ret_written, struct error *err)
{
    size_t done = 0;
    enum status status = STATUS_OK;
    while (done < length) {
        ssize_t n = write(fd, (const char *)data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status = error_set_errno(err, n < 0 ? errno : ENOSPC, "%s: cannot write", label);
            break;
        }
        done += (size_t)n;
    }
    if (ret_written)
        *ret_written = done;
    return status;
}

enum status io_write_at(int fd, const void *data, size_t length, uint64_t offset, const char *label, struct error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pwrite(fd, (const char *)data + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set_errno(err, n < 0 ? errno : ENOSPC, "%s: cannot write", label);
        done += (size_t)n;
    }
    return STATUS_OK;
}
