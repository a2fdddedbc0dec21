/*
 * Rules: which other channels an event reaches
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* Listeners on these channels, one each. */
static void listen_on(struct world *w, enum kind k, const char *const *channels, struct peer **to,
                      size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = world_listener(w, k, channels[i], ">");
}

static void expect(struct peer *to, size_t n)
{
	peer_barrier(to);
	assert_int_equal(to->n_heard, n);
	peer_forget(to);
}

static struct peer *listener_on_control(struct world *w, enum kind k)
{
	struct peer *p = world_new_peer(w, k, "control");

	assert_int_equal(peer_connect(p), 0);
	peer_want(p, ">");
	if (k == NATIVE)
		assert_int_equal(nc_sync(p->nc, (int)UTIL_DEADLINE_MS), NC_OK);
	return p;
}

/* All that it has heard when it hears the answer to its own question is that answer. */
static void expect_no_event_on_control(struct world *w, struct peer *p)
{
	if (p->kind == JSON) {
		peer_packet(p, "{\"event\":\"nc-control-showchannel\",\"data\":\"A\"}");
		WORLD_UNTIL(w, p->n_heard > 0);
		assert_string_equal(p->heard[0].event, "nc-control-showchannel-response");
	} else {
		assert_int_equal(nc_sync(p->nc, (int)UTIL_DEADLINE_MS), NC_OK);
		assert_int_equal(p->n_heard, 0);
	}
}

static const char a_to_b[] = "channels = { A = { propagatetochannels = \"B\"; };\n"
                             "B = {}; C = {}; };";

static void from_a_to_b(struct world *w, struct kinds k)
{
	static const char *const channels[] = {"A", "B", "C"};
	struct peer *from_a = world_peer(w, k.from, "A"), *from_b = world_peer(w, k.from, "B");
	struct peer *to[3];

	listen_on(w, k.to, channels, to, 3);
	for (int64_t n = 0; n < 20; n++)
		peer_emit_int(from_a, "up", n);
	peer_settle(from_a);
	peer_barrier(to[1]);
	assert_int_equal(to[1]->n_heard, 20);
	for (size_t n = 0; n < 20; n++) {
		assert_int_equal(heard_int(&to[1]->heard[n]), n);
		assert_string_equal(to[1]->heard[n].channel, "A");
	}
	peer_forget(to[1]);
	expect(to[0], 20);
	expect(to[2], 0);
	peer_emit_int(from_b, "down", 1);
	peer_settle(from_b);
	expect(to[0], 0);
	expect(to[1], 1);
	expect(to[2], 0);
}

/* AB, AAB: matched as a part; ".*" matches its own channel too; A1 and A2 overlap. */
static const char overlapping[] = "channels = {\n"
                                  "A = { propagatetochannels = \"A|B|A.*B\"; };\n"
                                  "AB = { propagatetochannels = \".*\"; };\n"
                                  "XABX = { propagatetochannels = \"^A$\"; };\n"
                                  "C = {};\n"
                                  "};";

static void overlapping_and_own(struct world *w, struct kinds k)
{
	static const char *const channels[] = {"A", "AB", "XABX", "C", "control"};
	static const struct {
		const char *from;
		size_t reaches[5];
	} rules[] = {
	        {"A", {1, 1, 1, 0, 0}},
	        {"AB", {1, 1, 1, 1, 0}},
	        {"XABX", {1, 0, 1, 0, 0}},
	        {"C", {0, 0, 0, 1, 0}},
	};
	struct peer *to[5];

	listen_on(w, k.to, channels, to, 4);
	to[4] = listener_on_control(w, k.to);
	for (size_t r = 0; r < sizeof(rules) / sizeof(*rules); r++) {
		struct peer *from = world_peer(w, k.from, rules[r].from);

		for (size_t n = 0; n < 5; n++)
			peer_emit_int(from, "x", 1);
		peer_settle(from);
		for (size_t i = 0; i < 4; i++)
			expect(to[i], 5 * rules[r].reaches[i]);
		peer_leave(from);
	}
	expect_no_event_on_control(w, to[4]);
}

static const char chain[] = "channels = { A = { propagatetochannels = \"^B$\"; };\n"
                            "B = { propagatetochannels = \"^C$\"; };\n"
                            "C = { propagatetochannels = \"^A$\"; }; };";

