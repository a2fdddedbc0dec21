/*
 * Who may do what: lists of users and groups, reserved names, quotas
 */

#include "t/conformance/suite.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/helpers/identity.h"

#define EVENT_MAX 255

/* Loads a configuration with this user's own id for each "$ID": it is not known when compiled. */
static void reload_with_own_id(struct world *w, const char *config)
{
	char *text = util_format("%s", config), *more, *error;

	for (char *at; (at = strstr(text, "$ID"));) {
		*at = '\0';
		more = util_format("%s%u%s", text, (unsigned)getuid(), at + 3);
		free(text);
		text = more;
	}
	error = world_reload(w, text);
	if (error)
		fail_msg("%s", error);
	free(text);
}

static void refused(struct peer *p, int error)
{
	WORLD_UNTIL(p->world, p->n_errors > 0 || p->ended);
	assert_int_equal(p->error, error);
	assert_false(p->ended);
	p->n_errors = 0;
}

/* On A this user may do all, on B nothing is emitted by it, on C nothing heard. */
static const char own_lists[] = "hello_wait = 20;\n"
                                "channels = {\n"
                                "A = { emit = [ \"$ID\" ]; listen = [ \"$ID\" ];\n"
                                "      propagatetochannels = \"[BC]\"; };\n"
                                "B = { emit = [ \"4000000001\" ]; };\n"
                                "C = { listen = [ \"4000000001\" ]; };\n"
                                "D = { emit = [ ]; listen = [ \"4000000001\" ]; };\n"
                                "};";

static void own_user(struct world *w, struct kinds k)
{
	struct peer *a, *b, *c, *other;

	reload_with_own_id(w, own_lists);
	a = world_listener(w, k.from, "A", ">");
	other = world_peer(w, NATIVE, "A");
	b = world_new_peer(w, k.from, "B");
	assert_int_equal(peer_connect(b), 0);
	peer_want(b, ">");
	c = world_new_peer(w, k.from, "C");
	assert_int_equal(peer_connect(c), 0);
	peer_emit_int(b, "x", 1);
	refused(b, NC_EDENIED);
	peer_emit_int(c, "x", 1);
	peer_want(c, "x");
	peer_emit_int(other, "x", 2);
	peer_settle(other);
	WORLD_UNTIL(w, b->n_heard > 0);
	peer_barrier(a);
	/* b heard over the rule and emitted nothing; what was emitted on C reached nobody on A */
	assert_int_equal(a->n_heard, 1);
	assert_int_equal(heard_int(&b->heard[0]), 2);
	assert_int_equal(c->n_heard, 0);
}

static void neither_may(struct world *w, struct kinds k)
{
	struct peer *d;

	reload_with_own_id(w, own_lists);
	d = world_new_peer(w, k.from, "D");
	if (k.from == NATIVE) {
		assert_int_equal(peer_connect(d), NC_EDENIED);
	} else {
		assert_int_equal(peer_connect(d), 0);
		/* it is told why, and then the connection ends */
		WORLD_UNTIL(w, d->ended);
		assert_int_equal(d->n_errors, 1);
		assert_int_equal(d->error, NC_EDENIED);
	}
	assert_int_equal(channel_clients(w, "D"), 0);
}

/* Users 65531 and group 65530 by name of number, as a main group or a further one. */
static const char by_user[] =
        "hello_wait = 20;\n"
        "channels = { A = { mode = \"0666\";\n"
        "emit = [ \"65531\", \"@65530\" ]; listen = [ \"0\", \"@65529\" ]; };\n"
        "};";

static const struct {
	uid_t uid;
	gid_t gid, other;
	bool may_emit, may_listen;
} people[] = {
        {65531, 65500, (gid_t)-1, true, false}, {65501, 65530, (gid_t)-1, true, false},
        {65502, 65502, 65530, true, false},     {65503, 65503, 65529, false, true},
        {65531, 65529, (gid_t)-1, true, true},  {65504, 65529, 65530, true, true},
};

