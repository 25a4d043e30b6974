/* jansson_oracle - what jansson thinks of a text; apart, because its header shares names with json_text.h. */
#ifndef METASPN_JANSSON_ORACLE_H
#define METASPN_JANSSON_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

enum jansson_verdict {
    JANSSON_GOOD,
    JANSSON_BAD,
    /* It has limits that JSON has not: a number beyond a double, an escaped lone surrogate, a NUL in a member's name,
     * a nesting of its own; and it takes a NUL behind the document for its end. What it says then means nothing. */
    JANSSON_UNABLE,
};

enum jansson_verdict jansson_judge(const char *text, size_t length);

/* Both texts are the same to jansson: members in any order, numbers as the doubles that it makes of them. */
bool jansson_same(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
