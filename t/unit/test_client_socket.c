/*
 * Unit tests of a client's coming and going, over a real socket
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

/* What the status and fd callbacks said, as text. */
struct diary {
	char text[1024];
	size_t len;
	struct nc_status last;
	/* what the callback is to do when it hears `on` */
	enum nc_status_kind on;
	void (*act)(nc_client *c);
};

static void note(struct diary *d, const char *word)
{
	d->len += (size_t)snprintf(d->text + d->len, sizeof(d->text) - d->len, "%s%s",
	                           d->len ? " " : "", word);
	assert_true(d->len < sizeof(d->text));
}

static const char *status_word(const struct nc_status *s)
{
	switch (s->kind) {
	case NC_STATUS_CONNECTED: return "connected";
	case NC_STATUS_DISCONNECTED: return "disconnected";
	case NC_STATUS_RECONNECTING: return "reconnecting";
	case NC_STATUS_GAP: return "gap";
	case NC_STATUS_ERROR: return "error";
	case NC_STATUS_DROPPED: return "dropped";
	case NC_STATUS_CLOSED: return "closed";
	}
	return "?";
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	struct diary *d = arg;

	assert_non_null(s->text);
	d->last = *s;
	note(d, status_word(s));
	if (d->act && d->on == s->kind)
		d->act(c);
}

static void on_fd(nc_client *c, int fd, void *arg)
{
	(void)c;
	note(arg, fd >= 0 ? "fd" : fd == NC_FD_GONE ? "gone" : "nofd");
}

static const char *diary_take(struct diary *d)
{
	static char text[sizeof(d->text)];

	memcpy(text, d->text, sizeof(text));
	d->text[0] = 0;
	d->len = 0;
	return text;
}

/* A client that writes a diary. */
static nc_client *diarist(struct fake *f, struct diary *d)
{
	nc_client *c = fake_client(f);

	memset(d, 0, sizeof(*d));
	nc_on_status(c, on_status, d);
	nc_on_fd(c, on_fd, d);
	return c;
}

static void nothing_but_hello_is_sent_before_the_welcome(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	assert_int_equal(nc_open(c), NC_OK);
	assert_string_equal(diary_take(&d), "fd");
	assert_int_equal(nc_emit_text(c, "e", "early"), NC_OK);
	assert_int_equal(nc_process(c), NC_OK);
	fake_accept(f);
	fake_expect_hello(f);
	fake_expect_nothing(f);
	fake_welcome(f);
	assert_int_equal(nc_process(c), NC_OK);
	assert_string_equal(diary_take(&d), "connected");
	assert_int_equal(fake_expect_emit(f, "e").seq, 1);
	assert_string_equal(nc_host(c), "here");
	assert_string_equal(nc_server(c), "fake 1");
	assert_string_equal(nc_socket(c), f->path);
	assert_int_equal(nc_id(c), FAKE_SESSION);
	assert_int_equal(nc_max_message(c), NC_MESSAGE_DEFAULT);
	nc_free(c);
	assert_string_equal(diary_take(&d), "nofd gone");
	assert_true(fake_is_hung_up(f));
}

static void a_server_that_comes_later_is_found(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	fake_stop_listening(f);
	/* long enough for a slow machine to look at the first attempt before there is a second */
	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 500);
	nc_setopt_int(c, NC_OPT_RECONNECT_MAX_MS, 500);
	assert_int_equal(nc_open(c), NC_OK);
	assert_int_equal(nc_state(c), NC_RECONNECTING);
	assert_int_equal(nc_timeout(c), 0);
	/* who polls learns that there is a timer now */
	assert_string_equal(diary_take(&d), "nofd");
	assert_int_equal(nc_process(c), NC_OK);
	assert_string_equal(diary_take(&d), "reconnecting");
	assert_int_equal(d.last.error, NC_ENOSERVER);
	assert_in_range(d.last.delay_ms, 1, 500);
	fake_listen(f);
	while (nc_fd(c) < 0)
		nc_wait(c, -1);
	fake_greet(f, c);
	nc_free(c);
}

static void each_attempt_has_its_own_time(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	nc_setopt_int(c, NC_OPT_CONNECT_TIMEOUT_MS, 5);
	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 1);
	assert_int_equal(nc_open(c), NC_OK);
	while (nc_state(c) == NC_CONNECTING)
		assert_int_equal(nc_wait(c, -1), NC_OK);
	assert_string_equal(diary_take(&d), "fd nofd reconnecting");
	assert_int_equal(d.last.error, NC_ETIMEOUT);
	nc_free(c);
}

static void send_error(struct fake *f, int code, const char *text)
{
	struct frame_error e = {.code = (uint16_t)code,
	                        .fatal = 1,
	                        .text = text,
	                        .text_len = (uint16_t)strlen(text)};
	uint8_t buf[256];

	fake_send(f, buf, frame_error_put(buf, sizeof(buf), &e));
}

