/*
 * Unit tests of a client that runs out of memory
 *
 * Each step is tried again and again with one more allocation allowed, until it succeeds. On the
 * way nothing may break, and when there is memory again the client must find back by itself.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "t/unit/fake_server.h"
#include "t/unit/nomem.h"

struct tally {
	unsigned n_messages;
	unsigned n_lost;
	unsigned n_answers;
};

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct tally *t = arg;

	(void)c;
	(void)m;
	t->n_messages++;
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	struct tally *t = arg;

	(void)c;
	if (s->kind == NC_STATUS_GAP)
		t->n_lost += (unsigned)s->count;
}

static void on_answer(nc_client *c, int error, const nc_msg *m, void *arg)
{
	struct tally *t = arg;

	(void)c;
	(void)error;
	(void)m;
	t->n_answers++;
}

static void check_counters(const nc_client *c)
{
	struct nc_counters n;

	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, n.written + n.dropped + n.queued);
}

/* Brings the client to CONNECTED, whatever state it was left in, and lets a message through. */
static void must_recover(struct fake *f, nc_client *c, struct tally *t)
{
	unsigned before = t->n_messages;

	nc_on(c, "alive", on_message, t);
	if (nc_state(c) == NC_CLOSED)
		assert_int_equal(nc_open(c), NC_OK);
	while (nc_state(c) != NC_CONNECTED) {
		fake_hang_up(f);
		if (nc_fd(c) < 0) {
			/* connections of failed attempts are not to be taken for the next one */
			fake_stop_listening(f);
			fake_listen(f);
		}
		while (nc_fd(c) < 0)
			nc_wait(c, -1);
		fake_accept(f);
		fake_welcome(f);
		nc_process(c);
	}
	fake_emit(f, "alive", "x", 1);
	assert_int_equal(nc_process(c), NC_OK);
	assert_true(t->n_messages > before);
	check_counters(c);
}

static nc_client *make(struct fake *f, struct tally *t)
{
	nc_client *c = fake_client(f);

	memset(t, 0, sizeof(*t));
	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 0);
	nc_setopt_int(c, NC_OPT_RECONNECT_MAX_MS, 1);
	nc_on_status(c, on_status, t);
	return c;
}

static void making_a_client_fails_cleanly(void **state)
{
	nc_client *c;
	unsigned n = 0;
	int r;

	(void)state;
	do {
		nomem_after(n++);
		r = nc_new(&c, "c");
		nomem_off();
		assert_true(r == NC_OK || (r == NC_ENOMEM && !c));
	} while (r);
	assert_true(n > 1);
	nc_free(c);
}

static void opening_is_tried_again(void **state)
{
	struct fake *f = *state;
	bool failed = true;

	for (unsigned n = 0; failed; n++) {
		struct tally t;
		nc_client *c = make(f, &t);

		nomem_after(n);
		assert_int_equal(nc_open(c), NC_OK);
		failed = nomem_off();
		must_recover(f, c, &t);
		nc_free(c);
		fake_hang_up(f);
	}
}

static void a_message_that_can_not_be_taken_is_told_or_the_connection_ends(void **state)
{
	struct fake *f = *state;
	bool failed = true;

	for (unsigned n = 0; failed; n++) {
		struct tally t;
		nc_client *c = make(f, &t);

		nc_on(c, "some.>", on_message, &t);
		fake_connect(f, c);
		fake_emit(f, "some.event", "x", 1);
		nomem_after(n);
		nc_process(c);
		failed = nomem_off();
		/* nothing is silent: it arrived, or it is told as lost, or the connection broke */
		assert_true(t.n_messages == 1 || t.n_lost == 1 || nc_state(c) == NC_RECONNECTING);
		must_recover(f, c, &t);
		nc_free(c);
		fake_hang_up(f);
	}
}

static void an_emit_that_fails_leaves_no_trace(void **state)
{
	struct fake *f = *state;
	unsigned n = 0;
	int r;

	do {
		struct tally t;
		nc_client *c = make(f, &t);
		struct nc_counters counters;

		nc_on(c, "heard", on_message, &t);
		fake_connect(f, c);
		nomem_after(n++);
		r = nc_emit_text(c, "heard", "x");
		nomem_off();
		assert_true(r == NC_OK || r == NC_ENOMEM);
		nc_get_counters(c, &counters, sizeof(counters));
		assert_int_equal(counters.emitted, r == NC_OK);
		assert_int_equal(nc_process(c), NC_OK);
		assert_int_equal(t.n_messages, r == NC_OK);
		must_recover(f, c, &t);
		nc_free(c);
		fake_hang_up(f);
	} while (r);
	assert_true(n > 3);
}

static void a_request_that_fails_is_never_answered(void **state)
{
	struct fake *f = *state;
	unsigned n = 0;
	int r;

	do {
		struct tally t;
		nc_client *c = make(f, &t);

		fake_connect(f, c);
		nomem_after(n++);
		r = nc_request(c, "ask", NC_EMPTY, NULL, 0, 1000, on_answer, &t);
		nomem_off();
		assert_true(r == NC_OK || r == NC_ENOMEM);
		assert_int_equal(nc_disconnect(c, 0), NC_OK);
		nc_process(c);
		assert_int_equal(t.n_answers, r == NC_OK);
		nc_free(c);
		fake_hang_up(f);
	} while (r);
	assert_true(n > 2);
}

static void a_pattern_that_can_not_be_told_is_told_later(void **state)
{
	struct fake *f = *state;
	bool failed = true;

	for (unsigned n = 0; failed; n++) {
		struct tally t;
		nc_client *c = make(f, &t);
		size_t len;
		int r;

		fake_connect(f, c);
		r = nc_on(c, "some.>", on_message, &t);
		assert_int_equal(r, NC_OK);
		nomem_after(n);
		nc_flush(c);
		failed = nomem_off();
		nc_flush(c);
		fake_expect(f, FRAME_LISTEN, &len);
		nc_free(c);
		fake_hang_up(f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(making_a_client_fails_cleanly),
	        TEST(opening_is_tried_again),
	        TEST(a_message_that_can_not_be_taken_is_told_or_the_connection_ends),
	        TEST(an_emit_that_fails_leaves_no_trace),
	        TEST(a_request_that_fails_is_never_answered),
	        TEST(a_pattern_that_can_not_be_told_is_told_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
