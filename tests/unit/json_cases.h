/*
 * json_cases - the texts of tests/data/json_cases.inc, and memory that ends where a text does.
 */
#ifndef METASPN_JSON_CASES_H
#define METASPN_JSON_CASES_H

#include <stdlib.h>
#include <string.h>

#include "json/json.h"

enum verdict { REFUSED, STORED, STRICT, CANONICAL };

struct json_case {
    const char *text;
    size_t length;
    enum verdict verdict;
    const char *canonical;
};

static const struct json_case json_cases[] = {
#include "../data/json_cases.inc"
};
#define JSON_CASES (sizeof json_cases / sizeof *json_cases)

/* A copy that a tool can see being left: free() it. */
__attribute__((unused)) static char *exact_copy(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    return copy;
}

#endif
