/*
 * Unit tests of mesh/session: two or three hosts, joined by a wire of which each test says what it
 * does to datagrams. What chance does to many hosts is tested in t/sim.
 */

#include "mesh/seal.h"
#include "t/unit/mesh_hosts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What opening of a datagram comes to; 0: what it really does. */
static int opening_fails;

int __real_seal_open(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len,
                     uint8_t *buf, size_t len, const uint8_t tag[SEAL_TAG_LEN]);
int __wrap_seal_open(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len,
                     uint8_t *buf, size_t len, const uint8_t tag[SEAL_TAG_LEN]);
int __wrap_seal_open(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len,
                     uint8_t *buf, size_t len, const uint8_t tag[SEAL_TAG_LEN])
{
	return opening_fails ? opening_fails
	                     : __real_seal_open(s, counter, ad, ad_len, buf, len, tag);
}

/* Whether there is memory for a context of a key, and how many were wiped. */
static bool setting_fails;
static unsigned n_wiped;

int __real_seal_set(struct seal *s, const struct key *k, const char *cluster, size_t cluster_len,
                    const uint8_t boot[SEAL_BOOT_LEN]);
int __wrap_seal_set(struct seal *s, const struct key *k, const char *cluster, size_t cluster_len,
                    const uint8_t boot[SEAL_BOOT_LEN]);
int __wrap_seal_set(struct seal *s, const struct key *k, const char *cluster, size_t cluster_len,
                    const uint8_t boot[SEAL_BOOT_LEN])
{
	int err = __real_seal_set(s, k, cluster, cluster_len, boot);

	return setting_fails ? -ENOMEM : err;
}

void __real_seal_free(struct seal *s);
void __wrap_seal_free(struct seal *s);
void __wrap_seal_free(struct seal *s)
{
	n_wiped += s != NULL;
	__real_seal_free(s);
}

void __real_seal_clear(struct seal *s);
void __wrap_seal_clear(struct seal *s);
void __wrap_seal_clear(struct seal *s)
{
	n_wiped++;
	__real_seal_clear(s);
}

/* Both hosts learn that keys have changed, without memory. Returns how many contexts are wiped. */
static unsigned change_keys(void)
{
	n_wiped = 0;
	setting_fails = true;
	mesh_keys_changed(hosts[0].m);
	mesh_keys_changed(hosts[1].m);
	setting_fails = false;
	return n_wiped;
}

static void what_was_made_of_a_removed_key_is_wiped_without_memory_for_another(void **state)
{
	const uint8_t secret[CRYPTO_KEY_LEN] = {4, 5, 6};
	struct key other;

	(void)state;
	assert_int_equal(key_init(&other, crypto, CIPHER_CHACHA20_POLY1305, secret), 0);
	two_up();
	assert_int_equal(keyring_install(&keys, &other), 0);
	assert_int_equal(keyring_use(&keys, other.id), 0);
	assert_int_equal(keyring_remove(&keys, key.id), 0);
	/* of each host the spare one, and that for the other host */
	assert_int_equal(change_keys(), 4);
	emit(&hosts[0], 0, 10, 100);
	run(1000 * MS);
	assert_int_equal(hosts[1].heard, 10);
	assert_int_equal(keyring_install(&keys, &key), 0);
	assert_int_equal(keyring_use(&keys, key.id), 0);
	assert_int_equal(keyring_remove(&keys, other.id), 0);
	assert_int_equal(change_keys(), 4);
}

static void a_datagram_that_there_is_no_memory_to_open_is_not_counted_as_forged(void **state)
{
	static const int errors[] = {-ENOMEM, -EIO};
	uint64_t before;

	(void)state;
	two_up();
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		before = dropped(MESH_DROP_MEMORY);
		opening_fails = errors[i];
		emit(&hosts[0], 10 * (unsigned)i, 10, 100);
		carry();
		opening_fails = 0;
		assert_true(dropped(MESH_DROP_MEMORY) > before);
		assert_int_equal(dropped(MESH_DROP_AUTH), 0);
	}
	opening_fails = SEAL_FORGED;
	emit(&hosts[0], 20, 10, 100);
	carry();
	opening_fails = 0;
	assert_true(dropped(MESH_DROP_AUTH) > 0);
	/* and what was not opened is asked for again */
	run(2000 * MS);
	assert_int_equal(hosts[1].heard, 30);
	assert_int_equal(hosts[1].missed, 0);
}

