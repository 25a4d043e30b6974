/*
 * utf8 - one character at a time, for what is shown to people. (Whole texts are validated by json_utf8_valid().)
 */
#ifndef METASPN_BASE_UTF8_H
#define METASPN_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The number of bytes, 1 to 4, of the character at the front of text[0..length), and its code point; 0, and nothing
 * told, where no character stands there: a stray or missing byte, a longer form than is needed, beyond U+10FFFF, or
 * nothing at all. Surrogates are decoded, for the ids that hold escaped lone ones decode to them: RFC 3629 forbids
 * them, so who wants UTF-8 asks UTF8_IS_SURROGATE().
 */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret_code);

#define UTF8_IS_SURROGATE(code) ((code) >= 0xd800 && (code) <= 0xdfff)

#endif
