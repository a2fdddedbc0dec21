/*
 * Unit tests of what a client hears, over a real socket
 */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libnc/client/client.h"
#include "t/unit/fake_server.h"

/* What a handler saw, and what it is to do at its n-th message. */
struct ear {
	unsigned n;
	char text[64]; /* of the last message */
	unsigned act_at;
	void (*act)(nc_client *c, struct ear *e);
};

static void hear(nc_client *c, const nc_msg *m, void *arg)
{
	struct ear *e = arg;
	const char *text = nc_msg_text(m);

	assert_non_null(text);
	snprintf(e->text, sizeof(e->text), "%s %s", nc_msg_event(m), text);
	e->n++;
	if (e->act && e->n == e->act_at)
		e->act(c, e);
}

/* Sends `n` messages in one piece. */
static void send_burst(struct fake *f, const char *event, unsigned n)
{
	static uint8_t buf[1 << 17];
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		len += fake_put_emit(buf + len, sizeof(buf) - len, event, FRAME_T_TEXT, "x", 1);
	fake_send(f, buf, len);
}

static void handlers_hear_what_matches(void **state)
{
	struct fake *f = *state;
	struct ear all = {0}, some = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);

	nc_on(c, ">", hear, &all);
	nc_on(c, "log.*", hear, &some);
	fake_connect(f, c);
	fake_emit(f, "log.a", "one", 1);
	fake_emit(f, "other", "two", 2);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.text, "other two");
	assert_int_equal(some.n, 1);
	assert_string_equal(some.text, "log.a one");
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.received, 2);
	nc_free(c);
}

static void frames_may_come_byte_by_byte(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	nc_client *c = fake_client(f);
	uint8_t buf[256];
	size_t len = fake_put_emit(buf, sizeof(buf), "a", FRAME_T_TEXT, "hello", 5);

	len += fake_put_emit(buf + len, sizeof(buf) - len, "b", FRAME_T_TEXT, "world", 5);
	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	for (size_t i = 0; i < len; i++) {
		fake_send(f, buf + i, 1);
		assert_int_equal(nc_process(c), NC_OK);
	}
	assert_int_equal(e.n, 2);
	assert_string_equal(e.text, "b world");
	nc_free(c);
}

static void check_large(nc_client *c, const nc_msg *m, void *arg)
{
	const uint8_t *p = nc_msg_data(m);
	size_t *n = arg;

	(void)c;
	for (size_t i = 0; i < nc_msg_len(m); i++)
		if (p[i] != (uint8_t)(i * 7))
			fail();
	*n += nc_msg_len(m);
}

static void messages_larger_than_the_buffer_come_whole(void **state)
{
	static const size_t sizes[] = {CONN_READ_LEN - 100, CONN_READ_LEN, CONN_READ_LEN + 1,
	                               3 << 20, 100};
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	uint8_t *data = malloc(3 << 20), *buf = malloc((3 << 20) + 100);
	size_t n_heard = 0, n_sent = 0;

	assert_true(data && buf);
	for (size_t i = 0; i < 3 << 20; i++)
		data[i] = (uint8_t)(i * 7);
	nc_on(c, "big", check_large, &n_heard);
	fake_connect(f, c);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t len =
		        fake_put_emit(buf, (3 << 20) + 100, "big", FRAME_T_BYTES, data, sizes[i]);

		n_sent += sizes[i];
		for (size_t at = 0; at < len;) {
			size_t part = len - at < 50000 ? len - at : 50000;

			fake_send(f, buf + at, part);
			at += part;
			assert_int_equal(nc_process(c), NC_OK);
		}
		assert_int_equal(n_heard, n_sent);
	}
	assert_null(c->conn.in);
	free(data);
	free(buf);
	nc_free(c);
}

static void a_length_is_no_reason_to_take_memory(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct frame_emit m = {.channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = NC_MESSAGE_DEFAULT};
	uint8_t buf[64];

	fake_connect(f, c);
	fake_send(f, buf, frame_emit_head_put(buf, sizeof(buf), &m));
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(c->conn.in_cap, CONN_READ_LEN);
	fake_hang_up(f);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(nc_state(c), NC_RECONNECTING);
	nc_free(c);
}

