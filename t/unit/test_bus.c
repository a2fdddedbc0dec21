/* test_bus.c - what a message does on its way through the bus, from bytes to bytes */
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
#include "t/unit/bus_rig.h"

#define TWO                                                                                        \
	"{\"socket\":\"/tmp/x/%s.sock\",\"channels\":{"                                            \
	"\"A\":{\"propagatetochannels\":\".*\"},\"B\":{\"propagatetochannels\":false}}}"

/* Takes the next frame that client i was sent; its bytes stay until the next one. */
static bool next_frame(struct rig *r, int i, struct frame_prefix *x, const uint8_t **p)
{
	static size_t last;
	static struct buf *of;
	struct buf *b = &r->clients[i].out;

	if (of == b && last && last <= b->len)
		buf_consume(b, last);
	last = 0;
	of = b;
	if (b->len < FRAME_PREFIX_LEN)
		return false;
	*x = frame_prefix_get(b->data);
	if (b->len < x->len)
		return false;
	*p = b->data;
	last = x->len;
	return true;
}

static void expect_emit(struct rig *r, int i, struct frame_emit *f)
{
	struct frame_prefix x;
	const uint8_t *p;

	assert_true(next_frame(r, i, &x, &p));
	assert_int_equal(x.kind, FRAME_EMIT);
	assert_int_equal(frame_emit_get(f, p, x.len, NC_MESSAGE_MAX), FRAME_OK);
}

static void expect_nothing(struct rig *r, int i)
{
	struct frame_prefix x;
	const uint8_t *p;

	assert_false(next_frame(r, i, &x, &p));
	assert_int_equal(r->clients[i].out.len, 0);
}

static void send_packet(struct rig *r, int i, const char *text)
{
	assert_int_equal(rig_send(r, i, text, strlen(text) + 1, SIZE_MAX), strlen(text) + 1);
	rig_turn(r);
}

static int json_client(struct rig *r, const char *channel)
{
	int i = rig_accept(r, channel, 1000, 200, NULL);

	assert_true(i >= 0);
	rig_wait(r, 200);
	return i;
}

static void expect_packet(struct rig *r, int i, const char *text)
{
	struct buf *b = &r->clients[i].out;

	rig_turn(r);
	assert_true(b->len > 0);
	assert_string_equal((const char *)b->data, text);
	buf_consume(b, strlen(text) + 1);
}

/* ---- tests ---- */

static void a_frame_reaches_a_native_listener_byte_for_byte(void **state)
{
	struct rig r;
	struct frame_emit f;
	int a, b;

	(void)state;
	rig_init(&r, TWO);
	a = rig_native(&r, "A");
	b = rig_native(&r, "A");
	rig_listen(&r, b, "log.>");
	rig_emit(&r, a, "A", "log.x", "hello", 5);
	rig_emit(&r, a, "A", "other", "no", 2);
	rig_turn(&r);
	expect_emit(&r, b, &f);
	assert_int_equal(f.sender, r.clients[a].id);
	assert_int_equal(f.seq, 1);
	assert_memory_equal(f.event, "log.x", 5);
	assert_memory_equal(f.payload, "hello", 5);
	expect_nothing(&r, b);
	expect_nothing(&r, a);
	rig_fini(&r);
}

static void a_rule_brings_it_to_the_other_channel_once(void **state)
{
	struct rig r;
	struct frame_emit f;
	int a, a2, b;

	(void)state;
	rig_init(&r, TWO);
	a = rig_native(&r, "A");
	a2 = rig_native(&r, "A");
	b = rig_native(&r, "B");
	rig_listen(&r, b, "x");
	rig_listen(&r, b, "*");
	rig_listen(&r, b, ">");
	rig_listen(&r, a2, "x");
	rig_emit(&r, a, "A", "x", "1", 1);
	rig_emit(&r, b, "B", "x", "2", 1);
	rig_turn(&r);
	expect_emit(&r, b, &f);
	assert_memory_equal(f.channel, "A", 1);
	expect_nothing(&r, b);
	expect_emit(&r, a2, &f);
	assert_memory_equal(f.payload, "1", 1);
	expect_nothing(&r, a2);
	rig_fini(&r);
}

