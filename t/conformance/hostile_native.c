/*
 * Frames that lie: who writes them is told, goes or stays as the protocol says, and nobody else
 * notices
 */

#include "t/conformance/suite.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "t/helpers/raw.h"
#include "t/conformance/witness.h"

static const char limited[] = "hello_wait = 20;\n"
                              "channels = { A = { max_message = 65536; }; B = {}; };";

/* Waits until the server says something to a raw connection, and hears it. */
static void hear_more(struct peer *p, struct raw_said *said, uint64_t deadline, const char *what)
{
	struct pollfd f = {.fd = p->jc.fd, .events = POLLIN};

	if (util_left_ms(deadline) == 0)
		fail_msg("%s: nothing happens (code %u)", what, said->code);
	poll(&f, 1, 20);
	world_poll(p->world);
	raw_listen(&p->jc, said);
}

/* A connection that has been welcomed. */
static struct peer *welcomed(struct world *w, struct raw_said *said)
{
	struct peer *p = world_new_peer(w, JSON, "A");
	uint64_t deadline = util_deadline();
	struct raw r = {.len = 0};

	memset(said, 0, sizeof(*said));
	assert_int_equal(peer_connect(p), 0);
	p->stalled = true;
	raw_hello(&r);
	assert_int_equal(jc_write(&p->jc, r.p, r.len), 0);
	while (!said->welcome)
		hear_more(p, said, deadline, "no welcome");
	return p;
}

typedef void make_frame(struct raw *r, uint64_t id);

static void emit_with(struct raw *r, uint64_t id, uint8_t flags, const char *rest, size_t len)
{
	raw_emit(r, &(struct raw_emit){.flags = flags,
	                               .sender = id,
	                               .seq = 1,
	                               .channel = "A",
	                               .event = "x",
	                               .rest = rest,
	                               .rest_len = len});
}

static void emit_named(struct raw *r, uint64_t id, uint64_t seq, const char *channel,
                       const char *event)
{
	raw_emit(r,
	         &(struct raw_emit){.sender = id, .seq = seq, .channel = channel, .event = event});
}

static void second_hello(struct raw *r, uint64_t id)
{
	struct raw whole = {.len = 0};

	(void)id;
	raw_hello(&whole);
	raw_bytes(r, whole.p + 4, whole.len - 4);
}

static void no_length(struct raw *r, uint64_t id)
{
	(void)id;
	raw_bytes(r, "\0\0\0\0\x03\0\1\1", 8);
}

static void length_7(struct raw *r, uint64_t id)
{
	(void)id;
	raw_bytes(r, "\7\0\0\0\x03\0\1\1", 8);
}

static void short_emit(struct raw *r, uint64_t id)
{
	(void)id;
	raw_prefix(r, 8, 3, 0, 1, 1);
	raw_u64(r, 1);
}

static void huge_emit(struct raw *r, uint64_t id)
{
	raw_bytes(r, "\xff\xff\xff\xff\x03\x05\1\1", 8);
	raw_u64(r, id);
	raw_u64(r, 1);
	raw_bytes(r, "Ax", 2);
}

static void large_emit(struct raw *r, uint64_t id)
{
	raw_u32(r, 8 + 16 + 2 + 65536 + 1);
	raw_bytes(r, "\x03\x05\1\1", 4);
	raw_u64(r, id);
	raw_u64(r, 1);
	raw_bytes(r, "Ax", 2);
}

static void huge_listen(struct raw *r, uint64_t id)
{
	(void)id;
	raw_bytes(r, "\xff\xff\xff\x7f\x04\0\0\1>", 9);
}

static void large_ping(struct raw *r, uint64_t id)
{
	(void)id;
	raw_prefix(r, 4097 - 8, 6, 0, 0, 0);
}

static void short_ping(struct raw *r, uint64_t id)
{
	(void)id;
	raw_prefix(r, 4, 6, 0, 0, 0);
	raw_u32(r, 1);
}

static void reserved_flag(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x80, NULL, 0);
}

static void unknown_type(struct raw *r, uint64_t id)
{
	emit_with(r, id, 7, "x", 1);
}

static void wrapped(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x46, "{\"event\":\"x\"}", 13);
}

static void bool_of_two(struct raw *r, uint64_t id)
{
	emit_with(r, id, 1, "\0\1", 2);
}

static void int_of_seven(struct raw *r, uint64_t id)
{
	emit_with(r, id, 2, "1234567", 7);
}

static void double_of_nine(struct raw *r, uint64_t id)
{
	emit_with(r, id, 3, "123456789", 9);
}

