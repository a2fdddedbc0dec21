/*
 * Unit tests of requests and their answers, over a real socket
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "libnc/client/client.h"
#include "t/unit/fake_server.h"

static void count(nc_client *c, const nc_msg *m, void *arg)
{
	unsigned *n = arg;

	(void)c;
	(void)m;
	(*n)++;
}

struct answer {
	unsigned n;
	int error;
	char text[64];
};

static void on_answer(nc_client *c, int error, const nc_msg *m, void *arg)
{
	struct answer *a = arg;

	(void)c;
	a->n++;
	a->error = error;
	snprintf(a->text, sizeof(a->text), "%s", m ? nc_msg_text(m) : "-");
}

static uint64_t expect_request(struct fake *f, uint64_t *seq)
{
	struct frame_emit m = fake_expect_emit(f, "ask");
	uint64_t id;

	assert_true(frame_option_u64(&m, FRAME_O_REQUEST, &id));
	if (seq)
		*seq = m.seq;
	return id;
}

static void send_reply(struct fake *f, uint64_t id, int error, const char *text)
{
	uint8_t options[32], value[8], buf[256];
	struct frame_emit m = {.sender = 1,
	                       .seq = 1,
	                       .channel = "c",
	                       .channel_len = 1,
	                       .event = "ask-response",
	                       .event_len = 12,
	                       .flags = FRAME_T_TEXT,
	                       .options = options,
	                       .payload_len = (uint32_t)strlen(text)};
	size_t n, len;

	le64_put(value, id);
	n = frame_option_put(options, sizeof(options), FRAME_O_REPLY, value, 8);
	if (error) {
		le16_put(value, (uint16_t)error);
		n += frame_option_put(options + n, sizeof(options) - n, FRAME_O_ERROR, value, 2);
	}
	m.options_len = (uint16_t)n;
	len = frame_emit_head_put(buf, sizeof(buf), &m);
	memcpy(buf + len, text, strlen(text));
	fake_send(f, buf, len + strlen(text));
}

static nc_client *asker(struct fake *f, struct answer *a, int timeout_ms)
{
	nc_client *c = fake_client(f);

	memset(a, 0, sizeof(*a));
	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 1);
	fake_connect(f, c);
	assert_int_equal(nc_request(c, "ask", NC_TEXT, "?", 1, timeout_ms, on_answer, a), NC_OK);
	return c;
}

static void an_answer_reaches_its_request_and_no_handler(void **state)
{
	struct fake *f = *state;
	unsigned n_heard = 0;
	struct answer a;
	nc_client *c = asker(f, &a, 10000);
	uint64_t id;
	size_t len;

	nc_on(c, ">", count, &n_heard);
	assert_int_equal(nc_process(c), NC_OK);
	fake_expect(f, FRAME_LISTEN, &len);
	id = expect_request(f, NULL);
	send_reply(f, id + 1024, 0, "not yours");
	send_reply(f, id, 0, "42");
	send_reply(f, id, 0, "twice");
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.error, NC_OK);
	assert_string_equal(a.text, "42");
	assert_int_equal(n_heard, 0);
	assert_int_equal(nc_timeout(c), -1);
	nc_free(c);
}

static void an_answer_may_be_an_error(void **state)
{
	static const struct {
		int code;
		int error;
	} rows[] = {{NC_ENOBODY, NC_ENOBODY},
	            {NC_EREMOTE, NC_EREMOTE},
	            {NC_AGAIN, NC_EREMOTE},
	            {999, NC_EREMOTE}};
	struct fake *f = *state;

	for (int i = 0; i < 4; i++) {
		struct answer a;
		nc_client *c = asker(f, &a, 10000);

		nc_flush(c);
		send_reply(f, expect_request(f, NULL), rows[i].code, "why");
		assert_int_equal(nc_process(c), NC_OK);
		assert_int_equal(a.error, rows[i].error);
		assert_string_equal(a.text, "why");
		nc_free(c);
		fake_hang_up(f);
	}
}

static void a_refused_request_need_not_wait(void **state)
{
	struct fake *f = *state;
	struct frame_error e = {.code = NC_EDENIED, .text = "no", .text_len = 2};
	struct nc_counters n;
	struct answer a;
	nc_client *c = asker(f, &a, 10000);
	uint8_t buf[64];

	nc_flush(c);
	expect_request(f, &e.seq);
	fake_send(f, buf, frame_error_put(buf, sizeof(buf), &e));
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.error, NC_EDENIED);
	assert_string_equal(nc_error_text(c), "no");
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.refused, 1);
	nc_free(c);
}

static void without_an_answer_the_time_runs_out(void **state)
{
	struct fake *f = *state;
	struct answer a;
	nc_client *c = asker(f, &a, 5);

	assert_in_range(nc_timeout(c), 0, 5);
	while (!a.n)
		assert_int_equal(nc_wait(c, -1), NC_OK);
	assert_int_equal(a.error, NC_ETIMEOUT);
	assert_string_equal(a.text, "-");
	nc_free(c);
}

static void a_break_ends_requests_and_takes_back_those_not_sent(void **state)
{
	struct fake *f = *state;
	struct nc_counters n;
	struct answer a;
	nc_client *c = asker(f, &a, 10000);

	assert_int_equal(nc_emit_text(c, "kept", "x"), NC_OK);
	fake_hang_up(f);
	while (!a.n)
		assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(a.error, NC_ECLOSED);
	assert_int_equal(nc_request(c, "ask", NC_EMPTY, NULL, 0, 5, on_answer, &a), NC_ESTATE);
	while (nc_fd(c) < 0)
		nc_wait(c, -1);
	fake_greet(f, c);
	fake_expect_emit(f, "kept");
	fake_expect_nothing(f);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 2);
	assert_int_equal(n.dropped, 1);
	nc_free(c);
}

static void disconnecting_ends_requests_at_the_next_turn(void **state)
{
	struct fake *f = *state;
	struct answer a;
	nc_client *c = asker(f, &a, 10000);

	assert_int_equal(nc_disconnect(c, 0), NC_OK);
	assert_int_equal(a.n, 0);
	assert_int_equal(nc_timeout(c), 0);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.error, NC_ECLOSED);
	nc_free(c);
}

static void requests_are_checked_and_bounded(void **state)
{
	struct fake *f = *state;
	struct answer a;
	nc_client *c = asker(f, &a, 10000);

	assert_int_equal(nc_request(c, "ask", NC_EMPTY, NULL, 0, 0, on_answer, &a), NC_EINVAL);
	assert_int_equal(nc_request(c, "ask", NC_EMPTY, NULL, 0, 1, NULL, &a), NC_EINVAL);
	assert_int_equal(nc_request(c, "a b", NC_EMPTY, NULL, 0, 1, on_answer, &a), NC_ENAME);
	for (unsigned i = 1; i < REQUEST_MAX; i++)
		assert_int_equal(nc_request(c, "ask", NC_EMPTY, NULL, 0, 10000, on_answer, &a),
		                 NC_OK);
	assert_int_equal(nc_request(c, "ask", NC_EMPTY, NULL, 0, 10000, on_answer, &a), NC_EQUOTA);
	nc_free(c);
}

/* Emits until the socket is full, and leaves one message partly written and one that is not begun.
 */
