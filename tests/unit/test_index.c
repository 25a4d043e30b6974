#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/index/state.h"
#include "tap.h"

static struct error err;

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static char directory[] = "/tmp/test-index-XXXXXX";
static int store = -1;

static void remove_index(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s/index", directory);
    if (system(command) != 0)
        ok(false, "remove the index");
}

static struct index *open_index(void)
{
    struct index *index = NULL;
    if (index_open(store, directory, true, &index, &err) != STATUS_OK)
        ok(false, "open: %s", err.text);
    return index;
}

static void put_known(struct index *index, uint32_t partition, uint32_t generation, uint64_t known)
{
    struct partition_facts facts = {.partition = partition,
                                    .generation = generation,
                                    .known = known,
                                    .synced = known,
                                    .records = known};
    index_put_facts(index, &facts, &err);
}

/* Adds ids number `from` to `to`, each at the offset of its number, as one commit. */
static void add_ids(struct index *index, uint32_t partition, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        index_add(index, INDEX_IDS, (struct entry){mix(i + 1), index_value(partition, 0, i)}, &err);
    put_known(index, partition, 0, to);
}

static void commit(struct index *index, bool folded)
{
    enum status status = index_merge(index, NULL, NULL, &err);
    if (status == STATUS_OK)
        status = index_lock(index, 1000, &err);
    if (status == STATUS_OK)
        status = folded ? index_commit_folded(index, &err) : index_commit(index, &err);
    index_unlock(index);
    if (status != STATUS_OK)
        ok(false, "commit: %s", err.text);
}

/* How many of the ids from..to are found at their place; -1: the index said that it is damaged. */
static int64_t count_found(struct index *index, uint64_t from, uint64_t to)
{
    struct entries matches = {0};
    int64_t found = 0;
    for (uint64_t i = from; i < to && found >= 0; i++) {
        enum status status = index_find(index, INDEX_IDS, mix(i + 1), &matches, &err);
        if (status == STATUS_INVALID)
            found = -1;
        else if (status == STATUS_OK && matches.count == 1 && index_value_offset(matches.data[0].value) == i)
            found++;
    }
    entries_release(&matches);
    return found;
}

/* Entries in the runs of ids. */
static uint64_t count_ids(const struct index *index)
{
    uint64_t count = 0;
    for (size_t i = 0; i < index->tables[INDEX_IDS].count; i++)
        count += run_count(index->tables[INDEX_IDS].runs[i].run);
    return count;
}

static uint64_t hashed_key(uint64_t i, uint64_t count)
{
    return mix(i % (count / 2 + 1));
}

static uint64_t small_key(uint64_t i, uint64_t count)
{
    return mix(i) % (count + 1);
}

/* All keys but one begin with the same bits: most of the order is in bits that are not counted. */
static uint64_t crowded_key(uint64_t i, uint64_t count)
{
    return i == count / 2 ? UINT64_MAX : UINT64_C(1) << 40 | mix(i) % (count * 2 + 1);
}

static uint64_t equal_key(uint64_t i, uint64_t count)
{
    return i < count ? 7 : 0;
}

static void test_sort(void)
{
    static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 5000};
    static const struct {
        const char *what;
        uint64_t (*key)(uint64_t i, uint64_t count);
    } kinds[] = {{"hashes", hashed_key}, {"small", small_key}, {"crowded", crowded_key}, {"equal", equal_key}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct entries entries = {0};
            uint64_t sum = 0, sorted_sum = 0;
            for (size_t i = 0; i < sizes[s]; i++) {
                entries_add(&entries, (struct entry){kinds[k].key(i, sizes[s]), mix(i) >> 1 | 1});
                sum += mix(entries.data[i].key) ^ entries.data[i].value;
            }
            entries_sort(&entries);
            bool good = entries.count == sizes[s];
            for (size_t i = 0; i < entries.count; i++)
                sorted_sum += mix(entries.data[i].key) ^ entries.data[i].value;
            for (size_t i = 1; i < entries.count; i++) {
                struct entry x = entries.data[i - 1], y = entries.data[i];
                good = good && (x.key < y.key || (x.key == y.key && x.value < y.value));
            }
            ok(good && sum == sorted_sum, "%zu entries with %s keys are in order", sizes[s], kinds[k].what);
            entries_release(&entries);
        }
}

static void test_sort_removes_equal(void)
{
    struct entries entries = {0};
    for (size_t i = 0; i < 5000; i++)
        entries_add(&entries, (struct entry){mix(i % 1000), mix(i % 1000) % 7 + i / 3000});
    entries_sort(&entries);
    is_int(entries.count, 2000, "the same entry several times counts once");
    entries_release(&entries);
}