static void packets_and_frames_hear_each_other(void **state)
{
	const char *packet =
	        "{\"channel\":\"A\",\"broadcast\":false,\"event\":\"x\",\"data\":{\"k\":[1,2]}}";
	struct rig r;
	struct frame_emit f;
	const uint8_t *data;
	uint32_t len;
	enum frame_type type;
	char text[256];
	char uuid[CLIENT_UUID_LEN + 1];
	int a, j, k;

	(void)state;
	rig_init(&r, TWO);
	a = rig_native(&r, "A");
	j = json_client(&r, "A");
	k = json_client(&r, "B");
	rig_listen(&r, a, "x");
	send_packet(&r, j, packet);
	expect_packet(&r, k, packet);
	expect_emit(&r, a, &f);
	assert_int_equal(frame_emit_data(&f, &data, &len, &type), FRAME_OK);
	assert_int_equal(type, FRAME_T_JSON);
	assert_int_equal(len, 11);
	assert_memory_equal(data, "{\"k\":[1,2]}", 11);
	rig_emit(&r, a, "A", "y", "t\"xt", 4);
	client_uuid(r.bus, r.clients[a].id, uuid);
	snprintf(text, sizeof(text),
	         "{\"emmiteruuid\":\"%s\",\"channel\":\"A\",\"broadcast\":false,\"event\":\"y\","
	         "\"data\":\"t\\\"xt\"}",
	         uuid);
	expect_packet(&r, j, text);
	expect_packet(&r, k, text);
	rig_fini(&r);
}

static void frames_may_arrive_in_any_pieces(void **state)
{
	struct rig r;
	struct frame_emit f;
	struct buf all;
	static char big[100000];
	int a, b;

	(void)state;
	for (size_t chunk = 1; chunk < 300000; chunk = chunk * 3 + 1) {
		rig_init(&r, TWO);
		a = rig_native(&r, "A");
		b = rig_native(&r, "A");
		rig_listen(&r, b, ">");
		buf_init(&all, UINT32_MAX);
		for (uint32_t i = 0; i < 30; i++) {
			uint32_t len = i % 5 == 4 ? sizeof(big) : i * 100;
			char ev[8];
			struct frame_emit e = {.sender = r.clients[a].id,
			                       .seq = i + 1,
			                       .channel = "A",
			                       .channel_len = 1,
			                       .event = ev,
			                       .payload_len = len,
			                       .flags = FRAME_T_BYTES};

			e.event_len = (uint8_t)snprintf(ev, sizeof(ev), "e%u", i / 3);
			memset(big, (int)i, sizeof(big));
			buf_reserve(&all, 400 + len);
			buf_advance(&all, frame_emit_head_put(buf_tail(&all), 400, &e));
			buf_append(&all, big, len);
		}
		/* another connection's bytes in between */
		for (size_t off = 0; off < all.len;) {
			size_t n = all.len - off < chunk ? all.len - off : chunk;

			assert_int_equal(rig_send(&r, a, all.data + off, n, chunk), n);
			off += n;
			if (off / chunk % 3 == 0)
				rig_listen(&r, b, "unused");
			if (off / chunk % 16 == 0)
				rig_turn(&r);
		}
		rig_turn(&r);
		for (uint32_t i = 0; i < 30; i++) {
			expect_emit(&r, b, &f);
			assert_int_equal(f.seq, i + 1);
			for (uint32_t k = 0; k < f.payload_len; k++)
				assert_int_equal(f.payload[k], i);
		}
		expect_nothing(&r, b);
		buf_fini(&all);
		rig_fini(&r);
	}
}