static void one_hop(struct world *w, struct kinds k)
{
	static const char *const channels[] = {"A", "B", "C"};
	struct peer *to[3];

	listen_on(w, k.to, channels, to, 3);
	for (size_t i = 0; i < 3; i++) {
		struct peer *from = world_peer(w, k.from, channels[i]);

		peer_emit_int(from, "x", 1);
		peer_settle(from);
		expect(to[i], 1);
		expect(to[(i + 1) % 3], 1);
		expect(to[(i + 2) % 3], 0);
		peer_leave(from);
	}
}

static const char everywhere[] = "channels = { A = { propagatetochannels = \".*\"; }; B = {}; };";

/* A question travels by no rule, and an event of A is no question. */
static void control_is_apart(struct world *w, struct kinds k)
{
	struct peer *on_control = world_new_peer(w, JSON, "control");
	struct peer *on_b = world_listener(w, k.to, "B", ">");
	struct peer *from = world_peer(w, k.from, "A");
	size_t len;

	assert_int_equal(peer_connect(on_control), 0);
	peer_packet(on_control, "{\"event\":\"nc-control-showchannel\",\"data\":\"A\"}");
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(on_b);
	assert_int_equal(on_b->n_heard, 1);
	assert_string_equal(on_b->heard[0].event, "x");
	WORLD_UNTIL(w, on_control->n_heard == 1);
	assert_string_equal(on_control->heard[0].event, "nc-control-showchannel-response");
	/* whatever came behind the answer would be here now: the next answer is next */
	peer_packet(on_control, "{\"event\":\"nc-control-showchannel\",\"data\":\"B\"}");
	WORLD_UNTIL(w, on_control->n_heard == 2);
	assert_string_equal(on_control->heard[1].event, "nc-control-showchannel-response");
	assert_null(jc_take(&on_control->jc, &len));
}

/* It is on A and B at once, with two connections: each of them hears it once. */
static void senders_other_connection_hears(struct world *w, struct kinds k)
{
	struct peer *from = world_listener(w, k.from, "A", ">");
	struct peer *other = world_listener(w, k.from, "B", ">");

	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(other);
	peer_barrier(from);
	assert_int_equal(other->n_heard, 1);
	assert_int_equal(from->n_heard, 0);
}

static void bytes_stay_as_they_are(struct world *w, struct kinds k)
{
	static const char packet[] = " {\"event\" : \"x.y\",\t\"data\":[1, 2.50,\"\\u00e9\"],\n"
	                             "\"channel\":\"elsewhere\", \"more\":{\"a\":[]}} ";
	struct peer *from = world_peer(w, JSON, "A");
	struct peer *to = world_listener(w, k.from, "B", "x.*");

	peer_packet(from, packet);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	assert_int_equal(to->heard[0].packet_len, strlen(packet));
	assert_memory_equal(to->heard[0].packet, packet, strlen(packet));
	if (k.from == NATIVE)
		assert_string_equal(to->heard[0].channel, "A");
}

static void rules_are_shown(struct world *w, struct kinds k)
{
	yajl_val answer = world_ask(w, "nc-control-rules", NULL);
	yajl_val list = util_json_at(answer, "answer");
	yajl_val reaches;

	(void)k;
	assert_true(YAJL_IS_ARRAY(list));
	assert_string_equal(util_json_text(list->u.array.values[0], "channel"), "A");
	assert_string_equal(util_json_text(list->u.array.values[0], "regex"), "A|B|A.*B");
	reaches = util_json_at(list->u.array.values[0], "reaches");
	assert_true(YAJL_IS_ARRAY(reaches));
	/* beside itself */
	assert_int_equal(reaches->u.array.len, 2);
	yajl_tree_free(answer);
}

static const struct behaviour list[] = {
        {"a rule brings A's events to B in order, under A's name, and not back", PAIRS, from_a_to_b,
         a_to_b},
        {"overlapping and self-matching regexes bring one copy to each", PAIRS, overlapping_and_own,
         overlapping},
        {"propagation is one hop, even around a ring of rules", PAIRS, one_hop, chain},
        {"no rule leads to control or away from it", PAIRS, control_is_apart, everywhere},
        {"another connection of the sender, reached by a rule, hears it", EACH,
         senders_other_connection_hears, a_to_b},
        {"a packet arrives byte for byte over a rule", EACH, bytes_stay_as_they_are, a_to_b},
        {"the rules, and what they reach, are shown", ONCE, rules_are_shown, overlapping},
};

const struct theme propagation_theme = {"propagation", list, sizeof(list) / sizeof(*list)};
