/*
 * reader_store - what the tests of readers share: a store of small days in a fresh directory, and the ids that a reader
 * hands out.
 */
#ifndef METASPN_READER_STORE_H
#define METASPN_READER_STORE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/worker/reader.h"
#include "tap.h"

static char workspace[] = "/tmp/test_reader.XXXXXX";
static struct catalog *catalog;

#define LINE(id, day, time) "{\"signal_id\":\"" id "\",\"timestamp\":\"" day "T" time "Z\"}\n"

static void make_path(const char *day, char path[static 256])
{
    snprintf(path, 256, "%s/store/signals/%s.jsonl", workspace, day);
}

static void write_day(const char *day, const char *text, int how)
{
    char path[256];
    make_path(day, path);
    int fd = open(path, O_WRONLY | O_CREAT | how, 0666);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        exit(1);
    close(fd);
}

/* Another file comes in place of the day, with other lines. */
__attribute__((unused)) static void replace_day(const char *day, const char *text)
{
    char path[256];
    make_path(day, path);
    unlink(path);
    write_day(day, text, O_TRUNC);
}

static void start_store(void)
{
    struct catalog_options options = {.access = WORKSPACE_READ};
    char path[256];
    struct error err;
    if (!mkdtemp(workspace))
        exit(1);
    snprintf(path, sizeof path, "%s/store", workspace);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/store/signals", workspace);
    mkdir(path, 0777);
    if (catalog_open(workspace, &options, &catalog, &err) != STATUS_OK)
        exit(1);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void end_store(void)
{
    catalog_close(catalog);
    nftw(workspace, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The findings of a reader, a letter each. */
static char findings[64];

static void note_finding(void *context, const struct store_report *found)
{
    (void)context;
    size_t length = strlen(findings);
    if (length + 1 < sizeof findings)
        findings[length] = "DQMRCU"[found->finding];
}

/* Reads until there is nothing, or nothing yet; the ids into `ids`, a blank between. */
static enum store_step read_ids(struct reader *reader, char *ids, size_t size)
{
    struct store_lines lines;
    struct error err = {0};
    enum store_step step;
    ids[0] = '\0';
    memset(findings, 0, sizeof findings);
    while ((step = reader_next(reader, &lines, &err)) == STORE_LINES)
        for (const char *at = lines.data, *end = at + lines.length; at < end;
             at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1) {
            size_t length = strlen(ids);
            const char *id = at + 14, *quote = memchr(id, '"', (size_t)(end - id));
            snprintf(ids + length, size - length, "%s%.*s", length > 0 ? " " : "", (int)(quote - id), id);
        }
    if (step == STORE_FAILED)
        printf("# %s\n", err.text);
    return step;
}

#endif
