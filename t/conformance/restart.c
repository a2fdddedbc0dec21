/*
 * A server that is killed and comes back: libnc's clients come back by themselves
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A native peer that reconnects soon. */
static struct peer *tough_peer(struct world *w)
{
	struct peer *p = world_new_peer(w, NATIVE, "A");

	assert_int_equal(nc_setopt_int(p->nc, NC_OPT_RECONNECT, 1), NC_OK);
	assert_int_equal(nc_setopt_int(p->nc, NC_OPT_RECONNECT_MIN_MS, 10), NC_OK);
	assert_int_equal(nc_setopt_int(p->nc, NC_OPT_RECONNECT_MAX_MS, 50), NC_OK);
	return p;
}

static struct peer *tough_listener(struct world *w, const char *pattern)
{
	struct peer *p = tough_peer(w);

	assert_int_equal(peer_connect(p), 0);
	peer_listen(p, pattern);
	return p;
}

/* The peers that do not come back go: the world's own are made anew when they are needed. */
static void close_the_others(struct world *w)
{
	for (size_t i = 0; i < w->n_peers;) {
		struct peer *p = w->peers[i];

		if (p->kind == NATIVE && !p->probe)
			i++;
		else
			peer_close(p);
	}
}

static void kill_server(struct world *w)
{
	server_kill(&w->server);
	close_the_others(w);
}

static void come_back(struct world *w, struct kinds k)
{
	struct peer *to = tough_listener(w, "x.*"), *from = tough_peer(w);
	uint64_t id = nc_id(to->nc);
	struct nc_counters c;

	(void)k;
	assert_int_equal(peer_connect(from), 0);
	for (unsigned round = 1; round <= 3; round++) {
		peer_emit_int(from, "x.y", round);
		peer_settle(from);
		peer_barrier(to);
		assert_int_equal(to->n_heard, round);
		assert_int_equal(heard_int(&to->heard[round - 1]), round);
		kill_server(w);
		WORLD_UNTIL(w, nc_state(to->nc) == NC_RECONNECTING &&
		                       nc_state(from->nc) == NC_RECONNECTING);
		server_start(&w->server);
		WORLD_UNTIL(w, to->n_connected == round + 1 && from->n_connected == round + 1);
		peer_settle(to);
		assert_true(nc_id(to->nc) != id);
	}
	nc_get_counters(to->nc, &c, sizeof(c));
	assert_int_equal(c.connects, 4);
}

/* What is emitted while there is no server arrives, in order, once there is one. */
static void queued_meanwhile(struct world *w, struct kinds k)
{
	struct peer *from = tough_peer(w), *to;
	struct nc_counters c;

	assert_int_equal(peer_connect(from), 0);
	peer_settle(from);
	kill_server(w);
	WORLD_UNTIL(w, nc_state(from->nc) == NC_RECONNECTING);
	for (int64_t n = 0; n < 1000; n++)
		assert_int_equal(nc_emit_int(from->nc, "late.words", n), NC_OK);
	nc_get_counters(from->nc, &c, sizeof(c));
	assert_int_equal(c.queued, 1000);
	/* it is held back until somebody listens again */
	from->stalled = true;
	server_start(&w->server);
	to = world_listener(w, k.to, "A", "late.*");
	from->stalled = false;
	WORLD_UNTIL(w, to->n_heard == 1000);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1000);
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(heard_int(&to->heard[n]), n);
	nc_get_counters(from->nc, &c, sizeof(c));
	assert_int_equal(c.dropped, 0);
	assert_int_equal(c.emitted, c.written);
}