static void a_liar_is_disconnected_and_its_neighbour_is_not(void **state)
{
	static const struct {
		const char *what;
		uint64_t sender_off, seq;
		const char *channel;
		uint8_t flags;
	} lies[] = {
	        {"sender", 1, 9, "A", FRAME_T_TEXT},
	        {"sequence", 0, 1, "A", FRAME_T_TEXT},
	        {"channel", 0, 9, "B", FRAME_T_TEXT},
	        {"wrapped", 0, 9, "A", FRAME_T_JSON | FRAME_F_WRAPPED},
	        {"type", 0, 9, "A", 9},
	        {"int of one byte", 0, 9, "A", FRAME_T_INT},
	};
	struct rig r;
	struct frame_emit f;
	struct frame_prefix x;
	const uint8_t *p;
	int a, b;

	(void)state;
	rig_init(&r, TWO);
	b = rig_native(&r, "A");
	rig_listen(&r, b, ">");
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct frame_emit lie = {.channel = lies[i].channel,
		                         .channel_len = 1,
		                         .event = "x",
		                         .event_len = 1,
		                         .seq = lies[i].seq,
		                         .payload_len = 1,
		                         .flags = lies[i].flags};
		uint8_t frame[64];
		size_t n;

		a = rig_native(&r, "A");
		rig_emit(&r, a, "A", "x", "1", 1);
		lie.sender = r.clients[a].id + lies[i].sender_off;
		n = frame_emit_head_put(frame, sizeof(frame), &lie);
		frame[n++] = '2';
		rig_send(&r, a, frame, n, n);
		rig_turn(&r);
		assert_null(r.clients[a].c);
		assert_true(next_frame(&r, a, &x, &p));
		assert_int_equal(x.kind, FRAME_ERROR);
		assert_int_equal(x.a, 1);
		expect_emit(&r, b, &f);
		assert_memory_equal(f.payload, "1", 1);
		expect_nothing(&r, b);
	}
	rig_fini(&r);
}

static void a_slow_receiver_parks_its_senders_and_loses_nothing(void **state)
{
	static char data[1000];
	struct rig r;
	struct frame_emit f;
	uint64_t sent = 0;
	uint64_t got = 0;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536}}}");
	a = rig_native(&r, "A");
	b = rig_native(&r, "A");
	rig_listen(&r, b, ">");
	r.clients[b].kernel = 0;
	rig_turn(&r);
	while (bus_wants_input(r.clients[a].c)) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		sent++;
		rig_turn(&r);
	}
	assert_true(sent > 20);
	assert_int_equal(r.clients[b].c->out.queued, sent - 1);
	r.clients[b].kernel = SIZE_MAX;
	rig_turn(&r);
	assert_true(bus_wants_input(r.clients[a].c));
	for (got = 0; got < sent; got++) {
		expect_emit(&r, b, &f);
		assert_int_equal(f.seq, got + 1);
	}
	expect_nothing(&r, b);
	rig_fini(&r);
}

static void who_blocks_too_long_is_disconnected_and_comes_back_on_probation(void **state)
{
	static char data[1000];
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
	             "\"block_timeout\":500}}}");
	a = rig_native(&r, "A");
	b = rig_accept(&r, "A", 1000, 77, NULL);
	rig_hello(&r, b, 0, 0);
	rig_listen(&r, b, ">");
	r.clients[b].kernel = 0;
	while (bus_wants_input(r.clients[a].c)) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		rig_turn(&r);
	}
	rig_wait(&r, 499);
	assert_non_null(r.clients[b].c);
	rig_wait(&r, 2);
	assert_null(r.clients[b].c);
	assert_true(bus_wants_input(r.clients[a].c));
	b = rig_accept(&r, "A", 1000, 77, NULL);
	rig_hello(&r, b, 0, 0);
	assert_int_equal(r.clients[b].c->out.policy, FRAME_P_DROP_NEWEST);
	rig_wait(&r, 61000);
	assert_int_equal(r.clients[b].c->out.policy, FRAME_P_BLOCK);
	rig_fini(&r);
}

static void silence_makes_a_json_listener_and_what_came_meanwhile_is_there(void **state)
{
	struct rig r;
	int a, j;

	(void)state;
	rig_init(&r, TWO);
	a = rig_native(&r, "A");
	j = rig_accept(&r, "A", 1000, 5, NULL);
	rig_turn(&r);
	rig_emit(&r, a, "A", "x", "1", 1);
	rig_turn(&r);
	assert_int_equal(r.clients[j].out.len, 0);
	rig_wait(&r, 101);
	assert_non_null(
	        strstr((const char *)r.clients[j].out.data, "\"event\":\"x\",\"data\":\"1\"}"));
	rig_fini(&r);
}