/* A run in memory with a gap in the middle and one key many times, asked for keys near and far, there and not. */
static void test_lookup_in_run(void)
{
    struct entries entries = {0}, hits = {0}, copy = {0};
    for (uint64_t i = 0; i < 1000; i++)
        entries_add(&entries, (struct entry){2 * i + (i > 500 ? 4096 : 10), i});
    for (uint64_t i = 0; i < 40; i++)
        entries_add(&entries, (struct entry){20000, i});
    entries_append(&copy, entries.data, entries.count);
    struct run *run = run_of_entries(&entries);
    for (uint64_t step = 1; step < 3000; step = step * 3 / 2 + 1) {
        uint64_t keys[20100];
        size_t count = 0, expected = 0, at = 0;
        bool good = true;
        for (uint64_t key = 0; key <= 20050; key += step)
            keys[count++] = key;
        keys[count] = keys[count - 1] < 20000 ? 20000 : keys[count - 1];
        count++;
        hits.count = 0;
        is_int(run_lookup(run, keys, count, &hits), STATUS_OK, "keys by steps of %d", (int)step);
        for (size_t k = 0; k < count; k++)
            for (size_t i = 0; i < copy.count; i++)
                if (copy.data[i].key == keys[k]) {
                    good =
                        good && at < hits.count && hits.data[at].key == k && hits.data[at].value == copy.data[i].value;
                    expected++;
                    at++;
                }
        ok(good && hits.count == expected, "%zu of them are there, in order", expected);
    }
    run_close(run);
    entries_release(&hits);
    entries_release(&copy);
}

static void test_lookup_in_memory(void)
{
    struct index *index = NULL;
    index_open_memory(&index, &err);
    add_ids(index, 9, 0, 1000);
    is_int(count_found(index, 0, 1000), 0, "staged entries are not seen before they are merged");
    index_merge(index, NULL, NULL, &err);
    is_int(count_found(index, 0, 1000), 1000, "merged entries are found");
    is_int(count_found(index, 1000, 1100), 0, "what was not added is not found");
    put_known(index, 9, 1, 1000);
    is_int(count_found(index, 0, 1000), 0, "entries of an older generation are ignored");
    put_known(index, 9, 0, 500);
    is_int(count_found(index, 0, 1000), 500, "entries behind what is known are ignored");
    ok(!index_is_persistent(index), "an index in memory commits nothing");
    index_close(index);
}

/* One key has more entries than a page holds. */
static void test_frequent_key(void)
{
    struct index *index = open_index();
    struct entries matches = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        index_add(index, INDEX_REFS, (struct entry){7, index_value(9, 0, i)}, &err);
        index_add(index, INDEX_REFS, (struct entry){mix(i + 1), index_value(9, 0, i)}, &err);
    }
    put_known(index, 9, 0, 1000);
    commit(index, true);
    is_int(index_find(index, INDEX_REFS, 7, &matches, &err), STATUS_OK, "a frequent key is found");
    is_int(matches.count, 1000, "with all its entries, over several pages");
    entries_release(&matches);
    index_close(index);
    remove_index();
}

static void test_lookup_many(void)
{
    struct index *index = open_index();
    struct entries hits = {0};
    uint64_t keys[3000];
    add_ids(index, 9, 0, 100000);
    commit(index, true);
    for (size_t i = 0; i < 3000; i++)
        keys[i] = mix(i * 50 + 1);
    struct entries sorted = {0};
    for (size_t i = 0; i < 3000; i++)
        entries_add(&sorted, (struct entry){keys[i], 0});
    entries_sort(&sorted);
    for (size_t i = 0; i < 3000; i++)
        keys[i] = sorted.data[i].key;
    is_int(index_lookup(index, INDEX_IDS, keys, 3000, &hits, &err), STATUS_OK, "many keys at once");
    is_int(hits.count, 2000, "those that are there are found");
    bool good = true;
    for (size_t i = 0; i < hits.count; i++)
        good = good && mix(index_value_offset(hits.data[i].value) + 1) == keys[hits.data[i].key];
    ok(good, "each with its own value");
    entries_release(&sorted);
    entries_release(&hits);
    index_close(index);
    remove_index();
}

static enum status note_repeat(void *context, uint64_t value, struct error *error)
{
    (void)error;
    struct entries *repeats = context;
    return entries_add(repeats, (struct entry){0, value}) ? STATUS_OK : STATUS_IO;
}

