/* test_bus.c - what a message does on its way through the bus, from bytes to bytes */
#include "t/unit/bus_test.h"

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
	        {"neither true nor false", 0, 9, "A", FRAME_T_BOOL},
	};
	struct rig r;
	struct frame_emit f;
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;
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

static void a_pattern_is_never_cut_at_a_nul(void **state)
{
	static const char *const packets[] = {
	        "{\"event\":\"nc.listen\",\"data\":\"q\\u0000y\"}",
	        "{\"event\":\"nc.listen\",\"data\":[\"a\",\"q\\u0000\"]}",
	        "{\"event\":\"nc.unlisten\",\"data\":\"x\\u0000\"}",
	};
	const char *q = "{\"event\":\"q\"}";
	const char *x = "{\"event\":\"x\"}";
	struct rig r;
	int j, k;

	(void)state;
	rig_init(&r, TWO);
	j = json_client(&r, "A");
	k = json_client(&r, "A");
	send_packet(&r, k, "{\"event\":\"nc.listen\",\"data\":\"x\"}");
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		send_packet(&r, k, packets[i]);
		assert_non_null(
		        strstr((const char *)r.clients[k].out.data, "with \\\\u0000 in it"));
		buf_truncate(&r.clients[k].out, 0);
	}
	send_packet(&r, j, q);
	assert_int_equal(r.clients[k].out.len, 0);
	send_packet(&r, j, x);
	expect_packet(&r, k, x);
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
	        cmocka_unit_test(silence_makes_a_json_listener_and_what_came_meanwhile_is_there),
	        cmocka_unit_test(a_bad_packet_ends_its_client_and_an_illegal_name_does_not),
	        cmocka_unit_test(json_interest_is_declared_and_withdrawn),
	        cmocka_unit_test(a_pattern_is_never_cut_at_a_nul),
	        cmocka_unit_test(a_json_client_may_declare_interest_in_nothing),
	        cmocka_unit_test(control_answers_all_or_the_asker_alone),
	        cmocka_unit_test(a_reload_keeps_clients_and_their_queues),
	        cmocka_unit_test(a_remembered_route_follows_every_change_of_interest),
	        cmocka_unit_test(at_random_the_accounts_stay_exact),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
