/* test_bus_stall.c - how long receivers that do not read hold up those who send */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncserver/bus/client.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/users.h"
#include "t/unit/bus_rig.h"

#define N_DEAF 8

static const char conf[] = "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
                           "\"block_timeout\":500}}}";

/* A listener whose socket takes nothing. */
static int deaf(struct rig *r)
{
	int i = rig_native(r, "A");

	rig_listen(r, i, ">");
	rig_turn(r);
	r->clients[i].kernel = 0;
	return i;
}

static bool is_held(const struct rig *r, int i)
{
	return !bus_wants_input(r->clients[i].c);
}

/* Emits until it has to wait. */
static void fill(struct rig *r, int i)
{
	static char data[1000];

	for (int n = 0; n < 1000 && !is_held(r, i); n++) {
		rig_emit(r, i, "A", "x", data, sizeof(data));
		rig_turn(r);
	}
	assert_true(is_held(r, i));
}

static void many_hold_up_a_sender_no_longer_than_one(void **state)
{
	struct rig r;
	int a, t[N_DEAF];

	(void)state;
	rig_init(&r, conf);
	a = rig_native(&r, "A");
	for (int i = 0; i < N_DEAF; i++)
		t[i] = deaf(&r);
	fill(&r, a);
	rig_wait(&r, 499);
	assert_true(is_held(&r, a));
	rig_wait(&r, 2);
	assert_false(is_held(&r, a));
	for (int i = 0; i < N_DEAF; i++)
		assert_null(r.clients[t[i]].c);
	rig_fini(&r);
}

static void who_reads_meanwhile_stays(void **state)
{
	struct rig r;
	int a, b, c;

	(void)state;
	rig_init(&r, conf);
	a = rig_native(&r, "A");
	b = deaf(&r);
	c = deaf(&r);
	fill(&r, a);
	rig_wait(&r, 300);
	r.clients[c].kernel = SIZE_MAX;
	rig_turn(&r);
	r.clients[c].kernel = 0;
	assert_true(is_held(&r, a));
	rig_wait(&r, 201);
	assert_null(r.clients[b].c);
	assert_false(is_held(&r, a));
	/* it has a time of its own, from when it is full again */
	fill(&r, a);
	rig_wait(&r, 499);
	assert_non_null(r.clients[c].c);
	rig_wait(&r, 2);
	assert_null(r.clients[c].c);
	rig_fini(&r);
}

static void time_in_which_nobody_waited_does_not_count(void **state)
{
	struct rig r;
	int a, b, c;

	(void)state;
	rig_init(&r, conf);
	a = rig_native(&r, "A");
	b = deaf(&r);
	c = deaf(&r);
	fill(&r, a);
	rig_wait(&r, 100);
	rig_close(&r, a);
	rig_turn(&r);
	rig_wait(&r, 60000);
	assert_non_null(r.clients[b].c);
	assert_non_null(r.clients[c].c);
	a = rig_native(&r, "A");
	fill(&r, a);
	rig_wait(&r, 499);
	assert_non_null(r.clients[b].c);
	assert_non_null(r.clients[c].c);
	rig_wait(&r, 2);
	assert_null(r.clients[b].c);
	assert_null(r.clients[c].c);
	assert_false(is_held(&r, a));
	rig_fini(&r);
}

static void the_next_deadline_is_that_of_who_still_holds_up_others(void **state)
{
	struct rig r;
	int a, b, c;
	uint64_t at;

	(void)state;
	rig_init(&r, conf);
	a = rig_native(&r, "A");
	assert_true(bus_next_deadline(r.bus) == UINT64_MAX);
	b = deaf(&r);
	fill(&r, a);
	at = r.now + 500000000;
	assert_true(bus_next_deadline(r.bus) == at);
	rig_wait(&r, 100);
	r.clients[b].kernel = SIZE_MAX;
	rig_turn(&r);
	assert_true(bus_next_deadline(r.bus) == UINT64_MAX);
	/* another is full 100 ms later; the first one is not, and its time is nobody's any more */
	c = deaf(&r);
	fill(&r, a);
	at = r.now + 500000000;
	assert_true(bus_next_deadline(r.bus) <= at);
	rig_wait(&r, 450);
	assert_true(bus_next_deadline(r.bus) == at);
	assert_non_null(r.clients[c].c);
	rig_wait(&r, 50);
	assert_null(r.clients[c].c);
	assert_non_null(r.clients[b].c);
	assert_true(bus_next_deadline(r.bus) == UINT64_MAX);
	rig_fini(&r);
}

