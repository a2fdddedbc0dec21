/*
 * Strict UTF-8
 *
 * Well-formed as RFC 3629 and table 3-7 of the Unicode standard say: no overlong form, no
 * surrogate, nothing beyond U+10FFFF. U+0000 is well-formed.
 */
#ifndef NC_BASE_UTF8_H
#define NC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Says whether all LEN bytes at P are well-formed, the last character complete. */
bool utf8_valid(const void *p, size_t len);

/* Counts the bytes at P, of LEN, that come before the first ill-formed or incomplete character. */
size_t utf8_valid_len(const void *p, size_t len);

/*
 * Reads the character at P, of which at most LEN bytes are there, into *CHARP.
 *
 * Returns its length in bytes, 1 to 4, or 0 when it is ill-formed or incomplete (LEN 0 among that).
 */
size_t utf8_decode(const void *p, size_t len, uint32_t *charp);

#endif