static void frames_of_kinds_to_come_are_passed_over(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	nc_client *c = fake_client(f);
	uint8_t *frame = calloc(1, 1 << 20);

	assert_non_null(frame);
	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	le32_put(frame, 1 << 20);
	frame[4] = 200;
	for (size_t at = 0; at < 1 << 20; at += 1 << 15) {
		fake_send(f, frame + at, 1 << 15);
		assert_int_equal(nc_process(c), NC_OK);
		assert_null(c->conn.in);
	}
	fake_emit(f, "a", "after", 1);
	assert_int_equal(nc_process(c), NC_OK);
	assert_string_equal(e.text, "a after");
	free(frame);
	nc_free(c);
}

static void do_free(nc_client *c, struct ear *e)
{
	(void)e;
	nc_free(c);
}

static void a_handler_may_free_its_client(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 3, .act = do_free}, second = {0};
	nc_client *c = fake_client(f);

	nc_on(c, ">", hear, &e);
	nc_on(c, ">", hear, &second);
	fake_connect(f, c);
	send_burst(f, "x", 10);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_int_equal(e.n, 3);
	assert_int_equal(second.n, 2);
	assert_true(fake_is_hung_up(f));
}

static void a_handler_may_free_its_client_under_nc_run(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 3, .act = do_free};
	nc_client *c = fake_client(f);

	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	send_burst(f, "x", 10);
	assert_int_equal(nc_run(c), NC_ECLOSED);
	assert_int_equal(e.n, 3);
}

static void do_disconnect(nc_client *c, struct ear *e)
{
	(void)e;
	assert_int_equal(nc_disconnect(c, 1000), NC_OK);
}

static void a_handler_may_disconnect(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 3, .act = do_disconnect}, second = {0};
	nc_client *c = fake_client(f);

	nc_on(c, ">", hear, &e);
	nc_on(c, ">", hear, &second);
	fake_connect(f, c);
	send_burst(f, "x", 10);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_int_equal(e.n, 3);
	/* the message was there before the end, and is the second handler's too */
	assert_int_equal(second.n, 3);
	assert_int_equal(nc_open(c), NC_OK);
	fake_hang_up(f);
	fake_greet(f, c);
	fake_emit(f, "x", "again", 1);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 4);
	nc_free(c);
}

static void do_reopen(nc_client *c, struct ear *e)
{
	do_disconnect(c, e);
	assert_int_equal(nc_open(c), NC_OK);
}

static void a_handler_may_disconnect_and_open_anew(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 1, .act = do_reopen};
	nc_client *c = fake_client(f);

	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	send_burst(f, "old", 10);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 1);
	fake_hang_up(f);
	fake_greet(f, c);
	send_burst(f, "new", 2);
	assert_int_equal(nc_process(c), NC_OK);
	assert_string_equal(e.text, "new x");
	assert_int_equal(e.n, 3);
	nc_free(c);
}

static void do_off(nc_client *c, struct ear *e)
{
	assert_int_equal(nc_off(c, ">", hear, e), NC_OK);
}

static void a_handler_may_unsubscribe(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 2, .act = do_off};
	nc_client *c = fake_client(f);
	size_t len;

	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	send_burst(f, "x", 10);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 2);
	fake_expect(f, FRAME_LISTEN, &len);
	fake_expect(f, FRAME_UNLISTEN, &len);
	nc_free(c);
}

static void do_emit(nc_client *c, struct ear *e)
{
	(void)e;
	assert_int_equal(nc_emit_text(c, "answer", "y"), NC_OK);
}

static void what_a_handler_emits_goes_out_in_the_same_turn(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 1, .act = do_emit};
	nc_client *c = fake_client(f);
	size_t len;

	nc_on(c, "x", hear, &e);
	fake_connect(f, c);
	fake_expect(f, FRAME_LISTEN, &len);
	send_burst(f, "x", 1);
	assert_int_equal(nc_process(c), NC_OK);
	fake_expect_emit(f, "answer");
	nc_free(c);
}