static unsigned fill(nc_client *c)
{
	static const char data[30000];
	unsigned n = 0;

	do {
		assert_int_equal(nc_emit_bytes(c, "fill", data, sizeof(data)), NC_OK);
		n++;
	} while (nc_flush(c) == NC_OK);
	assert_int_equal(nc_emit_text(c, "kept", "x"), NC_OK);
	return n;
}

static void wait_for_answer(nc_client *c, const struct answer *a)
{
	while (!a->n)
		assert_int_equal(nc_wait(c, -1), NC_OK);
}

static void a_request_whose_time_ran_out_before_it_was_written_is_taken_back(void **state)
{
	struct fake *f = *state;
	struct answer late = {0}, soon = {0};
	nc_client *c = fake_client(f);
	struct nc_counters n;
	unsigned n_fill;

	fake_connect(f, c);
	n_fill = fill(c);
	assert_int_equal(nc_request(c, "ask", NC_TEXT, "1", 1, 5, on_answer, &soon), NC_OK);
	assert_int_equal(nc_request(c, "ask", NC_TEXT, "2", 1, 60000, on_answer, &late), NC_OK);
	assert_int_equal(nc_emit_text(c, "kept", "y"), NC_OK);
	wait_for_answer(c, &soon);
	assert_int_equal(soon.error, NC_ETIMEOUT);
	do
		fake_read(f);
	while (nc_flush(c) == NC_AGAIN);
	while (n_fill--)
		fake_expect_emit(f, "fill");
	fake_expect_emit(f, "kept");
	/* only the one that is still waited for */
	send_reply(f, expect_request(f, NULL), 0, "2");
	fake_expect_emit(f, "kept");
	fake_expect_nothing(f);
	wait_for_answer(c, &late);
	assert_string_equal(late.text, "2");
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.dropped, 1);
	nc_free(c);
}

static void a_request_whose_time_ran_out_does_not_go_out_again(void **state)
{
	static const char data[4 << 20];
	struct fake *f = *state;
	struct answer a = {0};
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 1);
	fake_connect(f, c);
	assert_int_equal(nc_request(c, "ask", NC_BYTES, data, sizeof(data), 5, on_answer, &a),
	                 NC_OK);
	assert_int_equal(nc_flush(c), NC_AGAIN);
	assert_int_equal(nc_emit_text(c, "kept", "x"), NC_OK);
	wait_for_answer(c, &a);
	assert_int_equal(a.error, NC_ETIMEOUT);
	/* it is partly written, and so not yet given up */
	fake_hang_up(f);
	while (nc_state(c) == NC_CONNECTED)
		nc_process(c);
	while (nc_fd(c) < 0)
		nc_wait(c, -1);
	fake_greet(f, c);
	fake_expect_emit(f, "kept");
	fake_expect_nothing(f);
	nc_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(an_answer_reaches_its_request_and_no_handler),
	        TEST(an_answer_may_be_an_error),
	        TEST(a_refused_request_need_not_wait),
	        TEST(without_an_answer_the_time_runs_out),
	        TEST(a_break_ends_requests_and_takes_back_those_not_sent),
	        TEST(a_request_whose_time_ran_out_before_it_was_written_is_taken_back),
	        TEST(a_request_whose_time_ran_out_does_not_go_out_again),
	        TEST(disconnecting_ends_requests_at_the_next_turn),
	        TEST(requests_are_checked_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
