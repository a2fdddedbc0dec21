/*
 * Reloading the configuration: what did not change keeps its clients and loses nothing
 */

#include "t/conformance/suite.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void reload(struct world *w, const char *config)
{
	char *error = world_reload(w, config);

	if (error)
		fail_msg("not reloaded: %s", error);
}

/* Configurations that come one after the other while messages flow from A to A and B. */
static const char *const good[] = {
        "hello_wait = 20;\n"
        "channels = { A = { propagatetochannels = \"^B$\"; }; B = {}; };",

        "hello_wait = 20;\n"
        "channels = { A = { propagatetochannels = \"^(B|X)$\"; }; B = {}; X = {}; Y = {}; };",

        "hello_wait = 30; max_clients = 500;\n"
        "channels = { A = { propagatetochannels = \"B|Y\"; queue_bytes = 1048576; };\n"
        "B = { propagatetochannels = \"Y\"; }; Y = {}; };",
};
#define N_GOOD 3

static const char *const bad[] = {
        "channels = { A = { propagatetochannels = \"(\"; }; B = {}; };",
        "channels = { A = { propagatetochannel = \"B\"; }; B = {}; };",
        "channels = { A = {}; B = {",
        "channels = { A = { mode = \"rw\"; queue_bytes = 1; }; \"a b\" = {}; };",
};
#define N_BAD 4

struct counted {
	int64_t next;
	unsigned wrong;
};

static void count(struct peer *p, const struct heard *h)
{
	struct counted *c = p->arg;

	if (heard_int(h) != c->next++)
		c->wrong++;
}

/* n_reloads configurations, right and wrong in turn, each behind n_burst messages that are on their
 * way while it is taken. */
static void reload_under_load(struct world *w, struct kinds k, int64_t n_reloads, int64_t n_burst)
{
	struct counted c[2] = {{.next = 0}};
	struct peer *from, *to[2];

	reload(w, good[0]);
	from = world_peer(w, k.from, "A");
	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	for (size_t i = 0; i < 2; i++) {
		to[i] = world_listener(w, k.to, i ? "B" : "A", "load.*");
		to[i]->on_heard = count;
		to[i]->arg = &c[i];
	}
	for (int64_t r = 0; r < n_reloads; r++) {
		for (int64_t n = 0; n < n_burst; n++)
			peer_emit_int(from, "load.x", r * n_burst + n);
		if (r % 2) {
			char *error = world_reload(w, bad[(r / 2) % N_BAD]);

			assert_non_null(error);
			assert_true(strlen(error) > 10);
			free(error);
		} else {
			reload(w, good[(r / 2) % N_GOOD]);
		}
	}
	peer_settle(from);
	for (size_t i = 0; i < 2; i++) {
		peer_barrier(to[i]);
		assert_int_equal(c[i].wrong, 0);
		assert_int_equal(c[i].next, n_reloads * n_burst);
		assert_int_equal(to[i]->lost, 0);
		if (k.to == NATIVE)
			assert_int_equal(to[i]->n_connected, 1);
	}
}

static void under_full_load(struct world *w, struct kinds k)
{
	reload_under_load(w, k, 40, 250);
}

static void a_thousand(struct world *w, struct kinds k)
{
	reload_under_load(w, k, 1000, 50);
}

static void rules_change(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "B", ">");
	static const struct {
		const char *config;
		size_t heard;
	} steps[] = {
	        {"channels = { A = { propagatetochannels = \"B\"; }; B = {}; };", 1},
	        {"channels = { A = { propagatetochannels = false; }; B = {}; };", 0},
	        {"channels = { A = { propagatetochannels = \".\"; }; B = {}; };", 1},
	        {"channels = { A = { propagatetochannels = \"^C\"; }; B = {}; };", 0},
	        {"channels = { A = { propagatetochannels = \".*\"; }; B = {}; };", 1},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		reload(w, steps[i].config);
		peer_emit_int(from, "x", (int64_t)i);
		peer_settle(from);
		peer_barrier(to);
		assert_int_equal(to->n_heard, steps[i].heard);
		peer_forget(to);
	}
}

