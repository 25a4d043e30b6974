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
    while (from < to) {
        status = partition_read_forward(scan->day->file, from, to, PARTITION_BLOCK, &buffer, &chunk, err);
        if (status != STATUS_OK || chunk.length == 0)
            break;
        for (const char *at = chunk.data, *end = at + chunk.length; (at = memchr(at, '\n', (size_t)(end - at))); at++)
            ++*count;
        from += chunk.length;
    }
    bytes_release(&buffer);
    return status;
}

/* Reports a finding about the line at `offset`. Its number is counted from the line that was reported last, or from
 * the start of the file. */
static enum status report_line(struct scan *scan, enum store_finding finding, uint64_t offset, const char *what,
                               struct error *err)
{
    uint64_t count = 0, from = scan->counted_offset, line = scan->counted_line;
    if (offset < from / 2) {
        from = 0;
        line = 1;
    }
    enum status status = offset >= from ? count_between(scan, from, offset, &count, err)
                                        : count_between(scan, offset, from, &count, err);
    if (status != STATUS_OK)
        return status;
    line = offset >= from ? line + count : line - count;
    scan->counted_offset = offset;
    scan->counted_line = line;
    struct store_report found = {finding, partition_label(scan->day->file), line, offset, what};
    scan->options.report(scan->options.report_context, &found);
    return STATUS_OK;
}

static void report_day(const struct scan *scan, enum store_finding finding, const char *what)
{
    struct store_report found = {finding, partition_label(scan->day->file), 0, 0, what};
    if (scan->options.report)
        scan->options.report(scan->options.report_context, &found);
}

enum status scan_report_damage(struct scan *scan, size_t start, size_t length, const struct json_fault *fault,
                               struct error *err)
{
    const char *line = scan->data + start;
    char text[JSON_FAULT_TEXT_SIZE];
    bool known;
    if (!scan->options.report)
        return STATUS_OK;
    enum status status = catalog_is_quarantined(scan->catalog, scan->day->number, line, length, &known, err);
    if (status != STATUS_OK)
        return status;
    return report_line(scan, known ? STORE_QUARANTINED : STORE_DAMAGED, scan->offset + start,
                       json_fault_tell(fault, line, text), err);
}

enum status scan_report_misfiled(struct scan *scan, uint64_t offset, int64_t timestamp, struct error *err)
{
    char what[64], time[TIMESTAMP_TEXT_SIZE];
    scan->reported_misfiled = true;
    if (!scan->options.report)
        return STATUS_OK;
    timestamp_format(timestamp, time);
    snprintf(what, sizeof what, "an event of another day: %s", time);
    return report_line(scan, STORE_MISFILED, offset, what, err);
}

void scan_report_misfiled_by_facts(struct scan *scan)
{
    scan->reported_misfiled = true;
    report_day(scan, STORE_MISFILED, "holds events of other days");
}

void scan_report_cut(struct scan *scan)
{
    if (!scan->was_cut)
        report_day(scan, STORE_CUT, "was cut, or written anew, while it was read");
    scan->was_cut = true;
    catalog_note_unread(scan->catalog, scan->day->number);
}
