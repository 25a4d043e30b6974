/*
 * json_text - JSON as text: validate, find members, canonical form; no tree, no number ever converted on its way.
 *
 * A value is the piece of text it stands in (`struct json_text`). json_scan() validates a whole document in one pass
 * and hands out the top-level members that the caller asked for; on text that was validated once, the accessors
 * below walk deeper. All pieces borrow the caller's text: nothing here owns memory but the output buffers passed in.
 *
 * Grammar: RFC 8259. Two sets of rules (SPEC section 3):
 *   JSON_STRICT  input: duplicate member names (compared decoded, at any depth), nesting deeper than 512, invalid
 *                UTF-8, NaN and the infinities are faults;
 *   JSON_STORED  what stands in the store: any depth, NaN, Infinity and -Infinity are values, of a repeated member
 *                the last counts; invalid UTF-8 is still a fault.
 * Escaped lone surrogates are allowed in both. Raw UTF-8 that encodes a surrogate is invalid UTF-8.
 *
 * On x86-64 the strings of a text are found with SSE2, or what newer processors have, as is found out at run time;
 * elsewhere by portable code with the same answers.
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
    const char *data; /* NULL: absent. A string's text has its quotes. */
    size_t length;
};

enum json_type { JSON_ABSENT, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
enum json_rules { JSON_STRICT, JSON_STORED };

/* The type of a value, by its first byte. NaN and the infinities are JSON_NUMBER. */
enum json_type json_type(struct json_text value);

/* What json_scan() found wrong, and where. */
struct json_fault {
    size_t offset;  /* byte offset in the text */
    size_t length;  /* bytes there that are at fault; 0: nothing that could be shown */
    char what[128]; /* "invalid UTF-8", "duplicate member \"a\"", "nesting deeper than 512", ... printable */
};

/* The fault for a message: what, and the bytes at fault quoted and cut short. `text` is what was scanned. Returns what
 * may lie in `buffer`. */
#define JSON_FAULT_TEXT_SIZE (128 + QUOTED_SIZE)
const char *json_fault_tell(const struct json_fault *fault, const char *text, char buffer[static JSON_FAULT_TEXT_SIZE]);

/* A text that is not what it should be, for a message: quoted and cut short, a string without its own quotes. */
const char *json_quote(char buffer[static QUOTED_SIZE], const char *text, size_t length);

struct json_scan {
    enum json_type type;     /* of the document */
    bool canonical;          /* the text is in canonical form, byte for byte (SPEC section 3); only under JSON_STRICT */
    struct json_fault fault; /* valid where json_scan() returned STATUS_INVALID */
};

/*
 * A member to look for, by its decoded name. Made by JSON_KEY("signal_id"), which is a constant: the keys of a kind of
 * document belong in a static const array.
 */
struct json_key {
    const char *name;
    size_t length;
    uint64_t head; /* first eight bytes, the first one highest, padded with zeros */
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
 * Validates `text` as one JSON document (white space around it allowed; empty text is a fault), and puts the values of
 * the top-level members keys[0..count) (at most 16) into ret_members[0..count) (absent: data NULL; names compared
 * decoded); they are untouched where it fails or the document is no object. Returns STATUS_OK, STATUS_INVALID
 * (ret->fault says why) or STATUS_IO (no memory). No memory is asked for in the common case.
 */
enum status json_scan(const char *text, size_t length, enum json_rules rules, const struct json_key *keys, size_t count,
                      struct json_text *ret_members, struct json_scan *ret);

/*
 * As json_scan under JSON_STORED for text that is known to be one valid object: finds the members and checks nothing.
 * Bytes that were changed since, and are no object any more, are safe: nothing outside of them is read, and what is
 * found lies in them and looks like a value (its json_type() is not JSON_ABSENT, and it has two bytes or is a number).
 * Which members those are then means nothing.
 */
void json_find(const char *text, size_t length, const struct json_key *keys, size_t count,
               struct json_text *ret_members);

/* Walks an object's members in the order they stand. Start with `struct json_walk w = json_walk_start(object)`. */
struct json_walk {
    const char *at, *end;
};
struct json_walk json_walk_start(struct json_text array_or_object);
/* The next member of an object: its name (a string with quotes) and value. False: no more. Of text that is not valid
 * the pieces mean nothing, not even a type, but lie in it. */
bool json_walk_member(struct json_walk *w, struct json_text *ret_name, struct json_text *ret_value);
/* The next element of an array. */
bool json_walk_element(struct json_walk *w, struct json_text *ret_value);

/* The value of an object's member of this decoded name, the last where it is repeated; absent also from no object. */
struct json_text json_member(struct json_text object, const char *name, size_t name_length);

/* True where the JSON string has exactly these decoded bytes. (A lone surrogate decodes to three bytes, WTF-8.) */
bool json_string_is(struct json_text string, const char *bytes, size_t length);
/* Both JSON strings decode to the same bytes. */
bool json_string_same(struct json_text a, struct json_text b);
/* Number of decoded bytes is zero. */
bool json_string_is_empty(struct json_text string);
/*
 * The decoded bytes: borrowed from the string itself where it has no escape, else decoded into *scratch (cleared
 * first). False: no memory.
 */
bool json_string_decode(struct json_text string, struct bytes *scratch, struct json_text *ret_decoded);
/* Appends bytes (UTF-8, or WTF-8 for lone surrogates; invalid bytes as U+FFFD) as a canonical JSON string. */
bool json_string_encode(struct bytes *out, const char *bytes, size_t length);

/* Compares two JSON numbers as exact decimals (1 = 1.0 = 10e-1; NaN equals nothing), without converting them. */
bool json_number_same(struct json_text a, struct json_text b);
/* The nearest double (strtod's rounding, locale-independent); overflow gives an infinity. */
double json_number_to_double(struct json_text number);
/* True where this text is exactly one JSON number of RFC 8259. */
bool json_is_number(const char *text, size_t length);

/*
 * Whether they are the same value: numbers as decimals, strings decoded, objects whatever the order of members, arrays
 * by element. False: no memory.
 */
bool json_same(struct json_text a, struct json_text b, bool *ret_same);

/* A top-level member to be replaced, or added where it is absent, while the canonical form is made. */
struct json_override {
    const char *name;       /* ASCII, without need of escapes */
    struct json_text value; /* canonical JSON text */
};

/*
 * Appends the canonical form (SPEC section 3: Python's json.dumps(sort_keys=True, separators=(",", ":")) with numbers
 * as they are written) of a validated document to *out, without a newline. Members sort by the code points of their
 * decoded names. Of a repeated member the last counts. STATUS_IO: no memory; *out is then as it was.
 */
enum status json_canonical(struct json_text document, const struct json_override *overrides, size_t count,
                           struct bytes *out, struct error *err);

/* True where every byte is RFC 8259 white space (space, tab, CR, LF), or there is none. */
bool json_is_blank(const char *text, size_t length);

/* Number of leading bytes that are valid UTF-8. */
size_t json_utf8_valid(const char *text, size_t length);

/* Uses no code that stands before this one; all give the same answers. (Tests do: without, it is the first that the
 * processor knows.) */
enum json_code { JSON_AVX512, JSON_SSE2, JSON_PORTABLE, JSON_CODES };
void json_use(enum json_code code);

#endif
