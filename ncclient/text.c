/*
 * Text on a terminal: UTF-8, its width, and numbers in few columns
 *
 * The width of a character is the C library's wcwidth(), so it depends on the locale; a program
 * that calls setlocale() in a UTF-8 locale gets true widths, one that does not gets one column for
 * each character that is not ASCII. Nothing here allocates.
 */

#include "ncclient/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define REPLACEMENT 0xfffdu
#define ELLIPSIS    0x2026u

size_t text_decode(const char *p, size_t len, uint32_t *charp)
{
	const unsigned char *b = (const unsigned char *)p;
	uint32_t c, least;
	size_t n;

	if (!len)
		return 0;
	if (b[0] < 0x80) {
		*charp = b[0];
		return 1;
	}
	if (b[0] >= 0xc2 && b[0] <= 0xdf) {
		n = 2, c = b[0] & 0x1fu, least = 0x80;
	} else if (b[0] >= 0xe0 && b[0] <= 0xef) {
		n = 3, c = b[0] & 0x0fu, least = 0x800;
	} else if (b[0] >= 0xf0 && b[0] <= 0xf4) {
		n = 4, c = b[0] & 0x07u, least = 0x10000;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3fu);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*charp = c;
	return n;
}

size_t text_encode(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool text_is_utf8(const char *p, size_t len)
{
	uint32_t c;

	for (size_t n; len; p += n, len -= n) {
		n = text_decode(p, len, &c);
		if (!n)
			return false;
	}
	return true;
}

bool text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x2028 ||
	       c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Takes one character off the front of *S, as it is shown. Returns its columns. */
static size_t next_shown(const char **s, size_t *len, uint32_t *charp)
{
	size_t n = text_decode(*s, *len, charp);
	int width;

	if (!n) {
		n = 1;
		*charp = REPLACEMENT;
	} else if (text_is_control(*charp)) {
		*charp = REPLACEMENT;
	}
	*s += n;
	*len -= n;
	if (*charp < 0x80)
		return 1;
	width = wcwidth((wchar_t)*charp);
	return width < 0 ? 1 : (size_t)width;
}

static void put_char(FILE *f, uint32_t c, bool utf8)
{
	char bytes[4];

	if (c < 0x80)
		putc((int)c, f);
	else if (utf8)
		fwrite(bytes, 1, text_encode(bytes, c), f);
	else
		putc(c == ELLIPSIS ? '~' : '?', f);
}

/* Columns of a character that is printed by put_char(): a wide one that is replaced by '?' has one.
 */
static size_t put_width(uint32_t c, size_t width, bool utf8)
{
	return c < 0x80 || utf8 ? width : 1;
}

size_t text_width(const char *s, size_t len)
{
	size_t width = 0;
	uint32_t c;

	while (len)
		width += next_shown(&s, &len, &c);
	return width;
}

void text_put(FILE *f, const char *s, size_t len, bool utf8)
{
	uint32_t c;

	while (len) {
		next_shown(&s, &len, &c);
		put_char(f, c, utf8);
	}
}

static size_t shown_width(const char *s, size_t len, bool utf8)
{
	size_t width = 0, w;
	uint32_t c;

	while (len) {
		w = next_shown(&s, &len, &c);
		width += put_width(c, w, utf8);
	}
	return width;
}

static void put_spaces(FILE *f, size_t n)
{
	while (n--)
		putc(' ', f);
}

void text_put_fit(FILE *f, const char *s, size_t width, bool right, bool utf8)
{
	size_t len = strlen(s), whole = shown_width(s, len, utf8), used = 0;
	uint32_t c;

	if (whole <= width) {
		if (right)
			put_spaces(f, width - whole);
		text_put(f, s, len, utf8);
		if (!right)
			put_spaces(f, width - whole);
		return;
	}
	if (!width)
		return;
	while (len) {
		size_t w = next_shown(&s, &len, &c);

		w = put_width(c, w, utf8);
		if (used + w > width - 1)
			break;
		put_char(f, c, utf8);
		used += w;
	}
	put_char(f, ELLIPSIS, utf8);
	put_spaces(f, width - 1 - used);
}

size_t text_chars(const char *s, size_t len)
{
	size_t count = 0, n;
	uint32_t c;

	for (; len; s += n, len -= n, count++) {
		n = text_decode(s, len, &c);
		if (!n)
			n = 1;
	}
	return count;
}

/* Three digits that count, and a letter for the power of 1000; below EXACT the number itself. */
static void put_scaled(char out[static TEXT_NUMBER_LEN], double n, const char *unit)
{
	static const char powers[] = "kMGTPE";
	size_t i = 0;

	n /= 1000;
	/* what would be rounded up to 1000 belongs to the next power */
	while (n >= 999.5 && powers[i + 1]) {
		n /= 1000;
		i++;
	}
	snprintf(out, TEXT_NUMBER_LEN, "%.*f%c%s",
	         n < 9.995   ? 2
	         : n < 99.95 ? 1
	                     : 0,
	         n, powers[i], unit);
}

const char *text_count(char out[static TEXT_NUMBER_LEN], double n)
{
	if (n < 9999.5)
		snprintf(out, TEXT_NUMBER_LEN, "%.0f", n);
	else
		put_scaled(out, n, "");
	return out;
}

const char *text_bytes(char out[static TEXT_NUMBER_LEN], double n)
{
	if (n < 9999.5)
		snprintf(out, TEXT_NUMBER_LEN, "%.0fB", n);
	else
		put_scaled(out, n, "B");
	return out;
}

const char *text_rate(char out[static TEXT_NUMBER_LEN], double per_second)
{
	if (per_second < 0.05)
		snprintf(out, TEXT_NUMBER_LEN, "0");
	else if (per_second < 9.95)
		snprintf(out, TEXT_NUMBER_LEN, "%.1f", per_second);
	else
		text_count(out, per_second);
	return out;
}

const char *text_duration(char out[static TEXT_NUMBER_LEN], uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (ms < 1000)
		snprintf(out, TEXT_NUMBER_LEN, "%ums", (unsigned)ms);
	else if (s < 60)
		snprintf(out, TEXT_NUMBER_LEN, "%llu.%llus", s,
		         (unsigned long long)ms % 1000 / 100);
	else if (s < 3600)
		snprintf(out, TEXT_NUMBER_LEN, "%llum%02llus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, TEXT_NUMBER_LEN, "%lluh%02llum", s / 3600, s / 60 % 60);
	else if (s < 86400 * 100)
		snprintf(out, TEXT_NUMBER_LEN, "%llud%02lluh", s / 86400, s / 3600 % 24);
	else
		snprintf(out, TEXT_NUMBER_LEN, "%llud", s / 86400);
	return out;
}

const char *text_time(char out[static TEXT_NUMBER_LEN], uint64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(out, TEXT_NUMBER_LEN, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, TEXT_NUMBER_LEN, "?");
	return out;
}

const char *text_clock(char out[static TEXT_NUMBER_LEN], uint64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	size_t len;

	if (!localtime_r(&t, &tm) || !strftime(out, TEXT_NUMBER_LEN, "%H:%M:%S", &tm))
		snprintf(out, TEXT_NUMBER_LEN, "?");
	len = strlen(out);
	snprintf(out + len, TEXT_NUMBER_LEN - len, ".%03u", (unsigned)(ms % 1000));
	return out;
}

int text_read_duration(const char *s, uint64_t *ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}};
	double n = 0, place = 1;
	size_t digits = 0;

	for (; isdigit((unsigned char)*s); s++, digits++)
		n = n * 10 + (*s - '0');
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s); s++, digits++)
			n += (*s - '0') * (place /= 10);
	if (!digits)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s, units[i].name))
			continue;
		n *= units[i].ms;
		if (n > 10 * 86400e3)
			return -1;
		*ms = (uint64_t)(n + 0.5);
		return 0;
	}
	return -1;
}
