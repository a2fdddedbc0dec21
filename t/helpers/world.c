/*
 * A server and its clients: turns, control questions and counters
 */

#include "t/helpers/world.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "t/helpers/peer.h"

const char *kind_name(enum kind k)
{
	return k == NATIVE ? "native" : "JSON";
}

void world_init(struct world *w, const char *config)
{
	memset(w, 0, sizeof(*w));
	server_init(&w->server);
	server_configure(&w->server, config);
	server_start(&w->server);
}

void world_fini(struct world *w, bool failed)
{
	while (w->n_peers > 0)
		peer_close(w->peers[w->n_peers - 1]);
	if (!failed && server_is_alive(&w->server))
		server_stop(&w->server);
	server_fini(&w->server, failed);
}

/* Fills in what to poll for; returns the timeout that the peers want, at most `timeout`. */
static int prepare(struct world *w, struct pollfd *fds, int timeout)
{
	for (size_t i = 0; i < w->n_peers; i++) {
		int wanted = peer_prepare(w->peers[i], &fds[i]);

		if (wanted >= 0 && wanted < timeout)
			timeout = wanted;
	}
	return timeout;
}

static void run(struct world *w, int timeout)
{
	struct pollfd fds[WORLD_PEERS_MAX];
	struct peer *peers[WORLD_PEERS_MAX];
	size_t n = w->n_peers;

	timeout = prepare(w, fds, timeout);
	memcpy(peers, w->peers, n * sizeof(*peers));
	poll(fds, (nfds_t)n, timeout);
	for (size_t i = 0; i < n; i++)
		peer_run(peers[i], fds[i].revents);
}

static void complain(struct world *w, const char *what)
{
	for (size_t i = 0; i < w->n_peers; i++) {
		const struct peer *p = w->peers[i];

		fprintf(stderr,
		        "# peer %zu: %s on %s%s%s%s, %zu heard, %llu messages, %llu lost, error "
		        "%d %s\n",
		        i, kind_name(p->kind), p->channel, p->probe ? " (probe)" : "",
		        p->stalled ? " (stalled)" : "", p->ended ? " (ended)" : "", p->n_heard,
		        (unsigned long long)p->n_messages, (unsigned long long)p->lost, p->error,
		        p->text);
	}
	server_is_alive(&w->server);
	fail_msg("waited in vain for: %s", what);
}

static void turn(struct world *w, uint64_t deadline, int most_ms, const char *what)
{
	int left = util_left_ms(deadline);

	if (left == 0)
		complain(w, what);
	run(w, left < most_ms ? left : most_ms);
	if (w->server.pid > 0)
		server_is_alive(&w->server);
}

void world_turn(struct world *w, uint64_t deadline, const char *what)
{
	/* a server that died is found soon, not at the deadline */
	turn(w, deadline, 500, what);
}

void world_pause(struct world *w, uint64_t deadline, const char *what)
{
	turn(w, deadline, 2, what);
}

void world_poll(struct world *w)
{
	run(w, 0);
}

/* ---- the control channel */

struct answer {
	bool done;
	int error;
	char *text;
};

static void on_answer(nc_client *c, int error, const nc_msg *m, void *arg)
{
	struct answer *a = arg;
	const char *text = m ? nc_msg_text(m) : NULL;

	(void)c;
	a->done = true;
	a->error = error;
	a->text = strdup(text ? text : "");
}

static void ask(struct world *w, const char *question, const char *json, struct answer *a)
{
	enum nc_type type = json ? NC_JSON : NC_EMPTY;

	if (!w->control) {
		w->control = world_new_peer(w, NATIVE, "control");
		w->control->probe = true;
		assert_int_equal(peer_connect(w->control), 0);
	}
	memset(a, 0, sizeof(*a));
	assert_int_equal(nc_request(w->control->nc, question, type, json, json ? strlen(json) : 0,
	                            (int)UTIL_DEADLINE_MS, on_answer, a),
	                 NC_OK);
	WORLD_UNTIL(w, a->done);
	assert_non_null(a->text);
}

yajl_val world_ask(struct world *w, const char *question, const char *json)
{
	struct answer a;
	yajl_val v;
	char *listed;

	ask(w, question, json, &a);
	if (a.error != NC_OK)
		fail_msg("%s %s: %s: %s", question, json ? json : "", nc_strerror(a.error), a.text);
	/* yajl's tree takes no bare values: an array of one holds any */
	listed = util_format("{\"answer\":%s}", a.text);
	v = util_json(listed);
	free(listed);
	free(a.text);
	return v;
}