static void a_refusal_that_would_be_repeated_is_final(void **state)
{
	static const int codes[] = {NC_EDENIED, NC_EVERSION, NC_EPROTO};
	struct fake *f = *state;

	for (int i = 0; i < 3; i++) {
		struct diary d;
		nc_client *c = diarist(f, &d);

		assert_int_equal(nc_open(c), NC_OK);
		assert_int_equal(nc_emit_text(c, "e", "lost"), NC_OK);
		fake_accept(f);
		send_error(f, codes[i], "go\naway");
		assert_int_equal(nc_process(c), codes[i]);
		assert_string_equal(diary_take(&d), "fd nofd dropped closed");
		assert_string_equal(nc_error_text(c), "go away");
		assert_int_equal(d.last.error, codes[i]);
		assert_int_equal(nc_process(c), codes[i]);
		assert_int_equal(nc_emit_text(c, "e", "x"), NC_ECLOSED);
		nc_free(c);
		fake_hang_up(f);
	}
}

static void after_other_ends_it_comes_back(void **state)
{
	static const int codes[] = {NC_ESHUTDOWN, NC_ESLOW, NC_EQUOTA, NC_OK, 999};
	struct fake *f = *state;

	for (int i = 0; i < 5; i++) {
		struct diary d;
		nc_client *c = diarist(f, &d);

		fake_connect(f, c);
		diary_take(&d);
		send_error(f, codes[i], "");
		assert_int_equal(nc_process(c), NC_OK);
		assert_string_equal(diary_take(&d), "nofd disconnected reconnecting");
		assert_int_equal(d.last.error,
		                 codes[i] > 0 && codes[i] < 999 ? codes[i] : NC_ECLOSED);
		assert_int_equal(nc_state(c), NC_RECONNECTING);
		nc_free(c);
		fake_hang_up(f);
	}
}

static void a_farewell_gives_its_reason(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);
	struct frame_bye b = {.code = NC_ESHUTDOWN, .text = "see you", .text_len = 7};
	uint8_t buf[64];

	fake_connect(f, c);
	diary_take(&d);
	fake_send(f, buf, frame_bye_put(buf, sizeof(buf), &b));
	assert_int_equal(nc_process(c), NC_OK);
	assert_string_equal(diary_take(&d), "nofd disconnected reconnecting");
	assert_int_equal(d.last.error, NC_ESHUTDOWN);
	assert_string_equal(nc_error_text(c), "see you");
	nc_free(c);
}

static void without_reconnection_an_end_is_final(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	nc_setopt_int(c, NC_OPT_RECONNECT, 0);
	fake_connect(f, c);
	diary_take(&d);
	fake_hang_up(f);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_string_equal(diary_take(&d), "nofd disconnected closed");
	assert_int_equal(nc_open(c), NC_OK);
	fake_greet(f, c);
	nc_free(c);
}

static void what_is_not_of_the_protocol_ends_it_for_good(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
	        {"{\"event\":\"x\"}\0", 14},       {"\x07\0\0\0\x03\0\0\0", 8},
	        {"\0\0\0\0\x0A\0\0\0", 8},         {"\xFF\xFF\xFF\xFF\x03\0\1\1", 8},
	        {"\xFF\xFF\xFF\xFF\x08\0\0\0", 8}, {"\x08\0\0\0\x06\0\0\0", 8},
	};
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diary d;
		nc_client *c = diarist(f, &d);

		fake_connect(f, c);
		diary_take(&d);
		fake_send(f, rows[i].bytes, rows[i].len);
		assert_int_equal(nc_process(c), NC_EPROTO);
		assert_string_equal(diary_take(&d), "nofd disconnected closed");
		nc_free(c);
		fake_hang_up(f);
	}
}

static void ignore(nc_client *c, const nc_msg *m, void *arg)
{
	(void)c;
	(void)m;
	(void)arg;
}

/* Waits until the client has reached the server again. */
static void come_back(struct fake *f, nc_client *c)
{
	while (nc_fd(c) < 0)
		nc_wait(c, -1);
	fake_greet(f, c);
}

