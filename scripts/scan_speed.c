/*
 * scan_speed - how fast json_scan() validates lines and finds six members of each, on one core.
 *
 *   scan_speed FILE        prints GB/s: the median of a few rounds over the file's first 64 MiB
 *
 * The lines are looked at as the commands do, in blocks that have just been read; reading them is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files/partition.h"
#include "json/json.h"

#define MOST   ((size_t)64 << 20)
#define ROUNDS 9
#define KEYS   6
static const struct json_key keys[KEYS] = {JSON_KEY("entity_refs"), JSON_KEY("payload"), JSON_KEY("payload_type"),
                                           JSON_KEY("signal_id"),   JSON_KEY("source"),  JSON_KEY("timestamp")};

/* Of this process: others may want the core too. */
static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Looks at every whole line; gives how many bytes they are. Ends the program where one is no event. */
static size_t scan_lines(const char *data, size_t length)
{
    const char *at = data, *end = data + length;
    for (const char *newline; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        struct json_text found[KEYS];
        struct json_scanned scan;
        if (json_scan(at, (size_t)(newline - at), JSON_STRICT, keys, KEYS, found, &scan) != STATUS_OK ||
            !found[3].data) {
            fprintf(stderr, "scan_speed: no event: %.*s\n", (int)(newline - at), at);
            exit(1);
        }
    }
    return (size_t)(at - data);
}

/* GB/s of one look at all lines. */
static double speed(const char *data, size_t length)
{
    static char block[PARTITION_BLOCK];
    size_t at = 0, scanned;
    double time = 0;
    do {
        size_t size = length - at < sizeof block ? length - at : sizeof block;
        memcpy(block, data + at, size);
        double start = seconds();
        scanned = scan_lines(block, size);
        time += seconds() - start;
        at += scanned;
    } while (scanned > 0);
    return (double)at / time / 1e9;
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
    double speeds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        speeds[i] = speed(data, length);
    qsort(speeds, ROUNDS, sizeof *speeds, by_size);
    printf("%.2f\n", speeds[ROUNDS / 2]);
    fclose(file);
    free(data);
    return 0;
}
