/*
 * libnc's handlers against a real server: local delivery, once, off, and what they may do inside
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What handlers of a test write down. */
struct notes {
	char text[256];
	unsigned n;
	struct notes *also;
};

static void note(nc_client *c, const nc_msg *m, void *arg)
{
	struct notes *n = arg;

	(void)c;
	(void)m;
	n->n++;
}

static void note_first(nc_client *c, const nc_msg *m, void *arg)
{
	struct notes *n = arg;

	note(c, m, arg);
	strncat(n->text, "1", sizeof(n->text) - strlen(n->text) - 1);
}

static void note_second(nc_client *c, const nc_msg *m, void *arg)
{
	struct notes *n = arg;

	note(c, m, arg);
	strncat(n->text, "2", sizeof(n->text) - strlen(n->text) - 1);
}

static struct peer *hearing_itself(struct world *w, enum nc_option option)
{
	struct peer *p;

	world_peer(w, NATIVE, "A");
	p = world_new_peer(w, NATIVE, "A");
	assert_int_equal(nc_setopt_int(p->nc, option, 1), NC_OK);
	assert_int_equal(peer_connect(p), NC_OK);
	return p;
}

/* One that hears itself by that option, and another, hear ten emits once each. Returns how many the
 * library itself delivered. */
static uint64_t emit_to_oneself(struct world *w, struct kinds k, enum nc_option option)
{
	struct peer *p = hearing_itself(w, option);
	struct peer *to = world_listener(w, k.to, "A", ">");
	struct notes n = {.n = 0};
	struct nc_counters c;

	assert_int_equal(nc_on(p->nc, "own.*", note, &n), NC_OK);
	for (int64_t i = 0; i < 10; i++)
		peer_emit_int(p, "own.event", i);
	peer_settle(p);
	peer_barrier(p);
	peer_barrier(to);
	assert_int_equal(n.n, 10);
	assert_int_equal(to->n_heard, 10);
	nc_get_counters(p->nc, &c, sizeof(c));
	return c.local;
}

static void local_delivery(struct world *w, struct kinds k)
{
	/* t.sync of the settling is its own, too */
	assert_int_equal(emit_to_oneself(w, k, NC_OPT_LOCAL), 11);
}

static void echo(struct world *w, struct kinds k)
{
	assert_int_equal(emit_to_oneself(w, k, NC_OPT_ECHO), 0);
}

static void order_of_handlers(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A"), *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};

	assert_int_equal(nc_on(to->nc, "x", note_first, &n), NC_OK);
	assert_int_equal(nc_on(to->nc, "*", note_second, &n), NC_OK);
	assert_int_equal(nc_on(to->nc, "x", note_first, &n), NC_OK);
	assert_int_equal(nc_listeners(to->nc, "x"), 2);
	peer_settle(to);
	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_string_equal(n.text, "121");
	assert_int_equal(nc_off(to->nc, "x", note_first, &n), NC_OK);
	peer_emit_int(from, "x", 2);
	peer_settle(from);
	peer_barrier(to);
	assert_string_equal(n.text, "12121");
	assert_int_equal(nc_off(to->nc, "x", note_first, &n), NC_OK);
	assert_int_equal(nc_off(to->nc, "x", note_first, &n), NC_ENOENT);
	peer_settle(to);
	peer_emit_int(from, "x", 3);
	peer_settle(from);
	peer_barrier(to);
	assert_string_equal(n.text, "121212");
}

static void once(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A"), *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};

	assert_int_equal(nc_once(to->nc, "x.*", note, &n), NC_OK);
	peer_settle(to);
	for (int64_t i = 0; i < 5; i++)
		peer_emit_int(from, "x.y", i);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(n.n, 1);
	assert_int_equal(nc_listeners(to->nc, "x.*"), 0);
}

