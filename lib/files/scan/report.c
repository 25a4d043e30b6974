#include <stdio.h>
#include <string.h>

#include "files/scan/state.h"

/* Adds the number of lines that start in (from, to] to *count; both are starts of lines. */
static enum status count_between(const struct scan *scan, uint64_t from, uint64_t to, uint64_t *count,
                                 struct error *err)
{
    struct bytes buffer = {0};
    struct chunk chunk;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && from < to) {
        status = partition_read_forward(scan->partition, from, to, PARTITION_BLOCK, &buffer, &chunk, err);
        if (status != STATUS_OK || chunk.length == 0)
            break;
        for (const char *at = chunk.data, *end = at + chunk.length; (at = memchr(at, '\n', (size_t)(end - at))); at++)
            ++*count;
        from += chunk.length;
    }
    bytes_release(&buffer);
    return status;
}

/* The number of the line that starts at `offset`, counted from the one that was asked for last, or from the start. */
static enum status line_number(struct scan *scan, uint64_t offset, uint64_t *ret_line, struct error *err)
{
    uint64_t count = 0, line;
    enum status status;
    if (offset >= scan->counted_offset) {
        status = count_between(scan, scan->counted_offset, offset, &count, err);
        line = scan->counted_line + count;
    } else if (offset < scan->counted_offset / 2) {
        status = count_between(scan, 0, offset, &count, err);
        line = 1 + count;
    } else {
        status = count_between(scan, offset, scan->counted_offset, &count, err);
        line = scan->counted_line - count;
    }
    if (status != STATUS_OK)
        return status;
    scan->counted_offset = offset;
    *ret_line = scan->counted_line = line;
    return STATUS_OK;
}

static void report(const struct scan *scan, enum scan_finding finding, uint64_t line, uint64_t offset, const char *what)
{
    struct scan_report_line found = {
        .finding = finding,
        .file = partition_label(scan->partition),
        .line = line,
        .offset = offset,
        .what = what,
    };
    scan->options.report(scan->options.report_context, &found);
}

enum status scan_report_damage(struct scan *scan, size_t start, size_t length, const struct json_fault *fault,
                               struct error *err)
{
    uint64_t offset = scan->offset + start, line;
    char told[JSON_FAULT_TEXT_SIZE];
    if (!scan->options.report)
        return STATUS_OK;
    enum status status = line_number(scan, offset, &line, err);
    if (status != STATUS_OK)
        return status;
    bool known;
    status = catalog_is_quarantined(scan->store, scan->options.partition, scan->data + start, length, &known, err);
    if (status == STATUS_OK)
        report(scan, known ? SCAN_QUARANTINED : SCAN_DAMAGED, line, offset,
               json_fault_tell(fault, scan->data + start, told));
    return status;
}

enum status scan_report_misfiled(struct scan *scan, uint64_t offset, int64_t timestamp, struct error *err)
{
    scan->told_misfiled = true;
    if (!scan->options.report)
        return STATUS_OK;
    uint64_t line;
    enum status status = line_number(scan, offset, &line, err);
    if (status != STATUS_OK)
        return status;
    char what[64], time[TIMESTAMP_TEXT_SIZE];
    timestamp_format(timestamp, time);
    snprintf(what, sizeof what, "an event of another day: %s", time);
    report(scan, SCAN_MISFILED, line, offset, what);
    return STATUS_OK;
}

void scan_report_misfiled_by_facts(struct scan *scan)
{
    scan->told_misfiled = true;
    if (scan->options.report)
        report(scan, SCAN_MISFILED, 0, 0, "holds events of other days");
}

void scan_report_cut(const struct scan *scan)
{
    if (scan->options.report)
        report(scan, SCAN_CUT, 0, 0, "was cut, or written anew, while it was read");
}
