/*
 * Unit tests of long messages, which are written from where they lie, over a real socket
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

#define LONG_LEN 100000u

static int setup(void **state)
{
	static struct fake f;

	fake_open(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fake_close(*state);
	return 0;
}

/* A payload that differs from number to number, and from byte to byte. */
static const uint8_t *payload(uint64_t number)
{
	static uint8_t p[LONG_LEN];

	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * 7 + i / 256 + number);
	return p;
}

static int emit(nc_client *c, uint64_t number)
{
	return nc_emit_bytes(c, "e", payload(number), LONG_LEN);
}

static void expect(struct fake *f, uint64_t number)
{
	struct frame_emit m = fake_expect_emit(f, "e");

	assert_int_equal(m.seq, number);
	assert_int_equal(m.payload_len, LONG_LEN);
	assert_memory_equal(m.payload, payload(number), LONG_LEN);
}

static struct nc_counters counters(const nc_client *c)
{
	struct nc_counters n;

	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, n.written + n.dropped + n.queued);
	return n;
}

/* Emits until the socket takes no more. Returns how many messages that are; one of them is written
 * in part, or not at all. */
static uint64_t fill_socket(nc_client *c)
{
	uint64_t n = 0;

	while (!counters(c).queued)
		assert_int_equal(emit(c, ++n), NC_OK);
	return n;
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	unsigned *n = arg;

	(void)c;
	assert_int_equal(nc_msg_len(m), LONG_LEN);
	assert_memory_equal(nc_msg_data(m), payload(1), LONG_LEN);
	++*n;
}

static void it_is_written_at_once_and_never_queued(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	fake_connect(f, c);
	assert_int_equal(emit(c, 1), NC_OK);
	assert_int_equal(counters(c).written, 1);
	expect(f, 1);
	nc_free(c);
}

static void what_the_socket_does_not_take_is_queued_whole(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	uint64_t n;

	fake_connect(f, c);
	n = fill_socket(c);
	while (counters(c).queued < 3)
		assert_int_equal(emit(c, ++n), NC_OK);
	for (uint64_t i = 1; i <= n; i++) {
		fake_read(f);
		assert_int_equal(nc_process(c), NC_OK);
		expect(f, i);
	}
	assert_int_equal(counters(c).written, n);
	nc_free(c);
}

static void what_waits_goes_before_it(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	size_t len;

	fake_connect(f, c);
	assert_int_equal(nc_emit_text(c, "short", "x"), NC_OK);
	assert_int_equal(nc_on(c, "pattern", on_message, NULL), NC_OK);
	assert_int_equal(emit(c, 2), NC_OK);
	assert_int_equal(counters(c).queued, 0);
	fake_expect(f, FRAME_LISTEN, &len);
	fake_expect_emit(f, "short");
	expect(f, 2);
	nc_free(c);
}

static void a_larger_batch_is_waited_for(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_BATCH_BYTES, 3 * LONG_LEN);
	fake_connect(f, c);
	assert_int_equal(emit(c, 1), NC_OK);
	assert_int_equal(emit(c, 2), NC_OK);
	fake_expect_nothing(f);
	assert_int_equal(emit(c, 3), NC_OK);
	for (uint64_t i = 1; i <= 3; i++) {
		fake_read(f);
		assert_int_equal(nc_process(c), NC_OK);
		expect(f, i);
	}
	nc_free(c);
}

static void own_handlers_hear_it_too(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	unsigned n = 0;
	size_t len;

	nc_on(c, "e", on_message, &n);
	fake_connect(f, c);
	fake_expect(f, FRAME_LISTEN, &len);
	assert_int_equal(emit(c, 1), NC_OK);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(n, 1);
	expect(f, 1);
	nc_free(c);
}

static void on_answer(nc_client *c, int error, const nc_msg *m, void *arg)
{
	int *answer = arg;

	(void)c;
	(void)m;
	*answer = error;
}

