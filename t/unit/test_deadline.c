/*
 * Unit tests of base/deadline
 */

#include "libnc/base/deadline.h"
#include "t/unit/nomem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define N 300

static uint64_t random_state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* The least of those that are in, by looking at all. */
static uint64_t least(const struct deadline *d)
{
	uint64_t at = DEADLINE_NEVER;

	for (unsigned i = 0; i < N; i++)
		if (deadline_is_set(&d[i]) && d[i].at < at)
			at = d[i].at;
	return at;
}

static void the_first_is_the_earliest_whatever_is_put_moved_and_taken_out(void **state)
{
	struct deadline d[N] = {0};
	struct deadlines h = {0};

	(void)state;
	assert_null(deadlines_first(&h));
	assert_int_equal(deadlines_reserve(&h, N), 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct deadline *one = &d[draw(N)];

		switch (draw(4)) {
		case 0: deadline_clear(&h, one); break;
		case 1: deadline_set(&h, one, DEADLINE_NEVER); break;
		default: deadline_set(&h, one, draw(1000));
		}
		assert_true(deadlines_when(&h) == least(d));
	}
	deadlines_fini(&h);
}

static void all_come_in_the_order_of_their_times(void **state)
{
	struct deadline d[N] = {0}, *first;
	struct deadlines h = {0};
	uint64_t before = 0;
	unsigned n = 0;

	(void)state;
	assert_int_equal(deadlines_reserve(&h, N), 0);
	for (unsigned i = 0; i < N; i++)
		deadline_set(&h, &d[i], draw(N));
	while ((first = deadlines_first(&h))) {
		assert_true(first->at >= before);
		before = first->at;
		deadline_clear(&h, first);
		assert_false(deadline_is_set(first));
		n++;
	}
	assert_int_equal(n, N);
	deadlines_fini(&h);
}

static void what_is_in_none_is_taken_out_of_none(void **state)
{
	struct deadline d = {0};
	struct deadlines h = {0};

	(void)state;
	deadline_clear(&h, &d);
	deadline_set(&h, &d, DEADLINE_NEVER);
	assert_false(deadline_is_set(&d));
	assert_true(deadlines_when(&h) == DEADLINE_NEVER);
}

static void without_memory_there_is_no_room_and_nothing_has_changed(void **state)
{
	struct deadline d = {0};
	struct deadlines h = {0};
	bool failed;

	(void)state;
	assert_int_equal(deadlines_reserve(&h, 1), 0);
	deadline_set(&h, &d, 7);
	nomem_after(0);
	assert_int_equal(deadlines_reserve(&h, 1000), -ENOMEM);
	failed = nomem_off();
	assert_true(failed);
	assert_true(deadlines_when(&h) == 7);
	deadlines_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_is_the_earliest_whatever_is_put_moved_and_taken_out),
	        cmocka_unit_test(all_come_in_the_order_of_their_times),
	        cmocka_unit_test(what_is_in_none_is_taken_out_of_none),
	        cmocka_unit_test(without_memory_there_is_no_room_and_nothing_has_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
