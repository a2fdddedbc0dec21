/* test_bus_lane.c - what leaves this host, and what comes from others */
#include "t/unit/bus_test.h"

#include "ncserver/bus/chan.h"
#include "ncserver/bus/lane.h"

#define HERE  0x04030201u
#define THERE 0x77665544u

#define NET                                                                                        \
	"{\"socket\":\"/tmp/x/%s.sock\",\"insecure\":true,\"channels\":{"                          \
	"\"A\":{\"propagatetochannels\":\".*\",\"propagatetonet\":true,\"queue_bytes\":65536},"    \
	"\"B\":{\"propagatetonet\":\"best-effort\"},"                                              \
	"\"N\":{\"propagatetonet\":true,\"propagatefromnet\":true,\"propagatetochannels\":\"^B\"," \
	"\"netfrom\":[\"there\"]},"                                                                \
	"\"L\":{}}}"

/* A frame as another host sends it. */
struct sent {
	const char *channel; /* NULL: A */
	const char *event;   /* NULL: x */
	const void *data;
	size_t len;
	uint64_t sender; /* 0: session 9 of THERE */
	uint64_t seq;
	uint8_t flags; /* 0: text */
	const void *options;
	uint16_t options_len;
};

static uint64_t there(uint32_t session)
{
	return (uint64_t)THERE << 32 | session;
}

static void append(struct buf *out, struct sent s)
{
	const char *channel = s.channel ? s.channel : "A";
	const char *event = s.event ? s.event : "x";
	struct frame_emit f = {.sender = s.sender ? s.sender : there(9),
	                       .seq = s.seq ? s.seq : 1,
	                       .channel = channel,
	                       .channel_len = (uint8_t)strlen(channel),
	                       .event = event,
	                       .event_len = (uint8_t)strlen(event),
	                       .options = s.options,
	                       .options_len = s.options_len,
	                       .payload_len = (uint32_t)s.len,
	                       .flags = s.flags ? s.flags : FRAME_T_TEXT};
	size_t head = frame_emit_head_len(&f);

	assert_int_equal(buf_reserve(out, head), 0);
	assert_int_equal(frame_emit_head_put(buf_tail(out), head, &f), head);
	buf_advance(out, head);
	assert_int_equal(buf_append(out, s.data, s.len), 0);
}

static void send_one(struct rig *r, int lane, struct sent s)
{
	struct buf b;

	buf_init(&b, UINT32_MAX);
	append(&b, s);
	assert_int_equal(rig_send(r, lane, b.data, b.len, SIZE_MAX), b.len);
	buf_fini(&b);
	rig_turn(r);
}

static void expect_text(struct rig *r, int i, const char *text)
{
	struct frame_emit f;

	expect_emit(r, i, &f);
	assert_int_equal(f.payload_len, strlen(text));
	assert_memory_equal(f.payload, text, f.payload_len);
}

static void expect_gap(struct rig *r, int i, uint64_t count, uint8_t reason, bool exact)
{
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;
	struct frame_gap g;

	assert_true(next_frame(r, i, &x, &p));
	assert_int_equal(x.kind, FRAME_GAP);
	assert_int_equal(frame_gap_get(&g, p, x.len), FRAME_OK);
	assert_int_equal(g.count, count);
	assert_int_equal(g.reason, reason);
	assert_int_equal(g.exact, exact);
}

static void expect_sender(struct rig *r, int i, const char *host, uint32_t uid)
{
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;
	struct frame_sender s;

	assert_true(next_frame(r, i, &x, &p));
	assert_int_equal(x.kind, FRAME_SENDER);
	assert_int_equal(frame_sender_get(&s, p, x.len), FRAME_OK);
	assert_int_equal(s.host_len, strlen(host));
	assert_memory_equal(s.host, host, s.host_len);
	assert_int_equal(s.uid, uid);
}

