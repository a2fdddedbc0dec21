/* test_bytes.c - short byte strings */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libnc/base/bytes.h"

#define LEN_MAX 70u

/* Memory of exactly that length, so that a sanitizer sees what is read beyond. */
static uint8_t *exactly(size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + 1);
	return p;
}

static void equal_bytes_are_equal_whatever_their_length(void **state)
{
	(void)state;
	for (size_t len = 0; len <= LEN_MAX; len++) {
		uint8_t *a = exactly(len), *b = exactly(len);

		assert_true(bytes_equal(a, b, len));
		free(a);
		free(b);
	}
}

static void one_differing_bit_is_seen_wherever_it_is(void **state)
{
	(void)state;
	for (size_t len = 1; len <= LEN_MAX; len++) {
		uint8_t *a = exactly(len), *b = exactly(len);

		for (size_t at = 0; at < len; at++) {
			b[at] ^= 0x80;
			assert_false(bytes_equal(a, b, len));
			b[at] ^= 0x80;
		}
		free(a);
		free(b);
	}
}

static void a_copy_in_blocks_holds_all_and_touches_no_more_than_it_says(void **state)
{
	uint8_t from[LEN_MAX + BYTES_BLOCK], to[LEN_MAX + BYTES_BLOCK];

	(void)state;
	for (size_t len = 0; len <= LEN_MAX; len++) {
		size_t end = len ? len + BYTES_BLOCK - 1 : 0;

		memset(from, 'a', sizeof(from));
		memset(to, 'b', sizeof(to));
		bytes_copy_blocks(to, from, len);
		assert_memory_equal(to, from, len);
		for (size_t i = end; i < sizeof(to); i++)
			assert_int_equal(to[i], 'b');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equal_bytes_are_equal_whatever_their_length),
	        cmocka_unit_test(one_differing_bit_is_seen_wherever_it_is),
	        cmocka_unit_test(a_copy_in_blocks_holds_all_and_touches_no_more_than_it_says),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
