/*
 * Unit tests of client/request
 */

#include "libnc/client/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "t/unit/nomem.h"

static void on_reply(nc_client *c, int error, const nc_msg *answer, void *arg)
{
	(void)c;
	(void)error;
	(void)answer;
	(void)arg;
}

static uint64_t add(struct request_table *t, uint64_t deadline_ns, void *arg)
{
	struct request *r;

	assert_int_equal(request_add(t, deadline_ns, on_reply, arg, &r), NC_OK);
	assert_int_not_equal(r->id, 0);
	return r->id;
}

static void an_answer_finds_its_request_once(void **state)
{
	struct request_table t;
	struct request r;
	int a, b;
	uint64_t id_a, id_b;

	(void)state;
	request_init(&t);
	id_a = add(&t, 10, &a);
	id_b = add(&t, 10, &b);
	assert_int_not_equal(id_a, id_b);
	assert_true(request_take(&t, id_b, &r));
	assert_ptr_equal(r.arg, &b);
	assert_ptr_equal(r.fn, on_reply);
	assert_false(request_take(&t, id_b, &r));
	assert_true(request_take(&t, id_a, &r));
	assert_ptr_equal(r.arg, &a);
	assert_int_equal(t.n_open, 0);
	request_fini(&t);
}

static void a_late_answer_finds_nothing_in_the_slot_that_was_given_anew(void **state)
{
	struct request_table t;
	struct request r;
	uint64_t old, n;

	(void)state;
	request_init(&t);
	old = add(&t, 10, NULL);
	assert_true(request_take(&t, old, &r));
	for (n = 0; n < 100; n++) {
		uint64_t id = add(&t, 10, NULL);

		assert_int_not_equal(id, old);
		assert_false(request_take(&t, old, &r));
		assert_true(request_take(&t, id, &r));
	}
	request_fini(&t);
}

static void ids_that_were_never_given_find_nothing(void **state)
{
	static const uint64_t ids[] = {0, 1, REQUEST_MAX, REQUEST_MAX - 1, UINT64_MAX};
	struct request_table t;
	struct request r;

	(void)state;
	request_init(&t);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_false(request_take(&t, ids[i], &r));
	add(&t, 10, NULL);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_false(request_take(&t, ids[i], &r));
	request_fini(&t);
}

static void no_more_than_the_maximum_are_open(void **state)
{
	struct request_table t;
	struct request *r, out;
	uint64_t last = 0;

	(void)state;
	request_init(&t);
	for (unsigned i = 0; i < REQUEST_MAX; i++)
		last = add(&t, i, NULL);
	assert_int_equal(request_add(&t, 1, on_reply, NULL, &r), NC_EQUOTA);
	assert_true(request_take(&t, last, &out));
	add(&t, 1, NULL);
	request_fini(&t);
}

static void deadlines_end_requests_in_their_order(void **state)
{
	static uint64_t deadlines[] = {50, 10, 40, 10, 30};
	static const unsigned order[] = {1, 3, 4, 2, 0};
	struct request_table t;
	struct request r;

	(void)state;
	request_init(&t);
	assert_int_equal(request_next_ns(&t), REQUEST_NEVER);
	for (unsigned i = 0; i < 5; i++)
		add(&t, deadlines[i], &deadlines[i]);
	assert_int_equal(request_next_ns(&t), 10);
	assert_false(request_take_ended(&t, 9, &r));
	for (unsigned i = 0; i < 5; i++) {
		uint64_t deadline = deadlines[order[i]];

		assert_false(request_take_ended(&t, deadline - 1, &r));
		assert_int_equal(request_next_ns(&t), deadline);
		assert_true(request_take_ended(&t, deadline, &r));
		assert_ptr_equal(r.arg, &deadlines[order[i]]);
		assert_int_equal(r.error, NC_ETIMEOUT);
	}
	assert_int_equal(request_next_ns(&t), REQUEST_NEVER);
	assert_false(request_take_ended(&t, UINT64_MAX, &r));
	request_fini(&t);
}

static void what_fails_ends_at_once_and_with_its_error(void **state)
{
	struct request_table t;
	struct request r;

	(void)state;
	request_init(&t);
	add(&t, 1000, NULL);
	add(&t, 2000, NULL);
	request_fail_all(&t, NC_ECLOSED);
	assert_int_equal(request_next_ns(&t), 0);
	add(&t, 3000, NULL);
	assert_true(request_take_ended(&t, 1, &r));
	assert_int_equal(r.error, NC_ECLOSED);
	assert_true(request_take_ended(&t, 1, &r));
	assert_int_equal(r.error, NC_ECLOSED);
	assert_false(request_take_ended(&t, 1, &r));
	assert_int_equal(request_next_ns(&t), 3000);
	request_fini(&t);
}

static void a_refused_emit_finds_its_request_by_the_sequence(void **state)
{
	struct request_table t;
	struct request *p, r;
	int a;

	(void)state;
	request_init(&t);
	add(&t, 10, NULL);
	assert_int_equal(request_add(&t, 10, on_reply, &a, &p), NC_OK);
	p->seq = 77;
	assert_false(request_take_seq(&t, 0, &r));
	assert_false(request_take_seq(&t, 78, &r));
	assert_true(request_take_seq(&t, 77, &r));
	assert_ptr_equal(r.arg, &a);
	assert_false(request_take_seq(&t, 77, &r));
	request_fini(&t);
}

static void without_memory_nothing_changes(void **state)
{
	struct request_table t;
	struct request *p;

	(void)state;
	request_init(&t);
	nomem_after(0);
	assert_int_equal(request_add(&t, 10, on_reply, NULL, &p), NC_ENOMEM);
	nomem_off();
	assert_int_equal(t.n_open, 0);
	assert_int_equal(request_next_ns(&t), REQUEST_NEVER);
	add(&t, 10, NULL);
	request_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_answer_finds_its_request_once),
	        cmocka_unit_test(a_late_answer_finds_nothing_in_the_slot_that_was_given_anew),
	        cmocka_unit_test(ids_that_were_never_given_find_nothing),
	        cmocka_unit_test(no_more_than_the_maximum_are_open),
	        cmocka_unit_test(deadlines_end_requests_in_their_order),
	        cmocka_unit_test(what_fails_ends_at_once_and_with_its_error),
	        cmocka_unit_test(a_refused_emit_finds_its_request_by_the_sequence),
	        cmocka_unit_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
