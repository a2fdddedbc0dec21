/*
 * Unit tests of mesh/lane, member and in: what hosts hold of lanes, who is waited for, and what is
 * told of what is missing.
 */

#include "t/unit/mesh_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static unsigned n_full, n_repairs;

/* B's windows hold no more than they may. */
static void expect_bound(size_t max)
{
	struct mesh_stats s;

	mesh_stats(hosts[1].m, &s);
	assert_true(s.memory_in <= max);
}

/* Loses the first full datagram to the group, and ten repairs. */
static bool lose_first(const struct datagram *d)
{
	if (d->to != 1 || d->len < 1000)
		return false;
	return d->group ? n_full++ == 0 : n_repairs++ < 10;
}

static void what_is_kept_of_a_segment_counts_as_memory_of_the_windows(void **state)
{
	size_t max = 4 * 1472;
	struct mesh_stats stats;
	unsigned i;

	(void)state;
	n_full = n_repairs = 0;
	two_up();
	mesh_free(hosts[1].m);
	memory_max = max;
	boot(1, "B");
	run(3000 * MS);
	/* the first of them comes when the others fill the windows, and is not taken */
	lossy = lose_first;
	hosts[1].room = 0;
	emit(&hosts[0], 0, 20, 1380);
	for (i = 0; i < 400; i++) {
		run(MS);
		expect_bound(max);
	}
	mesh_stats(hosts[1].m, &stats);
	assert_true(stats.data_in > 0);
	assert_int_equal(hosts[1].heard, 0);
	hosts[1].room = SIZE_MAX;
	mesh_in_resume(hosts[1].m, hosts[1].in[0], now_ns);
	run(2000 * MS);
	assert_int_equal(hosts[1].heard, 20);
	assert_int_equal(hosts[1].missed, 0);
}

static void lanes_that_take_nothing_hold_no_more_than_they_may_and_lose_nothing(void **state)
{
	size_t max = 4 * 1472;
	unsigned i;

	(void)state;
	boot(0, "A");
	memory_max = max;
	boot(1, "B");
	for (i = 0; i < N_MORE; i++) {
		char channel[] = {(char)('d' + i), 0};

		more[i].m = hosts[0].m;
		more[i].lane = mesh_lane_open(hosts[0].m, channel, MESH_RELIABLE, &more[i], now_ns);
		assert_non_null(more[i].lane);
	}
	run(3000 * MS);
	for (i = 0; i < N_MORE; i++)
		emit(&more[i], 0, 3, 1380);
	for (i = 0; i < 100; i++) {
		run(MS);
		expect_bound(max);
	}
	assert_true(dropped(MESH_DROP_MEMORY) > 0);
	for (i = 0; i < N_MORE; i++)
		more[i].room = SIZE_MAX;
	for (i = 0; i < N_MORE; i++)
		mesh_in_resume(hosts[1].m, more[i].in[0], now_ns);
	run(2000 * MS);
	for (i = 0; i < N_MORE; i++) {
		assert_int_equal(more[i].heard, 3);
		assert_int_equal(more[i].missed, 0);
	}
}

static void on_n_out(void *arg, const struct mesh_peer_info *info)
{
	*(uint32_t *)arg += info->n_out;
}

/* How many of A's lanes are heard by others, as A believes. */
static uint32_t n_heard(void)
{
	uint32_t n = 0;

	mesh_each_peer(hosts[0].m, on_n_out, &n);
	return n;
}

static void who_parts_is_not_waited_for_though_that_it_parts_is_lost(void **state)
{
	struct mesh_stats s;
	unsigned i;

	(void)state;
	two_up();
	assert_int_equal(n_heard(), 1);
	hosts[1].refuses = true;
	lossy = lose_to_a;
	mesh_offers_changed(hosts[1].m, now_ns);
	run(5 * MS);
	lossy = NULL;
	assert_true(hosts[1].gone);
	assert_int_equal(n_heard(), 1);
	/* nobody has said a word until something is written that it holds up */
	for (i = 0; i < 100; i++)
		emit(&hosts[0], 1000 * i, 1000, 1000);
	run(500 * MS);
	assert_int_equal(n_heard(), 0);
	mesh_stats(hosts[0].m, &s);
	assert_int_equal(s.evictions, 0);
	/* and it is let in again at once */
	hosts[1].refuses = false;
	mesh_offers_changed(hosts[1].m, now_ns);
	run(2000 * MS);
	assert_int_equal(n_heard(), 1);
}

