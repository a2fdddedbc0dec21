/*
 * Unit tests of mesh/session: two or three hosts, joined by a wire of which each test says what it
 * does to datagrams. What chance does to many hosts is tested in t/sim.
 */

#include "libnc/wire/frame.h"
#include "mesh/key.h"
#include "mesh/seal.h"
#include "mesh/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_HOSTS 3
#define MS      UINT64_C(1000000)
#define QUEUE   65536

static struct crypto *crypto;
static struct keyring keys;

struct host {
	struct mesh *m;
	struct mesh_addr addr;
	struct mesh_lane *lane;
	struct mesh_in *in[N_HOSTS];
	uint64_t heard;  /* messages of host 0 */
	uint64_t missed; /* told by gap() */
	uint64_t expect; /* number of the next one */
	bool inexact, gone, writable, deaf, refuses;
	uint8_t part[70000];
	size_t part_len;
	size_t room; /* what deliver() takes; SIZE_MAX: all */
	unsigned ups;
};

struct datagram {
	struct mesh_addr from;
	unsigned to;
	bool group;
	size_t len;
	uint8_t *data;
};

#define N_MORE 6

static struct host hosts[N_HOSTS];
/* Further lanes of A, "d" and so on, as A writes them and as B hears them. */
static struct host more[N_MORE];
static size_t memory_max; /* of hosts that boot; 0: the default */
static unsigned n_hosts;
static uint64_t now_ns;
static uint64_t rng;
/* What the wire does: returns whether a datagram is lost. */
static bool (*lossy)(const struct datagram *d);

static uint64_t chance(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void on_random(void *arg, void *p, size_t n)
{
	uint8_t *b = p;

	(void)arg;
	while (n--)
		*b++ = (uint8_t)chance();
}

static void *on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                       enum mesh_class class, struct mesh_in *in)
{
	struct host *h = arg;

	(void)tag;
	(void)class;
	if (h == &hosts[1] && channel[0] > 'c' && channel[0] <= 'c' + N_MORE) {
		more[channel[0] - 'd'].in[0] = in;
		return &more[channel[0] - 'd'];
	}
	if (strcmp(channel, "c") || h->refuses || host[0] != 'A' || h == &hosts[0])
		return NULL;
	h->in[0] = in;
	return h;
}

static void take_frame(struct host *h, const uint8_t *p, size_t n)
{
	struct frame_emit f;
	uint64_t number;

	assert_int_equal(frame_emit_get(&f, p, n, 1u << 20), FRAME_OK);
	memcpy(&number, p + f.head_len, sizeof(number));
	assert_true(number >= h->expect);
	assert_true(number - h->expect == 0 || h->missed);
	h->expect = number + 1;
	h->heard++;
}

static size_t on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	struct host *h = obj;
	size_t at = 0;

	(void)arg;
	if (len > h->room)
		len = h->room;
	if (h->room != SIZE_MAX)
		h->room -= len;
	assert_true(h->part_len + len <= sizeof(h->part));
	memcpy(h->part + h->part_len, p, len);
	h->part_len += len;
	while (h->part_len - at >= FRAME_PREFIX_LEN) {
		struct frame_prefix f = frame_prefix_get(h->part + at);

		if (h->part_len - at < f.len)
			break;
		take_frame(h, h->part + at, f.len);
		at += f.len;
	}
	memmove(h->part, h->part + at, h->part_len - at);
	h->part_len -= at;
	return len;
}

static void on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	struct host *h = obj;

	(void)arg;
	h->missed += count;
	h->inexact |= !exact;
	h->part_len = 0;
}

static void on_gone(void *arg, void *obj)
{
	struct host *h = obj;

	(void)arg;
	h->gone = true;
	h->part_len = 0;
}

static void on_writable(void *arg, void *user)
{
	(void)arg;
	((struct host *)user)->writable = true;
}

static void on_peer(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	struct host *h = arg;

	(void)was;
	h->ups += info->state == MESH_PEER_UP;
}

static void on_evicted(void *arg, const struct mesh_peer_info *info, const char *channel)
{
	(void)arg;
	(void)info;
	assert_string_equal(channel, "c");
}

static void boot(unsigned i, const char *name)
{
	struct host *h = &hosts[i];
	struct mesh_config c;
	struct mesh_env env = {.arg = h,
	                       .random = on_random,
	                       .accept = on_accept,
	                       .deliver = on_deliver,
	                       .gap = on_gap,
	                       .gone = on_gone,
	                       .writable = on_writable,
	                       .peer = on_peer,
	                       .evicted = on_evicted};

	memset(h, 0, sizeof(*h));
	h->room = SIZE_MAX;
	h->addr = (struct mesh_addr){.len = 4, .bytes = {10, 0, 0, (uint8_t)(i + 1)}};
	mesh_config_init(&c);
	c.host = name;
	c.version = "test";
	c.rcvbuf = 4u << 20;
	if (memory_max)
		c.memory_max = c.lane_max = memory_max;
	on_random(NULL, c.boot, sizeof(c.boot));
	assert_int_equal(mesh_new(&h->m, &c, &env, crypto, &keys, now_ns), 0);
	if (i >= n_hosts)
		n_hosts = i + 1;
}

