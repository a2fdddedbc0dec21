/* lcword.h - what a word of libconfig's format is */
#ifndef NC_SERVER_CONF_LCWORD_H
#define NC_SERVER_CONF_LCWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes at p are those that names and numbers are made of. */
size_t lcword_len(const char *p, const char *end);

/* Whether a word is a key: it begins with a letter (or '*', which libconfig allows). */
bool lcword_is_name(const char *s);

/* Reads [+-]?digits or 0xdigits, either with L or LL. Returns 0; 1 when the word is none; -ERANGE
 * when it does not fit. */
int lcword_integer(int64_t *out, const char *s);

/* Whether a word is a float, which has a point or an exponent. */
bool lcword_is_float(const char *s);

/* Whether the backslash at p, behind which at least one byte stands, begins an escape of a string.
 * One that makes a NUL is none. */
bool lcword_is_escape(const char *p, const char *end);

#endif
