#include "document.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/timestamp.h"

struct dump {
    struct bytes text;
    bool failed;
};

static int add_to_dump(const char *text, size_t length, void *context)
{
    struct dump *dump = context;
    dump->failed |= !bytes_append(&dump->text, text, length);
    return dump->failed ? -1 : 0;
}

/*
 * Takes the document over; NULL, for want of memory somewhere on the way, is a failure like any other. jansson does not
 * notice each failure of its own buffer (json_dumps() may then leave a piece out), so the text goes into one of ours.
 */
static enum status append_document(json_t *document, struct bytes *out, struct error *err)
{
    struct dump dump = {.failed = !document};
    if (document && json_dump_callback(document, add_to_dump, &dump, JSON_COMPACT) != 0)
        dump.failed = true;
    json_decref(document);
    enum status status =
        dump.failed ? error_set_memory(err) : document_canonical(dump.text.data, dump.text.length, out, err);
    bytes_release(&dump.text);
    return status;
}

/* Length of the input that is kept: a character is not split. */
static size_t kept_length(const char *input, size_t length)
{
    if (length < DOCUMENT_INPUT_LIMIT)
        return length;
    size_t kept = DOCUMENT_INPUT_LIMIT;
    size_t lead = kept;
    while (kept - lead < 3 && ((unsigned char)input[lead - 1] & 0xc0) == 0x80)
        lead--;
    unsigned char first = (unsigned char)input[lead - 1];
    size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    return whole > kept - lead + 1 ? lead - 1 : kept;
}

/* A string of these bytes, made valid UTF-8. */
static json_t *string_of(const char *text)
{
    struct bytes clean = {0};
    json_t *string = NULL;
    if (document_clean(text, strlen(text), &clean))
        string = json_stringn_nocheck(clean.data ? clean.data : "", clean.length);
    bytes_release(&clean);
    return string;
}

/* The same of a rejected line: each byte that is no UTF-8 takes three, so it is cut again. */
static json_t *string_of_input(const char *input, size_t length)
{
    struct bytes clean = {0};
    json_t *string = NULL;
    if (document_clean(input, kept_length(input, length), &clean))
        string = json_stringn_nocheck(clean.data ? clean.data : "", kept_length(clean.data, clean.length));
    bytes_release(&clean);
    return string;
}

enum status document_rejected(const struct rejected_line *rejected, struct bytes *out, struct error *err)
{
    char time[TIMESTAMP_TEXT_SIZE];
    timestamp_format(rejected->time, time);
    json_t *document = json_pack("{s:o, s:I, s:o, s:s, s:o}", "file", string_of(rejected->file), "line",
                                 (json_int_t)rejected->line, "error", string_of(rejected->error), "time", time, "input",
                                 string_of_input(rejected->input, rejected->input_length));
    return append_document(document, out, err);
}

enum status document_finding(const struct finding *finding, struct bytes *out, struct error *err)
{
    json_t *document = json_pack("{s:o, s:o}", "file", string_of(finding->file), "what", string_of(finding->what));
    if (document && finding->line > 0) {
        bool good = json_object_set_new(document, "line", json_integer((json_int_t)finding->line)) == 0 &&
                    json_object_set_new(document, "byte", json_integer((json_int_t)finding->byte)) == 0;
        if (!good) {
            json_decref(document);
            document = NULL;
        }
    }
    return append_document(document, out, err);
}
