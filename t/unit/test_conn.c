/*
 * Unit tests of client/conn
 */

#include "libnc/client/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <netcluster/nc.h>

#include "t/unit/nomem.h"

/* A connection, and what it told, as letters and numbers. */
struct line {
	struct conn conn;
	struct outq out;
	char log[512];
	size_t log_len;
	const char *on_message; /* what to do: "pause", "stop", "restart" */
};

static void note(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct line *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	l->log_len +=
	        (size_t)vsnprintf(l->log + l->log_len, sizeof(l->log) - l->log_len, fmt, args);
	va_end(args);
	assert_true(l->log_len < sizeof(l->log));
}

static int start(struct line *l)
{
	struct conn_hello hello = {.channel = "c", .label = "me", .features = 3, .policy = 2};

	return conn_start(&l->conn, &hello);
}

static void on_welcome(void *arg)
{
	struct line *l = arg;

	note(l, "W%d", (int)l->conn.id);
}

static void on_message(void *arg, const struct frame_emit *f)
{
	struct line *l = arg;

	note(l, "M%d:%u", (int)f->seq, (unsigned)f->payload_len);
	if (!l->on_message)
		return;
	if (!strcmp(l->on_message, "pause"))
		l->conn.pause = true;
	else
		conn_stop(&l->conn);
	if (!strcmp(l->on_message, "restart"))
		assert_int_equal(start(l), 0);
}

static void on_gap(void *arg, const struct frame_gap *f)
{
	note(arg, "G%d", (int)f->count);
}

static void on_error(void *arg, const struct frame_error *f)
{
	note(arg, "E%u", (unsigned)f->code);
}

static void on_pong(void *arg, uint64_t token)
{
	note(arg, "P%d", (int)token);
}

static const struct conn_ops ops = {on_welcome, on_message, on_gap, on_error, on_pong};

static void line_open(struct line *l)
{
	memset(l, 0, sizeof(*l));
	outq_init(&l->out, 1 << 20, 1000);
	conn_init(&l->conn, &ops, l, &l->out);
	assert_int_equal(start(l), 0);
}

static void line_close(struct line *l)
{
	conn_fini(&l->conn);
	outq_fini(&l->out);
}

/* Gives the connection the bytes, `step` at a time. Returns what conn_parse() says in the end. */
static int feed(struct line *l, const uint8_t *p, size_t len, size_t step)
{
	int r = NC_OK;

	while (len && r == NC_OK && l->conn.state != CONN_STOPPED) {
		size_t room, n = len < step ? len : step;
		uint8_t *space = conn_space(&l->conn, &room);

		assert_non_null(space);
		assert_true(room > 0);
		if (n > room)
			n = room;
		memcpy(space, p, n);
		conn_took(&l->conn, n);
		r = conn_parse(&l->conn);
		p += n;
		len -= n;
	}
	return r;
}

/* ---- a script of frames */

struct script {
	uint8_t bytes[16384];
	size_t len;
};

static uint8_t *script_end(struct script *s)
{
	return s->bytes + s->len;
}

static size_t script_room(const struct script *s)
{
	return sizeof(s->bytes) - s->len;
}

static void add_welcome(struct script *s, uint64_t id, uint16_t version, uint32_t max_payload)
{
	struct frame_welcome w = {.version = version,
	                          .sender = id,
	                          .max_payload = max_payload,
	                          .channel = "c",
	                          .channel_len = 1,
	                          .host = "h",
	                          .host_len = 1,
	                          .server = "s",
	                          .server_len = 1};

	s->len += frame_welcome_put(script_end(s), script_room(s), &w);
}

static void add_message(struct script *s, uint64_t seq, uint32_t len)
{
	struct frame_emit m = {.sender = 9,
	                       .seq = seq,
	                       .channel = "x",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = len};
	size_t n = frame_emit_head_put(script_end(s), script_room(s), &m);

	assert_true(n && n + len <= script_room(s));
	memset(script_end(s) + n, 'x', len);
	s->len += n + len;
}

static void add_error(struct script *s, uint16_t code, uint8_t fatal)
{
	struct frame_error e = {.code = code, .fatal = fatal, .text = "why", .text_len = 3};

	s->len += frame_error_put(script_end(s), script_room(s), &e);
}

