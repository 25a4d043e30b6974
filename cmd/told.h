/*
 * told - what was said already, so that it is not said once more: a command comes upon the same trouble again and
 * again.
 *
 *     struct bytes told = {0};
 *     if (!told_before(&told, text)) cli_note(&cli, "%s", text);
 *     bytes_release(&told);
 */
#ifndef METASPN_TOLD_H
#define METASPN_TOLD_H

#include <stdbool.h>

#include "base/bytes.h"

/* Whether this text was given before; it is remembered from now on, until there are too many (or no memory). */
bool told_before(struct bytes *told, const char *text);

#endif
