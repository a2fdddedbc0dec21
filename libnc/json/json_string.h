/* json_string.h - the inside of a JSON string, decoded */
#ifndef NC_JSON_JSON_STRING_H
#define NC_JSON_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes the `len` bytes between the quotes of a valid JSON string into `out`, as many whole
 * characters as fit into `cap`. *is_exact tells whether that is what was meant: false where it was
 * cut, or where half a surrogate pair stood alone, for which U+FFFD is written. Returns the bytes
 * written, which are UTF-8. */
size_t json_string_decode(char *out, size_t cap, const char *s, size_t len, bool *is_exact);

#endif
