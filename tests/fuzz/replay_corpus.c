/*
 * The fuzzers without a fuzzer: gives each file of a folder to LLVMFuzzerTestOneInput(). That nothing crashes and no
 * sanitizer speaks is the test; the one check says how many inputs there were, so that a lost corpus is noticed.
 */
#include <dirent.h>
#include <stdlib.h>

#include "../unit/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return false;
    size_t size = (size_t)ftell(file);
    rewind(file);
    /* Exactly as large as the input, so that a sanitizer sees a read past its end. */
    uint8_t *data = malloc(size ? size : 1);
    bool good = data && fread(data, 1, size, file) == size;
    fclose(file);
    if (good)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return good;
}

int main(int count, char **arguments)
{
    int replayed = 0, unreadable = 0;
    const char *folder = count == 2 ? arguments[1] : ".";
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay_file(folder, entry->d_name))
            replayed++;
        else
            unreadable++;
    }
    if (directory)
        closedir(directory);
    ok(replayed > 0 && unreadable == 0, "%d inputs of %s replayed, %d unreadable", replayed, folder, unreadable);
    return done();
}
