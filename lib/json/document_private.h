/*
 * document_private - what document.c, which knows jansson, leaves to document_text.c, which knows json_text.
 */
#ifndef METASPN_JSON_DOCUMENT_PRIVATE_H
#define METASPN_JSON_DOCUMENT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

/* Appends bytes of any origin with U+FFFD in the place of each that is not UTF-8. False: no memory. */
bool document_clean(const char *data, size_t length, struct bytes *out);

/* Appends the canonical form of valid JSON. */
enum status document_canonical(const char *text, size_t length, struct bytes *out, struct error *err);

#endif
