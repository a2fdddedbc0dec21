/*
 * Fuzz target: strict UTF-8
 *
 * What is well-formed decodes to characters that encode to the same bytes again, and the place of
 * the first error is the same whether found by validation, which skips ASCII in words, or by
 * decoding one character after another.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/base/utf8.h"

#include <stdlib.h>
#include <string.h>

static size_t encode(uint32_t c, uint8_t *out)
{
	static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len - 1; i > 0; i--, c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(first[len == 1 ? 0 : len] | c);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t n = 0, step;
	uint32_t c;

	while ((step = utf8_decode(data + n, len - n, &c))) {
		uint8_t again[4];

		if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			abort();
		if (encode(c, again) != step || memcmp(again, data + n, step) != 0)
			abort();
		n += step;
	}
	if (utf8_valid_len(data, len) != n || utf8_valid(data, len) != (n == len))
		abort();
	return 0;
}