/* A dot in a literal name is a dot, and a name with wildcards is none. */
static void literal_names(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A"), *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};

	assert_int_equal(nc_on_event(to->nc, "a.b", note, &n), NC_OK);
	assert_int_equal(nc_on_event(to->nc, "a.*", note, &n), NC_ENAME);
	assert_int_equal(nc_on_event(to->nc, ">", note, &n), NC_ENAME);
	peer_settle(to);
	peer_emit_int(from, "axb", 1);
	peer_emit_int(from, "a.b", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(n.n, 1);
}

/* ---- inside handlers */

static void off_itself(nc_client *c, const nc_msg *m, void *arg)
{
	struct notes *n = arg;

	note(c, m, arg);
	if (nc_off(c, "x", off_itself, arg) != NC_OK || nc_off(c, "x", note, n->also) != NC_OK)
		n->n += 100;
	if (nc_on(c, "y", note, n->also) != NC_OK)
		n->n += 100;
}

/* It takes itself away, and one that would have run after it; a new one does not run yet. */
static void changes_inside(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A"), *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0}, also = {.n = 0};

	n.also = &also;
	assert_int_equal(nc_on(to->nc, "x", off_itself, &n), NC_OK);
	assert_int_equal(nc_on(to->nc, "x", note, &also), NC_OK);
	peer_settle(to);
	peer_emit_int(from, "x", 1);
	peer_emit_int(from, "x", 2);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(n.n, 1);
	assert_int_equal(also.n, 0);
	peer_settle(to);
	peer_emit_int(from, "y", 3);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(also.n, 1);
}

static void answer_it(nc_client *c, const nc_msg *m, void *arg)
{
	note(c, m, arg);
	if (nc_emit(c, "answer", nc_msg_type(m), nc_msg_data(m), nc_msg_len(m), 0) != NC_OK)
		((struct notes *)arg)->n += 1000;
}

static void emits_inside(struct world *w, struct kinds k)
{
	struct peer *from = world_listener(w, k.from, "A", "answer");
	struct peer *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};

	assert_int_equal(nc_on(to->nc, "question", answer_it, &n), NC_OK);
	peer_settle(to);
	for (int64_t i = 0; i < 100; i++)
		peer_emit_int(from, "question", i);
	WORLD_UNTIL(w, from->n_heard >= 100);
	assert_int_equal(n.n, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(heard_int(&from->heard[i]), i);
}

static void leave(nc_client *c, const nc_msg *m, void *arg)
{
	note(c, m, arg);
	nc_disconnect(c, 0);
}

static void disconnects_inside(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A"), *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};
	size_t clients = channel_clients(w, "A");
	uint64_t deadline = util_deadline();

	assert_int_equal(nc_on(to->nc, "x", leave, &n), NC_OK);
	peer_settle(to);
	for (int64_t i = 0; i < 5; i++)
		peer_emit_int(from, "x", i);
	WORLD_UNTIL(w, to->ended);
	assert_int_equal(n.n, 1);
	while (channel_clients(w, "A") == clients)
		world_pause(w, deadline, "the server to notice");
	assert_int_equal(channel_clients(w, "A"), clients - 1);
}

static void free_it(nc_client *c, const nc_msg *m, void *arg)
{
	note(c, m, arg);
	nc_free(c);
}

static void frees_inside(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A"), *to = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};
	nc_client *c = to->nc;
	uint64_t deadline = util_deadline();

	assert_int_equal(nc_on(c, "x", free_it, &n), NC_OK);
	assert_int_equal(nc_on(c, "x", note, &n), NC_OK);
	peer_settle(to);
	to->stalled = true;
	for (int64_t i = 0; i < 5; i++)
		peer_emit_int(from, "x", i);
	peer_settle(from);
	while (n.n == 0 && util_left_ms(deadline) > 0)
		nc_wait(c, 50);
	to->nc = NULL;
	peer_close(to);
	assert_int_equal(n.n, 1);
}

/* After nc_sync() all is in force, without any event going round. */
static void sync_means_done(struct world *w, struct kinds k)
{
	struct peer *a = world_peer(w, NATIVE, "A"), *b = world_peer(w, NATIVE, "A");
	struct notes n = {.n = 0};

	(void)k;
	for (int round = 0; round < 50; round++) {
		char event[24];

		snprintf(event, sizeof(event), "round.%d", round);
		assert_int_equal(nc_on(b->nc, event, note, &n), NC_OK);
		assert_int_equal(nc_sync(b->nc, (int)UTIL_DEADLINE_MS), NC_OK);
		assert_int_equal(nc_emit_int(a->nc, event, round), NC_OK);
		assert_int_equal(nc_sync(a->nc, (int)UTIL_DEADLINE_MS), NC_OK);
		assert_int_equal(nc_sync(b->nc, (int)UTIL_DEADLINE_MS), NC_OK);
		assert_int_equal(n.n, round + 1);
	}
}

static void on_nobody(nc_client *c, int error, const nc_msg *m, void *arg)
{
	(void)c;
	(void)m;
	*(int *)arg = error;
}

static void nobody_answers(struct world *w, struct kinds k)
{
	struct peer *p = world_peer(w, NATIVE, "A");
	struct peer *to = world_listener(w, k.to, "A", "question");
	int error = -1;

	assert_int_equal(nc_request(p->nc, "question", NC_EMPTY, NULL, 0, (int)UTIL_DEADLINE_MS,
	                            on_nobody, &error),
	                 NC_OK);
	WORLD_UNTIL(w, error >= 0);
	assert_int_equal(error, NC_ENOBODY);
	/* listeners never count, and a request is for who answers */
	peer_barrier(to);
	assert_int_equal(to->n_heard, 0);
}

static const struct behaviour list[] = {
        {"own events reach own handlers once, in memory", EACH, local_delivery, NULL},
        {"with echo they come over the wire instead, once", EACH, echo, NULL},
        {"handlers run in the order of adding, and each can be taken away alone", EACH,
         order_of_handlers, NULL},
        {"a handler that was added for once runs once", EACH, once, NULL},
        {"a literal name is no pattern", EACH, literal_names, NULL},
        {"a handler may take away itself and others, and add new ones", EACH, changes_inside, NULL},
        {"a handler may emit", EACH, emits_inside, NULL},
        {"a handler may disconnect, and nothing is heard after it", EACH, disconnects_inside, NULL},
        {"a handler may free its client", EACH, frees_inside, NULL},
        {"after nc_sync everything is in force", ONCE, sync_means_done, NULL},
        {"a request that nobody answers says so at once", EACH, nobody_answers, NULL},
};

const struct theme handler_theme = {"handlers", list, sizeof(list) / sizeof(*list)};
