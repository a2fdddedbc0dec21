/*
 * Connections: undecided ones, sockets of the configured channels, two servers, the end
 */

#include "t/conformance/suite.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

static const char patient[] = "hello_wait = 60000; channels = { A = {}; };";
static const char hasty[] = "hello_wait = 50; channels = { A = {}; };";

static void wait_for_clients(struct world *w, const char *channel, size_t n)
{
	uint64_t deadline = util_deadline();

	while (channel_clients(w, channel) != n)
		world_pause(w, deadline, "the server to know of a connection");
}

/* The dialect of the last connection of channel A. */
static char *last_dialect(struct world *w)
{
	yajl_val answer = world_ask(w, "nc-control-clients", "{\"channel\":\"A\"}");
	yajl_val list = util_json_at(answer, "answer");
	char *dialect;

	assert_true(YAJL_IS_ARRAY(list) && list->u.array.len > 0);
	dialect = util_format(
	        "%s", util_json_text(list->u.array.values[list->u.array.len - 1], "dialect"));
	yajl_tree_free(answer);
	return dialect;
}

/* Messages that were routed to it. */
static int64_t last_routed(struct world *w)
{
	yajl_val answer = world_ask(w, "nc-control-clients", "{\"channel\":\"A\"}");
	yajl_val list = util_json_at(answer, "answer");
	struct flow f;

	assert_true(YAJL_IS_ARRAY(list) && list->u.array.len > 0);
	flow_read(&f, util_json_at(list->u.array.values[list->u.array.len - 1], "out"));
	yajl_tree_free(answer);
	return f.routed;
}

static void wait_for_dialect(struct world *w, const char *dialect)
{
	uint64_t deadline = util_deadline();
	char *now;

	while (now = last_dialect(w), strcmp(now, dialect) != 0) {
		free(now);
		world_pause(w, deadline, "the dialect of a connection to be known");
	}
	free(now);
}

static struct peer *silent_connection(struct world *w)
{
	struct peer *p = world_new_peer(w, JSON, "A");
	size_t n = channel_clients(w, "A");

	assert_int_equal(peer_connect(p), 0);
	wait_for_clients(w, "A", n + 1);
	return p;
}

/* It says nothing: what is emitted meanwhile waits, and comes when it counts as a JSON client. */
static void silent_listener(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = silent_connection(w);

	for (int64_t i = 0; i < 100; i++)
		peer_emit_int(from, "x", i);
	peer_settle(from);
	WORLD_UNTIL(w, to->n_heard == 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(heard_int(&to->heard[i]), i);
	assert_int_equal(to->lost, 0);
}

/* It says nothing for longer than this test lasts: nothing is written to it before it speaks. */
static void speaks_late(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, NATIVE, "A");
	struct peer *to = silent_connection(w);

	(void)k;
	for (int64_t i = 0; i < 100; i++)
		peer_emit_int(from, "x", i);
	peer_settle(from);
	wait_for_dialect(w, "undecided");
	world_poll(w);
	assert_int_equal(to->n_heard, 0);
	assert_int_equal(to->jc.in.len, 0);
	/* one byte of JSON decides */
	peer_write(to, " ", 1);
	WORLD_UNTIL(w, to->n_heard == 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(heard_int(&to->heard[i]), i);
}

/* A native client that takes its time before it says hello: preface, HELLO, LISTEN to all. */
static const char hello[] = "\xff"
                            "NC\x01"
                            "\x12\0\0\0\x01\0\0\0\x01\0\x01\0\0\0\0\0\0\0"
                            "\x09\0\0\0\x04\0\0\x01>";

/* Says hello, and expects a WELCOME (kind 2), then the event, a frame of kind 3. */
static void say_hello(struct peer *to, struct peer *from)
{
	uint64_t deadline = util_deadline();
	size_t welcome_len = 0;

	assert_int_equal(jc_write(&to->jc, hello, sizeof(hello) - 1), 0);
	wait_for_dialect(to->world, "native");
	/* its LISTEN is in force when the server answers what was asked behind it */
	peer_emit_int(from, "x", 1);
	while (to->jc.in.len < 8 || to->jc.in.len < welcome_len + 8) {
		world_pause(to->world, deadline, "welcome and event");
		if (!jc_fill(&to->jc))
			fail_msg("the connection ended");
		if (to->jc.in.len >= 8)
			welcome_len = (unsigned char)to->jc.in.p[0];
	}
	assert_int_equal(to->jc.in.p[4], 2);
	assert_int_equal(to->jc.in.p[welcome_len + 4], 3);
	/* what had waited for a JSON client counts as never routed */
	assert_int_equal(last_routed(to->world), 1);
}

static void native_while_undecided(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = silent_connection(w);

	to->stalled = true;
	/* this would be for a JSON client, and is taken back */
	peer_emit_int(from, "before", 1);
	peer_settle(from);
	say_hello(to, from);
}

/* The time to say hello has passed, and nothing was written to it. */
static void native_held_up(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = silent_connection(w);

	to->stalled = true;
	wait_for_dialect(w, "json");
	say_hello(to, from);
}

/* It was written to as a JSON client, and can only be one. */
static void native_too_late(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = silent_connection(w);

	wait_for_dialect(w, "json");
	peer_emit_int(from, "x", 1);
	WORLD_UNTIL(w, to->n_heard == 1);
	assert_int_equal(jc_write(&to->jc, hello, sizeof(hello) - 1), 0);
	WORLD_UNTIL(w, to->ended);
	assert_int_equal(to->error, NC_EJSON);
}

static void one_socket_each(struct world *w, struct kinds k)
{
	static const char *const names[] = {"A", "B", "C", "control"};
	char path[UTIL_PATH_MAX];
	struct stat st;

	(void)k;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(lstat(server_socket(&w->server, names[i], path), &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0660);
	}
	server_stop(&w->server);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(lstat(server_socket(&w->server, names[i], path), &st), -1);
}

static void without_control(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "A", ">"), *control;

	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	control = world_new_peer(w, k.from, "control");
	assert_int_equal(peer_connect(control), k.from == NATIVE ? (int)NC_ENOSERVER : -ENOENT);
}

