/*
 * needle - finds JSON strings in blocks of JSON lines at memory speed, without reading the JSON.
 *
 * A set of needles is any-of. needles_find() returns the first place where one of them may be. It never misses one,
 * however it is spelled: a string in canonical form is found by its text; for the others the set also stops at what a
 * canonical block never holds but another spelling of its needles must (escaped printable ASCII, `\/`; for a needle
 * with characters outside 0x20-0x7e also raw bytes of that kind and escapes that are spelled differently). So in
 * canonical blocks it stops only at the needles (and at text like `\\/`, an escaped backslash before what looks like
 * an escape); in others it may stop more often.
 *
 * `struct needles set = {0};` is an empty set, which finds nothing.
 */
#ifndef METASPN_JSON_NEEDLE_H
#define METASPN_JSON_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

struct needles {
    struct needle *items; /* owned */
    size_t count, capacity;
    bool escapes, slashes, odd; /* what else the set stops at */
};

enum needle_form {
    NEEDLE_STRING, /* the whole JSON string */
    NEEDLE_STAGE,  /* a JSON string that is these bytes or begins with them and a dot */
};

/* Adds decoded bytes to the set. False: no memory; the set is as it was. */
bool needles_add(struct needles *set, const char *bytes, size_t length, enum needle_form form);

/* Returns the first place in [from, end) where a needle may begin or be spelled differently; NULL: there is none. */
const char *needles_find(const struct needles *set, const char *from, const char *end);

/* Frees the memory; the set is empty and may be used again. */
void needles_release(struct needles *set);

#endif
