/*
 * workspace - a store of one day, 2026-02-05, in a fresh directory, for tests that call the library without a process.
 * workspace_begin() first, workspace_end() last.
 */
#ifndef METASPN_TEST_WORKSPACE_H
#define METASPN_TEST_WORKSPACE_H

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/append/append.h"
#include "tap.h"

#define DAY_FILE "store/signals/2026-02-05.jsonl"
#define DAY      20489 /* 2026-02-05 */

static char workspace[] = "/tmp/test_workspace.XXXXXX";
static char notices_text[4096];

/* A canonical line: signal("s1", "10:00", 1). Valid until the eighth call after it. */
__attribute__((unused)) static const char *signal_line(const char *id, const char *time, int n)
{
    static char lines[8][512];
    static unsigned next;
    char *line = lines[next++ % 8];
    snprintf(line, sizeof lines[0],
             "{\"entity_refs\":[],\"payload\":{\"n\":%d},\"payload_type\":\"T\",\"schema_version\":\"0.1\","
             "\"signal_id\":\"%s\",\"source\":\"a\",\"timestamp\":\"2026-02-05T%s:00Z\"}",
             n, id, time);
    return line;
}

static const char *path_of(const char *name)
{
    static char path[1200];
    snprintf(path, sizeof path, "%s/%s", workspace, name);
    return path;
}

__attribute__((unused)) static void put(const char *name, const char *how, const char *text)
{
    FILE *file = fopen(path_of(name), how);
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        printf("Bail out! %s\n", name);
        exit(1);
    }
}

__attribute__((unused)) static const char *content(const char *name)
{
    static char text[8192];
    FILE *file = fopen(path_of(name), "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void note(void *context, enum notice notice, const char *text)
{
    (void)context;
    (void)notice;
    strncat(notices_text, text, sizeof notices_text - strlen(notices_text) - 1);
    strncat(notices_text, "\n", sizeof notices_text - strlen(notices_text) - 1);
}

/* A handle that writes, and has an index on disk. */
static struct catalog *open_catalog(void)
{
    struct catalog_options options = {.access = WORKSPACE_WRITE, .lock_timeout_ms = 0, .notice = note};
    struct catalog *catalog = NULL;
    struct error err;
    notices_text[0] = '\0';
    if (catalog_open(workspace, &options, &catalog, &err) != STATUS_OK ||
        catalog_refresh(catalog, KIND_BITS_ALL, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return catalog;
}

static void workspace_begin(void)
{
    static const char *const folders[] = {"store", "store/signals"};
    if (!mkdtemp(workspace))
        exit(1);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(path_of(folders[i]), 0777) != 0)
            exit(1);
}

/* Removes all that lies in a folder of the store, and the folder. */
static void remove_folder(const char *folder)
{
    char name[600];
    DIR *directory = opendir(path_of(folder));
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path_of(name));
    }
    if (directory)
        closedir(directory);
    rmdir(path_of(folder));
}

/* An empty store again. */
__attribute__((unused)) static void workspace_clear(void)
{
    static const char *const folders[] = {"store/index", "store/quarantine", "store/emissions", "store/signals"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        remove_folder(folders[i]);
    mkdir(path_of("store/signals"), 0777);
}

static void workspace_end(void)
{
    workspace_clear();
    remove_folder("store/signals");
    unlink(path_of("store/lock"));
    rmdir(path_of("store"));
    rmdir(workspace);
}

#endif
