/*
 * Unit tests of client/reconnect
 */

#include "libnc/client/reconnect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS UINT64_C(1000000)

static void the_first_delay_lies_between_the_minimum_and_twice_it(void **state)
{
	(void)state;
	for (uint64_t random = 0; random < 1000; random++) {
		struct reconnect r;
		uint32_t ms;

		reconnect_init(&r, 100, 10000);
		ms = reconnect_next_ms(&r, random);
		assert_in_range(ms, 100, 200);
	}
}

static void both_ends_of_the_range_are_reached(void **state)
{
	struct reconnect r;

	(void)state;
	reconnect_init(&r, 100, 10000);
	assert_int_equal(reconnect_next_ms(&r, 0), 100);
	reconnect_init(&r, 100, 10000);
	assert_int_equal(reconnect_next_ms(&r, 100), 200);
	reconnect_init(&r, 100, 10000);
	assert_int_equal(reconnect_next_ms(&r, 101), 100);
}

static void the_cap_doubles_up_to_the_maximum_and_stays(void **state)
{
	static const uint32_t caps[] = {200, 400, 800, 1600, 3000, 3000, 3000};
	struct reconnect r;

	(void)state;
	reconnect_init(&r, 100, 3000);
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		assert_int_equal(reconnect_next_ms(&r, caps[i] - 100), caps[i]);
}

static void only_a_connection_that_lasted_resets_the_delay(void **state)
{
	struct reconnect r;

	(void)state;
	reconnect_init(&r, 100, 1000);
	for (int i = 0; i < 10; i++)
		reconnect_next_ms(&r, 0);
	reconnect_ended(&r, 1000 * MS);
	assert_int_equal(reconnect_next_ms(&r, 900), 1000);
	reconnect_ended(&r, 1000 * MS + 1);
	assert_int_equal(reconnect_next_ms(&r, 100), 200);
}

static void a_minimum_of_zero_still_backs_off(void **state)
{
	struct reconnect r;
	uint32_t most = 0;

	(void)state;
	reconnect_init(&r, 0, 64);
	for (int i = 0; i < 20; i++)
		most = reconnect_next_ms(&r, 64);
	assert_int_equal(most, 64);
}

static void a_maximum_below_the_minimum_counts_as_the_minimum(void **state)
{
	struct reconnect r;

	(void)state;
	reconnect_init(&r, 500, 100);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(reconnect_next_ms(&r, i * 7919), 500);
}

static void the_largest_delays_do_not_overflow(void **state)
{
	struct reconnect r;

	(void)state;
	reconnect_init(&r, INT32_MAX, INT32_MAX);
	for (int i = 0; i < 40; i++)
		assert_int_equal(reconnect_next_ms(&r, UINT64_MAX), INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_delay_lies_between_the_minimum_and_twice_it),
	        cmocka_unit_test(both_ends_of_the_range_are_reached),
	        cmocka_unit_test(the_cap_doubles_up_to_the_maximum_and_stays),
	        cmocka_unit_test(only_a_connection_that_lasted_resets_the_delay),
	        cmocka_unit_test(a_minimum_of_zero_still_backs_off),
	        cmocka_unit_test(a_maximum_below_the_minimum_counts_as_the_minimum),
	        cmocka_unit_test(the_largest_delays_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