static void other_users(struct world *w, struct kinds k)
{
	struct peer *root, *p;
	size_t expected = 0;

	if (!identity_can_change())
		suite_skip("only root can connect as another user");
	root = world_new_peer(w, JSON, "A");
	assert_int_equal(peer_connect(root), 0);
	for (size_t i = 0; i < sizeof(people) / sizeof(*people); i++) {
		p = world_new_peer(w, k.from, "A");
		assert_int_equal(
		        identity_connect_with(p, people[i].uid, people[i].gid, people[i].other), 0);
		peer_emit_int(p, "x", (int64_t)i);
		if (!people[i].may_emit) {
			refused(p, NC_EDENIED);
			peer_close(p);
			continue;
		}
		WORLD_UNTIL(w, root->n_heard > expected);
		assert_int_equal(heard_int(&root->heard[expected++]), i);
		peer_close(p);
	}
	assert_int_equal(root->n_heard, expected);
	/* root is named for listening only */
	peer_emit_int(root, "x", 9);
	refused(root, NC_EDENIED);
}

static void other_users_listen(struct world *w, struct kinds k)
{
	struct peer *emitter, *p[8];
	size_t n = sizeof(people) / sizeof(*people);

	if (!identity_can_change())
		suite_skip("only root can connect as another user");
	emitter = world_new_peer(w, NATIVE, "A");
	assert_int_equal(identity_connect(emitter, 65531, 65531), 0);
	for (size_t i = 0; i < n; i++) {
		p[i] = world_new_peer(w, k.from, "A");
		assert_int_equal(
		        identity_connect_with(p[i], people[i].uid, people[i].gid, people[i].other),
		        0);
		peer_want(p[i], "x");
		if (k.from == NATIVE)
			assert_int_equal(nc_sync(p[i]->nc, (int)UTIL_DEADLINE_MS), NC_OK);
	}
	/* JSON clients have declared when the server counts their patterns, or will never be
	 * heard */
	if (k.from == JSON)
		for (size_t i = 0; i < n; i++)
			peer_packet(p[i], "{\"event\":\"nc.listen\",\"data\":5}");
	for (size_t i = 0; i < n && k.from == JSON; i++)
		WORLD_UNTIL(w, p[i]->error == NC_EINVAL);
	peer_emit_int(emitter, "x", 1);
	assert_int_equal(nc_sync(emitter->nc, (int)UTIL_DEADLINE_MS), NC_OK);
	for (size_t i = 0; i < n; i++)
		if (people[i].may_listen)
			WORLD_UNTIL(w, p[i]->n_heard == 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i]->n_heard, people[i].may_listen);
}

static void deny_with_id(struct peer *p)
{
	size_t len = 0;
	const char *nc;

	peer_packet(p, "{\"event\":\"nc-control-reloadconfig\",\"data\":{},\"nc\":{\"id\":1}}");
	WORLD_UNTIL(p->world, p->n_heard == 1);
	nc = util_json_raw(p->heard[0].packet, p->heard[0].packet_len, "nc", &len);
	assert_non_null(nc);
	nc = util_json_raw(nc, len, "code", &len);
	assert_non_null(nc);
	assert_int_equal(strtol(nc, NULL, 10), NC_EDENIED);
}

static void note_error(nc_client *c, int error, const nc_msg *m, void *arg)
{
	(void)c;
	(void)m;
	*(int *)arg = error;
}

static void deny_request(struct peer *p)
{
	int error = -1;

	assert_int_equal(nc_request(p->nc, "nc-control-reloadconfig", NC_JSON, "{}", 2,
	                            (int)UTIL_DEADLINE_MS, note_error, &error),
	                 NC_OK);
	WORLD_UNTIL(p->world, error >= 0);
	assert_int_equal(error, NC_EDENIED);
}