static void after_a_break_patterns_and_queue_are_sent_again(void **state)
{
	struct fake *f = *state;
	struct frame_listen l;
	const uint8_t *p;
	struct diary d;
	nc_client *c = diarist(f, &d);
	size_t len;

	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 1);
	nc_on(c, "log.*", ignore, NULL);
	fake_connect(f, c);
	fake_expect(f, FRAME_LISTEN, &len);
	assert_int_equal(nc_emit_text(c, "e", "one"), NC_OK);
	assert_int_equal(nc_flush(c), NC_OK);
	assert_int_equal(fake_expect_emit(f, "e").seq, 1);
	fake_hang_up(f);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(nc_emit_text(c, "e", "two"), NC_OK);
	assert_int_equal(nc_emit_text(c, "e", "three"), NC_OK);
	come_back(f, c);
	assert_int_equal(f->session, FAKE_SESSION + 1);
	p = fake_expect(f, FRAME_LISTEN, &len);
	assert_int_equal(frame_listen_get(&l, p, len), FRAME_OK);
	assert_memory_equal(l.pattern, "log.*", 5);
	for (uint64_t seq = 1; seq <= 2; seq++) {
		struct frame_emit m = fake_expect_emit(f, "e");

		assert_int_equal(m.seq, seq);
		assert_int_equal(m.sender, f->session);
		assert_memory_equal(m.payload, seq == 1 ? "two" : "three", m.payload_len);
	}
	fake_expect_nothing(f);
	nc_free(c);
}

static void a_frame_that_a_break_cut_goes_out_again_whole(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);
	size_t len = 4 << 20;
	char *big = malloc(len);
	struct frame_emit m;

	assert_non_null(big);
	memset(big, 'x', len);
	nc_setopt_int(c, NC_OPT_RECONNECT_MIN_MS, 1);
	fake_connect(f, c);
	assert_int_equal(nc_emit_bytes(c, "big", big, len), NC_OK);
	assert_int_equal(nc_flush(c), NC_AGAIN);
	d.on = NC_STATUS_DISCONNECTED;
	fake_hang_up(f);
	while (nc_state(c) == NC_CONNECTED)
		nc_process(c);
	assert_string_equal(diary_take(&d), "fd connected nofd disconnected reconnecting");
	come_back(f, c);
	while (nc_flush(c) == NC_AGAIN)
		fake_read(f);
	m = fake_expect_emit(f, "big");
	assert_int_equal(m.seq, 1);
	assert_int_equal(m.payload_len, len);
	assert_memory_equal(m.payload, big, len);
	free(big);
	nc_free(c);
}

static void do_free(nc_client *c)
{
	nc_free(c);
}

static void do_disconnect(nc_client *c)
{
	assert_int_equal(nc_disconnect(c, 1000), NC_OK);
}

static void do_reopen(nc_client *c)
{
	assert_int_equal(nc_disconnect(c, 0), NC_OK);
	assert_int_equal(nc_open(c), NC_OK);
}

static void a_status_callback_may_free_the_client(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	d.on = NC_STATUS_CONNECTED;
	d.act = do_free;
	assert_int_equal(nc_open(c), NC_OK);
	fake_accept(f);
	fake_expect_hello(f);
	fake_welcome(f);
	fake_emit(f, "e", "x", 1);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_string_equal(diary_take(&d), "fd connected nofd gone");

	fake_hang_up(f);
	c = diarist(f, &d);
	d.on = NC_STATUS_DISCONNECTED;
	d.act = do_free;
	fake_connect(f, c);
	fake_hang_up(f);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_string_equal(diary_take(&d), "fd connected nofd disconnected gone");
}

static void a_status_callback_may_disconnect(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	d.on = NC_STATUS_DISCONNECTED;
	d.act = do_disconnect;
	fake_connect(f, c);
	fake_hang_up(f);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_string_equal(diary_take(&d), "fd connected nofd disconnected");
	assert_int_equal(nc_state(c), NC_CLOSED);
	assert_int_equal(nc_timeout(c), -1);
	nc_free(c);
}

static void a_status_callback_may_open_anew(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	d.on = NC_STATUS_CONNECTED;
	d.act = do_reopen;
	assert_int_equal(nc_open(c), NC_OK);
	fake_accept(f);
	fake_expect_hello(f);
	fake_welcome(f);
	fake_emit(f, "e", "of the old connection", 1);
	assert_int_equal(nc_process(c), NC_OK);
	assert_string_equal(diary_take(&d), "fd connected nofd fd");
	assert_int_equal(nc_state(c), NC_CONNECTING);
	fake_hang_up(f);
	d.act = NULL;
	fake_greet(f, c);
	nc_free(c);
}

static void disconnecting_writes_all_and_says_farewell(void **state)
{
	struct fake *f = *state;
	struct nc_counters n;
	nc_client *c = fake_client(f);

	fake_start(f);
	assert_int_equal(nc_connect(c, 60000), NC_OK);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(nc_emit_wait(c, "e", NC_TEXT, "0123456789", 10, 0, 60000), NC_OK);
	assert_int_equal(nc_disconnect(c, 60000), NC_OK);
	assert_int_equal(nc_state(c), NC_CLOSED);
	assert_int_equal(nc_disconnect(c, 0), NC_ESTATE);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.written, 20000);
	assert_int_equal(n.dropped, 0);
	nc_free(c);
	fake_join(f);
	assert_int_equal(strlen(fake_seen(f)), 20002);
	assert_int_equal(fake_seen(f)[0], 'H');
	assert_string_equal(fake_seen(f) + 20000, "EB");
}