static void bounded_meanwhile(struct world *w, struct kinds k)
{
	static const struct {
		enum nc_policy policy;
		int64_t first;
	} policies[] = {
	        {NC_POLICY_BLOCK, 0}, {NC_POLICY_DROP_NEWEST, 0}, {NC_POLICY_DROP_OLDEST, 30}};

	for (size_t i = 0; i < 3; i++) {
		struct peer *from = tough_peer(w), *to;
		struct nc_counters c;
		nc_client *nc = from->nc;

		assert_int_equal(nc_setopt_int(nc, NC_OPT_QUEUE_MESSAGES, 10), NC_OK);
		assert_int_equal(nc_setopt_int(nc, NC_OPT_OFFLINE_POLICY, policies[i].policy),
		                 NC_OK);
		assert_int_equal(peer_connect(from), 0);
		kill_server(w);
		WORLD_UNTIL(w, nc_state(nc) == NC_RECONNECTING);
		for (int64_t n = 0; n < 40; n++)
			assert_int_equal(nc_emit_int(nc, "late", n),
			                 policies[i].policy == NC_POLICY_BLOCK && n >= 10 ? NC_AGAIN
			                                                                  : NC_OK);
		nc_get_counters(nc, &c, sizeof(c));
		assert_int_equal(c.queued, 10);
		assert_int_equal(c.dropped, policies[i].policy == NC_POLICY_BLOCK ? 0 : 30);
		assert_int_equal(c.emitted, c.written + c.dropped + c.queued);
		from->stalled = true;
		server_start(&w->server);
		to = world_listener(w, k.to, "A", "late");
		from->stalled = false;
		WORLD_UNTIL(w, to->n_heard == 10);
		for (int64_t n = 0; n < 10; n++)
			assert_int_equal(heard_int(&to->heard[n]), policies[i].first + n);
		peer_close(to);
		peer_close(from);
	}
}

/* Dozens at once, while some emit: all come back, and each hears each later event once. */
static void many_come_back(struct world *w, struct kinds k)
{
	enum { N = 30 };
	struct peer *p[N], *from;

	for (int i = 0; i < N; i++)
		p[i] = tough_listener(w, "after.*");
	kill_server(w);
	server_start(&w->server);
	for (int i = 0; i < N; i++) {
		WORLD_UNTIL(w, p[i]->n_connected == 2);
		peer_settle(p[i]);
	}
	from = world_peer(w, k.from, "A");
	for (int64_t n = 0; n < 20; n++)
		peer_emit_int(from, "after.all", n);
	peer_settle(from);
	for (int i = 0; i < N; i++) {
		peer_barrier(p[i]);
		assert_int_equal(p[i]->n_heard, 20);
		for (size_t n = 0; n < 20; n++)
			assert_int_equal(heard_int(&p[i]->heard[n]), n);
	}
}

/* A server that stops in order is no reason not to come back either. */
static void orderly_restart(struct world *w, struct kinds k)
{
	struct peer *to = tough_listener(w, "x"), *from;

	server_signal(&w->server, SIGTERM);
	for (uint64_t deadline = util_deadline(); nc_state(to->nc) != NC_RECONNECTING;) {
		world_poll(w);
		if (util_left_ms(deadline) == 0)
			fail_msg("the client does not notice the end");
	}
	server_await_end(&w->server);
	close_the_others(w);
	server_start(&w->server);
	WORLD_UNTIL(w, to->n_connected == 2);
	peer_settle(to);
	from = world_peer(w, k.from, "A");
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
}

/* JSON clients, and native ones that do not reconnect, see the end and can connect anew. */
static void others_see_the_end(struct world *w, struct kinds k)
{
	struct peer *p = world_peer(w, k.from, "A");

	server_kill(&w->server);
	WORLD_UNTIL(w, p->ended);
	while (w->n_peers > 0)
		peer_close(w->peers[0]);
	server_start(&w->server);
	p = world_listener(w, k.from, "A", ">");
	peer_barrier(p);
}

static const struct behaviour list[] = {
        {"libnc's clients come back by themselves, with their handlers", ONCE, come_back, NULL},
        {"what is emitted without a server arrives in order once there is one", EACH,
         queued_meanwhile, NULL},
        {"what is kept meanwhile is bounded, as the policy says", EACH, bounded_meanwhile, NULL},
        {"dozens come back, and hear each event once", EACH, many_come_back, NULL},
        {"they come back after an orderly stop, too", EACH, orderly_restart, NULL},
        {"others see the end, and connect anew", EACH, others_see_the_end, NULL},
};

const struct theme restart_theme = {"restart", list, sizeof(list) / sizeof(*list)};
