/* suggest.c - what somebody may have meant
 *
 * The distance is computed with three rows of the usual table, on the stack: words are short, and
 * what is beyond SUGGEST_MAX is not looked at.
 */

#include "ncserver/conf/suggest.h"

#include <ctype.h>
#include <string.h>

/* Letters from which on the beginning of a word says which one it is. */
#define PREFIX_MIN 3u

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][SUGGEST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_len = strnlen(a, SUGGEST_MAX), b_len = strnlen(b, SUGGEST_MAX);

	for (unsigned j = 0; j <= b_len; j++)
		last[j] = j;
	memset(before, 0, sizeof(rows[0]));
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *old = before;

		now[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			now[j] = least(now[j - 1] + 1, last[j] + 1,
			               last[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = old;
	}
	return last[b_len];
}

unsigned suggest_rank(const char *word, const char *candidate)
{
	size_t len = strnlen(word, SUGGEST_MAX);
	unsigned distance = suggest_distance(word, candidate);

	if (distance <= 1 + len / 4)
		return distance;
	return len >= PREFIX_MIN && !strncasecmp(word, candidate, len) ? 1 : SUGGEST_NONE;
}
