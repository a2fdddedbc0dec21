/*
 * Unit tests of what a client sends, over a real socket
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

#include "t/unit/fake_server.h"

/* What callbacks counted. */
struct tally {
	unsigned n_writable;
	unsigned n_messages;
	uint64_t n_dropped;
	int dropped_error;
};

static void on_writable(nc_client *c, void *arg)
{
	struct tally *t = arg;

	(void)c;
	t->n_writable++;
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	struct tally *t = arg;

	(void)c;
	if (s->kind != NC_STATUS_DROPPED)
		return;
	t->n_dropped += s->count;
	t->dropped_error = s->error;
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct tally *t = arg;

	(void)c;
	(void)m;
	t->n_messages++;
}

static void every_type_is_encoded_as_it_is(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct frame_emit m;

	fake_connect(f, c);
	assert_int_equal(nc_emit_empty(c, "e"), NC_OK);
	assert_int_equal(nc_emit_bool(c, "e", 7), NC_OK);
	assert_int_equal(nc_emit_int(c, "e", -2), NC_OK);
	assert_int_equal(nc_emit_double(c, "e", 0.5), NC_OK);
	assert_int_equal(nc_emit_text(c, "e", "grüße"), NC_OK);
	assert_int_equal(nc_emit_bytes(c, "e", "\0\xFF", 2), NC_OK);
	assert_int_equal(nc_emit_json(c, "e", "{}"), NC_OK);
	assert_int_equal(nc_emit(c, "e", NC_TEXT, "", 0, NC_BROADCAST), NC_OK);
	assert_int_equal(nc_flush(c), NC_OK);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_EMPTY);
	assert_int_equal(m.payload_len, 0);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_BOOL);
	assert_int_equal(m.payload[0], 1);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_INT);
	assert_memory_equal(m.payload, "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_DOUBLE);
	assert_memory_equal(m.payload, "\0\0\0\0\0\0\xE0\x3F", 8);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_TEXT);
	assert_memory_equal(m.payload, "grüße", m.payload_len);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_BYTES);
	assert_memory_equal(m.payload, "\0\xFF", 2);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_JSON);
	m = fake_expect_emit(f, "e");
	assert_int_equal(m.flags, FRAME_T_TEXT | FRAME_F_BROADCAST);
	assert_int_equal(m.seq, 8);
	assert_int_equal(m.sender, f->session);
	fake_expect_nothing(f);
	nc_free(c);
}

static void arguments_are_checked(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct nc_counters n;

	assert_int_equal(nc_emit_empty(c, "e"), NC_ECLOSED);
	fake_connect(f, c);
	assert_int_equal(nc_emit_empty(c, NULL), NC_EINVAL);
	assert_int_equal(nc_emit_text(c, "e", NULL), NC_EINVAL);
	assert_int_equal(nc_emit_json(c, "e", ""), NC_EINVAL);
	assert_int_equal(nc_emit_json(c, "e", NULL), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_BYTES, NULL, 1, 0), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_BYTES, "x", 1, 2), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", (enum nc_type)7, "x", 1, 0), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_BOOL, "\2", 1, 0), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_BOOL, "", 0, 0), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_INT, "1234567", 7, 0), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_DOUBLE, "123456789", 9, 0), NC_EINVAL);
	assert_int_equal(nc_emit(c, "e", NC_EMPTY, "x", 1, 0), NC_EINVAL);
	assert_int_equal(nc_emit_empty(c, "a b"), NC_ENAME);
	assert_int_equal(nc_emit_empty(c, "a.*"), NC_ENAME);
	assert_int_equal(nc_emit_empty(c, ""), NC_ENAME);
	assert_int_equal(nc_emit_empty(c, "nc.gap"), NC_ERESERVED);
	assert_int_equal(nc_emit_empty(c, "nc-control-showconfig"), NC_ERESERVED);
	assert_int_equal(nc_emit_empty(c, "$x"), NC_ERESERVED);
	assert_int_equal(nc_emit_empty(c, "_x.y"), NC_ERESERVED);
	assert_int_equal(nc_emit_empty(c, "ncx"), NC_OK);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 1);
	nc_free(c);
}

