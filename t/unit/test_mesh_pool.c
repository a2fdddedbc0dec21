/*
 * Unit tests of mesh/pool: what is kept, and what is not
 */

#include "mesh/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void the_last_one_given_back_is_the_next(void **state)
{
	struct pool p = {.len = 1400};
	void *a = pool_get(&p, 1400), *b = pool_get(&p, 701);

	(void)state;
	memset(a, 1, 1400);
	memset(b, 2, 1400); /* any of them holds a full one */
	pool_put(&p, a, 1400);
	pool_put(&p, b, 701);
	assert_int_equal(p.n, 2);
	assert_ptr_equal(pool_get(&p, 1000), b);
	assert_ptr_equal(pool_get(&p, 1000), a);
	assert_int_equal(p.n, 0);
	pool_put(&p, a, 1000);
	pool_put(&p, b, 1000);
	pool_clear(&p);
	assert_int_equal(p.n, 0);
	assert_null(p.first);
}

static void short_ones_and_those_that_are_too_long_are_not_kept(void **state)
{
	static const size_t lens[] = {1, 700, 1401, 9000};
	struct pool p = {.len = 1400};

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		void *at = pool_get(&p, lens[i]);

		memset(at, 1, lens[i]);
		pool_put(&p, at, lens[i]);
		assert_int_equal(p.n, 0);
	}
	pool_put(&p, NULL, 1400);
	assert_int_equal(p.n, 0);
}

static void no_more_are_kept_than_a_bound(void **state)
{
	struct pool p = {.len = 100};
	void *all[POOL_MAX + 10];

	(void)state;
	for (size_t i = 0; i < POOL_MAX + 10; i++)
		all[i] = pool_get(&p, 100);
	for (size_t i = 0; i < POOL_MAX + 10; i++)
		pool_put(&p, all[i], 100);
	assert_int_equal(p.n, POOL_MAX);
	pool_clear(&p);
	assert_int_equal(p.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_last_one_given_back_is_the_next),
	        cmocka_unit_test(short_ones_and_those_that_are_too_long_are_not_kept),
	        cmocka_unit_test(no_more_are_kept_than_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