static void others_do_not_administer(struct world *w, struct kinds k)
{
	struct peer *p;
	size_t n;

	if (!identity_can_change())
		suite_skip("only root can connect as another user");
	n = channel_clients(w, "A");
	p = world_new_peer(w, k.from, "control");
	assert_int_equal(identity_connect(p, 65531, 65531), 0);
	if (k.from == JSON)
		peer_packet(p, "{\"event\":\"nc-control-reloadconfig\",\"data\":{}}");
	else
		assert_int_equal(nc_emit_json(p->nc, "nc-control-reloadconfig", "{}"), NC_OK);
	refused(p, NC_ERESERVED);
	if (k.from == JSON)
		deny_with_id(p);
	else
		deny_request(p);
	assert_int_equal(channel_clients(w, "A"), n);
}

static void mode_of_the_socket(struct world *w, struct kinds k)
{
	struct peer *p = world_new_peer(w, k.from, "A");
	int r;

	if (!identity_can_change())
		suite_skip("only root can connect as another user");
	r = identity_connect(p, 65531, 65531);
	assert_int_equal(r, k.from == NATIVE ? (int)NC_EDENIED : -EACCES);
}

/* ---- reserved and illegal names */

static void reserved_names(struct world *w, struct kinds k)
{
	static const struct {
		const char *event;
		int error;
	} bad[] = {
	        {"nc.x", NC_ERESERVED},
	        {"nc", NC_ERESERVED},
	        {"nc-x", NC_ERESERVED},
	        {"nc-control-showconfig", NC_ERESERVED},
	        {"$SYS.x", NC_ERESERVED},
	        {"_INBOX.1", NC_ERESERVED},
	        {"nc.error", NC_ERESERVED},
	        {"a b", NC_ENAME},
	        {"a..b", NC_ENAME},
	        {".a", NC_ENAME},
	        {"", NC_ENAME},
	        {"a.*", NC_ENAME},
	        {">", NC_ENAME},
	        {"a\xc2\xa0", NC_ENAME},
	        {"\xe2\x80\x8b", NC_ENAME},
	};
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, JSON, "A", ">");
	static const struct value empty = {.type = NC_EMPTY};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int r = peer_emit(from, bad[i].event, &empty);

		if (k.from == JSON) {
			WORLD_UNTIL(w, from->n_errors == i + 1);
			r = from->error;
		}
		if (r != bad[i].error)
			fail_msg("\"%s\": %s", bad[i].event, nc_strerror(r));
	}
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 0);
	assert_false(from->ended);
}

static void names_that_only_look_reserved(struct world *w, struct kinds k)
{
	static const char *const good[] = {"ncx",  "a.nc",  "ncontrol", "a._b",
	                                   "a.$b", "n-c.x", "NC.x",     "a.nc-control-showconfig"};
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, JSON, "A", ">");

	for (size_t i = 0; i < 8; i++)
		peer_emit_int(from, good[i], (int64_t)i);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 8);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(to->heard[i].event, good[i]);
}

static void longest_names(struct world *w, struct kinds k)
{
	char name[EVENT_MAX + 2];
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "A", ">");
	static const struct value empty = {.type = NC_EMPTY};
	int r;

	memset(name, 'n', sizeof(name));
	name[EVENT_MAX] = '\0';
	assert_int_equal(peer_emit(from, name, &empty), NC_OK);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	assert_string_equal(to->heard[0].event, name);
	name[EVENT_MAX] = 'n';
	name[EVENT_MAX + 1] = '\0';
	r = peer_emit(from, name, &empty);
	if (k.from == JSON) {
		refused(from, NC_ENAME);
		r = from->error;
	}
	assert_int_equal(r, NC_ENAME);
}

/* ---- quotas */

static const char few_connections[] = "hello_wait = 20; quota = { connections = 6; };\n"
                                      "channels = { A = {}; };";