static void a_request_may_be_long(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	int answer = -1;
	struct frame_emit m;
	uint64_t id;

	fake_connect(f, c);
	assert_int_equal(
	        nc_request(c, "ask", NC_BYTES, payload(1), LONG_LEN, 60000, on_answer, &answer),
	        NC_OK);
	m = fake_expect_emit(f, "ask");
	assert_true(frame_option_u64(&m, FRAME_O_REQUEST, &id));
	assert_memory_equal(m.payload, payload(1), LONG_LEN);
	assert_int_equal(nc_disconnect(c, 0), NC_OK);
	nc_process(c);
	assert_int_equal(answer, NC_ECLOSED);
	nc_free(c);
}

static void one_that_is_written_in_part_is_sent_again_after_a_break(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct frame_emit m;
	uint64_t n;

	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 0);
	nc_setopt_int(c, NC_OPT_RECONNECT_MAX_MS, 1);
	fake_connect(f, c);
	n = fill_socket(c);
	assert_int_equal(counters(c).queued, 1);
	fake_hang_up(f);
	while (nc_state(c) == NC_CONNECTED)
		nc_process(c);
	while (nc_fd(c) < 0)
		nc_wait(c, -1);
	fake_greet(f, c);
	assert_int_equal(nc_process(c), NC_OK);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.payload_len, LONG_LEN);
	assert_memory_equal(m.payload, payload(n), LONG_LEN);
	nc_free(c);
}

static void who_can_wait_waits_for_the_socket_and_fills_no_queue(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	fake_connect(f, c);
	fake_start(f);
	for (uint64_t i = 1; i <= 200; i++) {
		assert_int_equal(nc_emit_wait(c, "e", NC_BYTES, payload(i), LONG_LEN, 0, 60000),
		                 NC_OK);
		assert_true(counters(c).queued <= 1);
	}
	assert_int_equal(nc_disconnect(c, 60000), NC_OK);
	fake_join(f);
	nc_free(c);
}

static void whose_time_runs_out_has_the_room_in_the_queue(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	uint64_t n;
	int r = NC_OK;

	nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 5 * LONG_LEN);
	fake_connect(f, c);
	n = fill_socket(c);
	while (r == NC_OK && ++n < 100)
		r = nc_emit_wait(c, "e", NC_BYTES, payload(n), LONG_LEN, 0, n % 2);
	assert_int_equal(r, NC_AGAIN);
	assert_true(counters(c).queued >= 3);
	for (uint64_t i = 1; i < n; i++) {
		fake_read(f);
		assert_int_equal(nc_process(c), NC_OK);
		expect(f, i);
	}
	fake_expect_nothing(f);
	nc_free(c);
}

/* A frame that is begun and has no place to wait can't be ended, so the connection is. */
static void without_memory_it_fails_and_the_connection_is_whole_or_ends(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	uint64_t n = 0, failed;
	int r;

	fake_connect(f, c);
	assert_int_equal(emit(c, ++n), NC_OK);
	nomem_after(0);
	do
		r = emit(c, ++n);
	while (r == NC_OK);
	nomem_off();
	failed = n;
	assert_int_equal(r, NC_ENOMEM);
	assert_int_equal(counters(c).emitted, failed - 1);
	/* what was accepted arrives, and what failed does not */
	for (uint64_t i = 1; i < failed; i++) {
		fake_read(f);
		expect(f, i);
	}
	(void)nc_process(c);
	if (nc_state(c) == NC_CONNECTED)
		assert_int_equal(nc_emit_text(c, "short", "x"), NC_OK);
	else
		assert_int_equal(nc_state(c), NC_RECONNECTING);
	nc_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(it_is_written_at_once_and_never_queued),
	        TEST(what_the_socket_does_not_take_is_queued_whole),
	        TEST(what_waits_goes_before_it),
	        TEST(a_larger_batch_is_waited_for),
	        TEST(own_handlers_hear_it_too),
	        TEST(a_request_may_be_long),
	        TEST(one_that_is_written_in_part_is_sent_again_after_a_break),
	        TEST(who_can_wait_waits_for_the_socket_and_fills_no_queue),
	        TEST(whose_time_runs_out_has_the_room_in_the_queue),
	        TEST(without_memory_it_fails_and_the_connection_is_whole_or_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
