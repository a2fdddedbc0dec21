/*
 * When memory that was freed is given back
 */

#include "ncserver/io/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define MIB ((size_t)1 << 20)

#define BUSY (SHRINK_IDLE_WORK + 1)

static void small_bursts_are_not_worth_a_look(void **state)
{
	struct shrink s = {0};

	(void)state;
	shrink_note(&s, SHRINK_MIN - 1, 1);
	shrink_note_surge(&s, SHRINK_MIN - 1);
	assert_false(shrink_wants_look(&s));
	assert_false(shrink_look(&s, 0, 0));
}

static void after_a_burst_it_is_given_back_once(void **state)
{
	struct shrink s = {0};

	(void)state;
	shrink_note(&s, 40 * MIB, 1);
	assert_true(shrink_wants_look(&s));
	shrink_note(&s, MIB, 2);
	assert_true(shrink_wants_look(&s));
	/* also where others go on */
	assert_true(shrink_look(&s, MIB, BUSY));
	assert_false(shrink_wants_look(&s));
	assert_false(shrink_look(&s, 0, BUSY));
}

static void while_the_load_lasts_nothing_is(void **state)
{
	struct shrink s = {0};
	uint64_t work = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		shrink_note(&s, (25 + i % 16) * MIB, work + 1);
		assert_true(shrink_wants_look(&s));
		assert_false(shrink_look(&s, (25 + i % 16) * MIB, work += BUSY));
	}
	/* what is left is measured by the next burst, not by the last one */
	assert_true(shrink_look(&s, 20 * MIB, work += BUSY));
	assert_true(shrink_wants_look(&s));
	assert_false(shrink_look(&s, 11 * MIB, work += BUSY));
	assert_true(shrink_look(&s, 10 * MIB, work += BUSY));
}

static void what_only_passes_is_given_back_when_it_ends(void **state)
{
	struct shrink s = {0};
	uint64_t work = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		shrink_note_surge(&s, 10 * MIB);
		shrink_note(&s, 0, work + 1);
		assert_true(shrink_wants_look(&s));
		assert_false(shrink_look(&s, 0, work += BUSY));
	}
	/* the odd message does not count */
	assert_true(shrink_look(&s, 0, work += SHRINK_IDLE_WORK));
	assert_false(shrink_wants_look(&s));
	assert_false(shrink_look(&s, 0, work));
}

static void one_that_is_large_and_idle_is_left_alone(void **state)
{
	struct shrink s = {0};

	(void)state;
	shrink_note(&s, 40 * MIB, BUSY);
	assert_true(shrink_wants_look(&s));
	assert_false(shrink_look(&s, 40 * MIB, BUSY));
	/* that was work; one more look must see whether it is over */
	shrink_note(&s, 40 * MIB, BUSY);
	assert_true(shrink_wants_look(&s));
	assert_false(shrink_look(&s, 40 * MIB, BUSY));
	shrink_note(&s, 40 * MIB, BUSY);
	assert_false(shrink_wants_look(&s));
	shrink_note(&s, 1, BUSY + 1);
	assert_true(shrink_wants_look(&s));
	assert_true(shrink_look(&s, 1, BUSY + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(small_bursts_are_not_worth_a_look),
	        cmocka_unit_test(after_a_burst_it_is_given_back_once),
	        cmocka_unit_test(while_the_load_lasts_nothing_is),
	        cmocka_unit_test(one_that_is_large_and_idle_is_left_alone),
	        cmocka_unit_test(what_only_passes_is_given_back_when_it_ends),
	};

	return cmocka_run_group_tests_name("shrink", tests, NULL, NULL);
}