static int listener(struct rig *r, const char *channel)
{
	int i = rig_native(r, channel);

	rig_listen(r, i, ">");
	rig_turn(r);
	return i;
}

static int lane_in(struct rig *r, const char *channel)
{
	int i = rig_lane_in(r, channel, "there", THERE, NULL);

	assert_true(i >= 0);
	return i;
}

static const struct chan_net *net_of(struct rig *r, const char *channel)
{
	return &bus_chan(r->bus, channel)->net;
}

/* ---- out ---- */

static void what_leaves_is_what_is_emitted_here_on_that_very_channel(void **state)
{
	struct rig r;
	struct frame_emit f;
	int a, b, out_a, out_b, in;

	(void)state;
	rig_init(&r, NET);
	out_a = rig_lane_out(&r, "A");
	out_b = rig_lane_out(&r, "B");
	assert_int_equal(rig_lane_out(&r, "A"), -1);
	a = rig_native(&r, "A");
	b = rig_native(&r, "B");
	in = lane_in(&r, "A");
	rig_emit(&r, a, "A", "x", "1", 1);
	rig_emit(&r, b, "B", "y", "2", 1);
	send_one(&r, in, (struct sent){.data = "3", .len = 1});
	expect_sender(&r, out_a, "here", 1000);
	expect_emit(&r, out_a, &f);
	assert_int_equal(f.sender, r.clients[a].id);
	assert_int_equal(f.seq, 1);
	assert_memory_equal(f.payload, "1", 1);
	expect_nothing(&r, out_a);
	/* a rule brought the first to B, and that does not leave by B */
	expect_sender(&r, out_b, "here", 1000);
	expect_text(&r, out_b, "2");
	expect_nothing(&r, out_b);
	rig_fini(&r);
}

static void packets_leave_wrapped(void **state)
{
	const char *packet = "{\"event\":\"x\",\"data\":[1, 2]}";
	const char *line = "{\"event\":\"x\",\"data\":\"fifo\"}\n";
	struct rig r;
	struct frame_emit f;
	const uint8_t *data;
	uint32_t len;
	enum frame_type type;
	int j, fifo, out;

	(void)state;
	rig_init(&r, NET);
	out = rig_lane_out(&r, "A");
	j = json_client(&r, "A");
	send_packet(&r, j, packet);
	expect_sender(&r, out, "here", 1000);
	expect_emit(&r, out, &f);
	assert_true(f.flags & FRAME_F_WRAPPED);
	assert_int_equal(f.payload_len, strlen(packet));
	assert_memory_equal(f.payload, packet, f.payload_len);
	assert_int_equal(frame_emit_data(&f, &data, &len, &type), FRAME_OK);
	assert_memory_equal(data, "[1, 2]", 6);
	fifo = rig_accept_fifo(&r, "A");
	rig_send(&r, fifo, line, strlen(line), SIZE_MAX);
	rig_turn(&r);
	expect_emit(&r, out, &f);
	assert_true(f.flags & FRAME_F_WRAPPED);
	expect_nothing(&r, out);
	rig_fini(&r);
}

static void who_begins_to_hear_later_is_told_who_the_senders_are(void **state)
{
	struct rig r;
	int a, out;

	(void)state;
	rig_init(&r, NET);
	out = rig_lane_out(&r, "A");
	a = rig_native(&r, "A");
	rig_emit(&r, a, "A", "x", "1", 1);
	rig_emit(&r, a, "A", "x", "2", 1);
	rig_turn(&r);
	expect_sender(&r, out, "here", 1000);
	expect_text(&r, out, "1");
	expect_text(&r, out, "2");
	rig_wait(&r, 1100);
	rig_emit(&r, a, "A", "x", "3", 1);
	rig_turn(&r);
	expect_sender(&r, out, "here", 1000);
	expect_text(&r, out, "3");
	rig_fini(&r);
}

