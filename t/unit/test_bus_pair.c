/* test_bus_pair.c - two buses whose lanes are joined by a pipe that loses nothing
 *
 * Configurations, emitters, pieces and pauses are drawn from a seed, which is printed where
 * something is wrong. At the end each listener has got, in order, what a model says that it hears,
 * or a gap that says how much of it is missing.
 */
#include "t/unit/bus_test.h"

#include "ncserver/bus/chan.h"

#define N_CHANS   4
#define N_SEEDS   200
#define N_STEPS   300
#define N_HEARING (2 * N_CHANS)

static const char *const names[N_CHANS] = {"A", "B", "C", "D"};

struct side {
	struct rig r;
	bool net[N_CHANS], from_net[N_CHANS];
	int rule[N_CHANS]; /* -2: none, -1: all, else the channel */
	int out[N_CHANS], in[N_CHANS];
	int emitter[N_CHANS], json_emitter[N_CHANS];
	int hearing[N_HEARING]; /* a native and a JSON one of each channel */
	uint64_t emitted[N_CHANS];
	uint64_t seq[N_CHANS];
};

static uint64_t rng;
/* Somewhere a newer message takes the place of an older one, and so overtakes others. */
static bool conflates;

static uint32_t any(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static const char *text_bool(bool b)
{
	return b ? "true" : "false";
}

static void configure(struct side *s, struct buf *conf)
{
	static const char *const policies[] = {"block", "block", "drop-oldest", "drop-newest",
	                                       "conflate"};

	buf_clear(conf);
	buf_printf(conf, "{\"insecure\":true,\"channels\":{");
	for (int i = 0; i < N_CHANS; i++) {
		char rule[16] = "false";
		const char *policy;

		s->rule[i] = (int)any(N_CHANS + 2) - 2;
		s->net[i] = any(4) > 0;
		s->from_net[i] = any(2);
		policy = policies[any(5)];
		conflates |= strcmp(policy, "conflate") == 0;
		if (s->rule[i] == -1)
			snprintf(rule, sizeof(rule), "\".*\"");
		else if (s->rule[i] >= 0)
			snprintf(rule, sizeof(rule), "\"^%s\"", names[s->rule[i]]);
		buf_printf(conf,
		           "%s\"%s\":{\"propagatetochannels\":%s,\"propagatetonet\":%s,"
		           "\"propagatefromnet\":%s,\"policy\":\"%s\",\"queue_bytes\":65536,"
		           "\"agent_pacing\":%s}",
		           i ? "," : "", names[i], rule, text_bool(s->net[i]),
		           text_bool(s->from_net[i]), policy, text_bool(any(2)));
	}
	buf_printf(conf, "}}");
}

static void open_side(struct side *s, const char *host, uint32_t tag)
{
	struct buf conf;

	memset(s, 0, sizeof(*s));
	buf_init(&conf, 4096);
	configure(s, &conf);
	rig_init_as(&s->r, buf_str(&conf), host, tag);
	buf_fini(&conf);
	for (int i = 0; i < N_CHANS; i++) {
		s->out[i] = s->net[i] ? rig_lane_out(&s->r, names[i]) : -1;
		s->emitter[i] = rig_native(&s->r, names[i]);
		s->json_emitter[i] = json_client(&s->r, names[i]);
		send_packet(&s->r, s->json_emitter[i], "{\"event\":\"nc.listen\",\"data\":[]}");
		s->hearing[2 * i] = rig_native(&s->r, names[i]);
		rig_listen(&s->r, s->hearing[2 * i], ">");
		s->hearing[2 * i + 1] = json_client(&s->r, names[i]);
	}
	for (int i = 0; i < N_HEARING; i++)
		buf_clear(&s->r.clients[s->hearing[i]].out);
}

static void join(struct side *s, const struct side *other, const char *host, uint32_t tag)
{
	for (int i = 0; i < N_CHANS; i++)
		s->in[i] = s->net[i] && other->net[i]
		                   ? rig_lane_in(&s->r, names[i], host, tag, NULL)
		                   : -1;
}

static void emit(struct side *s)
{
	static char data[9000];
	int ch = (int)any(N_CHANS);
	char event[8];
	int n;

	snprintf(event, sizeof(event), "e%u", any(3));
	n = snprintf(data, sizeof(data), "%llu", (unsigned long long)s->seq[ch] + 1);
	if (any(2)) {
		int i = s->emitter[ch];
		uint64_t before = s->r.clients[i].seq;
		size_t len = any(8) ? any(200) + 20 : sizeof(data);

		memset(data + n, ' ', len - (size_t)n);
		rig_emit(&s->r, i, names[ch], event, data, len);
		if (s->r.clients[i].seq == before)
			return;
	} else {
		char packet[64];
		int len = snprintf(packet, sizeof(packet), "{\"event\":\"%s\",\"data\":%s}", event,
		                   data);

		if (rig_send(&s->r, s->json_emitter[ch], packet, (size_t)len + 1, SIZE_MAX) == 0)
			return;
	}
	s->seq[ch]++;
	s->emitted[ch]++;
}

/* Brings what a lane has written to the other side, in pieces, as far as it is taken. */
static size_t pump(struct side *from, struct side *to, bool all)
{
	size_t sum = 0;

	for (int i = 0; i < N_CHANS; i++) {
		struct buf *b;
		size_t n;

		if (from->out[i] < 0)
			continue;
		b = &from->r.clients[from->out[i]].out;
		n = all ? b->len : any((uint32_t)b->len + 1);
		if (to->in[i] >= 0)
			n = rig_send(&to->r, to->in[i], b->data, n, 1 + any(5000));
		buf_consume(b, n);
		sum += n;
	}
	rig_turn(&to->r);
	return sum;
}

static void hold_up(struct side *s)
{
	int i = any(2) ? s->out[any(N_CHANS)] : s->hearing[any(N_HEARING)];

	if (i >= 0)
		s->r.clients[i].kernel = any(3) ? any(20000) : SIZE_MAX;
}

static void let_go(struct side *s)
{
	for (int i = 0; i < s->r.n_clients; i++)
		s->r.clients[i].kernel = SIZE_MAX;
	rig_turn(&s->r);
}

static bool leads(const struct side *s, int from, int to)
{
	return from == to || s->rule[from] == -1 || s->rule[from] == to;
}

/* Messages that a listener of channel `ch` hears. */
static uint64_t expected(const struct side *s, const struct side *other, int ch)
{
	uint64_t n = 0;

	for (int i = 0; i < N_CHANS; i++) {
		if (leads(s, i, ch))
			n += s->emitted[i];
		if (s->net[i] && other->net[i] && (i == ch || (s->from_net[i] && leads(s, i, ch))))
			n += other->emitted[i];
	}
	return n;
}

/* Counts what a native listener got, and what gaps say; sequences rise for each sender. */
static uint64_t heard_native(struct rig *r, int i)
{
	struct {
		uint64_t id, seq;
	} last[4 * N_CHANS] = {0};
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;
	uint64_t n = 0;

	while (next_frame(r, i, &x, &p)) {
		struct frame_gap g;
		size_t k = 0;

		if (x.kind == FRAME_GAP) {
			assert_int_equal(frame_gap_get(&g, p, x.len), FRAME_OK);
			assert_true(g.exact);
			n += g.count;
		}
		if (x.kind != FRAME_EMIT)
			continue;
		while (last[k].id != 0 && last[k].id != le64_get(p + 8))
			k++;
		assert_true(k < 4 * N_CHANS);
		assert_true(conflates || le64_get(p + 16) > last[k].seq);
		last[k].id = le64_get(p + 8);
		last[k].seq = le64_get(p + 16);
		n++;
	}
	return n;
}

static uint64_t heard_json(struct rig *r, int i)
{
	const struct buf *b = &r->clients[i].out;
	const char *p = (const char *)b->data;
	const char *end = p + b->len;
	uint64_t n = 0;

	while (p < end) {
		const char *gap = strstr(p, "\"nc.gap\",\"data\":{\"count\":");

		n += gap ? strtoull(strstr(gap, "count\":") + 7, NULL, 10) : 1;
		p += strlen(p) + 1;
	}
	return n;
}

static void check_side(struct side *s, const struct side *other, unsigned seed)
{
	uint64_t published = 0, emitted = 0;

	for (int ch = 0; ch < N_CHANS; ch++) {
		uint64_t want = expected(s, other, ch);
		uint64_t native = heard_native(&s->r, s->hearing[2 * ch]);
		uint64_t json = heard_json(&s->r, s->hearing[2 * ch + 1]);

		if (native != want || json != want)
			fail_msg("seed %u: channel %s of %s: %llu native, %llu JSON, %llu expected",
			         seed, names[ch], s->r.bus->env.host, (unsigned long long)native,
			         (unsigned long long)json, (unsigned long long)want);
		published += bus_chan(s->r.bus, names[ch])->published;
		emitted += s->emitted[ch];
		/* nothing is sent on, whatever the rules say */
		if (s->in[ch] >= 0)
			assert_true(bus_chan(s->r.bus, names[ch])->net.arrived +
			                    bus_chan(s->r.bus, names[ch])->net.lost ==
			            other->emitted[ch]);
		assert_int_equal(bus_chan(s->r.bus, names[ch])->net.refused, 0);
	}
	assert_int_equal(published, emitted);
}

static void run(unsigned seed)
{
	static struct side x, y;
	struct side *sides[2] = {&x, &y};

	conflates = false;
	rng = seed * 0x9E3779B97F4A7C15u + 1;
	open_side(&x, "x", 1000);
	open_side(&y, "y", 2000);
	join(&x, &y, "y", 2000);
	join(&y, &x, "x", 1000);
	for (int i = 0; i < N_STEPS; i++) {
		struct side *s = sides[any(2)];

		switch (any(4)) {
		case 0: pump(s, sides[s == &x], false); break;
		case 1: hold_up(s); break;
		default:
			for (uint32_t n = any(20); n > 0; n--)
				emit(s);
			break;
		}
		rig_turn(&s->r);
	}
	do {
		let_go(&x);
		let_go(&y);
	} while (pump(&x, &y, true) + pump(&y, &x, true) > 0);
	check_side(&x, &y, seed);
	check_side(&y, &x, seed);
	rig_fini(&x.r);
	rig_fini(&y.r);
}

static void each_hears_what_it_should_once_or_how_much_is_missing(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= N_SEEDS; seed++)
		run(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_hears_what_it_should_once_or_how_much_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