/* Added, removed, and added again: its clients go, and only they. */
static void channels_come_and_go(struct world *w, struct kinds k)
{
	static const char with[] = "hello_wait = 20; channels = { A = {}; B = {}; N = {}; };";
	static const char without[] = "hello_wait = 20; channels = { A = {}; B = {}; };";
	struct peer *stays = world_listener(w, k.from, "A", ">");
	struct peer *from = world_peer(w, k.to, "A"), *n[2], *late;

	for (int round = 0; round < 3; round++) {
		late = world_new_peer(w, k.from, "N");
		assert_int_not_equal(peer_connect(late), 0);
		peer_close(late);
		reload(w, with);
		for (size_t i = 0; i < 2; i++)
			n[i] = world_listener(w, i ? k.to : k.from, "N", ">");
		peer_emit_int(n[0], "x", round);
		peer_settle(n[0]);
		peer_barrier(n[1]);
		assert_int_equal(n[1]->n_heard, 1);
		/* the probe of N goes with it */
		reload(w, without);
		for (size_t i = 0; i < 2; i++) {
			WORLD_UNTIL(w, n[i]->ended);
			if (n[i]->kind == NATIVE)
				assert_int_equal(n[i]->error, NC_ESHUTDOWN);
			peer_close(n[i]);
		}
		for (size_t i = 0; i < w->n_peers; i++)
			if (strcmp(w->peers[i]->channel, "N") == 0) {
				WORLD_UNTIL(w, w->peers[i]->ended);
				peer_close(w->peers[i]);
				break;
			}
		peer_emit_int(from, "after", round);
		peer_settle(from);
		peer_barrier(stays);
		assert_int_equal(stays->n_heard, round + 1);
	}
}

/* Nothing of a configuration that is wrong anywhere comes into force, and all that is wrong is
 * told. */
static void errors_change_nothing(struct world *w, struct kinds k)
{
	static const char wrong[] = "channels = {\n"
	                            "A = { propagatetochannels = \"B\"; polcy = \"block\"; };\n"
	                            "B = { policy = \"drop\"; };\n"
	                            "N = { propagatetochannels = \"(\"; };\n"
	                            "};";
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.from, "B", ">"), *late;
	yajl_val before = world_ask(w, "nc-control-stats", NULL), after;
	char *error = world_reload(w, wrong);

	assert_non_null(error);
	assert_non_null(strstr(error, "polcy"));
	assert_non_null(strstr(error, "did you mean"));
	assert_non_null(strstr(error, "drop"));
	assert_non_null(strstr(error, "propagatetochannels"));
	free(error);
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 0);
	late = world_new_peer(w, k.from, "N");
	assert_int_not_equal(peer_connect(late), 0);
	after = world_ask(w, "nc-control-stats", NULL);
	assert_int_equal(util_json_int(after, "answer.config.reload_errors"),
	                 util_json_int(before, "answer.config.reload_errors") + 1);
	assert_int_equal(util_json_int(after, "answer.config.reloads"),
	                 util_json_int(before, "answer.config.reloads"));
	yajl_tree_free(before);
	yajl_tree_free(after);
}

/* Lists change under the feet of those who are there. */
static void rights_change(struct world *w, struct kinds k)
{
	struct peer *mute = world_listener(w, k.from, "A", ">");
	struct peer *gone = world_peer(w, k.from, "B");
	struct peer *stays = world_listener(w, k.from, "C", ">");

	/* the world's own on A and B: one may not emit any more, the other is not let in */
	reload(w, "hello_wait = 20;\n"
	          "channels = { A = { emit = [ \"4000000001\" ]; };\n"
	          "B = { emit = [ \"4000000001\" ]; listen = [ \"4000000001\" ]; }; C = {}; };");
	WORLD_UNTIL(w, gone->ended);
	if (k.from == NATIVE)
		assert_int_equal(gone->error, NC_EDENIED);
	peer_emit_int(mute, "x", 1);
	WORLD_UNTIL(w, mute->n_errors > 0);
	assert_int_equal(mute->error, NC_EDENIED);
	assert_false(mute->ended);
	peer_barrier(stays);
	reload(w, suite_plain_config);
	peer_settle(mute);
	peer_barrier(mute);
}

/* SIGHUP reads the file again, well or not. */
static void by_signal(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "B", ">");

	server_configure(&w->server, good[0]);
	server_reload(&w->server);
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	server_configure(&w->server, bad[1]);
	server_reload(&w->server);
	peer_emit_int(from, "x", 2);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 2);
	server_configure(&w->server, suite_plain_config);
	server_reload(&w->server);
	peer_emit_int(from, "x", 3);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 2);
}