static void a_name_that_changes_in_its_place_is_noticed(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	char name[300] = "first";

	fake_connect(f, c);
	assert_int_equal(nc_emit_empty(c, name), NC_OK);
	strcpy(name, "second.token");
	assert_int_equal(nc_emit_empty(c, name), NC_OK);
	strcpy(name, "bad name");
	assert_int_equal(nc_emit_empty(c, name), NC_ENAME);
	strcpy(name, "first");
	assert_int_equal(nc_emit_empty(c, name), NC_OK);
	memset(name, 'n', 255);
	name[255] = 0;
	assert_int_equal(nc_emit_empty(c, name), NC_OK);
	nc_flush(c);
	fake_expect_emit(f, "first");
	fake_expect_emit(f, "second.token");
	fake_expect_emit(f, "first");
	fake_expect_emit(f, name);
	name[255] = 'n';
	name[256] = 0;
	assert_int_equal(nc_emit_empty(c, name), NC_ENAME);
	nc_free(c);
}

static void what_the_server_does_not_take_is_refused_at_once(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	f->max_payload = 100;
	fake_connect(f, c);
	assert_int_equal(nc_max_message(c), 100);
	assert_int_equal(nc_emit_bytes(c, "e", c, 100), NC_OK);
	assert_int_equal(nc_emit_bytes(c, "e", c, 101), NC_ETOOBIG);
	nc_free(c);
}

static void what_was_queued_before_and_is_too_large_is_dropped_and_told(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);

	nc_on_status(c, on_status, &t);
	f->max_payload = 100;
	assert_int_equal(nc_open(c), NC_OK);
	assert_int_equal(nc_emit_bytes(c, "small", c, 100), NC_OK);
	assert_int_equal(nc_emit_bytes(c, "large", c, 101), NC_OK);
	assert_int_equal(nc_emit_bytes(c, "small", c, 1), NC_OK);
	fake_greet(f, c);
	assert_int_equal(t.n_dropped, 1);
	assert_int_equal(t.dropped_error, NC_ETOOBIG);
	assert_int_equal(fake_expect_emit(f, "small").seq, 1);
	assert_int_equal(fake_expect_emit(f, "small").seq, 2);
	fake_expect_nothing(f);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 3);
	assert_int_equal(n.written, 2);
	assert_int_equal(n.dropped, 1);
	nc_free(c);
}

/* Emits until the queue is full. Returns how many messages it took. */
static unsigned fill(nc_client *c)
{
	static const char data[1000];
	unsigned n = 0;

	while (nc_emit_bytes(c, "e", data, sizeof(data)) == NC_OK)
		n++;
	return n;
}

static void a_full_queue_says_again_and_calls_once_when_half_empty(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);
	unsigned n_ok, n_seen = 0;

	nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 100000);
	nc_on_writable(c, on_writable, &t);
	fake_connect(f, c);
	n_ok = fill(c);
	assert_true(n_ok > 97);
	nc_get_counters(c, &n, sizeof(n));
	assert_true(n.queued_bytes <= 100000);
	assert_int_equal(n.emitted, n_ok);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(t.n_writable, 0);
	assert_int_equal(nc_events(c), POLLIN | POLLOUT);
	assert_int_equal(nc_timeout(c), -1);
	while (t.n_writable == 0) {
		fake_read(f);
		assert_int_equal(nc_process(c), NC_OK);
	}
	nc_get_counters(c, &n, sizeof(n));
	assert_true(n.queued_bytes <= 50000);
	assert_int_equal(nc_process(c), NC_OK);
	fake_read(f);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(t.n_writable, 1);
	fake_read(f);
	for (; f->in_len; n_seen++)
		assert_int_equal(fake_expect_emit(f, "e").seq, n_seen + 1);
	assert_int_equal(n_seen, n_ok);
	nc_free(c);
}

static void the_number_of_messages_is_bounded_too(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_QUEUE_MESSAGES, 5);
	assert_int_equal(nc_open(c), NC_OK);
	assert_int_equal(fill(c), 5);
	nc_free(c);
}