static void add_gap(struct script *s, uint64_t count)
{
	struct frame_gap g = {.count = count, .reason = 1, .exact = 1};

	s->len += frame_gap_put(script_end(s), script_room(s), &g);
}

static void add_ping(struct script *s, enum frame_kind kind, uint64_t token)
{
	s->len += frame_ping_put(script_end(s), script_room(s), kind, token);
}

static void add_bye(struct script *s, uint16_t code)
{
	struct frame_bye b = {.code = code, .text = "so long", .text_len = 7};

	s->len += frame_bye_put(script_end(s), script_room(s), &b);
}

static void add_sender(struct script *s, uint64_t id)
{
	struct frame_sender f = {
	        .sender = id, .uid = 1, .gid = 2, .pid = 3, .host = "h", .host_len = 1};

	s->len += frame_sender_put(script_end(s), script_room(s), &f);
}

static void add_unknown(struct script *s, uint8_t kind, uint32_t len)
{
	memset(script_end(s), 0xAB, len);
	le32_put(script_end(s), len);
	script_end(s)[4] = kind;
	s->len += len;
}

/* Builds the frames that `text` names, by letters with numbers: W welcome, M message of so many
 * bytes, E error, F fatal error, G gap, P ping, Q pong, B bye, S sender, U unknown kind. */
static void script_make(struct script *s, const char *text)
{
	uint64_t seq = 0;

	s->len = 0;
	while (*text) {
		char letter = *text++;
		unsigned long n = strtoul(text, (char **)(uintptr_t)&text, 10);

		switch (letter) {
		case 'W': add_welcome(s, n, 1, 1000); break;
		case 'V': add_welcome(s, 5, (uint16_t)n, 1000); break;
		case 'M': add_message(s, ++seq, (uint32_t)n); break;
		case 'E': add_error(s, (uint16_t)n, 0); break;
		case 'F': add_error(s, (uint16_t)n, 1); break;
		case 'G': add_gap(s, n); break;
		case 'P': add_ping(s, FRAME_PING, n); break;
		case 'Q': add_ping(s, FRAME_PONG, n); break;
		case 'B': add_bye(s, (uint16_t)n); break;
		case 'S': add_sender(s, n); break;
		case 'U': add_unknown(s, 99, (uint32_t)n); break;
		case 'K': add_unknown(s, (uint8_t)n, 16); break;
		case ' ': break;
		default: fail();
		}
	}
}

struct row {
	const char *script;
	const char *log;
	int result;
};

static const struct row rows[] = {
        {"W5", "W5", NC_OK},
        {"W5 M3 M0 M1000", "W5M1:3M2:0M3:1000", NC_OK},
        /* the welcome's limit is for what we send */
        {"W5 M1001", "W5M1:1001", NC_OK},
        {"M3", "", NC_EPROTO},
        {"G1", "", NC_EPROTO},
        {"Q1", "", NC_EPROTO},
        {"S1", "", NC_EPROTO},
        {"W0", "", NC_EPROTO},
        {"V2", "", NC_EVERSION},
        {"V0", "", NC_EVERSION},
        {"W5 W5", "W5", NC_EPROTO},
        {"W5 G7 M1 Q3", "W5G7M1:1P3", NC_OK},
        {"W5 S9 M1", "W5M1:1", NC_OK},
        {"W5 E6 M1", "W5E6M1:1", NC_OK},
        {"F10", "", NC_EDENIED},
        {"W5 M1 F16 M1", "W5M1:1", NC_ESLOW},
        {"W5 F0", "W5", NC_ECLOSED},
        {"W5 F1", "W5", NC_ECLOSED},
        {"W5 F4000", "W5", NC_ECLOSED},
        {"W5 M1 B19 M1", "W5M1:1", NC_ESHUTDOWN},
        {"W5 B0", "W5", NC_ECLOSED},
        {"B19", "", NC_ESHUTDOWN},
        {"U100 W5 U8 M1 U900 U2000 M2", "W5M1:1M2:2", NC_OK},
        {"W5 K12 K13 K0 M1", "W5M1:1", NC_OK},
        {"K1 W5 K1 K4 K5 M1", "W5M1:1", NC_OK},
        {"P1 W5 P2", "W5", NC_OK},
};