static int emitter(struct rig *r, uid_t uid)
{
	int i = rig_accept(r, "A", uid, 100, NULL);

	assert_true(i >= 0);
	rig_hello(r, i, 0, 0);
	rig_emit(r, i, "A", "x", "1", 1);
	rig_turn(r);
	return i;
}

static void ids_are_used_again_under_the_same_tag_once_all_have_been(void **state)
{
	int out, listens, stays, goes, comes;
	struct rig r;
	uint64_t id;

	(void)state;
	rig_init_as(&r, NET, "here", HERE);
	out = rig_lane_out(&r, "A");
	listens = rig_accept(&r, "A", 1000, 100, NULL);
	rig_hello(&r, listens, FRAME_FEAT_SENDER, 0);
	rig_listen(&r, listens, ">");
	stays = emitter(&r, 1001);
	goes = emitter(&r, 1002);
	id = r.clients[goes].id;
	for (uint32_t uid = 1001; uid <= 1002; uid++) {
		expect_sender(&r, out, "here", uid);
		expect_text(&r, out, "1");
		expect_sender(&r, listens, "here", uid);
		expect_text(&r, listens, "1");
	}
	rig_close(&r, goes);
	rig_turn(&r);
	r.bus->session = UINT32_MAX;
	comes = emitter(&r, 1003);
	/* those that are there keep theirs */
	assert_int_equal(r.clients[comes].id, id);
	assert_int_equal(r.clients[comes].id >> 32, HERE);
	assert_int_not_equal(r.clients[stays].id, id);
	/* and who has been told of another with that id is told anew */
	expect_sender(&r, out, "here", 1003);
	expect_text(&r, out, "1");
	expect_sender(&r, listens, "here", 1003);
	expect_text(&r, listens, "1");
	rig_fini(&r);
}

static void a_closed_window_holds_up_who_emits_and_never_ends_the_lane(void **state)
{
	struct rig r;
	static char data[1000];
	int a, out;

	(void)state;
	rig_init(&r, NET);
	out = rig_lane_out(&r, "A");
	a = rig_native(&r, "A");
	r.clients[out].kernel = 0;
	for (int i = 0; i < 1000 && bus_wants_input(r.clients[a].c); i++) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		rig_turn(&r);
	}
	assert_false(bus_wants_input(r.clients[a].c));
	rig_wait(&r, 60000);
	assert_non_null(r.clients[out].c);
	assert_non_null(r.clients[a].c);
	r.clients[out].kernel = SIZE_MAX;
	rig_turn(&r);
	assert_true(bus_wants_input(r.clients[a].c));
	rig_fini(&r);
}

static void a_policy_that_drops_tells_it_in_the_stream(void **state)
{
	static const char *const policies[] = {"drop-oldest", "drop-newest", "conflate",
	                                       "disconnect"};
	static char data[1000];

	(void)state;
	for (size_t k = 0; k < sizeof(policies) / sizeof(*policies); k++) {
		char conf[300];
		struct frame_prefix x = {0};
		const uint8_t *p;
		uint64_t n = 0;
		struct rig r;
		int a, out;

		snprintf(conf, sizeof(conf),
		         "{\"insecure\":true,\"channels\":{\"A\":{\"propagatetonet\":true,"
		         "\"queue_bytes\":65536,\"policy\":\"%s\"}}}",
		         policies[k]);
		rig_init(&r, conf);
		out = rig_lane_out(&r, "A");
		a = rig_native(&r, "A");
		r.clients[out].kernel = 0;
		for (int i = 0; i < 300; i++) {
			rig_emit(&r, a, "A", "x", data, sizeof(data));
			rig_turn(&r);
		}
		assert_true(bus_wants_input(r.clients[a].c));
		r.clients[out].kernel = SIZE_MAX;
		rig_turn(&r);
		while (next_frame(&r, out, &x, &p)) {
			struct frame_gap g;

			if (x.kind == FRAME_GAP) {
				assert_int_equal(frame_gap_get(&g, p, x.len), FRAME_OK);
				n += g.count;
			}
			n += x.kind == FRAME_EMIT;
		}
		assert_int_equal(n, 300);
		rig_fini(&r);
	}
}