static void empty_of_one(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0, "x", 1);
}

static void empty_json(struct raw *r, uint64_t id)
{
	emit_with(r, id, 6, NULL, 0);
}

static void options_overrun(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x10, "\xff\3", 2);
}

static void option_overruns(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x10, "\3\0\x02\x08x", 5);
}

/* More than options may have, though each of them is well-formed. */
static void too_many_options(struct raw *r, uint64_t id)
{
	char options[2 + 1500] = {(char)0xdc, 5};

	for (size_t i = 2; i + 100 <= sizeof(options); i += 100) {
		options[i] = (char)200;
		options[i + 1] = 98;
	}
	emit_with(r, id, 0x10, options, sizeof(options));
}

static void another_sender(struct raw *r, uint64_t id)
{
	emit_named(r, id + 1, 1, "A", "x");
}

static void sequence_0(struct raw *r, uint64_t id)
{
	emit_named(r, id, 0, "A", "x");
}

static void same_sequence(struct raw *r, uint64_t id)
{
	emit_named(r, id, 5, "A", "witness.not");
	emit_named(r, id, 5, "A", "x");
}

static void falling_sequence(struct raw *r, uint64_t id)
{
	emit_named(r, id, 5, "A", "witness.not");
	emit_named(r, id, 4, "A", "x");
}

static void another_channel(struct raw *r, uint64_t id)
{
	emit_named(r, id, 1, "B", "x");
}

static void no_channel(struct raw *r, uint64_t id)
{
	emit_named(r, id, 1, "", "x");
}

static void no_event(struct raw *r, uint64_t id)
{
	emit_named(r, id, 1, "A", "");
}

static void illegal_event(struct raw *r, uint64_t id)
{
	emit_named(r, id, 1, "A", "a..b");
}

static void reserved_event(struct raw *r, uint64_t id)
{
	emit_named(r, id, 1, "A", "nc.gap");
}

static void listen_to(struct raw *r, const char *pattern, uint8_t len)
{
	raw_prefix(r, (uint32_t)strlen(pattern), 4, 0, 0, len);
	raw_bytes(r, pattern, strlen(pattern));
}

static void illegal_pattern(struct raw *r, uint64_t id)
{
	(void)id;
	listen_to(r, "a.>.b", 5);
}

static void unlisten_of_nothing(struct raw *r, uint64_t id)
{
	(void)id;
	raw_prefix(r, 3, 5, 0, 0, 3);
	raw_bytes(r, "a.b", 3);
}

static void reply_to_nobody(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x10,
	          "\x0a\0\3\x08"
	          "12345678",
	          12);
}

static void error_to_nobody(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x10, "\4\0\4\2\1\0", 6);
}

static void pattern_overruns(struct raw *r, uint64_t id)
{
	(void)id;
	listen_to(r, "abc", 9);
}

static void unknown_kind(struct raw *r, uint64_t id)
{
	(void)id;
	raw_prefix(r, 5, 200, 0xff, 0xff, 0xff);
	raw_bytes(r, "hello", 5);
}

static void unknown_option(struct raw *r, uint64_t id)
{
	emit_with(r, id, 0x14, "\6\0\xc8\4abcdtext", 12);
}

static void pong(struct raw *r, uint64_t id)
{
	raw_prefix(r, 8, 7, 0, 0, 0);
	raw_u64(r, id);
}

static void longer_ping(struct raw *r, uint64_t id)
{
	raw_prefix(r, 12, 6, 0, 0, 0);
	raw_u64(r, id);
	raw_u32(r, 7);
}

struct bad_frame {
	const char *name;
	make_frame *make;
	unsigned error; /* 0: none */
	bool goes;
};

