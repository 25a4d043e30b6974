/*
 * scan_speed - how fast json_scan() validates lines and finds six members of each, on one core.
 *
 *   scan_speed FILE        prints GB/s: the median of a few rounds over the file's first 64 MiB, in memory
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json_text.h"

#define MOST   ((size_t)64 << 20)
#define ROUNDS 9
#define KEYS   6
static const struct json_key keys[KEYS] = {JSON_KEY("entity_refs"), JSON_KEY("payload"), JSON_KEY("payload_type"),
                                           JSON_KEY("signal_id"),   JSON_KEY("source"),  JSON_KEY("timestamp")};

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of one look at every line; ends the program where one is no event. */
static double scan_all(const char *data, size_t length)
{
    double start = seconds();
    const char *at = data, *end = data + length;
    for (const char *newline; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        struct json_text found[KEYS];
        struct json_scan scan;
        if (json_scan(at, (size_t)(newline - at), JSON_STRICT, keys, KEYS, found, &scan) != STATUS_OK ||
            !found[3].data) {
            fprintf(stderr, "scan_speed: byte %td: no event\n", at - data);
            exit(1);
        }
    }
    return seconds() - start;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    char *data = malloc(MOST);
    if (!file || !data) {
        fprintf(stderr, "usage: scan_speed FILE\n");
        return 2;
    }
    size_t length = fread(data, 1, MOST, file);
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        times[i] = scan_all(data, length);
    qsort(times, ROUNDS, sizeof *times, by_size);
    printf("%.2f\n", (double)length / times[ROUNDS / 2] / 1e9);
    fclose(file);
    free(data);
    return 0;
}