char *world_ask_in_vain(struct world *w, const char *question, const char *json)
{
	struct answer a;

	ask(w, question, json, &a);
	if (a.error == NC_OK)
		fail_msg("%s %s was answered: %s", question, json ? json : "", a.text);
	return a.text;
}

char *world_reload(struct world *w, const char *config)
{
	char *whole = server_config_text(&w->server, config), *text = util_quote(whole);
	char *json = util_format("{\"format\":\"libconfig\",\"text\":%s}", text);
	struct answer a;

	ask(w, "nc-control-reloadconfig", json, &a);
	free(whole);
	free(text);
	free(json);
	if (a.error != NC_OK)
		return a.text;
	assert_string_equal(a.text, "\"done\"");
	free(a.text);
	return NULL;
}

void flow_read(struct flow *f, yajl_val v)
{
	f->routed = util_json_int(v, "routed");
	f->written = util_json_int(v, "written");
	f->queued = util_json_int(v, "queued");
	f->queued_bytes = util_json_int(v, "queued_bytes");
	f->drop_oldest = util_json_int(v, "dropped.drop_oldest");
	f->drop_newest = util_json_int(v, "dropped.drop_newest");
	f->conflate = util_json_int(v, "dropped.conflate");
	f->disconnected = util_json_int(v, "dropped.disconnected");
	f->untranslatable = util_json_int(v, "dropped.untranslatable");
	f->dropped_total = util_json_int(v, "dropped_total");
	assert_int_equal(f->dropped_total, f->drop_oldest + f->drop_newest + f->conflate +
	                                           f->disconnected + f->untranslatable);
	if (f->routed != f->written + f->queued + f->dropped_total)
		fail_msg("routed %lld is not written %lld + queued %lld + dropped %lld",
		         (long long)f->routed, (long long)f->written, (long long)f->queued,
		         (long long)f->dropped_total);
}

/* Which of its channel's connections a peer is: clients are listed in the order of connection. */
static size_t rank(const struct peer *p)
{
	const struct world *w = p->world;
	size_t n = 0;

	for (size_t i = 0; i < w->n_peers && w->peers[i] != p; i++)
		if (strcmp(w->peers[i]->channel, p->channel) == 0 && !w->peers[i]->ended)
			n++;
	return n;
}

static yajl_val client_in(yajl_val answer, const struct peer *p)
{
	yajl_val list = util_json_at(answer, "answer");
	size_t i = rank(p);

	assert_true(YAJL_IS_ARRAY(list));
	assert_true(i < list->u.array.len);
	assert_string_equal(util_json_text(list->u.array.values[i], "dialect"),
	                    p->kind == NATIVE ? "native" : "json");
	return list->u.array.values[i];
}

static yajl_val ask_clients(struct world *w, const char *channel)
{
	char *json = util_format("{\"channel\":\"%s\"}", channel);
	yajl_val answer = world_ask(w, "nc-control-clients", json);

	free(json);
	return answer;
}

yajl_val peer_client_object(struct peer *p)
{
	yajl_val answer = ask_clients(p->world, p->channel), v = client_in(answer, p);
	char *json = util_format("{\"channel\":\"%s\",\"client\":\"%s\"}", p->channel,
	                         util_json_text(v, "id"));

	yajl_tree_free(answer);
	answer = world_ask(p->world, "nc-control-showclient", json);
	free(json);
	return answer;
}

void peer_flow(struct peer *p, struct flow *f)
{
	yajl_val answer = ask_clients(p->world, p->channel);

	flow_read(f, util_json_at(client_in(answer, p), "out"));
	yajl_tree_free(answer);
}

void channel_flow(struct world *w, const char *channel, struct flow *f)
{
	yajl_val answer = world_ask(w, "nc-control-channels", NULL);
	yajl_val list = util_json_at(answer, "answer");

	assert_true(YAJL_IS_ARRAY(list));
	for (size_t i = 0; i < list->u.array.len; i++) {
		yajl_val v = list->u.array.values[i];

		if (strcmp(util_json_text(v, "name"), channel) != 0)
			continue;
		flow_read(f, util_json_at(v, "flow"));
		yajl_tree_free(answer);
		return;
	}
	fail_msg("the server knows no channel %s", channel);
}

size_t channel_clients(struct world *w, const char *channel)
{
	char *json = util_format("\"%s\"", channel);
	yajl_val answer = world_ask(w, "nc-control-showchannel", json);
	yajl_val list = util_json_at(answer, "answer");
	size_t n;

	assert_true(YAJL_IS_ARRAY(list));
	n = list->u.array.len;
	yajl_tree_free(answer);
	free(json);
	return n;
}