static void a_bad_packet_ends_its_client_and_an_illegal_name_does_not(void **state)
{
	static const struct {
		const char *packet;
		bool stays;
	} cases[] = {
	        {"{\"event\":\"a b\",\"data\":1}", true},
	        {"{\"event\":\"nc.x\",\"data\":1}", true},
	        {"{\"event\":\"$x\",\"data\":1}", true},
	        {"nonsense", false},
	        {"null", false},
	        {"[]", false},
	        {"{\"data\":1}", false},
	        {"{\"event\":7}", false},
	        {"{\"event\":\"x\"", false},
	        {"{\"event\":\"x\",\"data\":\"\xff\"}", false},
	};
	struct rig r;
	int j, k;

	(void)state;
	rig_init(&r, TWO);
	k = json_client(&r, "A");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = json_client(&r, "A");
		send_packet(&r, j, cases[i].packet);
		assert_true((r.clients[j].c != NULL) == cases[i].stays);
		assert_non_null(
		        strstr((const char *)r.clients[j].out.data, "\"event\":\"nc.error\""));
		assert_int_equal(r.clients[k].out.len, 0);
	}
	rig_fini(&r);
}

static void json_interest_is_declared_and_withdrawn(void **state)
{
	const char *x = "{\"event\":\"x\"}";
	const char *y = "{\"event\":\"y.z\"}";
	struct rig r;
	int j, k;

	(void)state;
	rig_init(&r, TWO);
	j = json_client(&r, "A");
	k = json_client(&r, "A");
	send_packet(&r, k, "{\"event\":\"nc.listen\",\"data\":[\"y.>\",\"q\"]}");
	send_packet(&r, j, x);
	send_packet(&r, j, y);
	expect_packet(&r, k, y);
	assert_int_equal(r.clients[k].out.len, 0);
	send_packet(&r, k, "{\"event\":\"nc.unlisten\",\"data\":\"y.>\"}");
	send_packet(&r, j, y);
	assert_int_equal(r.clients[k].out.len, 0);
	rig_fini(&r);
}

static void a_json_client_may_declare_interest_in_nothing(void **state)
{
	const char *x = "{\"event\":\"x\"}";
	struct rig r;
	int j, k, early;

	(void)state;
	rig_init(&r, TWO);
	j = json_client(&r, "A");
	k = json_client(&r, "A");
	send_packet(&r, k, "{\"event\":\"nc.listen\",\"data\":[]}");
	early = rig_accept(&r, "A", 1000, 201, NULL);
	send_packet(&r, early, "{\"event\":\"nc.listen\",\"data\":[]}");
	send_packet(&r, j, x);
	assert_int_equal(r.clients[k].out.len, 0);
	assert_int_equal(r.clients[early].out.len, 0);
	/* it may still listen to something later */
	send_packet(&r, k, "{\"event\":\"nc.listen\",\"data\":\"x\"}");
	send_packet(&r, j, x);
	expect_packet(&r, k, x);
	assert_int_equal(r.clients[early].out.len, 0);
	rig_fini(&r);
}

static void a_json_client_may_ask_to_lose_more_and_not_less(void **state)
{
	struct rig r;
	int j, k;

	(void)state;
	rig_init(
	        &r,
	        "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{},\"B\":{\"policy\":\"drop-newest\"}}}");
	j = json_client(&r, "A");
	k = json_client(&r, "B");
	send_packet(&r, j, "{\"event\":\"nc.policy\",\"data\":\"drop-oldest\"}");
	assert_int_equal(r.clients[j].c->out.policy, FRAME_P_DROP_OLDEST);
	send_packet(&r, k, "{\"event\":\"nc.policy\",\"data\":\"block\"}");
	assert_int_equal(r.clients[k].c->out.policy, FRAME_P_DROP_NEWEST);
	assert_int_equal(r.clients[k].out.len, 0);
	send_packet(&r, k, "{\"event\":\"nc.policy\",\"data\":\"nonsense\"}");
	assert_non_null(strstr((char *)r.clients[k].out.data, "nc.error"));
	rig_fini(&r);
}