static void what_comes_is_told_however_it_is_cut(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 8, 9, 64, SIZE_MAX};
	struct script s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		script_make(&s, rows[i].script);
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct line l;
			int r;

			line_open(&l);
			r = feed(&l, s.bytes, s.len, steps[k]);
			if (r != rows[i].result || strcmp(l.log, rows[i].log))
				fail_msg("\"%s\" in steps of %zu: %d, \"%s\"", rows[i].script,
				         steps[k], r, l.log);
			if (r)
				assert_non_null(l.conn.end_text);
			line_close(&l);
		}
	}
}

/* A message, and one that is the same but for one byte of its head: both at once, or the second in
 * a read of its own, where nothing is known of the first any more. */
static void a_head_like_the_one_before_is_checked_as_any_other(void **state)
{
	static const enum frame_type types[] = {FRAME_T_BYTES, FRAME_T_TEXT, FRAME_T_JSON,
	                                        FRAME_T_INT, FRAME_T_EMPTY};
	struct script s;
	struct line once, twice;

	(void)state;
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]) * 256 * 26; i++) {
		size_t first, second, at = i % 26, welcome;
		uint32_t len = types[i / 256 / 26] == FRAME_T_EMPTY ? 0 : 8;
		int r_once, r_twice;

		s.len = 0;
		add_welcome(&s, 5, 1, 1000);
		welcome = first = s.len;
		add_message(&s, 1, len);
		second = s.len;
		add_message(&s, 1, len);
		s.bytes[first + 5] = s.bytes[second + 5] = (uint8_t)types[i / 256 / 26];
		s.bytes[second + at] = (uint8_t)(i / 26);
		/* so that a longer one is there, too */
		add_message(&s, 2, 300);
		line_open(&once);
		line_open(&twice);
		assert_int_equal(feed(&once, s.bytes, welcome, SIZE_MAX), NC_OK);
		assert_int_equal(feed(&twice, s.bytes, second, SIZE_MAX), NC_OK);
		r_once = feed(&once, s.bytes + welcome, s.len - welcome, SIZE_MAX);
		r_twice = feed(&twice, s.bytes + second, s.len - second, SIZE_MAX);
		if (r_once != r_twice || strcmp(once.log, twice.log))
			fail_msg("type %d, byte %zu is %u: %d, \"%s\"; by itself %d, \"%s\"",
			         (int)types[i / 256 / 26], at, i / 26 % 256, r_once, once.log,
			         r_twice, twice.log);
		line_close(&once);
		line_close(&twice);
	}
}

static void lengths_that_can_not_be_are_refused_at_once(void **state)
{
	static const struct {
		uint32_t len;
		uint8_t kind;
	} prefixes[] = {{NC_MESSAGE_MAX + NC_HEAD_MAX + 1, 99},
	                {NC_MESSAGE_MAX + 24 + 2 + 1, FRAME_EMIT},

	                {0, FRAME_PING},
	                {7, FRAME_PING},
	                {NC_CONTROL_FRAME_MAX + 1, FRAME_GAP},
	                {UINT32_MAX, 99},
	                {0, 99},
	                {7, 99},
	                {UINT32_MAX, FRAME_EMIT},
	                {0, FRAME_EMIT},
	                {25, FRAME_EMIT}};

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct script s = {.len = 0};
		struct line l;

		line_open(&l);
		add_welcome(&s, 5, 1, 1000);
		le32_put(script_end(&s), prefixes[i].len);
		script_end(&s)[4] = prefixes[i].kind;
		script_end(&s)[6] = 1;
		script_end(&s)[7] = 1;
		s.len += FRAME_PREFIX_LEN;
		assert_int_equal(feed(&l, s.bytes, s.len, 1), NC_EPROTO);
		line_close(&l);
	}
}

static void a_limit_beyond_the_protocols_is_cut(void **state)
{
	struct script s = {.len = 0};
	struct line l;

	(void)state;
	line_open(&l);
	add_welcome(&s, 5, 1, UINT32_MAX);
	assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
	assert_int_equal(l.conn.max_payload, NC_MESSAGE_MAX);
	line_close(&l);
}