static const struct bad_frame bad_frames[] = {
        {"a second HELLO", second_hello, NC_EPROTO, true},
        {"length 0", no_length, NC_EPROTO, true},
        {"length 7", length_7, NC_EPROTO, true},
        {"an EMIT that is too short", short_emit, NC_EPROTO, true},
        {"an EMIT of 4 GiB", huge_emit, NC_ETOOBIG, true},
        {"an EMIT of one byte more than the maximum", large_emit, NC_ETOOBIG, true},
        {"a LISTEN of 2 GiB", huge_listen, NC_EPROTO, true},
        {"a PING of 4097 bytes", large_ping, NC_EPROTO, true},
        {"a PING that is too short", short_ping, NC_EPROTO, true},
        {"the reserved flag", reserved_flag, NC_EPROTO, true},
        {"an unknown type", unknown_type, NC_EPROTO, true},
        {"a wrapped payload", wrapped, NC_EPROTO, true},
        {"a boolean of two bytes", bool_of_two, NC_EPROTO, true},
        {"an integer of seven bytes", int_of_seven, NC_EPROTO, true},
        {"a double of nine bytes", double_of_nine, NC_EPROTO, true},
        {"nothing, of one byte", empty_of_one, NC_EPROTO, true},
        {"JSON without any", empty_json, NC_EPROTO, true},
        {"options that overrun the frame", options_overrun, NC_EPROTO, true},
        {"an option that overruns the options", option_overruns, NC_EPROTO, true},
        {"too many bytes of options", too_many_options, NC_EPROTO, true},
        {"another's id", another_sender, NC_EPROTO, true},
        {"sequence 0", sequence_0, NC_EPROTO, true},
        {"a sequence twice", same_sequence, NC_EPROTO, true},
        {"a sequence that falls", falling_sequence, NC_EPROTO, true},
        {"another channel", another_channel, NC_EPROTO, true},
        {"no channel", no_channel, NC_EPROTO, true},
        {"no event", no_event, NC_EPROTO, true},
        {"a pattern that overruns", pattern_overruns, NC_EPROTO, true},
        {"an answer to nobody", reply_to_nobody, NC_EPROTO, true},
        {"an error to nobody", error_to_nobody, NC_EPROTO, true},
        {"UNLISTEN of no pattern of its own", unlisten_of_nothing, NC_ENOENT, false},
        {"an illegal event", illegal_event, NC_ENAME, false},
        {"a reserved event", reserved_event, NC_ERESERVED, false},
        {"an illegal pattern", illegal_pattern, NC_ENAME, false},
        {"an unknown kind", unknown_kind, 0, false},
        {"an unknown option", unknown_option, 0, false},
        {"a PONG that nobody asked for", pong, 0, false},
        {"a PING that is longer than known", longer_ping, 0, false},
};

/* Whether it goes, and with which error; one that stays still answers a ping. */
static void expect_answer(struct peer *p, struct raw_said *said, const struct bad_frame *b)
{
	uint64_t deadline = util_deadline();
	unsigned pongs = said->n_pongs + 1 + (b->make == longer_ping);
	struct raw ping = {.len = 0};

	if (!b->goes) {
		raw_prefix(&ping, 8, 6, 0, 0, 0);
		raw_u64(&ping, 77);
		assert_int_equal(jc_write(&p->jc, ping.p, ping.len), 0);
	}
	while (!said->end && (b->goes || said->n_pongs < pongs))
		hear_more(p, said, deadline, b->name);
	if (said->end != b->goes || said->code != b->error || said->fatal != b->goes)
		fail_msg("%s: %s, and it %s", b->name, nc_strerror((int)said->code),
		         said->end ? "goes" : "stays");
}

static void bad_native(struct world *w, struct kinds k)
{
	struct witnesses s;

	(void)k;
	witnesses_come(w, &s);
	for (size_t i = 0; i < sizeof(bad_frames) / sizeof(*bad_frames); i++) {
		struct raw_said said;
		struct raw r = {.len = 0};
		struct peer *p = welcomed(w, &said);

		bad_frames[i].make(&r, said.id);
		assert_int_equal(jc_write(&p->jc, r.p, r.len), 0);
		expect_answer(p, &said, &bad_frames[i]);
		peer_close(p);
		witnesses_forget(&s);
		witnesses_talk(&s);
	}
}

/* What is said instead of preface and HELLO. */
static void bad_hello(struct world *w, struct kinds k)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
		unsigned error;
	} bad[] = {
	        {"another preface", "\xff\xff\xff\xff", 4, NC_EPROTO},
	        {"a preface of another version", "\xffNC\x02", 4, NC_EPROTO},
	        {"a preface with a wrong byte", "\xffNX", 3, NC_EPROTO},
	        {"LISTEN first", "\xffNC\x01\x09\0\0\0\x04\0\0\x01>", 13, NC_EPROTO},
	        {"an unknown kind first", "\xffNC\x01\x09\0\0\0\xc8\0\0\x01>", 13, NC_EPROTO},
	        {"a short HELLO", "\xffNC\x01\x0c\0\0\0\x01\0\0\0\1\0\1\0", 16, NC_EPROTO},
	        {"versions 7 to 9", "\xffNC\x01\x12\0\0\0\x01\0\0\0\x07\0\x09\0\0\0\0\0\0\0", 22,
	         NC_EVERSION},
	        {"a label that overruns",
	         "\xffNC\x01\x12\0\0\0\x01\0\0\0\x01\0\x01\0\0\0\0\0\0\x09", 22, NC_EPROTO},
	        {"a HELLO of 4 GiB", "\xffNC\x01\xff\xff\xff\xff\x01\0\0\0", 12, NC_EPROTO},
	};
	struct witnesses s;

	(void)k;
	witnesses_come(w, &s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct raw_said said = {.welcome = false};
		struct peer *p = world_new_peer(w, JSON, "A");
		uint64_t deadline = util_deadline();

		assert_int_equal(peer_connect(p), 0);
		p->stalled = true;
		assert_int_equal(jc_write(&p->jc, bad[i].bytes, bad[i].len), 0);
		while (!said.end)
			hear_more(p, &said, deadline, bad[i].name);
		if (said.code != bad[i].error || !said.fatal || said.welcome)
			fail_msg("%s: %s", bad[i].name, nc_strerror((int)said.code));
		peer_close(p);
	}
	witnesses_talk(&s);
}

