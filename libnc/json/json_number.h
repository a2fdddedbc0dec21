/* json_number.h - numbers as JSON text, whatever the locale */
#ifndef NC_JSON_JSON_NUMBER_H
#define NC_JSON_JSON_NUMBER_H

#include <stddef.h>

/* Room for any number, with its 0: sign, 17 digits, and either 21 places or a point, six zeros and
 * an exponent. */
#define JSON_NUMBER_MAX 40u

/* Writes a double as ECMAScript's Number::toString does (ECMA-262, 6.1.6.1.20), with the fewest
 * digits of 15, 16 and 17 that read back as the same value; NaN and infinities as "null", and the
 * sign of -0 is kept. Returns the length. */
size_t json_double(char out[JSON_NUMBER_MAX], double v);

#endif
