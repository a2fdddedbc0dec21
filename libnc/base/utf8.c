/*
 * Strict UTF-8
 *
 * Most text is ASCII, which is passed eight bytes at a time; the rest goes through one decoder, so
 * that validation and decoding can't disagree.
 */

#include "libnc/base/utf8.h"

#include <string.h>

/* Counts the ASCII bytes at P, up to LEN, in whole words: the byte behind them need not be
 * otherwise. */
static size_t skip_ascii(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (len - n >= 8) {
		uint64_t word;

		memcpy(&word, p + n, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
		n += 8;
	}
	return n;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

static size_t decode_2(const uint8_t *p, size_t len, uint32_t *charp)
{
	/* 0xc0 and 0xc1 would only spell ASCII again */
	if (len < 2 || p[0] < 0xc2 || !is_continuation(p[1]))
		return 0;
	*charp = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	return 2;
}

static size_t decode_3(const uint8_t *p, size_t len, uint32_t *charp)
{
	uint32_t c;

	if (len < 3 || !is_continuation(p[1]) || !is_continuation(p[2]))
		return 0;
	c = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	if (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*charp = c;
	return 3;
}

static size_t decode_4(const uint8_t *p, size_t len, uint32_t *charp)
{
	uint32_t c;

	if (len < 4 || !is_continuation(p[1]) || !is_continuation(p[2]) || !is_continuation(p[3]))
		return 0;
	c = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
	    (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
	if (c < 0x10000 || c > 0x10ffff)
		return 0;
	*charp = c;
	return 4;
}

size_t utf8_decode(const void *p, size_t len, uint32_t *charp)
{
	const uint8_t *s = p;

	if (!len)
		return 0;
	if (s[0] < 0x80) {
		*charp = s[0];
		return 1;
	}
	if (s[0] < 0xe0)
		return decode_2(s, len, charp);
	if (s[0] < 0xf0)
		return decode_3(s, len, charp);
	if (s[0] < 0xf8)
		return decode_4(s, len, charp);
	return 0;
}

size_t utf8_valid_len(const void *p, size_t len)
{
	const uint8_t *s = p;
	size_t n = 0;

	while (n < len) {
		uint32_t c;
		size_t step = skip_ascii(s + n, len - n);

		if (!step)
			step = utf8_decode(s + n, len - n, &c);
		if (!step)
			break;
		n += step;
	}
	return n;
}

bool utf8_valid(const void *p, size_t len)
{
	return utf8_valid_len(p, len) == len;
}