static void control_answers_all_or_the_asker_alone(void **state)
{
	struct rig r;
	struct buf *out;
	int j, k;

	(void)state;
	rig_init(&r, TWO);
	j = rig_accept(&r, "control", 0, 1, NULL);
	k = rig_accept(&r, "control", 0, 2, NULL);
	rig_wait(&r, 200);
	send_packet(&r, j, "{\"event\":\"nc-control-showchannel\",\"data\":\"A\"}");
	out = &r.clients[k].out;
	assert_string_equal((char *)out->data,
	                    "{\"event\":\"nc-control-showchannel\",\"data\":\"A\"}");
	buf_consume(out, strlen((char *)out->data) + 1);
	assert_non_null(strstr((char *)out->data,
	                       "\"event\":\"nc-control-showchannel-response\",\"data\":[]}"));
	buf_clear(out);
	assert_non_null(strstr((char *)r.clients[j].out.data, "-response\",\"data\":[]}"));
	buf_clear(&r.clients[j].out);
	send_packet(&r, j, "{\"event\":\"nc-control-stats\",\"nc\":{\"id\":5}}");
	assert_int_equal(out->len, 0);
	assert_non_null(strstr((char *)r.clients[j].out.data, "\"nc\":{\"id\":5}}"));
	buf_clear(&r.clients[j].out);
	send_packet(&r, j,
	            "{\"event\":\"nc-control-showchannel\",\"data\":\"Z\",\"nc\":{\"id\":6}}");
	assert_non_null(
	        strstr((char *)r.clients[j].out.data, "\"error\":\"no channel \\\"Z\\\"\""));
	rig_fini(&r);
}

static void a_reload_keeps_clients_and_their_queues(void **state)
{
	struct rig r;
	struct frame_emit f;
	int a, b, gone;

	(void)state;
	rig_init(&r, TWO);
	a = rig_native(&r, "A");
	b = rig_native(&r, "B");
	gone = rig_native(&r, "B");
	rig_listen(&r, b, ">");
	rig_listen(&r, gone, ">");
	rig_emit(&r, a, "A", "x", "1", 1);
	rig_reload(
	        &r,
	        "{\"socket\":\"/tmp/x/%s.sock\",\"channels\":{\"A\":{\"propagatetochannels\":false},"
	        "\"B\":{},\"C\":{}}}");
	rig_emit(&r, a, "A", "x", "2", 1);
	rig_turn(&r);
	expect_emit(&r, b, &f);
	assert_memory_equal(f.payload, "1", 1);
	expect_nothing(&r, b);
	rig_reload(
	        &r,
	        "{\"socket\":\"/tmp/x/%s.sock\",\"channels\":{\"A\":{\"propagatetochannels\":\"C\"},\"C\":{}}}");
	rig_turn(&r);
	assert_null(r.clients[b].c);
	assert_null(r.clients[gone].c);
	assert_non_null(r.clients[a].c);
	b = rig_native(&r, "C");
	rig_listen(&r, b, ">");
	rig_emit(&r, a, "A", "x", "3", 1);
	rig_turn(&r);
	expect_emit(&r, b, &f);
	assert_memory_equal(f.payload, "3", 1);
	rig_fini(&r);
}

static void a_remembered_route_follows_every_change_of_interest(void **state)
{
	static const char *const patterns[] = {"a.*", "a.>", "*.b", "a.b", ">", "*.*", "c.>"};
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, TWO);
	a = rig_native(&r, "A");
	b = rig_native(&r, "B");
	for (int round = 0; round < 400; round++) {
		const char *p = patterns[round % 7];
		struct frame_listen l = {.pattern = p, .pattern_len = (uint8_t)strlen(p)};
		struct frame_emit f;
		uint8_t frame[64];
		size_t n;

		rig_emit(&r, a, "A", "a.b", "0", 1);
		rig_turn(&r);
		expect_nothing(&r, b);
		rig_listen(&r, b, p);
		/* some changes that do not concern it, up to more than are remembered */
		for (int i = 0; i < round % 40; i++)
			rig_listen(&r, b, "z.>");
		rig_emit(&r, a, "A", "a.b", "1", 1);
		rig_turn(&r);
		if (strcmp(p, "c.>") != 0)
			expect_emit(&r, b, &f);
		expect_nothing(&r, b);
		n = frame_listen_put(frame, sizeof(frame), FRAME_UNLISTEN, &l);
		rig_send(&r, b, frame, n, n);
		if (round % 40) {
			l = (struct frame_listen){.pattern = "z.>", .pattern_len = 3};
			n = frame_listen_put(frame, sizeof(frame), FRAME_UNLISTEN, &l);
			rig_send(&r, b, frame, n, n);
		}
	}
	rig_fini(&r);
}