/* ---- in ---- */

static void what_arrives_goes_to_its_channel_and_by_rules_only_where_that_is_said(void **state)
{
	struct rig r;
	int a, b, n, l, ja, in_a, in_n, out_a, out_b, out_n;

	(void)state;
	rig_init(&r, NET);
	a = listener(&r, "A");
	b = listener(&r, "B");
	n = listener(&r, "N");
	l = listener(&r, "L");
	ja = json_client(&r, "A");
	out_a = rig_lane_out(&r, "A");
	out_b = rig_lane_out(&r, "B");
	out_n = rig_lane_out(&r, "N");
	in_a = lane_in(&r, "A");
	in_n = lane_in(&r, "N");
	send_one(&r, in_a, (struct sent){.data = "1", .len = 1});
	send_one(&r, in_n, (struct sent){.channel = "N", .data = "2", .len = 1});
	expect_text(&r, a, "1");
	expect_text(&r, n, "2");
	expect_text(&r, b, "2");
	assert_true(r.clients[ja].out.len > 0);
	expect_nothing(&r, a);
	expect_nothing(&r, b);
	expect_nothing(&r, n);
	expect_nothing(&r, l);
	expect_nothing(&r, out_a);
	expect_nothing(&r, out_b);
	expect_nothing(&r, out_n);
	assert_int_equal(net_of(&r, "A")->arrived, 1);
	assert_int_equal(bus_chan(r.bus, "A")->published, 0);
	/* the memo of what is emitted here is another */
	rig_emit(&r, n, "N", "x", "3", 1);
	rig_turn(&r);
	expect_text(&r, b, "3");
	expect_sender(&r, out_n, "here", 1000);
	expect_text(&r, out_n, "3");
	rig_fini(&r);
}