/* What showconfig shows is a configuration, which changes nothing when it is loaded. */
static void round_trip(struct world *w, struct kinds k)
{
	struct peer *asks = world_new_peer(w, JSON, "control");
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "B", ">");
	char *first, *packet;

	assert_int_equal(peer_connect(asks), 0);
	reload(w, good[0]);
	peer_packet(asks, "{\"event\":\"nc-control-showconfig\",\"data\":\"\"}");
	WORLD_UNTIL(w, asks->n_heard == 1);
	assert_string_equal(asks->heard[0].event, "nc-control-showconfig-response");
	first = util_format("%s", asks->heard[0].data);
	first[asks->heard[0].len] = '\0';
	packet = util_format("{\"event\":\"nc-control-reloadconfig\",\"data\":%s}", first);
	peer_packet(asks, packet);
	WORLD_UNTIL(w, asks->n_heard == 2);
	if (strcmp(asks->heard[1].event, "nc-control-reloadconfig-response") != 0 ||
	    asks->heard[1].len != 6 || memcmp(asks->heard[1].data, "\"done\"", 6) != 0)
		fail_msg("%s", asks->heard[1].packet);
	peer_packet(asks, "{\"event\":\"nc-control-showconfig\",\"data\":\"\"}");
	WORLD_UNTIL(w, asks->n_heard == 3);
	assert_true(util_json_equal(first, strlen(first), asks->heard[2].data, asks->heard[2].len));
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	free(first);
	free(packet);
}

/* "", null and nothing mean the server's own file. */
static void own_file_again(struct world *w, struct kinds k)
{
	static const char *const questions[] = {
	        "{\"event\":\"nc-control-reloadconfig\",\"data\":\"\"}",
	        "{\"event\":\"nc-control-reloadconfig\",\"data\":null}",
	        "{\"event\":\"nc-control-reloadconfig\"}",
	};
	struct peer *asks = world_new_peer(w, JSON, "control");

	(void)k;
	assert_int_equal(peer_connect(asks), 0);
	for (size_t i = 0; i < 3; i++) {
		struct peer *n;

		server_configure(&w->server, "channels = { A = {}; N = {}; };");
		peer_packet(asks, questions[i]);
		WORLD_UNTIL(w, asks->n_heard == 2 * i + 1);
		assert_int_equal(asks->heard[2 * i].len, 6);
		assert_memory_equal(asks->heard[2 * i].data, "\"done\"", 6);
		n = world_new_peer(w, JSON, "N");
		assert_int_equal(peer_connect(n), 0);
		server_configure(&w->server, "channels = { A = {}; };");
		peer_packet(asks, questions[i]);
		WORLD_UNTIL(w, asks->n_heard == 2 * i + 2);
		WORLD_UNTIL(w, n->ended);
		peer_close(n);
	}
}

/* netcluster's own file, keys and all, as its client sends it. */
static void netclusters_object(struct world *w, struct kinds k)
{
	struct peer *asks = world_new_peer(w, JSON, "control");
	char *packet = util_format(
	        "{\"event\":\"nc-control-reloadconfig\",\"data\":{"
	        "\"addr\":\"224.0.0.0\",\"port\":4454,\"connecttonet\":false,\"dumpnet\":true,"
	        "\"startcontrol\":true,\"socket\":\"%s\",\"channels\":{\"control\":"
	        "{\"propagatetochannels\":false,\"propagatetonet\":false,\"dumptoconsole\":false},"
	        "\"A\":{\"propagatetochannels\":\".*\",\"propagatetonet\":false,"
	        "\"dumptoconsole\":true},"
	        "\"B\":{\"propagatetochannels\":\".*\",\"propagatetonet\":false,"
	        "\"dumptoconsole\":false}}}}",
	        w->server.sockets);
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "B", ">");
	char *log;

	assert_int_equal(peer_connect(asks), 0);
	peer_packet(asks, packet);
	free(packet);
	WORLD_UNTIL(w, asks->n_heard == 1);
	if (asks->heard[0].len != 6)
		fail_msg("%s", asks->heard[0].packet);
	peer_emit_int(from, "dumped.event", 4711);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	/* dumptoconsole: one line for the packet */
	log = server_log(&w->server);
	assert_non_null(strstr(log, "dumped.event"));
	assert_non_null(strstr(log, "4711"));
	free(log);
}

static const struct behaviour list[] = {
        {"configurations, right and wrong in turn, come under full load and nothing is lost", PAIRS,
         under_full_load, NULL},
        {"a thousand of them lose nothing either", EACH, a_thousand, NULL},
        {"a changed rule is in force for the clients that are there", PAIRS, rules_change, NULL},
        {"channels come, go and come again, and their clients with them", PAIRS,
         channels_come_and_go, NULL},
        {"an error anywhere changes nothing, and all errors are told", EACH, errors_change_nothing,
         NULL},
        {"rights that a configuration takes away are gone for those who are there", EACH,
         rights_change, NULL},
        {"SIGHUP reads the file again, and keeps what was if it is wrong", PAIRS, by_signal, NULL},
        {"what showconfig shows is a configuration that changes nothing", PAIRS, round_trip, NULL},
        {"reloadconfig without a configuration reads the server's own file", ONCE, own_file_again,
         NULL},
        {"netcluster's configuration object is taken as it is", PAIRS, netclusters_object, NULL},
};

const struct theme reload_theme = {"reload", list, sizeof(list) / sizeof(*list)};
