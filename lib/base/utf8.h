/*
 * utf8 - decodes one character at a time, for text that people see. (json_utf8_valid() validates whole texts.)
 */
#ifndef METASPN_BASE_UTF8_H
#define METASPN_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the number of bytes, 1 to 4, of the first character of text[0..length), and its code point by *ret_code.
 * Returns 0, and leaves *ret_code alone, where there is none: a stray or missing byte, an overlong form, a code past
 * U+10FFFF, or an empty text. Surrogates are decoded, since ids with escaped lone ones decode to them. RFC 3629 forbids
 * them: who needs strict UTF-8 asks UTF8_IS_SURROGATE().
 */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret_code);

#define UTF8_IS_SURROGATE(code) ((code) >= 0xd800 && (code) <= 0xdfff)

#endif