/* Half frames of clients that leave are nobody's event. */
static void half_frames(struct world *w, struct kinds k)
{
	struct witnesses s;
	struct raw_said said;
	struct raw r = {.len = 0};

	(void)k;
	witnesses_come(w, &s);
	for (size_t n = 1;; n += 3) {
		struct peer *p = welcomed(w, &said);

		r.len = 0;
		emit_with(&r, said.id, 4, "some text", 9);
		if (n >= r.len)
			break;
		assert_int_equal(jc_write(&p->jc, r.p, n), 0);
		peer_close(p);
	}
	witnesses_talk(&s);
}

/* The same bytes on each run. */
static uint64_t noise_state = 88172645463325252u;

static uint8_t noise(void)
{
	noise_state ^= noise_state << 13;
	noise_state ^= noise_state >> 7;
	noise_state ^= noise_state << 17;
	return (uint8_t)(noise_state >> 32);
}

static void write_noise(struct peer *p, bool native, bool hello)
{
	uint8_t bytes[512];
	struct raw r = {.len = 0};

	if (native && hello)
		raw_hello(&r);
	else if (native)
		raw_bytes(&r, "\xff", 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = noise() % 8 ? noise() : 0;
	if (!native)
		bytes[0] = '{';
	/* noise of small lengths is read further than that of large ones */
	for (size_t i = 1; i < 4; i++)
		bytes[i] = native && hello ? 0 : bytes[i];
	raw_bytes(&r, bytes, sizeof(bytes));
	/* it may be refused while it is written */
	jc_write(&p->jc, r.p, r.len);
}

static void noise_harms_nobody(struct world *w, struct kinds k)
{
	struct witnesses s;

	(void)k;
	witnesses_come(w, &s);
	for (int i = 0; i < 300; i++) {
		struct peer *p = world_new_peer(w, JSON, "B");

		assert_int_equal(peer_connect(p), 0);
		p->stalled = true;
		write_noise(p, i % 3 > 0, i % 3 > 1);
		peer_close(p);
		if (i % 50 == 0)
			witnesses_talk(&s);
	}
	witnesses_talk(&s);
}

static void refusals_are_counted(struct world *w, struct kinds k)
{
	struct peer *p = world_peer(w, k.from, "A");
	yajl_val answer;

	if (k.from == JSON) {
		peer_packet(p, "{\"event\":\"nc.x\"}");
		peer_packet(p, "{\"event\":\"a b\"}");
		peer_settle(p);
	} else {
		struct raw_said said;
		struct raw r = {.len = 0};

		peer_leave(p);
		p = welcomed(w, &said);
		emit_named(&r, said.id, 1, "A", "nc.x");
		emit_named(&r, said.id, 2, "A", "a..b");
		assert_int_equal(jc_write(&p->jc, r.p, r.len), 0);
		for (uint64_t deadline = util_deadline(); said.code != NC_ENAME;)
			hear_more(p, &said, deadline, "no error is told");
	}
	answer = world_ask(w, "nc-control-stats", NULL);
	assert_int_equal(util_json_int(answer, "answer.totals.refused"), 2);
	yajl_tree_free(answer);
}

static const struct behaviour list[] = {
        {"frames that lie are told, and end the connection or not, as they must", ONCE, bad_native,
         limited},
        {"who does not say hello rightly is told and goes", ONCE, bad_hello, limited},
        {"half a frame is nobody's event", ONCE, half_frames, limited},
        {"noise of hundreds of connections harms nobody", ONCE, noise_harms_nobody, limited},
        {"what was refused is counted", EACH, refusals_are_counted, limited},
};

const struct theme hostile_native_theme = {"hostile native", list, sizeof(list) / sizeof(*list)};