static void two_hosts_meet_and_messages_arrive_in_order(void **state)
{
	(void)state;
	two_up();
	emit(&hosts[0], 0, 1000, 100);
	run(1000 * MS);
	assert_int_equal(hosts[1].heard, 1000);
	assert_int_equal(hosts[1].missed, 0);
	assert_true(mesh_is_drained(hosts[0].m));
}

static void what_is_lost_on_the_wire_is_repaired(void **state)
{
	unsigned i;

	(void)state;
	two_up();
	boot(2, "C");
	run(3000 * MS);
	lossy = lose_tenth;
	for (i = 0; i < 1000; i++) {
		emit(&hosts[0], 10 * i, 10, 500);
		run(MS);
	}
	run(2000 * MS);
	assert_int_equal(hosts[1].heard, 10000);
	assert_int_equal(hosts[2].heard, 10000);
	assert_int_equal(hosts[1].missed, 0);
	assert_true(mesh_is_drained(hosts[0].m));
}

/* Loses the 10th and 30th full datagram to the group, and the first repair; each takes its time. */
static unsigned n_full, n_repairs;

static bool lose_a_repair(const struct datagram *d)
{
	now_ns += 5000;
	if (d->to != 1 || d->len < 1000)
		return false;
	if (d->group)
		return ++n_full == 10 || n_full == 30;
	return ++n_repairs == 1;
}

static void a_lost_repair_is_asked_for_again_when_a_later_one_comes(void **state)
{
	(void)state;
	two_up();
	n_full = n_repairs = 0;
	lossy = lose_a_repair;
	emit(&hosts[0], 0, 100, 1400);
	/* no timer goes off meanwhile */
	carry();
	assert_int_equal(n_repairs, 3);
	assert_int_equal(hosts[1].heard, 100);
	assert_int_equal(hosts[1].missed, 0);
}

static void frames_larger_than_a_datagram_pass(void **state)
{
	(void)state;
	two_up();
	lossy = lose_tenth;
	emit(&hosts[0], 0, 20, 65000);
	run(2000 * MS);
	assert_int_equal(hosts[1].heard, 20);
}

static void a_reader_that_takes_nothing_closes_the_window_and_is_evicted(void **state)
{
	size_t taken = 0, n;
	struct mesh_stats s;

	(void)state;
	two_up();
	hosts[1].room = 5000;
	do {
		n = emit(&hosts[0], taken / 1026, 100, 1000);
		taken += n;
		run(10 * MS);
	} while (n && taken < 100u << 20);
	assert_true(taken < 20u << 20);
	assert_false(hosts[0].writable);
	run(1500 * MS);
	assert_true(hosts[0].writable);
	mesh_stats(hosts[0].m, &s);
	assert_int_equal(s.evictions, 1);
	/* It takes again: what is here is delivered, the rest told exactly. */
	hosts[1].room = SIZE_MAX;
	mesh_in_resume(hosts[1].m, hosts[1].in[0], now_ns);
	run(3000 * MS);
	assert_true(hosts[1].missed > 0);
	assert_false(hosts[1].inexact);
	mesh_stats(hosts[0].m, &s);
	assert_int_equal(hosts[1].heard + hosts[1].missed, s.messages_out);
}

static void a_clean_leave_is_exact_and_a_crash_is_not(void **state)
{
	(void)state;
	two_up();
	emit(&hosts[0], 0, 10, 100);
	run(100 * MS);
	mesh_leave(hosts[0].m, now_ns);
	assert_true(mesh_is_drained(hosts[0].m));
	mesh_bye(hosts[0].m, now_ns);
	run(100 * MS);
	assert_true(hosts[1].gone);
	assert_int_equal(hosts[1].heard, 10);
	assert_int_equal(hosts[1].missed, 0);
}