static void a_lie_is_refused_alone(void **state)
{
	static const uint8_t reply[] = {FRAME_O_REPLY, 8, 1, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t request[] = {FRAME_O_REQUEST, 8, 1, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t data[] = {FRAME_O_DATA, 8, 20, 0, 0, 0, 1, 0, 0, 0};
	static const uint8_t far[] = {FRAME_O_DATA, 8, 21, 0, 0, 0, 1, 0, 0, 0};
	static const char packet[] = "{\"event\":\"x\",\"data\":1}";
	static const char other[] = "{\"event\":\"nc.error\",\"data\":1}";
	static const char broken[] = "{\"event\":\"x\",\"data\":1 ";
#define WRAPPED (FRAME_T_JSON | FRAME_F_OPTIONS | FRAME_F_WRAPPED)
#define OPTS(o) .options = (o), .options_len = sizeof(o)
	static const struct sent lies[] = {
	        {.sender = (uint64_t)HERE << 32 | 1},
	        {.sender = (uint64_t)THERE << 32},
	        {.channel = "B"},
	        {.event = "nc.gap"},
	        {.event = "nc-control-clients"},
	        {.event = "$x"},
	        {.event = "_x"},
	        {.event = "a b"},
	        {.event = "*"},
	        {.flags = FRAME_F_RESERVED | FRAME_T_TEXT},
	        {.flags = 9},
	        {.flags = FRAME_T_BOOL, .data = "\2", .len = 1},
	        {.flags = FRAME_T_INT, .data = "12", .len = 2},
	        {.flags = FRAME_T_TEXT | FRAME_F_OPTIONS, OPTS(reply)},
	        {.flags = FRAME_T_TEXT | FRAME_F_OPTIONS, OPTS(request)},
	        {.flags = FRAME_T_TEXT | FRAME_F_WRAPPED, .data = packet, .len = 22},
	        {.flags = WRAPPED, OPTS(reply), .data = packet, .len = 22},
	        {.flags = WRAPPED, OPTS(far), .data = packet, .len = 22},
	        {.flags = WRAPPED, OPTS(data), .data = broken, .len = 22},
	        {.flags = WRAPPED, OPTS(data), .data = other, .len = sizeof(other) - 1},
	        {.flags = WRAPPED | FRAME_F_BROADCAST, OPTS(data), .data = packet, .len = 22},
	};
	struct rig r;
	struct buf b;
	int a, j, in;

	(void)state;
	rig_init(&r, NET);
	a = listener(&r, "A");
	j = json_client(&r, "A");
	in = lane_in(&r, "A");
	buf_init(&b, UINT32_MAX);
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		buf_clear(&b);
		append(&b, (struct sent){.data = "before", .len = 6});
		append(&b, lies[i]);
		append(&b, (struct sent){.data = "after", .len = 5});
		for (size_t chunk = 1; chunk < 400; chunk += 99) {
			assert_int_equal(rig_send(&r, in, b.data, b.len, chunk), b.len);
			rig_turn(&r);
			expect_text(&r, a, "before");
			expect_text(&r, a, "after");
			expect_nothing(&r, a);
		}
		assert_int_equal(net_of(&r, "A")->refused, 5 * (i + 1));
	}
	assert_int_equal(net_of(&r, "A")->lost, 0);
	buf_clear(&r.clients[j].out);
	/* the honest one */
	send_one(&r, in, (struct sent){.flags = WRAPPED, OPTS(data), .data = packet, .len = 22});
	expect_packet(&r, j, packet);
	buf_fini(&b);
	rig_fini(&r);
}

static void a_frame_that_was_begun_before_a_gap_is_void(void **state)
{
	static char big[50000];
	struct rig r;
	struct buf b;
	int a, j, in;

	(void)state;
	rig_init(&r, NET);
	a = listener(&r, "A");
	j = json_client(&r, "A");
	in = lane_in(&r, "A");
	buf_init(&b, UINT32_MAX);
	for (size_t cut = 1; cut < sizeof(big); cut += 7919) {
		buf_clear(&b);
		append(&b, (struct sent){.data = "before", .len = 6});
		append(&b, (struct sent){.data = big, .len = sizeof(big)});
		rig_send(&r, in, b.data, 24 + 2 + 6 + cut, SIZE_MAX);
		bus_lane_gap(r.bus, r.clients[in].c, 3, true, r.now);
		send_one(&r, in, (struct sent){.data = "after", .len = 5});
		expect_text(&r, a, "before");
		expect_gap(&r, a, 3, FRAME_GAP_NET, true);
		expect_text(&r, a, "after");
		expect_nothing(&r, a);
		/* the JSON client is told in the same place */
		buf_consume(&r.clients[j].out, strlen((char *)r.clients[j].out.data) + 1);
		expect_packet(&r, j,
		              "{\"channel\":\"A\",\"event\":\"nc.gap\",\"data\":{\"count\":3,"
		              "\"reason\":\"net\",\"exact\":true}}");
		buf_clear(&r.clients[j].out);
	}
	/* how many is not known: at least none */
	bus_lane_gap(r.bus, r.clients[in].c, 0, false, r.now);
	rig_turn(&r);
	expect_gap(&r, a, 0, FRAME_GAP_NET, false);
	expect_packet(&r, j,
	              "{\"channel\":\"A\",\"event\":\"nc.gap\",\"data\":{\"count\":0,"
	              "\"reason\":\"net\",\"exact\":false}}");
	buf_fini(&b);
	rig_fini(&r);
}

static void a_gap_reaches_those_who_would_have_heard_and_nobody_else(void **state)
{
	struct rig r;
	int n, b, l, deaf, in, out;

	(void)state;
	rig_init(&r, NET);
	n = listener(&r, "N");
	b = listener(&r, "B");
	l = listener(&r, "L");
	deaf = rig_native(&r, "N");
	out = rig_lane_out(&r, "N");
	in = lane_in(&r, "N");
	bus_lane_gap(r.bus, r.clients[in].c, 1, true, r.now);
	bus_lane_gap(r.bus, r.clients[in].c, 2, false, r.now);
	rig_turn(&r);
	expect_gap(&r, n, 3, FRAME_GAP_NET, false);
	expect_gap(&r, b, 3, FRAME_GAP_NET, false);
	expect_nothing(&r, n);
	expect_nothing(&r, l);
	expect_nothing(&r, deaf);
	expect_nothing(&r, out);
	assert_int_equal(net_of(&r, "N")->lost, 3);
	rig_fini(&r);
}

static void a_stream_that_is_no_frames_is_passed_over_up_to_a_gap(void **state)
{
	struct rig r;
	int a, in;

	(void)state;
	rig_init(&r, NET);
	a = listener(&r, "A");
	in = lane_in(&r, "A");
	send_one(&r, in, (struct sent){.data = "1", .len = 1});
	assert_int_equal(rig_send(&r, in, "\2\0\0\0\3\0\1\1 nonsense", 17, SIZE_MAX), 17);
	send_one(&r, in, (struct sent){.data = "2", .len = 1});
	assert_true(bus_wants_input(r.clients[in].c));
	bus_lane_gap(r.bus, r.clients[in].c, 1, true, r.now);
	send_one(&r, in, (struct sent){.data = "3", .len = 1});
	expect_text(&r, a, "1");
	expect_gap(&r, a, 1, FRAME_GAP_NET, true);
	expect_text(&r, a, "3");
	rig_fini(&r);
}

static void what_is_too_long_for_here_is_lost_and_told(void **state)
{
	static const char conf[] = "{\"insecure\":true,\"channels\":{\"A\":{"
	                           "\"propagatetonet\":true,\"max_message\":20000}}}";
	static const size_t lens[] = {20001, 25000, 2000000};
	static char big[2000000];
	struct rig r;
	struct buf b;
	int a, in;

	(void)state;
	rig_init(&r, conf);
	a = listener(&r, "A");
	in = lane_in(&r, "A");
	buf_init(&b, UINT32_MAX);
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		buf_clear(&b);
		append(&b, (struct sent){.data = "1", .len = 1});
		append(&b, (struct sent){.data = big, .len = lens[i]});
		append(&b, (struct sent){.data = "2", .len = 1});
		for (size_t chunk = 77; chunk < 200000; chunk *= 13) {
			assert_int_equal(rig_send(&r, in, b.data, b.len, chunk), b.len);
			rig_turn(&r);
			expect_text(&r, a, "1");
			expect_gap(&r, a, 1, FRAME_GAP_NET, true);
			expect_text(&r, a, "2");
			expect_nothing(&r, a);
		}
	}
	buf_fini(&b);
	rig_fini(&r);
}