static void quotas_hold_a_user_and_no_other(void **state)
{
	enum nc_error why;
	struct frame_prefix x;
	struct rig r;
	const uint8_t *p;
	int a;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"max_subscriptions\":5,"
	             "\"quota\":{\"connections\":3,\"connection_rate\":10,\"subscriptions\":7},"
	             "\"channels\":{\"A\":{}}}");
	a = rig_accept(&r, "A", 1000, 1, NULL);
	rig_hello(&r, a, 0, 0);
	assert_int_equal(rig_accept(&r, "A", 1000, 2, NULL), 1);
	assert_int_equal(rig_accept(&r, "A", 1000, 3, NULL), 2);
	assert_int_equal(rig_accept(&r, "A", 1000, 4, &why), -1);
	assert_int_equal(why, NC_EQUOTA);
	assert_true(rig_accept(&r, "A", 1001, 5, NULL) >= 0);
	rig_listen(&r, a, "a");
	rig_listen(&r, a, "b");
	rig_listen(&r, a, "c");
	rig_listen(&r, a, "d");
	rig_listen(&r, a, "e");
	rig_listen(&r, a, "a");
	rig_turn(&r);
	assert_false(next_frame(&r, a, &x, &p));
	rig_listen(&r, a, "f");
	rig_turn(&r);
	assert_true(next_frame(&r, a, &x, &p));
	assert_int_equal(x.kind, FRAME_ERROR);
	assert_int_equal(le16_get(p + 8), NC_EQUOTA);
	/* those who go make room; the rate of new ones is bounded all the same */
	for (int i = 0; i < 7; i++) {
		rig_close(&r, 1);
		rig_turn(&r);
		r.n_clients = 4;
		r.clients[1].c = NULL;
		if (rig_accept(&r, "A", 1000, 6, &why) < 0)
			break;
		buf_fini(&r.clients[1].out);
		r.clients[1] = r.clients[--r.n_clients];
		bus_client_set_io(r.clients[1].c, &r.clients[1]);
	}
	assert_int_equal(rig_accept(&r, "A", 1000, 7, &why), -1);
	rig_wait(&r, 100);
	rig_close(&r, 1);
	rig_turn(&r);
	assert_true(rig_accept(&r, "A", 1000, 8, &why) >= 0);
	rig_fini(&r);
}

static void who_was_slow_is_known_when_it_is_gone(void **state)
{
	static char data[1000];
	struct rig r;
	char *answer;
	int a, b, k;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
	             "\"policy\":\"drop-newest\"}}}");
	a = rig_native(&r, "A");
	b = rig_accept(&r, "A", 1000, 4711, NULL);
	rig_hello(&r, b, 0, 0);
	rig_listen(&r, b, ">");
	r.clients[b].kernel = 0;
	for (int i = 0; i < 100; i++) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		rig_turn(&r);
	}
	rig_close(&r, b);
	rig_turn(&r);
	k = rig_accept(&r, "control", 0, 1, NULL);
	send_packet(&r, k, "{\"event\":\"nc-control-slow\",\"nc\":{\"id\":1}}");
	answer = (char *)r.clients[k].out.data;
	assert_non_null(strstr(answer, "\"pid\":4711"));
	assert_non_null(strstr(answer, "\"reason\":\"dropping\""));
	assert_non_null(strstr(answer, "\"gone\":true"));
	rig_fini(&r);
}

static void half_a_message_counts_against_the_quota(void **state)
{
	static char half[200000];
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"quota\":{\"bytes\":1048576},"
	             "\"channels\":{\"A\":{}}}");
	b = json_client(&r, "A");
	memset(half, ' ', sizeof(half));
	for (int i = 0; i < 8; i++) {
		a = json_client(&r, "A");
		rig_send(&r, a, half, sizeof(half), 5000);
		rig_turn(&r);
		if (!r.clients[a].c)
			break;
	}
	assert_null(r.clients[a].c);
	assert_non_null(strstr((char *)r.clients[a].out.data, "quota of 1048576 bytes"));
	assert_non_null(r.clients[b].c);
	rig_fini(&r);
}