static void a_partition_is_told_exactly_when_it_heals(void **state)
{
	(void)state;
	two_up();
	emit(&hosts[0], 0, 10, 100);
	run(100 * MS);
	hosts[1].deaf = true;
	emit(&hosts[0], 10, 10, 100);
	run(20000 * MS);
	hosts[1].deaf = false;
	run(10000 * MS);
	emit(&hosts[0], 20, 10, 100);
	run(1000 * MS);
	assert_int_equal(hosts[1].heard + hosts[1].missed, 30);
	assert_true(hosts[1].heard >= 20);
}

static void on_multicast(void *arg, const struct mesh_peer_info *info)
{
	*(bool *)arg |= info->multicast_heard;
}

/* Whether B hears anybody by the group. */
static bool is_group_heard(void)
{
	bool is_heard = false;

	mesh_each_peer(hosts[1].m, on_multicast, &is_heard);
	return is_heard;
}

static bool lose_group(const struct datagram *d)
{
	return d->group;
}

static void a_group_that_is_heard_no_more_is_not_shown_as_heard(void **state)
{
	(void)state;
	two_up();
	assert_true(is_group_heard());
	lossy = lose_group;
	run(4000 * MS);
	assert_true(is_group_heard());
	run(3000 * MS);
	assert_false(is_group_heard());
	/* from host to host they hear each other all the same */
	lossy = NULL;
	run(2000 * MS);
	assert_true(is_group_heard());
	assert_int_equal(hosts[1].ups, 1);
}

static void a_second_host_of_the_same_name_is_refused(void **state)
{
	(void)state;
	two_up();
	boot(2, "A");
	run(5000 * MS);
	assert_int_equal(hosts[1].ups, 1);
	emit(&hosts[0], 0, 10, 100);
	run(100 * MS);
	assert_int_equal(hosts[1].heard, 10);
}

static bool is_above_narrow(const struct datagram *d)
{
	return d->len > 700;
}

static bool is_above_all(const struct datagram *d)
{
	return d->len > 400;
}

/* Where some large datagrams pass the others are too large for the link, and asking again is of no
 * use for a while; where none does, something else is the matter. */
static void hosts_with_no_room_for_large_datagrams_are_refused_only_where_some_pass(void **state)
{
	(void)state;
	boot(0, "A");
	boot(1, "B");
	lossy = is_above_all;
	run(30000 * MS);
	assert_int_equal(hosts[0].ups + hosts[1].ups, 0);
	lossy = NULL;
	run(3000 * MS);
	assert_int_equal(hosts[0].ups, 1);
	assert_int_equal(hosts[1].ups, 1);
	boot(2, "C");
	lossy = is_above_narrow;
	run(30000 * MS);
	lossy = NULL;
	run(3000 * MS);
	assert_int_equal(hosts[2].ups, 0);
}

static void a_new_boot_takes_the_place_of_one_that_crashed(void **state)
{
	(void)state;
	two_up();
	mesh_free(hosts[0].m);
	boot(0, "A");
	hosts[0].lane = mesh_lane_open(hosts[0].m, "c", MESH_RELIABLE, &hosts[0], now_ns);
	run(5000 * MS);
	assert_int_equal(hosts[1].ups, 2);
	assert_true(hosts[1].gone);
	hosts[1].expect = 0;
	emit(&hosts[0], 0, 10, 100);
	run(100 * MS);
	assert_int_equal(hosts[1].heard, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(two_hosts_meet_and_messages_arrive_in_order, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(what_is_lost_on_the_wire_is_repaired, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                a_lost_repair_is_asked_for_again_when_a_later_one_comes, setup, teardown),
	        cmocka_unit_test_setup_teardown(frames_larger_than_a_datagram_pass, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                a_reader_that_takes_nothing_closes_the_window_and_is_evicted, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(a_clean_leave_is_exact_and_a_crash_is_not, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_partition_is_told_exactly_when_it_heals, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_group_that_is_heard_no_more_is_not_shown_as_heard,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(a_second_host_of_the_same_name_is_refused, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                hosts_with_no_room_for_large_datagrams_are_refused_only_where_some_pass,
	                setup, teardown),
	        cmocka_unit_test_setup_teardown(a_new_boot_takes_the_place_of_one_that_crashed,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                a_datagram_that_there_is_no_memory_to_open_is_not_counted_as_forged, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(
	                what_was_made_of_a_removed_key_is_wiped_without_memory_for_another, setup,
	                teardown),
	};

	if (hosts_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