/* Carries all that is to be sent, and what that causes, until nothing is to be sent now. */
static void carry(void)
{
	static uint8_t buf[MESH_DATAGRAM_MAX], copy[MESH_DATAGRAM_MAX];
	bool any = true;
	unsigned i, k;

	while (any) {
		any = false;
		for (i = 0; i < n_hosts; i++) {
			struct mesh_addr to;
			size_t n = hosts[i].m ? mesh_next(hosts[i].m, buf, sizeof(buf), &to, now_ns)
			                      : 0;

			if (!n)
				continue;
			any = true;
			for (k = 0; k < n_hosts; k++) {
				struct datagram d = {hosts[i].addr, k, !to.len, n, buf};

				if (!hosts[k].m || hosts[k].deaf ||
				    (to.len && memcmp(&to, &hosts[k].addr, sizeof(to))) ||
				    (lossy && k != i && lossy(&d)))
					continue;
				memcpy(copy, buf, n);
				mesh_recv(hosts[k].m, copy, n, &hosts[i].addr, d.group, now_ns);
			}
		}
	}
}

/* Lets time pass. */
static void run(uint64_t ns)
{
	uint64_t end = now_ns + ns;
	unsigned i;

	for (;;) {
		uint64_t at = end;

		carry();
		for (i = 0; i < n_hosts; i++) {
			uint64_t t = hosts[i].m ? mesh_next_expiry(hosts[i].m) : UINT64_MAX;

			at = t < at ? t : at;
		}
		if (at >= end)
			break;
		now_ns = at > now_ns ? at : now_ns + 1000;
		for (i = 0; i < n_hosts; i++)
			if (hosts[i].m)
				mesh_tick(hosts[i].m, now_ns);
	}
	now_ns = end;
	for (i = 0; i < n_hosts; i++)
		if (hosts[i].m)
			mesh_tick(hosts[i].m, now_ns);
	carry();
}

/* Writes messages number..number+n-1 of `size` payload bytes; returns how many bytes were taken. */
static size_t emit(struct host *h, uint64_t number, unsigned n, size_t size)
{
	uint8_t frame[66000];
	struct frame_emit f = {.sender = 1,
	                       .channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = (uint32_t)size};
	size_t taken = 0, len;

	while (n--) {
		struct iovec iov;
		ssize_t r;

		f.seq = number + 1;
		len = frame_emit_head_put(frame, sizeof(frame), &f);
		memset(frame + len, (int)number, size);
		memcpy(frame + len, &number, sizeof(number));
		iov = (struct iovec){frame, len + size};
		r = mesh_lane_write(h->m, h->lane, &iov, 1, now_ns);
		assert_true(r >= 0);
		taken += (size_t)r;
		if ((size_t)r < len + size)
			break;
		number++;
	}
	return taken;
}

static int setup(void **state)
{
	(void)state;
	memset(hosts, 0, sizeof(hosts));
	memset(more, 0, sizeof(more));
	memory_max = 0;
	n_hosts = 0;
	now_ns = 1000 * MS;
	rng = 88172645463325252u;
	lossy = NULL;
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < n_hosts; i++)
		mesh_free(hosts[i].m);
	return 0;
}

static void two_up(void)
{
	boot(0, "A");
	boot(1, "B");
	hosts[0].lane = mesh_lane_open(hosts[0].m, "c", MESH_RELIABLE, &hosts[0], now_ns);
	assert_non_null(hosts[0].lane);
	run(3000 * MS);
	assert_int_equal(hosts[0].ups, 1);
	assert_int_equal(hosts[1].ups, 1);
}

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

/* How many datagrams B has dropped for a reason. */
static uint64_t dropped(enum mesh_drop why)
{
	struct mesh_stats s;

	mesh_stats(hosts[1].m, &s);
	return s.dropped[why];
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

static bool lose_all(const struct datagram *d)
{
	(void)d;
	return true;
}

static bool lose_to_a(const struct datagram *d)
{
	return d->to == 0;
}

static bool lose_tenth(const struct datagram *d)
{
	(void)d;
	return chance() % 10 == 0;
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
	        cmocka_unit_test_setup_teardown(
	                what_is_kept_of_a_segment_counts_as_memory_of_the_windows, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                lanes_that_take_nothing_hold_no_more_than_they_may_and_lose_nothing, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(
	                who_parts_is_not_waited_for_though_that_it_parts_is_lost, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_clean_leave_is_exact_and_a_crash_is_not, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_partition_is_told_exactly_when_it_heals, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                what_nobody_heard_is_told_as_missing_however_often_it_was_told_before,
	                setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                what_nobody_heard_of_a_best_effort_lane_is_told_as_missing_too, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(a_second_host_of_the_same_name_is_refused, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_new_boot_takes_the_place_of_one_that_crashed,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                a_datagram_that_there_is_no_memory_to_open_is_not_counted_as_forged, setup,
	                teardown),
	};
	const uint8_t secret[CRYPTO_KEY_LEN] = {1, 2, 3};
	struct key k;

	if (crypto_new(&crypto, 0) || key_init(&k, crypto, CIPHER_DEFAULT, secret))
		return 1;
	keyring_init(&keys);
	if (keyring_install(&keys, &k) || keyring_use(&keys, k.id))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