static void what_disconnecting_leaves_is_counted_as_dropped(void **state)
{
	struct fake *f = *state;
	struct nc_counters n;
	nc_client *c = fake_client(f);
	static char data[10000];
	uint64_t ok = 0;

	fake_connect(f, c);
	while (nc_emit_bytes(c, "e", data, sizeof(data)) == NC_OK)
		ok++;
	assert_int_equal(nc_disconnect(c, 10), NC_AGAIN);
	nc_get_counters(c, &n, sizeof(n));
	assert_int_equal(n.emitted, ok);
	assert_int_equal(n.written + n.dropped, ok);
	assert_true(n.dropped > 0 && n.written > 0);
	assert_int_equal(n.queued, 0);
	assert_int_equal(n.queued_bytes, 0);
	nc_free(c);
}

static void sync_stands_behind_all_that_was_called_before(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	fake_start(f);
	assert_int_equal(nc_sync(c, 1000), NC_ESTATE);
	assert_int_equal(nc_connect(c, 5000), NC_OK);
	nc_on(c, "a", ignore, NULL);
	nc_emit_text(c, "e", "x");
	nc_on(c, "b", ignore, NULL);
	nc_emit_text(c, "e", "x");
	assert_int_equal(nc_sync(c, 5000), NC_OK);
	nc_off(c, "a", ignore, NULL);
	assert_int_equal(nc_sync(c, 5000), NC_OK);
	assert_int_equal(nc_disconnect(c, 5000), NC_OK);
	nc_free(c);
	fake_join(f);
	assert_string_equal(fake_seen(f), "HLLEEPUPB");
}

static void sync_ends_with_the_connection_or_the_time(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	fake_connect(f, c);
	assert_int_equal(nc_sync(c, 10), NC_ETIMEOUT);
	fake_hang_up(f);
	assert_int_equal(nc_sync(c, 1000), NC_ECLOSED);
	nc_free(c);
}

static void blocking_calls_are_refused_in_handlers(nc_client *c)
{
	assert_int_equal(nc_wait(c, 0), NC_ESTATE);
	assert_int_equal(nc_run(c), NC_ESTATE);
	assert_int_equal(nc_sync(c, 1), NC_ESTATE);
	assert_int_equal(nc_connect(c, 1), NC_ESTATE);
	assert_int_equal(nc_process(c), NC_ESTATE);
	assert_int_equal(nc_emit_wait(c, "e", NC_EMPTY, NULL, 0, 0, 1), NC_ESTATE);
}

static void nothing_that_waits_works_in_a_handler(void **state)
{
	struct fake *f = *state;
	struct diary d;
	nc_client *c = diarist(f, &d);

	d.on = NC_STATUS_CONNECTED;
	d.act = blocking_calls_are_refused_in_handlers;
	fake_connect(f, c);
	assert_string_equal(diary_take(&d), "fd connected");
	nc_free(c);
}

static void an_idle_client_holds_no_buffers_and_waits_for_input(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	fake_connect(f, c);
	fake_emit(f, "e", "x", 1);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(nc_emit_text(c, "e", "x"), NC_OK);
	assert_int_equal(nc_events(c), POLLIN | POLLOUT);
	assert_int_equal(nc_process(c), NC_OK);
	assert_null(c->conn.in);
	assert_null(c->conn.control.data);
	assert_true(list_empty(&c->out.segments));
	assert_int_equal(nc_events(c), POLLIN);
	assert_int_equal(nc_timeout(c), -1);
	nc_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(nothing_but_hello_is_sent_before_the_welcome),
	        TEST(a_server_that_comes_later_is_found),
	        TEST(each_attempt_has_its_own_time),
	        TEST(a_refusal_that_would_be_repeated_is_final),
	        TEST(after_other_ends_it_comes_back),
	        TEST(a_farewell_gives_its_reason),
	        TEST(without_reconnection_an_end_is_final),
	        TEST(what_is_not_of_the_protocol_ends_it_for_good),
	        TEST(after_a_break_patterns_and_queue_are_sent_again),
	        TEST(a_frame_that_a_break_cut_goes_out_again_whole),
	        TEST(a_status_callback_may_free_the_client),
	        TEST(a_status_callback_may_disconnect),
	        TEST(a_status_callback_may_open_anew),
	        TEST(disconnecting_writes_all_and_says_farewell),
	        TEST(what_disconnecting_leaves_is_counted_as_dropped),
	        TEST(sync_stands_behind_all_that_was_called_before),
	        TEST(sync_ends_with_the_connection_or_the_time),
	        TEST(nothing_that_waits_works_in_a_handler),
	        TEST(an_idle_client_holds_no_buffers_and_waits_for_input),
	};

	unsetenv("NC_SOCKET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