static void the_oldest_are_dropped_where_the_policy_says_so(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_QUEUE_MESSAGES, 3);
	nc_setopt_int(c, NC_OPT_OFFLINE_POLICY, NC_POLICY_DROP_OLDEST);
	nc_on_status(c, on_status, &t);
	assert_int_equal(nc_open(c), NC_OK);
	for (int64_t i = 1; i <= 10; i++)
		assert_int_equal(nc_emit_int(c, "e", i), NC_OK);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 10);
	assert_int_equal(n.dropped, 7);
	assert_int_equal(n.queued, 3);
	assert_int_equal(nc_timeout(c), 0);
	fake_greet(f, c);
	assert_int_equal(t.n_dropped, 7);
	for (uint64_t i = 1; i <= 3; i++) {
		struct frame_emit m = fake_expect_emit(f, "e");

		assert_int_equal(m.seq, i);
		assert_int_equal(m.payload[0], i + 7);
	}
	nc_free(c);
}

static void the_newest_are_dropped_where_the_policy_says_so(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_QUEUE_MESSAGES, 3);
	nc_setopt_int(c, NC_OPT_OFFLINE_POLICY, NC_POLICY_DROP_NEWEST);
	nc_on_status(c, on_status, &t);
	assert_int_equal(nc_open(c), NC_OK);
	for (int64_t i = 1; i <= 10; i++)
		assert_int_equal(nc_emit_int(c, "e", i), NC_OK);
	fake_greet(f, c);
	assert_int_equal(t.n_dropped, 7);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(fake_expect_emit(f, "e").payload[0], i);
	fake_expect_nothing(f);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 10);
	assert_int_equal(n.written, 3);
	assert_int_equal(n.dropped, 7);
	nc_free(c);
}

static void the_policy_while_connected_is_its_own(void **state)
{
	struct fake *f = *state;
	struct nc_counters n;
	nc_client *c = fake_client(f);
	static const char data[1000];
	uint64_t last = 0;

	nc_setopt_int(c, NC_OPT_QUEUE_POLICY, NC_POLICY_DROP_OLDEST);
	nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 50000);
	fake_connect(f, c);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(nc_emit_bytes(c, "e", data, sizeof(data)), NC_OK);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 2000);
	assert_true(n.dropped > 0);
	do
		fake_read(f);
	while (nc_flush(c) == NC_AGAIN);
	fake_read(f);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.written + n.dropped, 2000);
	for (uint64_t i = 0; i < n.written; i++) {
		uint64_t seq = fake_expect_emit(f, "e").seq;

		assert_true(seq > last);
		last = seq;
	}
	/* the newest is never the one that went */
	assert_int_equal(last, 2000);
	fake_expect_nothing(f);
	nc_free(c);
}

static void on_answer(nc_client *c, int error, const nc_msg *m, void *arg)
{
	(void)c;
	(void)m;
	*(int *)arg = error;
}

static void a_request_is_never_the_newest_that_is_dropped(void **state)
{
	struct fake *f = *state;
	struct nc_counters n;
	nc_client *c = fake_client(f);
	static const char data[1000];
	int error = -1;

	nc_setopt_int(c, NC_OPT_QUEUE_POLICY, NC_POLICY_DROP_NEWEST);
	nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 50000);
	fake_connect(f, c);
	do {
		assert_int_equal(nc_emit_bytes(c, "e", data, sizeof(data)), NC_OK);
		nc_get_counters(c, &n, sizeof(n));
	} while (!n.dropped);
	assert_int_equal(
	        nc_request(c, "ask", NC_BYTES, data, sizeof(data), 1000, on_answer, &error),
	        NC_AGAIN);
	assert_int_equal(nc_disconnect(c, 0), NC_AGAIN);
	nc_process(c);
	assert_int_equal(error, -1);
	nc_free(c);
}

static void small_emits_are_written_together(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	static const char data[1000];

	fake_connect(f, c);
	assert_int_equal(nc_emit_empty(c, "e"), NC_OK);
	fake_expect_nothing(f);
	assert_int_equal(nc_events(c), POLLIN | POLLOUT);
	assert_int_equal(nc_process(c), NC_OK);
	fake_expect_emit(f, "e");
	for (int i = 0; i < 63; i++)
		assert_int_equal(nc_emit_bytes(c, "e", data, sizeof(data)), NC_OK);
	fake_expect_nothing(f);
	assert_int_equal(nc_emit_bytes(c, "e", data, sizeof(data)), NC_OK);
	for (int i = 0; i < 64; i++)
		fake_expect_emit(f, "e");
	nc_free(c);
}

