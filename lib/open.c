#include "open.h"

#include <string.h>

#include "files/files.h"
#include "files/workspace.h"

/* What follows the scheme of a database's URL; NULL: it is none. */
static const char *database_of(const char *workspace)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; workspace && i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(workspace, schemes[i], strlen(schemes[i])) == 0)
            return workspace + strlen(schemes[i]);
    return NULL;
}

static enum status refuse_database(struct error *err)
{
    return error_set(err, STATUS_IO, "this build knows no stores in a database (postgresql)");
}

enum status store_open(const char *workspace, const struct store_options *options, struct store **ret_store,
                       struct error *err)
{
    return database_of(workspace) ? refuse_database(err) : files_open(workspace, options, ret_store, err);
}

enum status store_probe(const char *workspace, struct error *err)
{
    return database_of(workspace) ? refuse_database(err) : workspace_check(workspace, err);
}

/* The character that a URL has at *at, and steps past it. */
static int next_character(const char **at)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *text = *at, *high, *low;
    *at += text[0] != '\0';
    if (text[0] != '%' || text[1] == '\0' || text[2] == '\0')
        return (unsigned char)text[0];
    high = strchr(digits, text[1]);
    low = strchr(digits, text[2]);
    if (!high || !low)
        return '%';
    *at = text + 3;
    return (int)((high - digits) % 16 * 16 + (low - digits) % 16);
}

/* Whether this parameter, NAME=VALUE, is a password (sslpassword too), however its name is spelled. */
static bool is_password(const char *parameter)
{
    static const char *const names[] = {"password", "sslpassword"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = parameter, *name = names[i];
        while (*name && (next_character(&at) | 0x20) == *name)
            name++;
        if (!*name && at[0] == '=' && at[1] != '\0' && at[1] != '&')
            return true;
    }
    return false;
}

bool store_shows_password(const char *workspace)
{
    const char *url = database_of(workspace);
    if (!url)
        return false;
    const char *end = url + strcspn(url, "/@");
    const char *colon = memchr(url, ':', (size_t)(end - url));
    if (*end == '@' && colon && colon + 1 < end)
        return true;
    for (const char *at = strchr(url, '?'); at; at = strchr(at, '&'))
        if (is_password(++at))
            return true;
    return false;
}
