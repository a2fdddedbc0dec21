/* json.c - the scalar values of a JSON text
 *
 * RFC 8259's number grammar, and no more of it: structured values are for the program's own JSON
 * reader. The decimal point is a point whatever the program's locale says.
 */

#include "libnc/client/json.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct json_span {
	const char *p;
	const char *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct json_span json_trim(const void *text, size_t len)
{
	struct json_span s = {.p = text, .end = (const char *)text + len};

	while (s.p < s.end && is_space(*s.p))
		s.p++;
	while (s.p < s.end && is_space(s.end[-1]))
		s.end--;
	return s;
}

static bool span_is(struct json_span s, const char *word)
{
	size_t len = (size_t)(s.end - s.p);

	return len == strlen(word) && !memcmp(s.p, word, len);
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Whether the span is a number; *whole says whether it has neither fraction nor exponent. */
static bool json_scan_number(struct json_span s, bool *whole)
{
	const char *p = s.p, *q;

	*whole = true;
	if (p < s.end && *p == '-')
		p++;
	q = skip_digits(p, s.end);
	if (q == p || (*p == '0' && q - p > 1))
		return false;
	p = q;
	if (p < s.end && *p == '.') {
		*whole = false;
		q = skip_digits(p + 1, s.end);
		if (q == p + 1)
			return false;
		p = q;
	}
	if (p < s.end && (*p == 'e' || *p == 'E')) {
		*whole = false;
		p++;
		if (p < s.end && (*p == '+' || *p == '-'))
			p++;
		q = skip_digits(p, s.end);
		if (q == p)
			return false;
		p = q;
	}
	return p == s.end;
}

static enum json_result span_to_double(struct json_span s, double *v)
{
	char buf[JSON_NUMBER_MAX + 1];
	size_t len = (size_t)(s.end - s.p);
	locale_t c_locale;

	if (len > JSON_NUMBER_MAX)
		return JSON_OTHER;
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (c_locale == (locale_t)0)
		return JSON_OTHER;
	memcpy(buf, s.p, len);
	buf[len] = 0;
	*v = strtod_l(buf, NULL, c_locale);
	freelocale(c_locale);
	return isfinite(*v) ? JSON_OK : JSON_OTHER;
}

enum json_result json_get_bool(const void *text, size_t len, int *v)
{
	struct json_span s = json_trim(text, len);

	if (!span_is(s, "true") && !span_is(s, "false"))
		return JSON_OTHER;
	*v = s.p[0] == 't';
	return JSON_OK;
}

enum json_result json_get_int(const void *text, size_t len, int64_t *v)
{
	struct json_span s = json_trim(text, len);
	bool whole;
	int64_t n = 0;
	double d;

	if (!json_scan_number(s, &whole))
		return JSON_OTHER;
	if (!whole) {
		/* 1e3 and 1.0 are whole too, as far as a double counts exactly; trunc() would
		 * need libm */
		if (span_to_double(s, &d) || fabs(d) > 9007199254740992.0 ||
		    d != (double)(int64_t)d)
			return JSON_OTHER;
		*v = (int64_t)d;
		return JSON_OK;
	}
	/* towards the negative, since the least number has no positive counterpart */
	for (const char *p = s.p + (*s.p == '-'); p < s.end; p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *p - '0', &n))
			return JSON_OTHER;
	if (*s.p != '-' && __builtin_sub_overflow(INT64_C(0), n, &n))
		return JSON_OTHER;
	*v = n;
	return JSON_OK;
}

enum json_result json_get_double(const void *text, size_t len, double *v)
{
	struct json_span s = json_trim(text, len);
	double d = 0;
	bool whole;

	if (!json_scan_number(s, &whole) || span_to_double(s, &d))
		return JSON_OTHER;
	*v = d;
	return JSON_OK;
}
