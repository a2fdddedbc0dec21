/*
 * Unit tests of base/utf8
 */

#include "libnc/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The encoder of RFC 3629, section 3, which knows nothing of the decoder. */
static size_t encode(uint32_t c, uint8_t *out)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static void every_character_decodes_to_itself(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		uint8_t bytes[4];
		uint32_t back = 0;
		size_t len = encode(c, bytes);
		int surrogate = c >= 0xd800 && c <= 0xdfff;

		if (utf8_decode(bytes, len, &back) != (surrogate ? 0 : len))
			fail_msg("U+%04X", c);
		if (!surrogate && back != c)
			fail_msg("U+%04X came back as U+%04X", c, back);
		if (utf8_valid(bytes, len - 1) && len > 1)
			fail_msg("U+%04X without its last byte was taken", c);
	}
}

/* All sequences of 1 to 3 bytes: well-formed are exactly those that the encoder can make. */
static void as_many_sequences_are_well_formed_as_there_are_characters(void **state)
{
	unsigned n[4] = {0};

	(void)state;
	for (uint32_t i = 0; i < 1u << 24; i++) {
		uint8_t bytes[3] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		uint32_t c;

		/* each sequence once: what follows it is fixed */
		size_t len = utf8_decode(bytes, 3, &c);
		if ((len == 1 && !bytes[1] && !bytes[2]) || (len == 2 && !bytes[2]) || len == 3)
			n[len]++;
	}
	assert_int_equal(n[1], 0x80);
	assert_int_equal(n[2], 0x800 - 0x80);
	assert_int_equal(n[3], 0x10000 - 0x800 - 0x800);
}

static void ill_formed_sequences_are_refused(void **state)
{
	static const char *const bad[] = {
	        "\x80",
	        "\xbf",
	        "\xc0\x80",
	        "\xc1\xbf",
	        "\xc2",
	        "\xc2\x41",
	        "\xe0\x80\x80",
	        "\xe0\x9f\xbf",
	        "\xed\xa0\x80",
	        "\xed\xbf\xbf",
	        "\xe2\x82",
	        "\xe2\x28\xa1",
	        "\xf0\x80\x80\x80",
	        "\xf0\x8f\xbf\xbf",
	        "\xf4\x90\x80\x80",
	        "\xf5\x80\x80\x80",
	        "\xf8\x88\x80\x80",
	        "\xfe",
	        "\xff",
	        "\xf0\x90\x80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (utf8_valid(bad[i], strlen(bad[i])))
			fail_msg("sequence %zu was taken", i);
}

static void the_place_of_an_error_is_found_at_any_offset(void **state)
{
	uint8_t text[64];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		assert_true(utf8_valid(text, len));
		for (size_t at = 0; at < len; at++) {
			text[at] = 0xff;
			assert_int_equal(utf8_valid_len(text, len), at);
			assert_false(utf8_valid(text, len));
			text[at] = 'a';
		}
	}
}

static void wide_characters_among_ascii_are_taken(void **state)
{
	static const char text[] = "plain text, na\xc3\xafve caf\xc3\xa9, \xe2\x82\xac 5, "
	                           "\xf0\x9f\x98\x80 and twelve more";

	(void)state;
	assert_true(utf8_valid(text, sizeof(text)));
	for (size_t start = 0; start < 14; start++)
		assert_true(utf8_valid(text + start, sizeof(text) - start));
	assert_int_equal(utf8_valid_len(text, 15), 14);
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_character_decodes_to_itself),
	        cmocka_unit_test(as_many_sequences_are_well_formed_as_there_are_characters),
	        cmocka_unit_test(ill_formed_sequences_are_refused),
	        cmocka_unit_test(the_place_of_an_error_is_found_at_any_offset),
	        cmocka_unit_test(wide_characters_among_ascii_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
