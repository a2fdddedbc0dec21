/* lcword.c - what a word of libconfig's format is
 *
 * The lexical rules of libconfig 1.5 for what is made of letters, digits and signs. A number is
 * read in full here, because libconfig cuts it off at 32 bits.
 */

#include "ncserver/conf/lcword.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t lcword_len(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] &&
	       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.*", p[n]))
		n++;
	return n;
}

int lcword_integer(int64_t *out, const char *s)
{
	int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
	char *end;

	errno = 0;
	*out = strtoll(s, &end, base);
	if (end == s || (base == 16 && end < s + 3))
		return 1;
	if (*end == 'L')
		end += end[1] == 'L' ? 2 : 1;
	if (*end)
		return 1;
	return errno == ERANGE ? -ERANGE : 0;
}

bool lcword_is_float(const char *s)
{
	size_t whole, part = 0;

	s += *s == '-' || *s == '+';
	s += whole = strspn(s, "0123456789");
	if (*s == '.')
		s += part = 1 + strspn(s + 1, "0123456789");
	if (!part && !whole)
		return false;
	if (*s != 'e' && *s != 'E')
		return part && !*s;
	s++;
	s += *s == '-' || *s == '+';
	return *s && !s[strspn(s, "0123456789")];
}

bool lcword_is_name(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*";

	return strchr(letters, *s) && !strpbrk(s, "+.");
}

bool lcword_is_escape(const char *p, const char *end)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (p[1] != 'x')
		return p[1] && strchr("abfnrtv\\\"", p[1]);
	return end - p > 3 && p[2] && strchr(hex, p[2]) && p[3] && strchr(hex, p[3]) &&
	       memcmp(p + 2, "00", 2) != 0;
}