static void a_pause_keeps_the_rest_until_it_ends(void **state)
{
	struct script s;
	struct line l;

	(void)state;
	line_open(&l);
	l.on_message = "pause";
	script_make(&s, "W5 M1 M2 M3 G4");
	assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
	assert_string_equal(l.log, "W5M1:1");
	for (int i = 0; i < 2; i++) {
		assert_true(conn_has_frames(&l.conn));
		l.conn.pause = false;
		assert_int_equal(conn_parse(&l.conn), NC_OK);
	}
	assert_string_equal(l.log, "W5M1:1M2:2M3:3");
	l.conn.pause = false;
	assert_int_equal(conn_parse(&l.conn), NC_OK);
	assert_string_equal(l.log, "W5M1:1M2:2M3:3G4");
	assert_false(conn_has_frames(&l.conn));
	line_close(&l);
}

static void a_call_may_stop_or_restart_the_connection(void **state)
{
	static const char *const acts[] = {"stop", "restart"};
	struct script s;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct line l;

		line_open(&l);
		l.on_message = acts[i];
		script_make(&s, "W5 M1 M2 M3");
		assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
		assert_string_equal(l.log, "W5M1:1");
		assert_int_equal(l.conn.state, i ? CONN_GREETING : CONN_STOPPED);
		line_close(&l);
	}
}

static void the_read_buffer_grows_as_bytes_arrive_and_goes(void **state)
{
	struct script s = {.len = 0};
	struct frame_emit m = {.channel = "x",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = 3 << 20};
	static uint8_t zeros[1 << 18];
	size_t left = 3 << 20;
	struct line l;

	(void)state;
	line_open(&l);
	add_welcome(&s, 5, 1, 3 << 20);
	s.len += frame_emit_head_put(script_end(&s), script_room(&s), &m);
	assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
	assert_int_equal(l.conn.in_cap, CONN_READ_LEN);
	for (; left; left -= sizeof(zeros)) {
		assert_true(l.conn.in_cap <= CONN_READ_LEN ||
		            l.conn.in_cap <= 2 * (l.conn.in_end + sizeof(zeros)));
		assert_int_equal(feed(&l, zeros, sizeof(zeros), SIZE_MAX), NC_OK);
	}
	assert_string_equal(l.log, "W5M0:3145728");
	assert_true(l.conn.in_cap > CONN_READ_LEN);
	conn_trim(&l.conn);
	assert_null(l.conn.in);
	line_close(&l);
}

static void several_long_messages_are_read_at_once_while_they_come(void **state)
{
	static uint8_t zeros[CONN_LONG_LEN];
	struct frame_emit m = {.channel = "x",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = sizeof(zeros)};
	struct script s = {.len = 0};
	struct line l;
	size_t len;

	(void)state;
	line_open(&l);
	add_welcome(&s, 5, 1, 3 << 20);
	s.len += frame_emit_head_put(script_end(&s), script_room(&s), &m);
	assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
	assert_int_equal(feed(&l, zeros, sizeof(zeros), SIZE_MAX), NC_OK);
	conn_trim(&l.conn);
	assert_non_null(conn_space(&l.conn, &len));
	assert_int_equal(len, CONN_READ_LONG_LEN);
	/* a turn in which nothing comes says nothing, and one with short ones that they are over */
	conn_trim(&l.conn);
	assert_non_null(conn_space(&l.conn, &len));
	assert_int_equal(len, CONN_READ_LONG_LEN);
	s.len = 0;
	add_message(&s, 1, 10);
	assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
	conn_trim(&l.conn);
	assert_non_null(conn_space(&l.conn, &len));
	assert_int_equal(len, CONN_READ_LEN);
	line_close(&l);
}

static void without_memory_to_read_it_says_so(void **state)
{
	struct line l;
	size_t len;

	(void)state;
	line_open(&l);
	nomem_after(0);
	assert_null(conn_space(&l.conn, &len));
	nomem_off();
	assert_non_null(conn_space(&l.conn, &len));
	line_close(&l);
}

static void without_memory_the_welcome_ends_it(void **state)
{
	struct script s;
	unsigned n = 0;
	int r;

	(void)state;
	script_make(&s, "W5");
	do {
		struct line l;
		size_t room;

		line_open(&l);
		memcpy(conn_space(&l.conn, &room), s.bytes, s.len);
		conn_took(&l.conn, s.len);
		nomem_after(n++);
		r = conn_parse(&l.conn);
		nomem_off();
		assert_true(r == NC_OK || r == NC_ENOMEM);
		assert_string_equal(l.log, r ? "" : "W5");
		line_close(&l);
	} while (r);
	assert_int_equal(n, 3);
}

/* ---- writing */