static void who_does_not_read_holds_up_the_lane_and_then_goes(void **state)
{
	static char data[1000];
	struct rig r;
	int a, slow, in, n = 0;

	(void)state;
	rig_init(&r, NET);
	a = listener(&r, "A");
	slow = listener(&r, "A");
	in = lane_in(&r, "A");
	r.clients[slow].kernel = 0;
	while (bus_wants_input(r.clients[in].c)) {
		send_one(&r, in, (struct sent){.data = data, .len = sizeof(data), .seq = 1});
		assert_true(++n < 1000);
	}
	/* behind what waits; what was begun there is void */
	bus_lane_gap(r.bus, r.clients[in].c, 5, true, r.now);
	rig_wait(&r, 499);
	assert_non_null(r.clients[slow].c);
	rig_wait(&r, 2);
	assert_null(r.clients[slow].c);
	assert_true(bus_wants_input(r.clients[in].c));
	send_one(&r, in, (struct sent){.data = "after", .len = 5});
	for (int i = 0; i < n; i++) {
		struct frame_emit f;

		expect_emit(&r, a, &f);
		assert_int_equal(f.payload_len, sizeof(data));
	}
	expect_gap(&r, a, 5, FRAME_GAP_NET, true);
	expect_text(&r, a, "after");
	rig_fini(&r);
}

