/* json_number.c - numbers as JSON text, whatever the locale
 *
 * The C library finds the digits and the exponent; since it writes the locale's radix character
 * between them, the text is put together here, in the form that receivers in JavaScript would have
 * written themselves.
 */

#include "libnc/json/json_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number as 0.DIGITS times ten to the POINT. */
struct decimal {
	char digits[18]; /* no zero at the end, and none in front unless it is all */
	int n_digits;
	int point;
	bool is_negative;
};

/* Cuts a number written by "%e" into its parts, at whatever radix character. */
static void decimal_parse(struct decimal *d, const char *s)
{
	d->is_negative = *s == '-';
	d->n_digits = 0;
	for (; *s != 'e'; s++)
		if (*s >= '0' && *s <= '9')
			d->digits[d->n_digits++] = *s;
	while (d->n_digits > 1 && d->digits[d->n_digits - 1] == '0')
		d->n_digits--;
	d->point = atoi(s + 1) + 1;
}

static void decimal_of(struct decimal *d, double v)
{
	char text[64];

	for (int precision = 14; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}
	decimal_parse(d, text);
}

static char *put_digits(char *out, const char *digits, int n)
{
	memcpy(out, digits, (size_t)n);
	return out + n;
}

static char *put_zeros(char *out, int n)
{
	memset(out, '0', (size_t)n);
	return out + n;
}

size_t json_double(char out[JSON_NUMBER_MAX], double v)
{
	struct decimal d;
	char *p = out;

	if (!isfinite(v)) {
		memcpy(out, "null", 5);
		return 4;
	}
	decimal_of(&d, v);
	if (d.is_negative)
		*p++ = '-';
	if (d.n_digits <= d.point && d.point <= 21) {
		p = put_digits(p, d.digits, d.n_digits);
		p = put_zeros(p, d.point - d.n_digits);
	} else if (0 < d.point && d.point <= 21) {
		p = put_digits(p, d.digits, d.point);
		*p++ = '.';
		p = put_digits(p, d.digits + d.point, d.n_digits - d.point);
	} else if (-6 < d.point && d.point <= 0) {
		*p++ = '0';
		*p++ = '.';
		p = put_zeros(p, -d.point);
		p = put_digits(p, d.digits, d.n_digits);
	} else {
		*p++ = d.digits[0];
		if (d.n_digits > 1) {
			*p++ = '.';
			p = put_digits(p, d.digits + 1, d.n_digits - 1);
		}
		p += sprintf(p, "e%+d", d.point - 1);
	}
	*p = 0;
	return (size_t)(p - out);
}