static void without_batching_each_emit_is_written_at_once(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_BATCH_BYTES, 0);
	fake_connect(f, c);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(nc_emit_empty(c, "e"), NC_OK);
		fake_expect_emit(f, "e");
	}
	nc_free(c);
}

static void waiting_for_room_succeeds_when_the_server_reads(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	static const char data[1000];

	nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 20000);
	fake_connect(f, c);
	fill(c);
	assert_int_equal(nc_emit_wait(c, "e", NC_BYTES, data, sizeof(data), 0, 10), NC_AGAIN);
	fake_start(f);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(nc_emit_wait(c, "e", NC_BYTES, data, sizeof(data), 0, 5000),
		                 NC_OK);
	fake_join(f);
	nc_free(c);
}

static void who_can_wait_waits_for_the_socket_before_the_queue_is_full(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	static const char data[1000];
	struct nc_counters n = {0};
	uint64_t most = 0;

	fake_connect(f, c);
	while (n.queued_bytes <= 1u << 20) {
		assert_int_equal(nc_emit_bytes(c, "e", data, sizeof(data)), NC_OK);
		nc_get_counters(c, &n, sizeof(n));
	}
	/* nobody reads, but the queue has room for what waited in vain */
	assert_int_equal(nc_emit_wait(c, "e", NC_BYTES, data, sizeof(data), 0, 10), NC_OK);
	fake_start(f);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(nc_emit_wait(c, "e", NC_BYTES, data, sizeof(data), 0, 60000),
		                 NC_OK);
		nc_get_counters(c, &n, sizeof(n));
		most = n.queued_bytes > most ? n.queued_bytes : most;
	}
	assert_in_range(most, 1, (1u << 20) + 4096);
	assert_int_equal(nc_disconnect(c, 60000), NC_OK);
	fake_join(f);
	nc_free(c);
}

static void it_reads_on_while_it_can_not_write(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	nc_client *c = fake_client(f);
	size_t len;

	nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 20000);
	nc_on(c, ">", on_message, &t);
	nc_setopt_int(c, NC_OPT_LOCAL, 0);
	fake_connect(f, c);
	fake_expect(f, FRAME_LISTEN, &len);
	fill(c);
	for (int i = 0; i < 500; i++) {
		fake_emit(f, "x", "hello", (uint64_t)i + 1);
		assert_int_equal(nc_process(c), NC_OK);
	}
	assert_int_equal(t.n_messages, 500);
	nc_free(c);
}

static void listen_overtakes_messages_that_wait(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct tally t = {0};
	size_t n_emits = 0;

	nc_setopt_int(c, NC_OPT_LOCAL, 0);
	fake_connect(f, c);
	fill(c);
	nc_on(c, "x", on_message, &t);
	while (nc_flush(c) == NC_AGAIN)
		fake_read(f);
	fake_read(f);
	/* never into the middle of a frame, and not behind what was queued before */
	while (f->in[4] == FRAME_EMIT) {
		size_t len;

		fake_expect(f, FRAME_EMIT, &len);
		n_emits++;
	}
	assert_int_equal(f->in[4], FRAME_LISTEN);
	assert_true(n_emits < 1000);
	nc_free(c);
}

static void own_emits_reach_own_handlers_in_order(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);

	nc_on(c, "a.*", on_message, &t);
	nc_on(c, "a.b", on_message, &t);
	fake_connect(f, c);
	assert_int_equal(nc_emit_text(c, "a.b", "x"), NC_OK);
	assert_int_equal(nc_emit_text(c, "a.c", "x"), NC_OK);
	assert_int_equal(nc_emit_text(c, "other", "x"), NC_OK);
	assert_int_equal(t.n_messages, 0);
	assert_int_equal(nc_timeout(c), 0);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(t.n_messages, 3);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(t.n_messages, 3);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.local, 2);
	assert_int_equal(n.written, 3);
	assert_int_equal(n.received, 0);
	nc_free(c);
}

static void own_emits_stay_away_where_told_so(void **state)
{
	static const enum nc_option options[] = {NC_OPT_LOCAL, NC_OPT_ECHO};
	struct fake *f = *state;

	for (int i = 0; i < 2; i++) {
		struct tally t = {0};
		nc_client *c = fake_client(f);

		assert_int_equal(nc_setopt_int(c, options[i], i), NC_OK);
		nc_on(c, ">", on_message, &t);
		fake_connect(f, c);
		assert_int_equal(nc_emit_text(c, "a.b", "x"), NC_OK);
		assert_int_equal(nc_process(c), NC_OK);
		assert_int_equal(t.n_messages, 0);
		nc_free(c);
		fake_hang_up(f);
	}
}