static void what_came_before_its_end_is_delivered(void **state)
{
	static char data[1000];
	struct rig r;
	struct frame_emit f;
	int slow, in, n = 0;

	(void)state;
	rig_init(&r, NET);
	slow = listener(&r, "A");
	in = lane_in(&r, "A");
	r.clients[slow].kernel = 0;
	while (bus_wants_input(r.clients[in].c)) {
		send_one(&r, in, (struct sent){.data = data, .len = sizeof(data)});
		assert_true(++n < 1000);
	}
	bus_close_lane(r.bus, r.clients[in].c, r.now);
	rig_turn(&r);
	assert_non_null(r.clients[in].c);
	r.clients[slow].kernel = SIZE_MAX;
	rig_turn(&r);
	assert_null(r.clients[in].c);
	for (int i = 0; i < n; i++)
		expect_emit(&r, slow, &f);
	rig_fini(&r);
}

static void it_is_said_who_sent_as_far_as_the_other_host_says_it(void **state)
{
	struct frame_sender s = {
	        .sender = there(9), .uid = 0, .gid = 7, .pid = 8, .host = "liar", .host_len = 4};
	uint8_t frame[100];
	struct rig r;
	int a, in;
	size_t n;

	(void)state;
	rig_init(&r, NET);
	a = rig_accept(&r, "A", 1000, 100, NULL);
	rig_hello(&r, a, FRAME_FEAT_SENDER, 0);
	rig_listen(&r, a, ">");
	in = lane_in(&r, "A");
	send_one(&r, in, (struct sent){.data = "1", .len = 1});
	expect_sender(&r, a, "there", UINT32_MAX);
	expect_text(&r, a, "1");
	n = frame_sender_put(frame, sizeof(frame), &s);
	assert_int_equal(rig_send(&r, in, frame, n, SIZE_MAX), n);
	send_one(&r, in, (struct sent){.data = "2", .len = 1});
	expect_sender(&r, a, "there", 0);
	expect_text(&r, a, "2");
	send_one(&r, in, (struct sent){.data = "3", .len = 1});
	expect_text(&r, a, "3");
	/* of somebody who is not of that host */
	s.sender = (uint64_t)HERE << 32 | 9;
	n = frame_sender_put(frame, sizeof(frame), &s);
	assert_int_equal(rig_send(&r, in, frame, n, SIZE_MAX), n);
	assert_int_equal(net_of(&r, "A")->refused, 1);
	rig_fini(&r);
}

static void a_lane_is_opened_to_whom_the_channel_hears(void **state)
{
	enum nc_error why;
	struct rig r;
	int first;

	(void)state;
	rig_init(&r, NET);
	assert_int_equal(rig_lane_in(&r, "L", "there", THERE, &why), -1);
	assert_int_equal(why, NC_EDENIED);
	assert_int_equal(rig_lane_in(&r, "control", "there", THERE, &why), -1);
	assert_int_equal(why, NC_EDENIED);
	assert_int_equal(rig_lane_in(&r, "N", "elsewhere", THERE, &why), -1);
	assert_int_equal(why, NC_EDENIED);
	assert_int_equal(rig_lane_in(&r, "A", "there", HERE, &why), -1);
	assert_int_equal(why, NC_EPROTO);
	first = rig_lane_in(&r, "A", "there", THERE, &why);
	assert_true(first >= 0);
	assert_true(rig_lane_in(&r, "N", "there", THERE, &why) >= 0);
	assert_int_equal(rig_lane_in(&r, "B", "elsewhere", THERE, &why), -1);
	assert_int_equal(why, NC_EPROTO);
	rig_fini(&r);
}

