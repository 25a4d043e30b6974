/*
 * The reader of a partition, by itself: chunks and lines, forward and backward, with blocks of any size, are those of
 * the bytes in memory. The input's first two bytes choose a way to read and a place; the rest is the file.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "files.h"
#include "files/partition.h"
#include "fuzz.h"

static int room = -1, file = -1;

static void open_file(void)
{
    fuzz_put(FUZZ_PARTITION, "", 0);
    char path[128];
    snprintf(path, sizeof path, "%s/store/signals", fuzz_workspace());
    require(io_open_directory(path, &room, NULL) == STATUS_OK);
    file = openat(room, strrchr(FUZZ_PARTITION, '/') + 1, O_WRONLY | O_CLOEXEC);
    require(file >= 0);
}

static struct partition *put_partition(const char *text, size_t length)
{
    struct partition *partition;
    int32_t day;
    require(ftruncate(file, (off_t)length) == 0 && pwrite(file, text, length, 0) == (ssize_t)length);
    require(partition_name_parse(strrchr(FUZZ_PARTITION, '/') + 1, &day));
    require(partition_open(room, "signals", day, IO_READ, false, &partition, NULL, NULL) == STATUS_OK);
    return partition;
}

/* Where the line that holds byte `at` starts, and where it ends, behind its newline. */
static size_t line_start(const char *text, size_t at)
{
    const char *newline = at == 0 ? NULL : memrchr(text, '\n', at);
    return newline ? (size_t)(newline - text) + 1 : 0;
}

static size_t line_end(const char *text, size_t length, size_t at)
{
    const char *newline = memchr(text + at, '\n', length - at);
    return newline ? (size_t)(newline - text) + 1 : length;
}

static void check_chunk(const struct chunk *chunk, const char *text, size_t from, size_t to)
{
    require(chunk->length > 0 && chunk->offset >= from && chunk->offset + chunk->length <= to);
    require(memcmp(chunk->data, text + chunk->offset, chunk->length) == 0);
    require(line_start(text, (size_t)chunk->offset) == chunk->offset);
    require(chunk->offset + chunk->length == to || chunk->data[chunk->length - 1] == '\n');
}

static void read_forward(const struct partition *partition, const char *text, size_t from, size_t to, size_t block)
{
    struct bytes buffer = {0};
    struct chunk chunk;
    for (size_t at = from; at < to; at += chunk.length) {
        require(partition_read_forward(partition, at, to, block, &buffer, &chunk, NULL) == STATUS_OK);
        require(chunk.offset == at);
        check_chunk(&chunk, text, from, to);
    }
    bytes_release(&buffer);
}

static void read_backward(const struct partition *partition, const char *text, size_t from, size_t to, size_t block)
{
    struct bytes buffer = {0};
    struct chunk chunk;
    for (size_t at = to; at > from; at = (size_t)chunk.offset) {
        require(partition_read_backward(partition, from, at, block, &buffer, &chunk, NULL) == STATUS_OK);
        require(chunk.offset + chunk.length == at);
        check_chunk(&chunk, text, from, at);
    }
    bytes_release(&buffer);
}

static void check_line(const struct partition *partition, const char *text, size_t length, size_t at)
{
    struct bytes line = {0};
    uint64_t start, end, hash;
    size_t want = line_start(text, at), least = at / 2 < want ? line_start(text, at / 2) : 0;
    require(partition_line_start(partition, at, least, &start, NULL) == STATUS_OK && start == want);
    require(partition_read_line(partition, start, length, &line, &end, NULL) == STATUS_OK);
    require(end == line_end(text, length, want));
    size_t bare = (size_t)end - want;
    bare -= bare > 0 && text[end - 1] == '\n';
    require(line.length == bare && (bare == 0 || memcmp(line.data, text + want, bare) == 0));
    size_t reach = at < PARTITION_HASH_REACH ? at : PARTITION_HASH_REACH;
    require(partition_hash_before(partition, at, &hash, NULL) == STATUS_OK);
    require(hash == hash_bytes(text + at - reach, reach, 0));
    bytes_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (room < 0)
        open_file();
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 2;
    size_t length = size - 2, block = (size_t)data[0] / 4 + 1, at = length * data[1] / 255;
    struct partition *partition = put_partition(text, length);
    size_t from = line_start(text, at), to = line_end(text, length, at);
    bool to_end = data[0] & 1, backward = data[0] & 2;
    (backward ? read_backward : read_forward)(partition, text, to_end ? from : 0, to_end ? length : to, block);
    check_line(partition, text, length, at);
    partition_close(partition);
    return 0;
}