static void test_repeats(void)
{
    struct index *index = NULL;
    struct entries repeats = {0};
    index_open_memory(&index, &err);
    put_known(index, 4, 0, 100);
    put_known(index, 5, 0, 100);
    index_add(index, INDEX_IDS, (struct entry){77, index_value(5, 0, 10)}, &err);
    index_add(index, INDEX_IDS, (struct entry){77, index_value(5, 0, 20)}, &err);
    index_add(index, INDEX_IDS, (struct entry){78, index_value(5, 0, 30)}, &err);
    index_merge(index, note_repeat, &repeats, &err);
    is_int(repeats.count, 1, "a key twice among the new ones is told once");
    is_int(index_value_offset(repeats.data[0].value), 20, "the later one");
    repeats.count = 0;
    index_add(index, INDEX_IDS, (struct entry){78, index_value(4, 0, 1)}, &err);
    index_merge(index, note_repeat, &repeats, &err);
    is_int(repeats.count, 1, "a new entry before an old one makes the old one the repeat");
    is_int(index_value_partition(repeats.data[0].value), 5, "the one in the later partition");
    entries_release(&repeats);
    index_close(index);
}

struct files {
    int count;
    int64_t bytes;
};

/* The files of the index whose names begin with this. */
static struct files files_of(const char *prefix)
{
    char path[64];
    struct files files = {0};
    struct stat st;
    snprintf(path, sizeof path, "%s/index", directory);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && fstatat(dirfd(folder), entry->d_name, &st, 0) == 0) {
            files.count++;
            files.bytes += st.st_size;
        }
    if (folder)
        closedir(folder);
    return files;
}

static void test_merging(void)
{
    enum { FOLDS = 9, SHARE = 17000 }; /* more than what is left in the log */
    struct index *index = open_index(), *other = open_index();
    for (uint64_t i = 0; i < FOLDS; i++) {
        add_ids(index, 9, i * SHARE, i * SHARE + SHARE);
        commit(index, true);
        if (i == 2)
            is_int(files_of("ids-").count, 3, "three small runs are left alone");
        if (i == 3)
            is_int(files_of("ids-").count, 1, "four become one");
    }
    is_int(files_of("ids-").count, 3, "four more as well, and the last one is by itself: no file is left over");
    is_int(index_reload(other, &err), STATUS_OK, "who had the first ones open reads on");
    is_int(count_found(other, 0, FOLDS * SHARE), FOLDS * SHARE, "every entry has come along");
    is_int(count_found(other, FOLDS * SHARE, FOLDS * SHARE + 100), 0, "and no other");
    is_int(index_verify(other, &err), STATUS_OK, "every page is good");
    ok(count_ids(other) == FOLDS * SHARE, "each entry is held once");
    index_close(other);
    index_close(index);
    remove_index();
}

static void test_log_and_runs(void)
{
    struct index *index = open_index();
    for (uint64_t i = 0; i < 50; i++) {
        add_ids(index, 9, i * 10, i * 10 + 10);
        commit(index, false);
    }
    int64_t log = files_of("log-").bytes;
    commit(index, false);
    is_int(files_of("log-").bytes, log, "a commit of nothing writes nothing");
    struct index *other = open_index();
    is_int(count_found(other, 0, 500), 500, "another process finds what the log holds");
    is_int(index_facts(other, 9)->known, 500, "and how far it reaches");
    add_ids(index, 9, 500, 510);
    commit(index, false);
    index_reload(other, &err);
    is_int(count_found(other, 0, 510), 510, "and after a reload what was added");
    add_ids(index, 9, 510, 200000);
    commit(index, true);
    is_int(files_of("log-").count, 0, "a log whose entries went into runs is no longer there");
    index_reload(other, &err);
    is_int(count_found(other, 0, 200000), 200000, "runs are found after the manifest was replaced");
    index_close(other);
    index_close(index);
    index = open_index();
    is_int(count_found(index, 0, 200000), 200000, "and by a fresh process");
    is_int(index_verify(index, &err), STATUS_OK, "every page is good");
    ok(count_ids(index) == 200000, "each entry is held once");
    index_close(index);
    remove_index();
}