static void do_stop(nc_client *c, struct ear *e)
{
	e->act_at += 3;
	nc_stop(c);
}

static void stopping_leaves_the_rest_for_later(void **state)
{
	struct fake *f = *state;
	struct ear e = {.act_at = 3, .act = do_stop};
	nc_client *c = fake_client(f);

	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	send_burst(f, "x", 10);
	assert_int_equal(nc_run(c), NC_OK);
	assert_int_equal(e.n, 3);
	assert_int_equal(nc_timeout(c), 0);
	assert_int_equal(nc_run(c), NC_OK);
	assert_int_equal(e.n, 6);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 9);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 10);
	assert_int_equal(nc_timeout(c), -1);
	nc_free(c);
}

static void one_turn_reads_about_as_much_as_it_is_told(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	nc_client *c = fake_client(f);
	unsigned n_turns = 0, n_before = 0;

	nc_setopt_int(c, NC_OPT_PROCESS_BYTES, 1);
	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	send_burst(f, "x", 3000);
	for (; e.n < 3000; n_turns++) {
		n_before = e.n;
		assert_int_equal(nc_process(c), NC_OK);
		assert_in_range(e.n, n_before + 1, n_before + 4096 / 27 + 1);
	}
	assert_in_range(n_turns, 3000 * 27 / 4096, 3000 * 27 / 4096 + 2);
	nc_free(c);
}

struct gap_seen {
	unsigned n;
	unsigned after; /* messages that were heard before the gap */
	uint64_t count;
	int exact;
	char text[64];
	const struct ear *ear;
};

static void on_gap(nc_client *c, const struct nc_status *s, void *arg)
{
	struct gap_seen *g = arg;

	(void)c;
	if (s->kind != NC_STATUS_GAP)
		return;
	g->n++;
	g->after = g->ear->n;
	g->count = s->count;
	g->exact = s->exact;
	snprintf(g->text, sizeof(g->text), "%s", s->text);
}

static void gaps_are_told_where_they_are(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	struct gap_seen seen = {.ear = &e};
	struct nc_counters n;
	nc_client *c = fake_client(f);
	char last[64] = "";
	uint8_t buf[32];

	nc_on(c, ">", hear, &e);
	nc_on_status(c, on_gap, &seen);
	fake_connect(f, c);
	for (uint8_t reason = 1; reason <= FRAME_GAP_MAX; reason++) {
		struct frame_gap g = {.count = reason, .reason = reason, .exact = reason & 1};

		send_burst(f, "x", 2);
		fake_send(f, buf, frame_gap_put(buf, sizeof(buf), &g));
		send_burst(f, "x", 1);
		assert_int_equal(nc_process(c), NC_OK);
		assert_int_equal(seen.n, reason);
		assert_int_equal(seen.after, 3 * reason - 1);
		assert_int_equal(seen.count, reason);
		assert_int_equal(seen.exact, reason & 1);
		assert_string_not_equal(seen.text, last);
		memcpy(last, seen.text, sizeof(last));
	}
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.lost, 1 + 2 + 3 + 4 + 5);
	nc_free(c);
}

static void a_literal_name_is_no_pattern(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	nc_client *c = fake_client(f);

	assert_int_equal(nc_on_event(c, "a.*", hear, &e), NC_ENAME);
	assert_int_equal(nc_on_event(c, ">", hear, &e), NC_ENAME);
	assert_int_equal(nc_on_event(c, NULL, hear, &e), NC_EINVAL);
	assert_int_equal(nc_on_event(c, "a.b", NULL, &e), NC_EINVAL);
	assert_int_equal(nc_on(c, "a b", hear, &e), NC_ENAME);
	assert_int_equal(nc_on(c, "a.b", NULL, &e), NC_EINVAL);
	assert_int_equal(nc_once(c, NULL, hear, &e), NC_EINVAL);
	assert_int_equal(nc_listeners(c, NULL), 0);
	assert_int_equal(nc_on_event(c, "a.b", hear, &e), NC_OK);
	fake_connect(f, c);
	fake_emit(f, "axb", "x", 1);
	fake_emit(f, "a.b", "y", 2);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 1);
	assert_string_equal(e.text, "a.b y");
	nc_free(c);
}

