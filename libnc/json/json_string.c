/* json_string.c - the inside of a JSON string, decoded
 *
 * Trusts that a parser has seen the string, so that every escape is whole. Says when the result is
 * not what was written, where yajl's own decoder puts a question mark in silence: two different
 * names must never become one.
 */

#include "libnc/json/json_string.h"

#include "libnc/base/utf8.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

static uint32_t hex4(const char *s)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];

		v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

static bool is_high_surrogate(uint32_t c)
{
	return (c & 0xFFFFFC00) == 0xD800;
}

static bool is_low_surrogate(uint32_t c)
{
	return (c & 0xFFFFFC00) == 0xDC00;
}

static size_t encode(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* Reads the escape whose backslash stands at `s`, of `len` bytes that are left, into *c: a
 * character, or half a surrogate pair that is alone. Returns its bytes. */
static size_t decode_escape(const char *s, size_t len, uint32_t *c)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *name = strchr(names, s[1]);
	uint32_t low;

	if (s[1] != 'u') {
		*c = (uint8_t)(name ? values[name - names] : s[1]);
		return 2;
	}
	*c = hex4(s + 2);
	if (!is_high_surrogate(*c) || len < 12 || s[6] != '\\' || s[7] != 'u')
		return 6;
	low = hex4(s + 8);
	if (!is_low_surrogate(low))
		return 6;
	*c = 0x10000 + ((*c & 0x3FF) << 10 | (low & 0x3FF));
	return 12;
}

size_t json_string_decode(char *out, size_t cap, const char *s, size_t len, bool *is_exact)
{
	size_t at = 0, n = 0;

	*is_exact = true;
	while (at < len) {
		char bytes[4];
		uint32_t c = REPLACEMENT;
		size_t n_bytes;

		at += s[at] == '\\' ? decode_escape(s + at, len - at, &c)
		                    : utf8_decode(s + at, len - at, &c);
		if (is_high_surrogate(c) || is_low_surrogate(c)) {
			c = REPLACEMENT;
			*is_exact = false;
		}
		n_bytes = encode(bytes, c);
		if (n_bytes > cap - n) {
			*is_exact = false;
			break;
		}
		memcpy(out + n, bytes, n_bytes);
		n += n_bytes;
	}
	return n;
}
