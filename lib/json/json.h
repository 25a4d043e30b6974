/*
 * json - JSON as text: validate, find members, canonical form. It builds no tree and converts no number on the way.
 *
 * A value is the piece of text that holds it (`struct json_text`). json_scan() validates a whole document in one pass
 * and returns the top-level members that the caller asked for. The other functions walk deeper into text that was
 * validated once. All pieces borrow the caller's text; only the output buffers passed in own memory.
 *
 * The grammar is that of RFC 8259, under one of two sets of rules (SPEC section 3):
 *   JSON_STRICT  for input. Faults are: a member name that an object has twice (compared decoded, at any depth),
 *                nesting deeper than 512, invalid UTF-8, NaN and the infinities.
 *   JSON_STORED  for what the store holds. Any depth is allowed; NaN, Infinity and -Infinity are values; of a repeated
 *                member the last one counts. Invalid UTF-8 is a fault here, too.
 * Both allow escaped lone surrogates. Raw UTF-8 that encodes a surrogate is invalid UTF-8 (RFC 3629 section 3).
 *
 * On x86-64 the strings of a text are found with SSE2, or with AVX-512 where the processor has it. Elsewhere portable
 * code gives the same answers.
 */
#ifndef METASPN_JSON_JSON_H
#define METASPN_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define JSON_MAX_DEPTH 512

struct json_text {
    const char *data; /* NULL: absent. The text of a string includes its quotes. */
    size_t length;
};