/* Takes `n` bytes of what is to be written, appended to `to`. */
static size_t take(struct line *l, uint8_t *to, size_t max, bool messages)
{
	struct iovec iov[CONN_IOV_MAX];
	size_t len, left;
	int n = conn_gather(&l->conn, iov, messages, &len);

	if (len > max)
		len = max;
	left = len;
	for (int i = 0; i < n && left; i++) {
		size_t part = iov[i].iov_len < left ? iov[i].iov_len : left;

		memcpy(to, iov[i].iov_base, part);
		to += part;
		left -= part;
	}
	conn_wrote(&l->conn, len);
	return len;
}

static void push(struct line *l, uint32_t payload_len)
{
	struct frame_emit m = {.channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = payload_len};
	size_t len = frame_emit_head_len(&m) + payload_len;
	uint8_t *p = outq_reserve(&l->out, len);

	assert_non_null(p);
	frame_emit_head_put(p, len, &m);
	memset(p + len - payload_len, 'd', payload_len);
	outq_commit(&l->out, len);
}

static void only_the_hello_is_written_before_the_welcome(void **state)
{
	uint8_t out[4096];
	struct frame_hello h;
	struct line l;
	size_t len;

	(void)state;
	line_open(&l);
	push(&l, 100);
	len = take(&l, out, sizeof(out), true);
	assert_memory_equal(out, FRAME_PREFACE, FRAME_PREFACE_LEN);
	assert_int_equal(frame_hello_get(&h, out + FRAME_PREFACE_LEN, len - FRAME_PREFACE_LEN),
	                 FRAME_OK);
	assert_int_equal(h.features, 3);
	assert_int_equal(h.policy, 2);
	assert_int_equal(h.label_len, 2);
	assert_int_equal(take(&l, out, sizeof(out), true), 0);
	line_close(&l);
}

static void control_frames_go_between_messages_never_into_them(void **state)
{
	static uint8_t out[65536];

	(void)state;
	for (size_t step = 1; step < 200; step++) {
		struct script s;
		struct line l;
		size_t len = 0, n;

		line_open(&l);
		take(&l, out, sizeof(out), true);
		script_make(&s, "W5");
		assert_int_equal(feed(&l, s.bytes, s.len, SIZE_MAX), NC_OK);
		for (int i = 0; i < 5; i++)
			push(&l, 50);
		for (int i = 0; (n = take(&l, out + len, step, true)); i++) {
			len += n;
			if (i % 3 == 0 && i < 15)
				assert_int_equal(conn_put_ping(&l.conn, 7), 0);
		}
		for (size_t at = 0; at < len; at += frame_prefix_get(out + at).len) {
			struct frame_prefix h = frame_prefix_get(out + at);

			assert_true((h.kind == FRAME_EMIT && h.len == 24 + 2 + 50) ||
			            (h.kind == FRAME_PING && h.len == 16));
			assert_true(at + h.len <= len);
		}
		line_close(&l);
	}
}

static void patterns_leave_room_for_answers(void **state)
{
	struct line l;
	int n = 0;

	(void)state;
	line_open(&l);
	while (!conn_put_listen(&l.conn, "some.pattern", 12, true))
		n++;
	assert_true(n > 1000);
	assert_true(l.conn.control.len <= CONN_LISTEN_MAX);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(conn_put_ping(&l.conn, 1), 0);
	line_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_comes_is_told_however_it_is_cut),
	        cmocka_unit_test(a_head_like_the_one_before_is_checked_as_any_other),
	        cmocka_unit_test(lengths_that_can_not_be_are_refused_at_once),
	        cmocka_unit_test(a_limit_beyond_the_protocols_is_cut),
	        cmocka_unit_test(a_pause_keeps_the_rest_until_it_ends),
	        cmocka_unit_test(a_call_may_stop_or_restart_the_connection),
	        cmocka_unit_test(the_read_buffer_grows_as_bytes_arrive_and_goes),
	        cmocka_unit_test(several_long_messages_are_read_at_once_while_they_come),
	        cmocka_unit_test(without_memory_to_read_it_says_so),
	        cmocka_unit_test(without_memory_the_welcome_ends_it),
	        cmocka_unit_test(only_the_hello_is_written_before_the_welcome),
	        cmocka_unit_test(control_frames_go_between_messages_never_into_them),
	        cmocka_unit_test(patterns_leave_room_for_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
