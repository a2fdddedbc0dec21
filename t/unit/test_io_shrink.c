/*
 * When memory that was freed is given back
 */

#include "ncserver/io/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define MIB ((size_t)1 << 20)

static void small_bursts_are_not_worth_a_look(void **state)
{
	struct shrink s = {0};

	(void)state;
	assert_false(shrink_note(&s, 0));
	assert_false(shrink_note(&s, SHRINK_MIN - 1));
	assert_false(shrink_look(&s, 0));
}

static void after_a_burst_it_is_given_back_once(void **state)
{
	struct shrink s = {0};

	(void)state;
	assert_true(shrink_note(&s, 40 * MIB));
	assert_true(shrink_note(&s, MIB));
	assert_true(shrink_look(&s, MIB));
	assert_false(shrink_note(&s, MIB));
	assert_false(shrink_look(&s, 0));
}

static void while_the_load_lasts_nothing_is(void **state)
{
	struct shrink s = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(shrink_note(&s, (25 + (size_t)i % 16) * MIB));
		assert_false(shrink_look(&s, (25 + (size_t)i % 16) * MIB));
	}
	/* what is left is measured by the next burst, not by the last one */
	assert_true(shrink_look(&s, 20 * MIB));
	assert_true(shrink_note(&s, 20 * MIB));
	assert_false(shrink_look(&s, 11 * MIB));
	assert_true(shrink_look(&s, 10 * MIB));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(small_bursts_are_not_worth_a_look),
	        cmocka_unit_test(after_a_burst_it_is_given_back_once),
	        cmocka_unit_test(while_the_load_lasts_nothing_is),
	};

	return cmocka_run_group_tests_name("shrink", tests, NULL, NULL);
}