static void test_many_commits(void)
{
    enum { TURNS = 1000 };
    struct index *a = open_index(), *b = open_index();
    add_ids(a, 9, 0, 1);
    commit(a, true);
    for (uint64_t i = 1; i < TURNS; i++) {
        struct index *index = i % 2 == 0 ? a : b;
        index_reload(index, &err);
        add_ids(index, 9, i, i + 1);
        commit(index, false);
    }
    index_reload(b, &err);
    is_int(count_found(b, 0, TURNS), TURNS, "two that commit in turn find what both committed");
    size_t runs = a->tables[INDEX_IDS].count + b->tables[INDEX_IDS].count;
    ok(runs < 40, "in few pieces: %zu", runs);
    index_close(a);
    index_close(b);
    remove_index();
}

/* Where nothing can be committed, each batch of a writer is merged by itself. */
static void test_many_in_memory(void)
{
    enum { TURNS = 1000 };
    struct index *index;
    if (index_open_memory(&index, &err) != STATUS_OK)
        return;
    for (uint64_t i = 0; i < TURNS; i++) {
        add_ids(index, 9, i, i + 1);
        index_merge(index, NULL, NULL, &err);
    }
    is_int(count_found(index, 0, TURNS), TURNS, "what was merged piece by piece is found");
    ok(index->tables[INDEX_IDS].count < 20, "in few pieces: %zu", index->tables[INDEX_IDS].count);
    index_close(index);
}

static void test_two_writers(void)
{
    struct index *a = open_index(), *b = open_index();
    add_ids(a, 9, 0, 100);
    commit(a, false);
    add_ids(b, 9, 0, 50);
    index_merge(b, NULL, NULL, &err);
    is_int(index_lock(b, 1000, &err), STATUS_OK, "lock");
    is_int(index_facts(b, 9)->known, 100, "who comes second sees the first one's state and drops its own");
    index_unlock(b);
    is_int(index_lock(a, 0, &err), STATUS_OK, "the lock is free again");
    is_int(index_lock(b, 0, &err), STATUS_ABSENT, "and is held by one at a time");
    index_unlock(a);
    add_ids(a, 9, 100, 150);
    commit(a, false);
    add_ids(b, 9, 100, 130);
    index_merge(b, NULL, NULL, &err);
    is_int(index_lock(b, 1000, &err), STATUS_OK, "lock");
    is_int(index_facts(b, 9)->known, 150, "so it does where only the log has grown");
    is_int(count_ids(b), 150, "and its own entries are no longer there");
    index_unlock(b);
    index_close(a);
    index_close(b);
    remove_index();
}

/* Calls `visit` for each file of the index but the lock. */
static void each_file(void (*visit)(const char *path, off_t size))
{
    char path[600], names[16][280];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/index", directory);
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream && (entry = readdir(stream)) && count < 16;)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0)
            snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
    closedir(stream);
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        snprintf(path, sizeof path, "%s/index/%.60s", directory, names[i]);
        if (stat(path, &st) == 0)
            visit(path, st.st_size);
    }
}

#define IDS 600

/* What may be known is found, or the damage is told: never a fact without its entries. */
static bool is_honest(void)
{
    struct index *index = open_index();
    if (!index)
        return false;
    const struct partition_facts *facts = index_facts(index, 9);
    uint64_t known = facts ? facts->known : 0;
    int64_t found = count_found(index, 0, known);
    bool good = known <= IDS && (found == -1 || found == (int64_t)known);
    index_close(index);
    return good;
}

static void flip_bytes(const char *path, off_t size)
{
    int fd = open(path, O_RDWR), lies = 0;
    for (off_t at = 0; at<size; at += size> 6000 ? 7 : 1) {
        unsigned char byte, flipped;
        if (pread(fd, &byte, 1, at) != 1)
            break;
        flipped = (unsigned char)(byte ^ (1u << (at % 8)));
        lies += pwrite(fd, &flipped, 1, at) != 1 || !is_honest();
        lies += pwrite(fd, &byte, 1, at) != 1;
    }
    close(fd);
    is_int(lies, 0, "a flipped bit is noticed or does not matter: %.4s", strrchr(path, '/') + 1);
}

static void cut_file(const char *path, off_t size)
{
    char kept[1 << 16];
    int fd = open(path, O_RDWR), lies = 0;
    ssize_t n = pread(fd, kept, sizeof kept, 0);
    for (off_t at = n; n == size && at >= 0; at -= size > 6000 ? 13 : 1) {
        lies += ftruncate(fd, at) != 0 || !is_honest();
    }
    lies += n != size || pwrite(fd, kept, (size_t)n, 0) != n;
    close(fd);
    is_int(lies, 0, "a file that was cut off is noticed or does not matter: %.4s", strrchr(path, '/') + 1);
}

