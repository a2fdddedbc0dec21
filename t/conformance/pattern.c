/*
 * Which events a declared interest brings
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char *const events[] = {
        "a", "b", "a.b", "a.c", "a.b.c", "a.b.c.d", "b.a", "axb", "aa", "ab", "\xc3\xa9t\xc3\xa9.a",
};
#define N_EVENTS (sizeof(events) / sizeof(*events))

/* Which of the events match, one letter each. */
static const struct {
	const char *pattern;
	const char *matches;
} patterns[] = {
        {"a", "1.........."},         {"a.b", "..1........"},
        {"*", "11.....111."},         {"a.*", "..11......."},
        {"*.a", "......1...1"},       {"*.*", "..11..1...1"},
        {"a.>", "..1111....."},       {"a.b.>", "....11....."},
        {"a.*.c", "....1......"},     {"*.>", "..11111...1"},
        {"*.b.*", "....1......"},     {"\xc3\xa9t\xc3\xa9.>", "..........1"},
        {"a.b.c.d.>", "..........."},
};
#define N_PATTERNS (sizeof(patterns) / sizeof(*patterns))

static void emit_all(struct peer *from)
{
	for (size_t i = 0; i < N_EVENTS; i++)
		peer_emit_int(from, events[i], (int64_t)i);
	peer_settle(from);
}

static bool has_heard(const struct peer *p, const char *event)
{
	for (size_t i = 0; i < p->n_heard; i++)
		if (strcmp(p->heard[i].event, event) == 0)
			return true;
	return false;
}

static void check_matches(struct peer *to, const char *pattern, const char *matches)
{
	size_t n = 0;

	peer_barrier(to);
	for (size_t i = 0; i < N_EVENTS; i++) {
		bool expected = matches[i] == '1';

		n += expected;
		if (has_heard(to, events[i]) != expected)
			fail_msg("%s %s %s", pattern, expected ? "misses" : "brings", events[i]);
	}
	assert_int_equal(to->n_heard, n);
	peer_forget(to);
}

static void patterns_choose(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to[N_PATTERNS];

	for (size_t i = 0; i < N_PATTERNS; i++)
		to[i] = world_listener(w, k.to, "A", patterns[i].pattern);
	emit_all(from);
	for (size_t i = 0; i < N_PATTERNS; i++)
		check_matches(to[i], patterns[i].pattern, patterns[i].matches);
}

/* Towards JSON once, however many patterns match; a native client runs each handler once. */
static void overlapping_patterns(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "A", "a.b");
	struct peer *from = world_peer(w, k.from, "A");
	uint64_t before;

	peer_listen(to, "a.*");
	peer_listen(to, "a.>");
	peer_listen(to, "*.*");
	peer_barrier(to);
	before = to->n_messages;
	if (k.to == NATIVE) {
		struct nc_counters c;

		nc_get_counters(to->nc, &c, sizeof(c));
		before = c.received;
	}
	for (int64_t n = 0; n < 10; n++)
		peer_emit_int(from, "a.b", n);
	peer_settle(from);
	peer_barrier(to);
	if (k.to == NATIVE) {
		struct nc_counters c;

		nc_get_counters(to->nc, &c, sizeof(c));
		/* ten events, and the t.sync of sender and barrier */
		assert_int_equal(c.received - before, 12);
		assert_int_equal(to->n_heard, 40);
	} else {
		assert_int_equal(to->n_messages - before, 12);
		assert_int_equal(to->n_heard, 10);
	}
}

static void nothing_more(struct peer *from, struct peer *to)
{
	peer_emit_int(from, "a.b", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 0);
}

/* Interest comes and goes; several in one packet, then one by one. */
static void json_interest(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_peer(w, JSON, "A");

	emit_all(from);
	check_matches(to, "nothing declared", "11111111111");
	peer_packet(to, "{\"event\":\"nc.listen\",\"data\":[\"t.sync\",\"a.*\",\"b\"]}");
	peer_settle(to);
	emit_all(from);
	check_matches(to, "a.* and b", ".111.......");
	peer_packet(to, "{\"event\":\"nc.unlisten\",\"data\":\"b\"}");
	peer_settle(to);
	emit_all(from);
	check_matches(to, "a.*", "..11.......");
	peer_packet(to, "{\"data\":[\"a.*\"],\"event\":\"nc.unlisten\"}");
	peer_settle(to);
	nothing_more(from, to);
	/* away with the last one: it hears nothing, not everything */
	peer_packet(to, "{\"event\":\"nc.unlisten\",\"data\":\"t.sync\"}");
	peer_settle(to);
	emit_all(from);
	peer_packet(to, "{\"event\":\"nc.listen\",\"data\":\"t.sync\"}");
	peer_settle(to);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 0);
	assert_int_equal(to->n_errors, 0);
}