static void quota_of_connections(struct world *w, struct kinds k)
{
	struct peer *p[6], *refused_one;
	yajl_val answer;
	size_t n;

	/* one is that of the questions, one the probe of A */
	answer = world_ask(w, "nc-control-stats", NULL);
	yajl_tree_free(answer);
	for (n = 0; n < 4; n++)
		p[n] = world_peer(w, k.from, "A");
	refused_one = world_new_peer(w, k.from, "A");
	if (k.from == NATIVE) {
		assert_int_not_equal(peer_connect(refused_one), NC_OK);
	} else {
		assert_int_equal(peer_connect(refused_one), 0);
		WORLD_UNTIL(w, refused_one->ended);
	}
	peer_close(refused_one);
	answer = world_ask(w, "nc-control-stats", NULL);
	assert_int_equal(util_json_int(answer, "answer.connections.quota"), 1);
	yajl_tree_free(answer);
	peer_leave(p[0]);
	p[0] = world_listener(w, k.from, "A", ">");
	peer_emit_int(p[1], "x", 1);
	peer_settle(p[1]);
	peer_barrier(p[0]);
	assert_int_equal(p[0]->n_heard, 1);
}

static const char few_patterns[] = "hello_wait = 20; max_subscriptions = 4;\n"
                                   "quota = { subscriptions = 9; };\n"
                                   "channels = { A = {}; };";

static void quota_of_patterns(struct world *w, struct kinds k)
{
	/* t.sync is the first of each; the probe and its channel's is one, too */
	struct peer *one = world_listener(w, k.from, "A", "a"), *two;

	peer_listen(one, "b");
	peer_listen(one, "c");
	peer_want(one, "d");
	refused(one, NC_EQUOTA);
	two = world_listener(w, k.from, "A", "a");
	peer_listen(two, "b");
	peer_emit_int(two, "c", 1);
	peer_emit_int(two, "d", 2);
	peer_settle(two);
	peer_barrier(one);
	assert_int_equal(one->n_heard, 1);
	assert_int_equal(heard_int(&one->heard[0]), 1);
}

static void quota_of_a_users_patterns(struct world *w, struct kinds k)
{
	struct peer *p[3];
	struct peer *last;

	/* 1 of the probe, 3 + 3 of these: two are left */
	for (size_t i = 0; i < 2; i++) {
		p[i] = world_listener(w, k.from, "A", "a");
		peer_listen(p[i], "b");
	}
	last = world_peer(w, k.from, "A");
	peer_want(last, "a");
	peer_settle(last);
	peer_want(last, "b");
	refused(last, NC_EQUOTA);
	/* who leaves gives back */
	peer_leave(p[0]);
	peer_listen(last, "b");
	assert_int_equal(last->n_errors, 0);
}

static const struct behaviour list[] = {
        {"lists of users let emit and listen whom they name, and nobody else", EACH, own_user,
         NULL},
        {"who may neither emit nor listen is not let in", EACH, neither_may, NULL},
        {"other users emit as user, group and further group allow", EACH, other_users, by_user},
        {"other users hear as user, group and further group allow", EACH, other_users_listen,
         by_user},
        {"who is no administrator gets nothing done on control", EACH, others_do_not_administer,
         "channels = { A = {}; control = { mode = \"0666\"; }; };"},
        {"the mode of the socket keeps others out", EACH, mode_of_the_socket,
         "channels = { A = { mode = \"0600\"; }; };"},
        {"reserved and illegal names are refused, and the client stays", EACH, reserved_names,
         NULL},
        {"names that only look reserved are events like others", EACH,
         names_that_only_look_reserved, NULL},
        {"the longest name arrives, a longer one is refused", PAIRS, longest_names, NULL},
        {"a user has so many connections and no more", EACH, quota_of_connections, few_connections},
        {"a client has so many patterns and no more", EACH, quota_of_patterns, few_patterns},
        {"a user has so many patterns and no more", EACH, quota_of_a_users_patterns, few_patterns},
};

const struct theme rights_theme = {"rights", list, sizeof(list) / sizeof(*list)};