static void lanes_go_with_their_channel_and_stay_over_other_reloads(void **state)
{
	struct rig r;
	int a, in, out, in_b;

	(void)state;
	rig_init(&r, NET);
	a = listener(&r, "A");
	in = lane_in(&r, "A");
	out = rig_lane_out(&r, "A");
	in_b = lane_in(&r, "B");
	rig_reload(&r, "{\"insecure\":true,\"channels\":{\"A\":{\"propagatetonet\":true}}}");
	rig_turn(&r);
	assert_null(r.clients[in_b].c);
	send_one(&r, in, (struct sent){.data = "1", .len = 1});
	expect_text(&r, a, "1");
	rig_emit(&r, a, "A", "x", "2", 1);
	rig_turn(&r);
	expect_sender(&r, out, "here", 1000);
	expect_text(&r, out, "2");
	bus_close_lane(r.bus, r.clients[out].c, r.now);
	rig_turn(&r);
	assert_null(r.clients[out].c);
	rig_emit(&r, a, "A", "x", "3", 1);
	rig_turn(&r);
	out = rig_lane_out(&r, "A");
	assert_true(out >= 0);
	rig_emit(&r, a, "A", "x", "4", 1);
	rig_turn(&r);
	expect_sender(&r, out, "here", 1000);
	expect_text(&r, out, "4");
	rig_fini(&r);
}

static void what_arrives_is_dumped_with_its_host(void **state)
{
	static const char conf[] = "{\"insecure\":true,\"dumpnet\":true,\"channels\":{\"A\":{"
	                           "\"propagatetonet\":true}}}";
	struct rig r;
	int in, a;

	(void)state;
	rig_init(&r, conf);
	a = rig_native(&r, "A");
	in = lane_in(&r, "A");
	send_one(&r, in, (struct sent){.data = "1", .len = 1});
	rig_emit(&r, a, "A", "x", "here", 4);
	rig_turn(&r);
	buf_append_byte(&r.dumped, 0);
	assert_non_null(strstr((char *)r.dumped.data, "there/A {"));
	assert_non_null(strstr((char *)r.dumped.data, "\"data\":\"1\"}\n"));
	assert_null(strstr((char *)r.dumped.data, "\"here\""));
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_leaves_is_what_is_emitted_here_on_that_very_channel),
	        cmocka_unit_test(packets_leave_wrapped),
	        cmocka_unit_test(who_begins_to_hear_later_is_told_who_the_senders_are),
	        cmocka_unit_test(ids_are_used_again_under_the_same_tag_once_all_have_been),
	        cmocka_unit_test(a_closed_window_holds_up_who_emits_and_never_ends_the_lane),
	        cmocka_unit_test(a_policy_that_drops_tells_it_in_the_stream),
	        cmocka_unit_test(
	                what_arrives_goes_to_its_channel_and_by_rules_only_where_that_is_said),
	        cmocka_unit_test(a_lie_is_refused_alone),
	        cmocka_unit_test(a_frame_that_was_begun_before_a_gap_is_void),
	        cmocka_unit_test(a_gap_reaches_those_who_would_have_heard_and_nobody_else),
	        cmocka_unit_test(a_stream_that_is_no_frames_is_passed_over_up_to_a_gap),
	        cmocka_unit_test(what_is_too_long_for_here_is_lost_and_told),
	        cmocka_unit_test(who_does_not_read_holds_up_the_lane_and_then_goes),
	        cmocka_unit_test(what_came_before_its_end_is_delivered),
	        cmocka_unit_test(it_is_said_who_sent_as_far_as_the_other_host_says_it),
	        cmocka_unit_test(a_lane_is_opened_to_whom_the_channel_hears),
	        cmocka_unit_test(lanes_go_with_their_channel_and_stay_over_other_reloads),
	        cmocka_unit_test(what_arrives_is_dumped_with_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
