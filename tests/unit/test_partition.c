#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "files/partition.h"
#include "tap.h"

#define DAY 20489 /* 2026-02-05 */

static char folder[] = "/tmp/test_partition.XXXXXX";
static char path[64];
static int directory;

static void put(const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        printf("Bail out! %s\n", path);
        exit(1);
    }
}

static const char *content(void)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
    return text;
}

static struct partition *open_as(enum io_open how)
{
    struct partition *partition;
    struct error err;
    if (partition_open(directory, "folder", DAY, how, false, &partition, NULL, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return partition;
}

/* ---- cutting and appending */

static void test_cut(void)
{
    put("line\nfragm");
    struct partition *partition = open_as(IO_APPEND);
    is_int(partition_cut(partition, 9, 5, NULL), STATUS_ABSENT, "a file that has grown since is not cut");
    is_int(partition_cut(partition, 11, 5, NULL), STATUS_ABSENT, "nor one that has become shorter");
    is_text(content(), "line\nfragm", "it stands as it was");
    int other = open(path, O_RDONLY | O_CLOEXEC);
    is_int(partition_cut(partition, 10, 5, NULL), STATUS_ABSENT, "nor one that somebody else has open");
    is_text(content(), "line\nfragm", "it stands as it was");
    close(other);
    is_int(partition_cut(partition, 10, 5, NULL), STATUS_OK, "else it is cut");
    is_text(content(), "line\n", "to the size that was asked for");
    partition_close(partition);
}

/* Appends to the file as it is, but for its size: `end`. */
static enum status append_at(struct partition *partition, uint64_t end, const char *text, enum partition_append *how)
{
    struct partition_stat seen;
    partition_stat(partition, &seen, NULL);
    seen.size = end;
    return partition_append(partition, &seen, text, strlen(text), how, NULL);
}

static void test_append(void)
{
    enum partition_append how;
    put("line\n");
    struct partition *partition = open_as(IO_APPEND);
    is_int(append_at(partition, 4, "new\n", &how), STATUS_OK, "an append to a file that has grown since");
    is_int(how, PARTITION_MOVED, "is told");
    is_int(append_at(partition, 6, "new\n", &how), STATUS_OK, "and to one that has become shorter");
    is_int(how, PARTITION_MOVED, "too");
    is_text(content(), "line\n", "nothing was written");
    is_int(append_at(partition, 5, "new\n", &how), STATUS_OK, "an append at the end");
    is_int(how, PARTITION_APPENDED, "is one");
    is_text(content(), "line\nnew\n", "and stands there");
    int other = open(path, O_RDONLY | O_CLOEXEC);
    is_int(append_at(partition, 9, "more\n", &how), STATUS_OK, "while somebody reads");
    is_int(how, PARTITION_APPENDED, "as well");
    close(other);
    partition_close(partition);
}

static void test_append_to_another(void)
{
    enum partition_append how;
    struct partition_stat seen, other;
    put("line\n");
    struct partition *partition = open_as(IO_APPEND);
    partition_stat(partition, &seen, NULL);
    other = seen;
    other.inode++;
    is_int(partition_append(partition, &other, "new\n", 4, &how, NULL), STATUS_OK, "another file of the same size");
    is_int(how, PARTITION_MOVED, "is told");
    other = seen;
    other.modified--;
    is_int(partition_append(partition, &other, "new\n", 4, &how, NULL), STATUS_OK, "and one that was written anew");
    is_int(how, PARTITION_MOVED, "too");
    is_text(content(), "line\n", "nothing was written");
    partition_close(partition);
    put("");
    partition = open_as(IO_APPEND);
    other = (struct partition_stat){0};
    is_int(partition_append(partition, &other, "new\n", 4, &how, NULL), STATUS_OK, "an empty one that is new");
    is_int(how, PARTITION_APPENDED, "is as good");
    partition_close(partition);
}

/* The size limit lets only the first bytes of a write through. */
static void append_under_limit(struct partition *partition, uint64_t end, enum partition_append *how)
{
    struct rlimit limit, before;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = end + 2;
    setrlimit(RLIMIT_FSIZE, &limit);
    enum status status = append_at(partition, end, "new\n", how);
    setrlimit(RLIMIT_FSIZE, &before);
    is_int(status, STATUS_IO, "an append that finds no room fails");
}

static void test_append_without_room(void)
{
    enum partition_append how;
    signal(SIGXFSZ, SIG_IGN);
    put("line\n");
    struct partition *partition = open_as(IO_APPEND);
    append_under_limit(partition, 5, &how);
    is_int(how, PARTITION_UNDONE, "it is undone");
    is_text(content(), "line\n", "to the last byte");
    int other = open(path, O_RDONLY | O_CLOEXEC);
    append_under_limit(partition, 5, &how);
    is_int(how, PARTITION_TORN, "not while somebody else has the file open");
    is_text(content(), "line\nne", "what they may have read stands");
    close(other);
    partition_close(partition);
}

static void test_rewrite(void)
{
    put("one\ntwo\nthree\n");
    struct partition *partition = open_as(IO_UPDATE);
    is_int(partition_rewrite(partition, 4, 14, NULL), STATUS_OK, "what stands there is written again");
    is_int(partition_rewrite(partition, 4, 99, NULL), STATUS_OK, "as far as it stands there");
    is_text(content(), "one\ntwo\nthree\n", "as it is");
    partition_close(partition);
}

/* ---- reading */

static const char lines[] = "a\n\nbc\n0123456789\n\n\n0123456789012345678901234567890123456789\nx\nyz";

/* The lines [from, to) by chunks of about `block` bytes, in one of the directions; what comes later goes in front. */
static bool reads_all(const struct partition *partition, size_t from, size_t to, size_t block, bool backward)
{
    struct bytes buffer = {0};
    char got[sizeof lines] = "";
    size_t low = from, high = to;
    bool good = true;
    while (good && low < high) {
        struct chunk chunk;
        good = (backward ? partition_read_backward : partition_read_forward)(partition, low, high, block, &buffer,
                                                                             &chunk, NULL) == STATUS_OK;
        good = good && chunk.length > 0 && chunk.offset >= low && chunk.offset + chunk.length <= high &&
               (backward ? chunk.offset + chunk.length == high : chunk.offset == low) &&
               (chunk.offset == from || lines[chunk.offset - 1] == '\n');
        if (good)
            memcpy(got + chunk.offset - from, chunk.data, chunk.length);
        *(backward ? &high : &low) = good && backward ? chunk.offset : chunk.offset + chunk.length;
    }
    bytes_release(&buffer);
    return good && memcmp(got, lines + from, to - from) == 0;
}

static bool ends_line(size_t at)
{
    return at == 0 || at == sizeof lines - 1 || lines[at - 1] == '\n';
}

static void test_chunks(void)
{
    int failed[2] = {0}, tried = 0;
    put(lines);
    struct partition *partition = open_as(IO_READ);
    for (size_t block = 1; block < 70; block++)
        for (size_t from = 0; from < sizeof lines; from++)
            for (size_t to = from; ends_line(from) && to < sizeof lines; to++)
                for (int backward = 0; backward < 2 && ends_line(to); backward++, tried++)
                    failed[backward] += !reads_all(partition, from, to, block, backward);
    ok(tried > 5000, "many stretches of lines, in blocks of many sizes");
    is_int(failed[0], 0, "forward all of them are read, in whole lines");
    is_int(failed[1], 0, "backward too");
    partition_close(partition);
}

static void test_lines(void)
{
    int wrong_start = 0, wrong_line = 0;
    struct bytes buffer = {0};
    put(lines);
    struct partition *partition = open_as(IO_READ);
    for (size_t at = 0; at < sizeof lines - 1; at++) {
        uint64_t start, end;
        size_t want = at;
        while (!ends_line(want))
            want--;
        wrong_start += partition_line_start(partition, at, 0, &start, NULL) != STATUS_OK || start != want;
        wrong_start += partition_line_start(partition, at, want, &start, NULL) != STATUS_OK || start != want;
        if (start != at)
            continue;
        size_t length = strcspn(lines + at, "\n"), behind = at + length + (lines[at + length] == '\n');
        wrong_line += partition_read_line(partition, at, sizeof lines - 1, &buffer, &end, NULL) != STATUS_OK ||
                      buffer.length != length || memcmp(buffer.data, lines + at, length) != 0 || end != behind;
    }
    is_int(wrong_start, 0, "from each byte, the start of its line");
    is_int(wrong_line, 0, "and the line");
    bytes_release(&buffer);
    partition_close(partition);
}

static void test_hash(void)
{
    uint64_t short_one, whole, behind;
    put("one\ntwo\n");
    struct partition *partition = open_as(IO_READ);
    partition_hash_before(partition, 4, &short_one, NULL);
    partition_hash_before(partition, 8, &whole, NULL);
    partition_hash_before(partition, 9, &behind, NULL);
    ok(short_one != whole && whole != behind, "a hash is of the bytes before, and of all of them");
    put("one\ntwo");
    partition_hash_before(partition, 8, &behind, NULL);
    ok(behind != whole, "of bytes that are not there it is another");
    partition_close(partition);
}

/* Checkpoints hold these hashes, for years: XXH3 of at most 4096 bytes. */
static void test_hash_on_disk(void)
{
    char text[5001] = "";
    uint64_t hash = 0, other = 0;
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = (char)('a' + i / 7 % 26);
    put(text);
    struct partition *partition = open_as(IO_READ);
    partition_hash_before(partition, 100, &hash, NULL);
    ok(hash == UINT64_C(0x1bc92dcdf265b482), "the hash of 100 bytes is what it always was");
    partition_hash_before(partition, 5000, &hash, NULL);
    ok(hash == UINT64_C(0xb8d03ad9c6671376), "that of the last 4096 of 5000, too");
    partition_close(partition);
    text[903] = '-';
    put(text);
    partition = open_as(IO_READ);
    partition_hash_before(partition, 5000, &other, NULL);
    ok(hash == other, "what lies before them does not count");
    partition_close(partition);
    text[904] = '-';
    put(text);
    partition = open_as(IO_READ);
    partition_hash_before(partition, 5000, &other, NULL);
    ok(hash != other, "the first of them does");
    partition_close(partition);
}

int main(void)
{
    if (!mkdtemp(folder) || (directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        printf("Bail out! %s: %s\n", folder, strerror(errno));
        return 1;
    }
    snprintf(path, sizeof path, "%s/2026-02-05.jsonl", folder);
    test_cut();
    test_append();
    test_append_to_another();
    test_append_without_room();
    test_rewrite();
    test_chunks();
    test_lines();
    test_hash();
    test_hash_on_disk();
    unlink(path);
    rmdir(folder);
    return done();
}