static void once_is_once_even_within_one_read(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	nc_client *c = fake_client(f);
	size_t len;

	assert_int_equal(nc_once(c, "x", hear, &e), NC_OK);
	assert_int_equal(nc_listeners(c, "x"), 1);
	fake_connect(f, c);
	send_burst(f, "x", 10);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(e.n, 1);
	assert_int_equal(nc_listeners(c, "x"), 0);
	fake_expect(f, FRAME_LISTEN, &len);
	fake_expect(f, FRAME_UNLISTEN, &len);
	nc_free(c);
}

static void a_message_that_lies_about_its_data_ends_the_connection(void **state)
{
	struct fake *f = *state;
	struct ear e = {0};
	nc_client *c = fake_client(f);
	uint8_t options[16], value[8], buf[128];
	struct frame_emit m = {.sender = 1,
	                       .seq = 1,
	                       .channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .options = options,
	                       .flags = FRAME_T_JSON | FRAME_F_WRAPPED,
	                       .payload_len = 2};
	size_t len;

	le32_put(value, 1);
	le32_put(value + 4, 2);
	m.options_len =
	        (uint16_t)frame_option_put(options, sizeof(options), FRAME_O_DATA, value, 8);
	nc_on(c, ">", hear, &e);
	fake_connect(f, c);
	len = frame_emit_head_put(buf, sizeof(buf), &m);
	memcpy(buf + len, "{}", 2);
	fake_send(f, buf, len + 2);
	send_burst(f, "x", 1);
	assert_int_equal(nc_process(c), NC_EPROTO);
	assert_int_equal(e.n, 0);
	nc_free(c);
}

static void pings_are_answered(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	const uint8_t *p;
	uint8_t buf[32];
	uint64_t token;
	size_t len;

	fake_connect(f, c);
	fake_send(f, buf, frame_ping_put(buf, sizeof(buf), FRAME_PING, 4711));
	assert_int_equal(nc_process(c), NC_OK);
	p = fake_expect(f, FRAME_PONG, &len);
	assert_int_equal(frame_ping_get(&token, p, len), FRAME_OK);
	assert_int_equal(token, 4711);
	nc_free(c);
}

static void a_server_that_pings_for_ever_is_left(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	uint8_t buf[32];
	size_t len = frame_ping_put(buf, sizeof(buf), FRAME_PING, 4711);
	int r = NC_OK;

	fake_connect(f, c);
	for (int i = 0; i < 1000000 && r == NC_OK; i++) {
		fake_send(f, buf, len);
		r = nc_process(c);
	}
	assert_int_equal(r, NC_EPROTO);
	nc_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(handlers_hear_what_matches),
	        TEST(frames_may_come_byte_by_byte),
	        TEST(messages_larger_than_the_buffer_come_whole),
	        TEST(a_length_is_no_reason_to_take_memory),
	        TEST(frames_of_kinds_to_come_are_passed_over),
	        TEST(a_handler_may_free_its_client),
	        TEST(a_handler_may_free_its_client_under_nc_run),
	        TEST(a_handler_may_disconnect),
	        TEST(a_handler_may_disconnect_and_open_anew),
	        TEST(a_handler_may_unsubscribe),
	        TEST(what_a_handler_emits_goes_out_in_the_same_turn),
	        TEST(stopping_leaves_the_rest_for_later),
	        TEST(one_turn_reads_about_as_much_as_it_is_told),
	        TEST(gaps_are_told_where_they_are),
	        TEST(a_literal_name_is_no_pattern),
	        TEST(once_is_once_even_within_one_read),
	        TEST(a_message_that_lies_about_its_data_ends_the_connection),
	        TEST(pings_are_answered),
	        TEST(a_server_that_pings_for_ever_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