static void native_interest(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_peer(w, NATIVE, "A");

	nothing_more(from, to);
	peer_listen(to, "a.*");
	emit_all(from);
	check_matches(to, "a.*", "..11.......");
	assert_int_equal(nc_off(to->nc, "a.*", NULL, NULL), NC_OK);
	peer_settle(to);
	nothing_more(from, to);
}

/* Interest is nobody else's business, and no event. */
static void interest_is_not_routed(struct world *w, struct kinds k)
{
	struct peer *watcher = world_peer(w, JSON, "A");
	struct peer *to = world_listener(w, k.from, "A", "a.>");

	if (k.from == JSON)
		peer_packet(to, "{\"event\":\"nc.unlisten\",\"data\":\"a.>\"}");
	else
		assert_int_equal(nc_off(to->nc, "a.>", NULL, NULL), NC_OK);
	peer_settle(to);
	peer_barrier(watcher);
	assert_int_equal(watcher->n_heard, 0);
}

struct bad_interest {
	const char *packet;
	int error;
};

static void bad_json_interest(struct world *w, struct kinds k)
{
	static const struct bad_interest bad[] = {
	        {"{\"event\":\"nc.listen\"}", NC_EINVAL},
	        {"{\"event\":\"nc.listen\",\"data\":7}", NC_EINVAL},
	        {"{\"event\":\"nc.listen\",\"data\":[\"t.sync\",7]}", NC_EINVAL},
	        {"{\"event\":\"nc.listen\",\"data\":{\"a\":\"b\"}}", NC_EINVAL},
	        {"{\"event\":\"nc.listen\",\"data\":\"a..b\"}", NC_ENAME},
	        {"{\"event\":\"nc.listen\",\"data\":\">.a\"}", NC_ENAME},
	        {"{\"event\":\"nc.listen\",\"data\":\"a b\"}", NC_ENAME},
	        {"{\"event\":\"nc.listen\",\"data\":\"\"}", NC_ENAME},
	};
	struct peer *to = world_peer(w, JSON, "A");

	(void)k;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		peer_packet(to, bad[i].packet);
		WORLD_UNTIL(w, to->n_errors == i + 1);
		if (to->error != bad[i].error)
			fail_msg("%s: %s", bad[i].packet, nc_strerror(to->error));
		peer_settle(to);
	}
}

static void shown_interest(struct world *w, struct kinds k)
{
	struct peer *to = world_peer(w, k.from, "A");
	yajl_val v, answer;

	answer = peer_client_object(to);
	v = util_json_at(answer, "answer");
	assert_true(k.from == JSON ? YAJL_IS_TRUE(util_json_at(v, "everything"))
	                           : YAJL_IS_FALSE(util_json_at(v, "everything")));
	yajl_tree_free(answer);
	peer_listen(to, "log.>");
	answer = peer_client_object(to);
	v = util_json_at(answer, "answer");
	assert_true(YAJL_IS_FALSE(util_json_at(v, "everything")));
	v = util_json_at(v, "patterns");
	assert_true(YAJL_IS_ARRAY(v));
	assert_int_equal(v->u.array.len, 2);
	yajl_tree_free(answer);
}

/* Two hundred patterns at once: they stay apart, and each can go by itself. */
static void many_patterns(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, NATIVE, "A");
	struct peer *to = world_peer(w, k.from, "A");
	char name[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many.n%d.*", i);
		peer_want(to, name);
	}
	peer_settle(to);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "many.n%d.x", i);
		peer_emit_int(from, name, i);
	}
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 200);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(heard_int(&to->heard[i]), i);
}

static const struct behaviour list[] = {
        {"exact names, * and > bring what they match and nothing else", PAIRS, patterns_choose,
         NULL},
        {"an event that several patterns match crosses the wire once", PAIRS, overlapping_patterns,
         NULL},
        {"a JSON client hears all until it declares interest, then what it declared", EACH,
         json_interest, NULL},
        {"a native client hears what it has handlers for", EACH, native_interest, NULL},
        {"declarations of interest are not routed", EACH, interest_is_not_routed, NULL},
        {"a declaration that is none is refused, and its client stays", ONCE, bad_json_interest,
         NULL},
        {"declared interest is shown", EACH, shown_interest, NULL},
        {"hundreds of patterns of one client work beside each other", EACH, many_patterns, NULL},
};

const struct theme pattern_theme = {"patterns", list, sizeof(list) / sizeof(*list)};