static void emit_again(nc_client *c, const nc_msg *m, void *arg)
{
	on_message(c, m, arg);
	assert_int_equal(nc_emit_text(c, nc_msg_event(m), "again"), NC_OK);
}

static void what_a_handler_emits_for_itself_waits_for_the_next_turn(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	nc_client *c = fake_client(f);

	nc_on(c, "e", emit_again, &t);
	fake_connect(f, c);
	assert_int_equal(nc_emit_text(c, "e", "first"), NC_OK);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(nc_process(c), NC_OK);
		assert_int_equal(t.n_messages, i);
	}
	nc_free(c);
}

static void a_full_inbox_says_again(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	struct nc_counters n;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_QUEUE_MESSAGES, 10);
	nc_setopt_int(c, NC_OPT_BATCH_BYTES, 0);
	nc_on(c, "e", on_message, &t);
	nc_on_writable(c, on_writable, &t);
	fake_connect(f, c);
	assert_int_equal(fill(c), 10);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, 10);
	assert_int_equal(n.queued, 0);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(t.n_messages, 10);
	assert_int_equal(t.n_writable, 1);
	nc_free(c);
}

static void a_socket_that_fails_while_emitting_is_found_by_the_next_process(void **state)
{
	struct fake *f = *state;
	struct tally t = {0};
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_BATCH_BYTES, 0);
	nc_setopt_int(c, NC_OPT_LOCAL, 0);
	nc_on(c, "last", on_message, &t);
	fake_connect(f, c);
	fake_emit(f, "last", "words", 1);
	fake_hang_up(f);
	assert_int_equal(nc_emit_text(c, "e", "x"), NC_OK);
	assert_int_equal(nc_state(c), NC_CONNECTED);
	assert_int_equal(nc_timeout(c), 0);
	assert_int_equal(nc_flush(c), NC_ESTATE);
	while (nc_state(c) == NC_CONNECTED)
		assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(t.n_messages, 1);
	assert_int_equal(nc_state(c), NC_RECONNECTING);
	nc_free(c);
}

static void counters_of_an_older_program_fit(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct {
		uint64_t emitted, written;
		uint64_t guard;
	} small = {1, 1, 42};
	uint64_t large[40];

	nc_get_counters(c, (struct nc_counters *)&small, 16);
	assert_int_equal(small.emitted, 0);
	assert_int_equal(small.guard, 42);
	memset(large, 0xFF, sizeof(large));
	nc_get_counters(c, (struct nc_counters *)large, sizeof(large));
	assert_int_equal(large[39], 0);
	nc_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(every_type_is_encoded_as_it_is),
	        TEST(arguments_are_checked),
	        TEST(a_name_that_changes_in_its_place_is_noticed),
	        TEST(what_the_server_does_not_take_is_refused_at_once),
	        TEST(what_was_queued_before_and_is_too_large_is_dropped_and_told),
	        TEST(a_full_queue_says_again_and_calls_once_when_half_empty),
	        TEST(the_number_of_messages_is_bounded_too),
	        TEST(the_oldest_are_dropped_where_the_policy_says_so),
	        TEST(the_newest_are_dropped_where_the_policy_says_so),
	        TEST(the_policy_while_connected_is_its_own),
	        TEST(a_request_is_never_the_newest_that_is_dropped),
	        TEST(small_emits_are_written_together),
	        TEST(without_batching_each_emit_is_written_at_once),
	        TEST(waiting_for_room_succeeds_when_the_server_reads),
	        TEST(who_can_wait_waits_for_the_socket_before_the_queue_is_full),
	        TEST(it_reads_on_while_it_can_not_write),
	        TEST(listen_overtakes_messages_that_wait),
	        TEST(own_emits_reach_own_handlers_in_order),
	        TEST(own_emits_stay_away_where_told_so),
	        TEST(what_a_handler_emits_for_itself_waits_for_the_next_turn),
	        TEST(a_full_inbox_says_again),
	        TEST(a_socket_that_fails_while_emitting_is_found_by_the_next_process),
	        TEST(counters_of_an_older_program_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