static void a_timeout_that_is_made_shorter_holds_at_once(void **state)
{
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, conf);
	a = rig_native(&r, "A");
	b = deaf(&r);
	fill(&r, a);
	rig_reload(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
	               "\"block_timeout\":100}}}");
	rig_wait(&r, 99);
	assert_non_null(r.clients[b].c);
	rig_wait(&r, 1);
	assert_null(r.clients[b].c);
	rig_fini(&r);
}

/* Each waits for the other: the end of one is the end of the other's waiting. */
static void two_that_flood_each_other_and_do_not_read_are_ended_once(void **state)
{
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, conf);
	a = deaf(&r);
	b = deaf(&r);
	fill(&r, a);
	fill(&r, b);
	rig_wait(&r, 501);
	assert_true(!r.clients[a].c != !r.clients[b].c);
	assert_false(is_held(&r, r.clients[a].c ? a : b));
	rig_fini(&r);
}

static void a_ring_that_does_not_read_is_broken_where_it_must_be(void **state)
{
	struct rig r;
	int t[N_DEAF], left = 0;

	(void)state;
	rig_init(&r, conf);
	for (int i = 0; i < N_DEAF; i++)
		t[i] = deaf(&r);
	for (int i = 0; i < N_DEAF; i++)
		fill(&r, t[i]);
	rig_wait(&r, 501);
	for (int i = 0; i < N_DEAF; i++) {
		if (!r.clients[t[i]].c)
			continue;
		left++;
		assert_false(is_held(&r, t[i]));
	}
	assert_true(left <= 1);
	rig_fini(&r);
}

/* Who says one thing and goes, while it is held up: its connection stays until that is routed, and
 * counts as one as long. */
static void senders_that_go_while_they_are_held_up_are_bounded_and_lose_nothing(void **state)
{
	static const char packet[] = "{\"event\":\"x\",\"data\":1}";
	static const char mute[] = "{\"event\":\"nc.listen\",\"data\":[]}";
	enum nc_error why;
	struct rig r;
	uint64_t written;
	int a, ear, s[4];

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
	             "\"block_timeout\":500}},\"quotas\":[{\"user\":2000,\"connections\":4}]}");
	ear = rig_native(&r, "A");
	rig_listen(&r, ear, ">");
	a = rig_native(&r, "A");
	deaf(&r);
	fill(&r, a);
	written = r.clients[ear].c->out.flow.written;
	for (int i = 0; i < 4; i++) {
		s[i] = rig_accept(&r, "A", 2000, 100 + i, &why);
		assert_int_equal(why, NC_OK);
		rig_send(&r, s[i], mute, sizeof(mute), sizeof(mute));
		rig_send(&r, s[i], packet, sizeof(packet), sizeof(packet));
		assert_true(is_held(&r, s[i]));
		bus_input_eof(r.bus, r.clients[s[i]].c, r.now);
		rig_turn(&r);
		assert_non_null(r.clients[s[i]].c);
	}
	assert_int_equal(r.clients[s[0]].c->user->connections, 4);
	rig_accept(&r, "A", 2000, 104, &why);
	assert_int_equal(why, NC_EQUOTA);
	rig_wait(&r, 501);
	for (int i = 0; i < 4; i++)
		assert_null(r.clients[s[i]].c);
	/* theirs, and that of the one that filled the queue */
	assert_int_equal(r.clients[ear].c->out.flow.written, written + 4 + 1);
	rig_accept(&r, "A", 2000, 105, &why);
	assert_int_equal(why, NC_OK);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(many_hold_up_a_sender_no_longer_than_one),
	        cmocka_unit_test(who_reads_meanwhile_stays),
	        cmocka_unit_test(time_in_which_nobody_waited_does_not_count),
	        cmocka_unit_test(the_next_deadline_is_that_of_who_still_holds_up_others),
	        cmocka_unit_test(a_timeout_that_is_made_shorter_holds_at_once),
	        cmocka_unit_test(two_that_flood_each_other_and_do_not_read_are_ended_once),
	        cmocka_unit_test(a_ring_that_does_not_read_is_broken_where_it_must_be),
	        cmocka_unit_test(
	                senders_that_go_while_they_are_held_up_are_bounded_and_lose_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
