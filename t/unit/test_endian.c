/*
 * Unit tests of base/endian
 */

#include "libnc/base/endian.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void numbers_stand_least_byte_first_at_any_alignment(void **state)
{
	uint8_t memory[24];

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		le64_put(memory + shift, UINT64_C(0x8807060504030201));
		assert_memory_equal(memory + shift, "\x01\x02\x03\x04\x05\x06\x07\x88", 8);
		assert_true(le64_get(memory + shift) == UINT64_C(0x8807060504030201));
		assert_true(le32_get(memory + shift) == UINT32_C(0x04030201));
		assert_true(le16_get(memory + shift) == 0x0201);
		le32_put(memory + shift, UINT32_C(0xfffefdfc));
		assert_memory_equal(memory + shift, "\xfc\xfd\xfe\xff\x05", 5);
		le16_put(memory + shift, 0x1234);
		assert_memory_equal(memory + shift, "\x34\x12\xfe", 3);
	}
}

static void doubles_travel_as_ieee_754_bits(void **state)
{
	static const double values[] = {0.0, -0.0, 1.5, -1e308, 5e-324, INFINITY, -INFINITY};
	uint8_t bytes[8];

	(void)state;
	le64_put_double(bytes, 1.0);
	assert_memory_equal(bytes, "\0\0\0\0\0\0\xf0\x3f", 8);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		double back;

		le64_put_double(bytes, values[i]);
		back = le64_get_double(bytes);
		assert_memory_equal(&back, &values[i], sizeof(back));
	}
	le64_put_double(bytes, NAN);
	assert_true(isnan(le64_get_double(bytes)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(numbers_stand_least_byte_first_at_any_alignment),
	        cmocka_unit_test(doubles_travel_as_ieee_754_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