/* A writes more than B takes, until it evicts it. Returns how long B is out then, in ms. */
static uint64_t out_for(uint64_t number)
{
	uint64_t since = now_ns;

	emit(&hosts[0], number, 100, 1000);
	for (; n_heard(); run(MS))
		assert_true(now_ns < since + 2000 * MS);
	for (since = now_ns; !n_heard(); run(MS))
		assert_true(now_ns < since + 30000 * MS);
	return (now_ns - since) / MS;
}

static void who_is_evicted_again_and_again_is_out_for_longer_each_time(void **state)
{
	static const uint64_t least[] = {100, 400, 1600, 6400, 20000, 20000};
	struct mesh_stats s;
	uint64_t i, n = sizeof(least) / sizeof(*least), out;

	(void)state;
	boot(0, "A");
	memory_max = 64u << 10;
	boot(1, "B");
	hosts[0].lane = mesh_lane_open(hosts[0].m, "c", MESH_RELIABLE, &hosts[0], now_ns);
	run(3000 * MS);
	hosts[1].room = 0;
	for (i = 0; i < n; i++) {
		out = out_for(100 * i);
		/* its JOIN comes once a second at least */
		assert_true(out >= least[i] && out < least[i] + 1100);
	}
	mesh_stats(hosts[0].m, &s);
	assert_int_equal(s.evictions, n);
	/* it takes again: at the head, and with an exact count */
	hosts[1].room = SIZE_MAX;
	mesh_in_resume(hosts[1].m, hosts[1].in[0], now_ns);
	emit(&hosts[0], 100 * n, 10, 100);
	run(61000 * MS);
	assert_int_equal(hosts[1].heard + hosts[1].missed, 100 * n + 10);
	assert_false(hosts[1].inexact);
	/* after a minute it is forgiven */
	hosts[1].room = 0;
	assert_true(out_for(100 * n + 10) < 1200);
}

/* A takes B for gone, which still hears where the lane stands: so much is missing for it, and what
 * A writes later leaves no other trace in the lane than its count. Then A sees B again. */
static void away_and_back(enum mesh_class class)
{
	unsigned ups;

	boot(0, "A");
	boot(1, "B");
	hosts[0].lane = mesh_lane_open(hosts[0].m, "c", class, &hosts[0], now_ns);
	run(3000 * MS);
	emit(&hosts[0], 0, 10, 100);
	run(100 * MS);
	assert_int_equal(hosts[1].heard, 10);
	lossy = lose_to_a;
	run(7000 * MS);
	emit(&hosts[0], 10, 10, 100);
	run(2000 * MS);
	if (class == MESH_RELIABLE) {
		lossy = lose_all;
		run(11000 * MS);
	}
	assert_int_equal(hosts[1].missed, 10);
	emit(&hosts[0], 20, 10, 100);
	lossy = NULL;
	for (ups = hosts[0].ups; hosts[0].ups == ups;)
		run(MS);
	if (class == MESH_RELIABLE)
		run(3000 * MS);
	emit(&hosts[0], 30, 10, 100);
	run(3000 * MS);
	assert_int_equal(hosts[1].heard, 20);
	assert_int_equal(hosts[1].missed, 20);
}

static void what_nobody_heard_is_told_as_missing_however_often_it_was_told_before(void **state)
{
	(void)state;
	away_and_back(MESH_RELIABLE);
}

static void what_nobody_heard_of_a_best_effort_lane_is_told_as_missing_too(void **state)
{
	(void)state;
	away_and_back(MESH_BEST_EFFORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                what_is_kept_of_a_segment_counts_as_memory_of_the_windows, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                lanes_that_take_nothing_hold_no_more_than_they_may_and_lose_nothing, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(
	                who_parts_is_not_waited_for_though_that_it_parts_is_lost, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                who_is_evicted_again_and_again_is_out_for_longer_each_time, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(
	                what_nobody_heard_is_told_as_missing_however_often_it_was_told_before,
	                setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                what_nobody_heard_of_a_best_effort_lane_is_told_as_missing_too, setup,
	                teardown),
	};

	if (hosts_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