static void remove_and_restore(const char *path, off_t size)
{
    char aside[700];
    (void)size;
    snprintf(aside, sizeof aside, "%s/aside", directory);
    if (rename(path, aside) != 0)
        ok(false, "rename");
    ok(is_honest(), "a file that is gone is noticed or does not matter: %.4s", strrchr(path, '/') + 1);
    if (rename(aside, path) != 0)
        ok(false, "rename back");
}

static void test_damage(void)
{
    struct index *index = open_index();
    add_ids(index, 9, 0, 300);
    commit(index, false); /* the first commit makes the manifest and a run */
    for (uint64_t i = 300; i < IDS; i += 100) {
        add_ids(index, 9, i, i + 100);
        commit(index, false);
    }
    index_close(index);
    ok(is_honest(), "an undamaged index is honest");
    each_file(flip_bytes);
    each_file(cut_file);
    each_file(remove_and_restore);
    index = open_index();
    is_int(count_found(index, 0, IDS), IDS, "and whole again after all that");
    index_close(index);
    remove_index();
}

static void test_rebuild_after_damage(void)
{
    struct index *index = open_index();
    char path[512];
    add_ids(index, 9, 0, 100);
    commit(index, false);
    index_close(index);
    snprintf(path, sizeof path, "%s/index/manifest", directory);
    int fd = open(path, O_WRONLY | O_TRUNC);
    ok(write(fd, "noise", 5) == 5, "noise for a manifest");
    close(fd);
    index = open_index();
    ok(index_trouble(index) != NULL, "it says why it was not loaded");
    ok(index_facts(index, 9) == NULL, "and knows nothing");
    add_ids(index, 9, 0, 100);
    commit(index, false);
    index_close(index);
    index = open_index();
    ok(index_trouble(index) == NULL, "a commit replaces what was damaged");
    is_int(count_found(index, 0, 100), 100, "with what was read anew");
    index_close(index);
    remove_index();
}

static void spoil_manifest(const char *path, off_t size)
{
    (void)size;
    if (strstr(path, "/manifest") && truncate(path, 5) != 0)
        ok(false, "cut the manifest");
}

/* As a process leaves it that is killed while it commits, or has no space. */
static void tear_log(const char *path, off_t size)
{
    if (strstr(path, "/log-") && truncate(path, size + 100) != 0)
        ok(false, "make the log longer");
}

/* Two find the damage at once, and read the partitions anew: the one that commits first removes whatever else lies
 * there. */
static void test_rebuild_by_two(void)
{
    enum { MANY = 150000 }; /* more than stays in memory */
    struct index *index = open_index();
    add_ids(index, 9, 0, 100);
    commit(index, false);
    index_close(index);
    each_file(spoil_manifest);
    struct index *a = open_index(), *b = open_index();
    add_ids(a, 9, 0, MANY);
    add_ids(b, 9, 0, MANY);
    index_merge(b, NULL, NULL, &err);
    commit(a, true);
    commit(b, true);
    index_close(a);
    index_close(b);
    index = open_index();
    ok(index_trouble(index) == NULL, "what the second one commits is whole: %s", index_trouble(index));
    is_int(count_found(index, 0, MANY), MANY, "and every entry is found");
    index_close(index);
    remove_index();
}

static void test_torn_log(void)
{
    struct index *index = open_index();
    add_ids(index, 9, 0, 100);
    commit(index, false);
    add_ids(index, 9, 100, 110);
    commit(index, false);
    index_close(index);
    each_file(tear_log);
    index = open_index();
    struct index *other = open_index();
    add_ids(index, 9, 110, 120);
    index_merge(index, NULL, NULL, &err);
    index_commit_if_alone(index);
    is_int(index_reload(other, &err), STATUS_OK, "reload");
    is_int(index_facts(other, 9)->known, 120, "behind a torn end of the log a reader commits");
    is_int(count_found(other, 0, 120), 120, "and others find it");
    index_close(other);
    index_close(index);
    remove_index();
}

int main(void)
{
    if (!mkdtemp(directory) || (store = open(directory, O_RDONLY | O_DIRECTORY)) < 0)
        return 1;
    test_sort();
    test_sort_removes_equal();
    test_lookup_in_run();
    test_lookup_in_memory();
    test_frequent_key();
    test_lookup_many();
    test_repeats();
    test_log_and_runs();
    test_merging();
    test_two_writers();
    test_many_commits();
    test_many_in_memory();
    test_damage();
    test_rebuild_after_damage();
    test_rebuild_by_two();
    test_torn_log();
    close(store);
    rmdir(directory);
    return done();
}