enum json_type { JSON_ABSENT, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
enum json_rules { JSON_STRICT, JSON_STORED };

/* Returns the type of a value by its first byte. NaN and the infinities are JSON_NUMBER. */
enum json_type json_type(struct json_text value);

/* What json_scan() found wrong, and where. */
struct json_fault {
    size_t offset;  /* byte offset in the text */
    size_t length;  /* bytes there that are at fault; 0: a message need not show any */
    char what[128]; /* "invalid UTF-8", "duplicate member \"a\"", "nesting deeper than 512", ...; printable */
};

/*
 * Returns the fault for a message: what is wrong, and the bytes at fault, quoted and cut short. `text` is what was
 * scanned. The result may stand in `buffer` or be fault->what.
 */
#define JSON_FAULT_TEXT_SIZE (128 + QUOTED_SIZE)
const char *json_fault_tell(const struct json_fault *fault, const char *text, char buffer[static JSON_FAULT_TEXT_SIZE]);

/* Quotes a value for a message and cuts it short; a string loses its own quotes. Returns `buffer`. */
const char *json_quote(char buffer[static QUOTED_SIZE], const char *text, size_t length);

struct json_scanned {
    enum json_type type;     /* of the document */
    bool canonical;          /* the text is in canonical form, byte for byte (SPEC section 3); only under JSON_STRICT */
    struct json_fault fault; /* valid where json_scan() returned STATUS_INVALID */
};

/*
 * A member to find, by its decoded name. JSON_KEY("signal_id") makes one; it is a constant, so the keys of a kind of
 * document belong in a static const array.
 */
struct json_key {
    const char *name;
    size_t length;
    uint64_t head; /* the first eight bytes, the first one highest, padded with zeros */
};
#define JSON_KEY_BYTE(literal, i)                                                                                      \
    ((uint64_t)(unsigned char)(sizeof(literal) > (i) ? (literal)[i] : 0) << (56 - 8 * (i)))
#define JSON_KEY(literal)                                                                                              \
    {                                                                                                                  \
        literal, sizeof(literal) - 1,                                                                                  \
            JSON_KEY_BYTE(literal, 0) | JSON_KEY_BYTE(literal, 1) | JSON_KEY_BYTE(literal, 2) |                        \
                JSON_KEY_BYTE(literal, 3) | JSON_KEY_BYTE(literal, 4) | JSON_KEY_BYTE(literal, 5) |                    \
                JSON_KEY_BYTE(literal, 6) | JSON_KEY_BYTE(literal, 7)                                                  \
    }

/*
 * Validates `text` as one JSON document, with white space around it or none. Empty text is a fault. Puts the values of
 * the top-level members keys[0..count) (at most 16) into ret_members[0..count); data is NULL for absent ones. Names are
 * compared decoded. ret_members is untouched where the scan fails or the document is no object. Returns STATUS_OK,
 * STATUS_INVALID (ret->fault says why) or STATUS_IO (no memory). The common case allocates nothing.
 */
enum status json_scan(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                      struct json_text *ret_members, struct json_scanned *ret);

/*
 * Finds members as json_scan() does under JSON_STORED, in text that is known to be one valid object; checks nothing.
 * Bytes that changed since are safe, even if they are no object any more: nothing outside of them is read, and what is
 * found lies in them and looks like a value (its json_type() is not JSON_ABSENT, and it has two bytes or is a number).
 * Which members are found then means nothing.
 */
void json_find(const char *text, size_t length, const struct json_key *keys, size_t count,
               struct json_text *ret_members);

/* Walks an array or object in the order of the text. Start with `struct json_walk w = json_walk_start(object)`. */
struct json_walk {
    const char *at, *end;
};
struct json_walk json_walk_start(struct json_text array_or_object);
/*
 * Takes the next member of an object: its name (a string with quotes) and value. False: there are no more. In text that
 * is not valid the pieces mean nothing, not even a type, but lie within it.
 */
bool json_walk_member(struct json_walk *w, struct json_text *ret_name, struct json_text *ret_value);
/* Takes the next element of an array. */
bool json_walk_element(struct json_walk *w, struct json_text *ret_value);

/* Returns the value of the member with this decoded name, the last where it is repeated; absent if `object` is none. */
struct json_text json_member(struct json_text object, const char *name, size_t name_length);

/* Whether the JSON string decodes to exactly these bytes. (A lone surrogate decodes to three bytes, WTF-8.) */
bool json_string_is(struct json_text string, const char *bytes, size_t length);
/* Whether both JSON strings decode to the same bytes. */
bool json_string_same(struct json_text a, struct json_text b);
/* Whether the JSON string decodes to no bytes. */
bool json_string_is_empty(struct json_text string);
/*
 * Gives the decoded bytes. They are borrowed from the string itself where it has no escape; else they are in *scratch,
 * which is cleared first. False: no memory.
 */
bool json_string_decode(struct json_text string, struct bytes *scratch, struct json_text *ret_decoded);
/*
 * Appends bytes as a canonical JSON string. They are UTF-8, or WTF-8 for lone surrogates; invalid bytes become U+FFFD.
 * False: no memory.
 */
bool json_string_encode(struct bytes *out, const char *bytes, size_t length);

/* Whether two JSON numbers are the same decimal (1 = 1.0 = 10e-1; NaN equals nothing). Neither is converted. */
bool json_number_same(struct json_text a, struct json_text b);
/* Returns the nearest double (rounded as strtod() does, whatever the locale); an infinity on overflow. */
double json_number_to_double(struct json_text number);
/* Whether this text is exactly one JSON number (RFC 8259 section 6). */
bool json_is_number(const char *text, size_t length);

/*
 * Whether both are the same value: numbers as decimals, strings decoded, objects in any order of members, arrays by
 * element. False: no memory.
 */
bool json_same(struct json_text a, struct json_text b, bool *ret_same);

/* A top-level member that replaces the one in the document, or is added to it, when the canonical form is made. */
struct json_override {
    const char *name;       /* ASCII that needs no escapes */
    struct json_text value; /* canonical JSON text */
};

/*
 * Appends the canonical form of a validated document to *out, without a newline (SPEC section 3: Python's
 * json.dumps(sort_keys=True, separators=(",", ":")), but numbers stay as they are written). Members are sorted by the
 * code points of their decoded names; of a repeated member the last one counts. STATUS_IO: no memory; *out is then as
 * it was.
 */
enum status json_canonical(struct json_text document, const struct json_override *overrides, size_t count,
                           struct bytes *out, struct error *err);

/* Whether the text is empty or white space alone (space, tab, CR, LF; RFC 8259 section 2). */
bool json_is_blank(const char *text, size_t length);

/* Returns the number of leading bytes that are valid UTF-8 (RFC 3629). */
size_t json_utf8_valid(const char *text, size_t length);

/*
 * For tests: allows only this code and those after it. All of them give the same answers. Without a call, the first one
 * that the processor supports is used.
 */
enum json_code { JSON_AVX512, JSON_SSE2, JSON_PORTABLE, JSON_CODES };
void json_use(enum json_code code);

#endif