/* Senders and receivers of both dialects, sockets that take little, in any order. */
static void random_run(uint32_t seed, const char *policy)
{
	static char data[3000];
	char conf[256];
	struct rig r;
	uint32_t rng = seed;
	int n = 0;

	snprintf(conf, sizeof(conf),
	         "{\"socket\":\"/tmp/x/%%s\",\"channels\":{\"A\":{\"propagatetochannels\":\"B\","
	         "\"queue_bytes\":65536,\"policy\":\"%s\"},\"B\":{\"queue_bytes\":70000}}}",
	         policy);
	rig_init(&r, conf);
	for (int i = 0; i < 12; i++) {
		if (i % 3 == 2)
			json_client(&r, i % 2 ? "A" : "B");
		else
			rig_listen(&r, rig_native(&r, i % 2 ? "A" : "B"), i % 4 ? ">" : "e.*");
	}
	memset(data, 'd', sizeof(data));
	for (int step = 0; step < 4000; step++) {
		int i;

		rng = rng * 1664525u + 1013904223u;
		i = (int)((rng >> 8) % 12);
		if (!r.clients[i].c)
			continue;
		n++;
		if (i % 3 == 2 && (rng >> 20) % 2) {
			char packet[400];

			snprintf(packet, sizeof(packet), "{\"event\":\"e.%u\",\"data\":\"%.*s\"}",
			         (rng >> 16) % 5, (int)((rng >> 12) % 300), data);
			rig_send(&r, i, packet, strlen(packet) + 1, 1 + (rng >> 10) % 200);
			/* an unfinished packet would join the next one: end it */
			rig_turn(&r);
			if (r.clients[i].c && !bus_wants_input(r.clients[i].c))
				rig_close(&r, i);
		} else if ((rng >> 20) % 3) {
			if (i % 3 != 2)
				rig_emit(&r, i, i % 2 ? "A" : "B", (rng >> 16) % 2 ? "e.1" : "f",
				         data, (rng >> 12) % sizeof(data));
		} else {
			r.clients[i].kernel = (rng >> 12) % 3 ? (rng >> 10) % 9000 : SIZE_MAX;
		}
		if ((rng >> 24) % 4 == 0)
			rig_turn(&r);
	}
	assert_true(n > 100);
	rig_fini(&r);
}

static void at_random_the_accounts_stay_exact(void **state)
{
	static const char *const policies[] = {"block", "drop-oldest", "drop-newest", "conflate",
	                                       "disconnect"};

	(void)state;
	for (size_t p = 0; p < sizeof(policies) / sizeof(policies[0]); p++)
		for (uint32_t seed = 1; seed <= 5; seed++)
			random_run(seed, policies[p]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_frame_reaches_a_native_listener_byte_for_byte),
	        cmocka_unit_test(a_rule_brings_it_to_the_other_channel_once),
	        cmocka_unit_test(packets_and_frames_hear_each_other),
	        cmocka_unit_test(frames_may_arrive_in_any_pieces),
	        cmocka_unit_test(a_liar_is_disconnected_and_its_neighbour_is_not),
	        cmocka_unit_test(a_slow_receiver_parks_its_senders_and_loses_nothing),
	        cmocka_unit_test(who_blocks_too_long_is_disconnected_and_comes_back_on_probation),
	        cmocka_unit_test(silence_makes_a_json_listener_and_what_came_meanwhile_is_there),
	        cmocka_unit_test(a_bad_packet_ends_its_client_and_an_illegal_name_does_not),
	        cmocka_unit_test(json_interest_is_declared_and_withdrawn),
	        cmocka_unit_test(a_json_client_may_declare_interest_in_nothing),
	        cmocka_unit_test(a_json_client_may_ask_to_lose_more_and_not_less),
	        cmocka_unit_test(control_answers_all_or_the_asker_alone),
	        cmocka_unit_test(a_reload_keeps_clients_and_their_queues),
	        cmocka_unit_test(a_remembered_route_follows_every_change_of_interest),
	        cmocka_unit_test(quotas_hold_a_user_and_no_other),
	        cmocka_unit_test(who_was_slow_is_known_when_it_is_gone),
	        cmocka_unit_test(half_a_message_counts_against_the_quota),
	        cmocka_unit_test(at_random_the_accounts_stay_exact),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
