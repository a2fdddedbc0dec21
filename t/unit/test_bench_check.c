/* test_bench_check.c - what the subscribers of ncbench notice */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/check.h"

#define LEN 40u

struct rig {
	uint8_t *filler, *payload;
	struct check check;
};

static void rig_init(struct rig *r, bool is_text, uint64_t n_wanted)
{
	r->filler = check_filler(LEN);
	r->payload = check_filler(LEN);
	check_init(&r->check, r->filler, LEN, is_text, n_wanted);
}

static void rig_fini(struct rig *r)
{
	free(r->filler);
	free(r->payload);
}

static bool take(struct rig *r, unsigned pub, uint64_t seq)
{
	check_put(r->payload, r->check.is_text, check_tag(pub, seq));
	return check_take(&r->check, r->payload, LEN);
}

static void what_is_right_counts_until_the_last_that_is_wanted(void **state)
{
	(void)state;
	for (int is_text = 0; is_text < 2; is_text++) {
		struct rig r;

		rig_init(&r, is_text, 400);
		for (uint64_t i = 0; i < 200; i++) {
			assert_false(take(&r, 0, i));
			assert_int_equal(take(&r, 63, i), i == 199);
		}
		assert_int_equal(r.check.n_received, 400);
		assert_int_equal(r.check.n_disordered, 0);
		assert_int_equal(r.check.n_corrupt, 0);
		rig_fini(&r);
	}
}

static void a_message_that_is_missing_or_comes_twice_is_noticed(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, false, 100);
	take(&r, 1, 0);
	take(&r, 1, 2);
	assert_int_equal(r.check.n_disordered, 1);
	take(&r, 1, 3);
	assert_int_equal(r.check.n_disordered, 1);
	take(&r, 1, 3);
	take(&r, 1, 1);
	assert_int_equal(r.check.n_disordered, 3);
	/* of another publisher all came */
	take(&r, 2, 0);
	assert_int_equal(r.check.n_disordered, 3);
	rig_fini(&r);
}

static void one_wrong_byte_in_a_payload_compared_whole_is_noticed(void **state)
{
	struct rig r;

	(void)state;
	for (unsigned at = CHECK_TAG_LEN; at < LEN; at++) {
		rig_init(&r, false, 100);
		r.payload[at] ^= 1;
		take(&r, 0, 0);
		assert_int_equal(r.check.n_corrupt, 1);
		rig_fini(&r);
	}
	rig_init(&r, false, 100);
	take(&r, 0, 0);
	r.payload[LEN - 1] ^= 1;
	/* only one in 64 is compared */
	for (uint64_t i = 1; i < CHECK_WHOLE_ONE; i++)
		take(&r, 0, i);
	assert_int_equal(r.check.n_corrupt, 0);
	take(&r, 0, CHECK_WHOLE_ONE);
	assert_int_equal(r.check.n_corrupt, 1);
	rig_fini(&r);
}

static void a_payload_of_another_length_is_corrupt(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, true, 100);
	check_put(r.payload, true, check_tag(0, 0));
	check_take(&r.check, r.payload, LEN - 1);
	check_take(&r.check, r.payload, 0);
	assert_int_equal(r.check.n_corrupt, 2);
	assert_int_equal(r.check.n_received, 2);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_right_counts_until_the_last_that_is_wanted),
	        cmocka_unit_test(a_message_that_is_missing_or_comes_twice_is_noticed),
	        cmocka_unit_test(one_wrong_byte_in_a_payload_compared_whole_is_noticed),
	        cmocka_unit_test(a_payload_of_another_length_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
