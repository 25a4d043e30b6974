#include <fcntl.h>

#include "files/catalog/catalog.h"
#include "workspace.h"

/* The day is the line with its newline, and then this. */
static struct catalog *begin(const char *line, const char *end, size_t length)
{
    workspace_clear();
    put(DAY_FILE, "w", line);
    put(DAY_FILE, "a", "\n");
    FILE *file = fopen(path_of(DAY_FILE), "a");
    if (!file || fwrite(end, 1, length, file) != length || fclose(file) != 0)
        exit(1);
    return open_catalog();
}

/* Mends it, and says what stands in the day: the line and `rest`. */
static void mends(struct catalog *catalog, const char *line, const char *rest, const char *what)
{
    char want[1200];
    struct error err = {0};
    is_int(catalog_mend_all(catalog, &err), STATUS_OK, "%s: mended", what);
    snprintf(want, sizeof want, "%s\n%s", line, rest);
    is_text(content(DAY_FILE), want, "%s", what);
}

static bool is_quarantined(struct catalog *catalog, const char *bytes)
{
    bool quarantined = false;
    catalog_is_quarantined(catalog, partition_number(EVENT_SIGNAL, DAY), bytes, strlen(bytes), &quarantined, NULL);
    return quarantined;
}

int main(void)
{
    char line[512], whole[512], ended[520];
    static const char zeros[100];
    snprintf(line, sizeof line, "%s", signal_line("s1", "10:00", 1));
    snprintf(whole, sizeof whole, "%s", signal_line("s2", "11:00", 1));
    snprintf(ended, sizeof ended, "%s\n", whole);
    workspace_begin();

    struct catalog *catalog = begin(line, "", 0);
    mends(catalog, line, "", "a day that ends in a newline stays");
    is_text(notices_text, "", "and nothing is told");
    catalog_close(catalog);

    catalog = begin(line, whole, strlen(whole));
    mends(catalog, line, ended, "an event gets the newline that it lacks");
    ok(strstr(notices_text, "added the newline that its last line lacked") != NULL, "that is told");
    is_int(catalog_partition(catalog, partition_number(EVENT_SIGNAL, DAY))->facts.records, 2, "and it is known");
    catalog_close(catalog);

    catalog = begin(line, "{\"torn", 6);
    mends(catalog, line, "", "a fragment is cut off");
    ok(strstr(notices_text, "cut off 6 bytes of a last line that was never finished") != NULL, "that is told");
    ok(is_quarantined(catalog, "{\"torn"), "and a copy kept");
    catalog_close(catalog);

    catalog = begin(line, zeros, sizeof zeros);
    mends(catalog, line, "", "so are zeros that a power cut left");
    struct stat st;
    ok(stat(path_of(DAY_FILE), &st) == 0 && (size_t)st.st_size == strlen(line) + 1, "all of them");
    catalog_close(catalog);

    catalog = begin(line, "  ", 2);
    mends(catalog, line, "  \n", "blanks are ended");
    ok(!is_quarantined(catalog, "  "), "and not kept");
    catalog_close(catalog);

    catalog = begin(line, "{\"torn", 6);
    int other = open(path_of(DAY_FILE), O_RDONLY | O_CLOEXEC);
    mends(catalog, line, "{\"torn\n", "a fragment in a file that somebody has open is ended, and left");
    ok(is_quarantined(catalog, "{\"torn"), "and a copy kept");
    close(other);
    catalog_close(catalog);
    workspace_end();
    return done();
}