/* A second server neither starts nor disturbs the first. */
static void second_server(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.from, "A", ">"), *late;
	struct server second = w->server;
	char *log;

	second.pid = 0;
	assert_int_not_equal(server_run_to_end(&second), 0);
	log = server_log(&second);
	assert_non_null(strstr(log, "A.sock"));
	free(log);
	late = world_listener(w, k.from, "A", ">");
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	peer_barrier(late);
	assert_int_equal(to->n_heard, 1);
	assert_int_equal(late->n_heard, 1);
}

/* What a killed server left behind is taken over. */
static void stale_sockets(struct world *w, struct kinds k)
{
	struct peer *p;
	char path[UTIL_PATH_MAX];
	struct stat st;

	server_kill(&w->server);
	assert_int_equal(lstat(server_socket(&w->server, "A", path), &st), 0);
	server_start(&w->server);
	p = world_listener(w, k.from, "A", ">");
	peer_barrier(p);
}

/* What is no socket of a dead server is nobody's to remove. */
static void foreign_file(struct world *w, struct kinds k)
{
	char path[UTIL_PATH_MAX], *text;

	(void)k;
	server_stop(&w->server);
	util_write_file(server_socket(&w->server, "B", path), "precious");
	assert_int_not_equal(server_run_to_end(&w->server), 0);
	text = util_read_file(path);
	assert_non_null(text);
	assert_string_equal(text, "precious");
	free(text);
	/* and the sockets of the other channels do not stay behind */
	assert_int_equal(access(server_socket(&w->server, "A", path), F_OK), -1);
	assert_int_equal(access(server_socket(&w->server, "C", path), F_OK), -1);
}

static void what_was_sent_is_delivered_at_the_end(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "A", ">");

	for (int64_t n = 0; n < 1000; n++)
		peer_emit_int(from, "x", n);
	peer_settle(from);
	server_signal(&w->server, SIGTERM);
	/* a client hears all that was routed before the end, and native ones are told */
	for (uint64_t deadline = util_deadline(); !to->ended;) {
		world_poll(w);
		if (util_left_ms(deadline) == 0)
			fail_msg("the server did not end the connection");
	}
	assert_int_equal(to->n_heard, 1000);
	if (k.to == NATIVE)
		assert_int_equal(to->error, NC_ESHUTDOWN);
	server_await_end(&w->server);
}

static const struct behaviour list[] = {
        {"who says nothing is a JSON listener, and has missed nothing", EACH, silent_listener,
         hasty},
        {"nothing is written to who has not shown its dialect, and nothing lost", ONCE, speaks_late,
         patient},
        {"a native client may take its time to say hello", EACH, native_while_undecided, patient},
        {"a native client that was held up for too long is served all the same", EACH,
         native_held_up, hasty},
        {"one that has been written to as a JSON client is one", EACH, native_too_late, hasty},
        {"each channel has a socket, which goes with the server", ONCE, one_socket_each, NULL},
        {"without startcontrol the channels work and there is no control", PAIRS, without_control,
         "startcontrol = false; hello_wait = 20; channels = { A = {}; };"},
        {"a second server does not start, and leaves the first alone", EACH, second_server, NULL},
        {"the sockets of a dead server are taken over", EACH, stale_sockets, NULL},
        {"a file in a socket's place stops the start and stays", ONCE, foreign_file, NULL},
        {"what was routed before SIGTERM is heard, then the connection ends", PAIRS,
         what_was_sent_is_delivered_at_the_end, NULL},
};

const struct theme connection_theme = {"connections", list, sizeof(list) / sizeof(*list)};
