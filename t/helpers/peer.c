/*
 * A client of either dialect: what it emits, what it hears
 *
 * Nothing in here asserts inside a handler of libnc: cmocka would jump out of it.
 */

#include "t/helpers/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SYNC "t.sync"
/* A JSON peer's queue beyond which emitting waits. */
#define QUEUE_MAX (4u << 20)

/* ---- hearing */

static void keep(struct peer *p, const struct heard *h)
{
	struct heard *k;

	if (p->n_heard == p->heard_room) {
		p->heard_room = p->heard_room * 2 + 64;
		p->heard = realloc(p->heard, p->heard_room * sizeof(*p->heard));
		if (!p->heard)
			abort();
	}
	k = &p->heard[p->n_heard++];
	*k = *h;
	k->from.host = NULL;
	k->event = strdup(h->event);
	k->channel = strdup(h->channel);
	k->data = calloc(1, h->len + 1);
	if (!k->data)
		abort();
	if (h->len > 0)
		memcpy(k->data, h->data, h->len);
	if (h->packet) {
		k->packet = malloc(h->packet_len + 1);
		if (!k->packet)
			abort();
		memcpy(k->packet, h->packet, h->packet_len);
		k->packet[h->packet_len] = '\0';
	}
}

static void hear(struct peer *p, const struct heard *h)
{
	if (strcmp(h->event, SYNC) == 0)
		p->last_sync = (uint64_t)heard_int(h);
	else if (p->on_heard)
		p->on_heard(p, h);
	else
		keep(p, h);
}

void peer_forget(struct peer *p)
{
	for (size_t i = 0; i < p->n_heard; i++) {
		free(p->heard[i].event);
		free(p->heard[i].channel);
		free(p->heard[i].data);
		free(p->heard[i].packet);
	}
	p->n_heard = 0;
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct heard h = {
	        .type = nc_msg_type(m),
	        .len = nc_msg_len(m),
	        .broadcast = nc_msg_broadcast(m),
	};

	(void)c;
	h.event = (char *)nc_msg_event(m);
	h.channel = (char *)nc_msg_channel(m);
	h.data = (char *)nc_msg_data(m);
	h.packet = (char *)nc_msg_packet(m, &h.packet_len);
	nc_msg_sender(m, &h.from);
	hear(arg, &h);
}

/* t.sync is heard through a handler of its own; a wide pattern brings it once more. */
static void on_any(nc_client *c, const nc_msg *m, void *arg)
{
	if (strcmp(nc_msg_event(m), SYNC) != 0)
		on_message(c, m, arg);
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	struct peer *p = arg;

	(void)c;
	switch (s->kind) {
	case NC_STATUS_CONNECTED: p->n_connected++; break;
	case NC_STATUS_GAP:
		p->n_gaps++;
		p->lost += s->count;
		break;
	case NC_STATUS_ERROR:
	case NC_STATUS_CLOSED:
		p->n_errors += s->kind == NC_STATUS_ERROR;
		if (s->error != NC_OK) {
			p->error = s->error;
			snprintf(p->text, sizeof(p->text), "%s", s->text);
		}
		break;
	default: break;
	}
}

/* The bytes of a JSON string without escapes, copied to `out`. */
static void unquote(const char *raw, size_t len, char *out, size_t room)
{
	if (!raw || len < 2)
		len = 2, raw = "\"\"";
	snprintf(out, room, "%.*s", (int)(len - 2), raw + 1);
}

static uint64_t number_in(const char *data, size_t len, const char *key)
{
	size_t n = 0;
	const char *raw = data ? util_json_raw(data, len, key, &n) : NULL;

	return raw ? strtoull(raw, NULL, 10) : 0;
}

/* nc.gap and nc.error. */
static void hear_server(struct peer *p, const struct heard *h)
{
	size_t n = 0;
	const char *raw;

	if (strcmp(h->event, "nc.gap") == 0) {
		p->n_gaps++;
		p->lost += number_in(h->data, h->len, "count");
	} else if (strcmp(h->event, "nc.error") == 0) {
		p->n_errors++;
		p->error = (int)number_in(h->data, h->len, "code");
		raw = util_json_raw(h->data, h->len, "text", &n);
		unquote(raw, n, p->text, sizeof(p->text));
	}
}

static void hear_packet(struct peer *p, const char *packet, size_t len)
{
	char event[512], channel[128];
	struct heard h = {.event = event, .channel = channel, .packet_len = len};
	size_t n = 0;
	const char *raw = util_json_raw(packet, len, "event", &n);

	unquote(raw, n, event, sizeof(event));
	raw = util_json_raw(packet, len, "channel", &n);
	unquote(raw, n, channel, sizeof(channel));
	raw = util_json_raw(packet, len, "broadcast", &n);
	h.broadcast = raw && n == 4;
	h.packet = (char *)packet;
	h.data = (char *)util_json_raw(packet, len, "data", &h.len);
	h.type = h.data ? NC_JSON : NC_EMPTY;
	if (strncmp(event, "nc.", 3) == 0) {
		hear_server(p, &h);
		return;
	}
	p->n_messages++;
	hear(p, &h);
}

int64_t heard_int(const struct heard *h)
{
	int64_t v;

	if (h->type == NC_INT && h->len == sizeof(v)) {
		memcpy(&v, h->data, sizeof(v));
		return v;
	}
	return h->type == NC_JSON ? strtoll(h->data, NULL, 10) : -1;
}

bool heard_is(const struct heard *h, const struct value *v)
{
	if (h->type == NC_JSON)
		return v->json && util_json_equal(h->data, h->len, v->json, strlen(v->json));
	return h->type == v->type && h->len == v->len &&
	       (h->len == 0 || memcmp(h->data, v->data, h->len) == 0);
}

/* ---- life */

struct peer *world_new_peer(struct world *w, enum kind k, const char *channel)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_true(w->n_peers < WORLD_PEERS_MAX);
	p->world = w;
	p->kind = k;
	p->jc.fd = -1;
	snprintf(p->channel, sizeof(p->channel), "%s", channel);
	if (k == NATIVE) {
		assert_int_equal(nc_new(&p->nc, channel), NC_OK);
		assert_int_equal(nc_setopt_str(p->nc, NC_OPT_SOCKET, w->server.sockets), NC_OK);
		assert_int_equal(nc_setopt_int(p->nc, NC_OPT_RECONNECT, 0), NC_OK);
		assert_int_equal(nc_setopt_int(p->nc, NC_OPT_LOCAL, 0), NC_OK);
		nc_on_status(p->nc, on_status, p);
		assert_int_equal(nc_on_event(p->nc, SYNC, on_message, p), NC_OK);
	}
	w->peers[w->n_peers++] = p;
	return p;
}

/* The world's list is in the order of connection, as the server's lists are. */
static void move_to_the_end(struct peer *p)
{
	struct world *w = p->world;
	size_t i = 0;

	while (w->peers[i] != p)
		i++;
	memmove(&w->peers[i], &w->peers[i + 1], (w->n_peers - 1 - i) * sizeof(*w->peers));
	w->peers[w->n_peers - 1] = p;
}

int peer_connect(struct peer *p)
{
	char path[UTIL_PATH_MAX];
	int r;

	move_to_the_end(p);
	if (p->kind == JSON)
		return jc_open(&p->jc, server_socket(&p->world->server, p->channel, path));
	r = nc_open(p->nc);
	if (r != NC_OK)
		return r;
	p->open = true;
	WORLD_UNTIL(p->world, nc_state(p->nc) != NC_CONNECTING);
	if (nc_state(p->nc) == NC_CONNECTED)
		return NC_OK;
	return p->error != NC_OK ? p->error : NC_ECLOSED;
}

/* The native peer of a channel through which order is known. */
static struct peer *probe_of(struct world *w, const char *channel)
{
	struct peer *p;

	for (size_t i = 0; i < w->n_peers; i++)
		if (w->peers[i]->probe && strcmp(w->peers[i]->channel, channel) == 0 &&
		    w->peers[i] != w->control)
			return w->peers[i];
	p = world_new_peer(w, NATIVE, channel);
	p->probe = true;
	assert_int_equal(peer_connect(p), 0);
	assert_int_equal(nc_sync(p->nc, (int)UTIL_DEADLINE_MS), NC_OK);
	return p;
}

struct peer *world_peer(struct world *w, enum kind k, const char *channel)
{
	struct peer *p;
	int r;

	probe_of(w, channel);
	p = world_new_peer(w, k, channel);
	r = peer_connect(p);
	if (r != 0)
		fail_msg("a %s client cannot connect to %s: %d %s", kind_name(k), channel, r,
		         p->text);
	peer_settle(p);
	return p;
}

struct peer *world_listener(struct world *w, enum kind k, const char *channel, const char *pattern)
{
	struct peer *p = world_peer(w, k, channel);

	peer_listen(p, pattern);
	return p;
}

static void send_pattern(struct peer *p, const char *pattern)
{
	char *packet = util_format("{\"event\":\"nc.listen\",\"data\":\"%s\"}", pattern);

	peer_packet(p, packet);
	free(packet);
}

void peer_ignore_sync(struct peer *p)
{
	if (p->kind == NATIVE)
		assert_int_equal(nc_off(p->nc, SYNC, on_message, p), NC_OK);
	else
		peer_packet(p, "{\"event\":\"nc.unlisten\",\"data\":\"" SYNC "\"}");
	peer_settle(p);
}

void peer_heed_sync(struct peer *p)
{
	if (p->kind == NATIVE)
		assert_int_equal(nc_on_event(p->nc, SYNC, on_message, p), NC_OK);
	else
		send_pattern(p, SYNC);
	peer_settle(p);
}

void peer_want(struct peer *p, const char *pattern)
{
	if (p->kind == NATIVE) {
		assert_int_equal(nc_on(p->nc, pattern, on_any, p), NC_OK);
	} else if (strcmp(pattern, ">") != 0) {
		if (!p->picky)
			send_pattern(p, SYNC);
		p->picky = true;
		send_pattern(p, pattern);
	}
}

void peer_listen(struct peer *p, const char *pattern)
{
	peer_want(p, pattern);
	peer_settle(p);
}

void peer_close(struct peer *p)
{
	struct world *w = p->world;
	size_t i = 0;

	while (w->peers[i] != p)
		i++;
	memmove(&w->peers[i], &w->peers[i + 1], (--w->n_peers - i) * sizeof(*w->peers));
	if (w->control == p)
		w->control = NULL;
	if (p->nc) {
		nc_disconnect(p->nc, 0);
		nc_free(p->nc);
	}
	jc_close(&p->jc);
	peer_forget(p);
	free(p->heard);
	free(p);
}

void peer_leave(struct peer *p)
{
	struct world *w = p->world;
	char channel[sizeof(p->channel)];
	uint64_t deadline;
	size_t n;

	memcpy(channel, p->channel, sizeof(channel));
	n = channel_clients(w, channel);
	peer_close(p);
	for (deadline = util_deadline(); channel_clients(w, channel) >= n;)
		world_pause(w, deadline, "the server to forget a client that left");
}

/* ---- emitting */

void peer_write(struct peer *p, const void *bytes, size_t len)
{
	assert_int_equal(p->kind, JSON);
	jc_queue(&p->jc, bytes, len);
	jc_flush(&p->jc);
	WORLD_UNTIL(p->world, p->ended || jc_queued(&p->jc) < QUEUE_MAX);
}

void peer_packet(struct peer *p, const char *packet)
{
	peer_write(p, packet, strlen(packet) + 1);
}

/* As netcluster's agent writes it: undefined data is absent. */
static void emit_packet(struct peer *p, const char *event, const char *json)
{
	char *packet = util_format("{\"channel\":\"%s\",\"broadcast\":false,\"event\":\"%s\"%s%s}",
	                           p->channel, event, json ? ",\"data\":" : "", json ? json : "");

	peer_packet(p, packet);
	free(packet);
}

int peer_emit(struct peer *p, const char *event, const struct value *v)
{
	int r;

	if (p->kind == JSON) {
		emit_packet(p, event, v->json);
		return NC_OK;
	}
	for (uint64_t deadline = util_deadline();;) {
		r = nc_emit(p->nc, event, v->type, v->data, v->len, 0);
		if (r != NC_AGAIN)
			return r;
		world_turn(p->world, deadline, "room in the queue of a native client");
	}
}

void peer_emit_int(struct peer *p, const char *event, int64_t n)
{
	char json[24];
	struct value v = {.type = NC_INT, .data = &n, .len = sizeof(n), .json = json};

	snprintf(json, sizeof(json), "%" PRId64, n);
	assert_int_equal(peer_emit(p, event, &v), NC_OK);
}

void peer_settle(struct peer *p)
{
	struct peer *probe = probe_of(p->world, p->channel);
	uint64_t n = ++p->world->n_syncs;

	if (p == probe) {
		assert_int_equal(nc_sync(p->nc, (int)UTIL_DEADLINE_MS), NC_OK);
		return;
	}
	peer_emit_int(p, SYNC, (int64_t)n);
	WORLD_UNTIL(p->world, probe->last_sync == n || p->ended);
	if (p->ended)
		fail_msg("a %s client was disconnected: %d %s", kind_name(p->kind), p->error,
		         p->text);
}

void peer_barrier(struct peer *p)
{
	struct peer *probe = probe_of(p->world, p->channel);
	uint64_t n = ++p->world->n_syncs;

	peer_emit_int(probe, SYNC, (int64_t)n);
	WORLD_UNTIL(p->world, p->last_sync == n || p->ended);
	if (p->ended)
		fail_msg("a %s client was disconnected: %d %s", kind_name(p->kind), p->error,
		         p->text);
}

/* ---- turns */

int peer_prepare(struct peer *p, struct pollfd *fd)
{
	fd->fd = -1;
	fd->events = 0;
	fd->revents = 0;
	if (p->stalled || p->ended)
		return -1;
	if (p->kind == NATIVE) {
		fd->fd = nc_fd(p->nc);
		fd->events = nc_events(p->nc);
		return nc_timeout(p->nc);
	}
	fd->fd = p->jc.fd;
	fd->events = (short)(POLLIN | (jc_queued(&p->jc) > 0 ? POLLOUT : 0));
	return -1;
}

static void run_native(struct peer *p, short revents)
{
	int r;

	if (!p->open || (!revents && nc_timeout(p->nc) != 0))
		return;
	r = nc_process(p->nc);
	if (r != NC_OK) {
		p->ended = true;
		p->ended_error = r;
	}
}

static void run_json(struct peer *p, short revents)
{
	const char *packet;
	size_t len;

	if (p->jc.fd < 0)
		return;
	if (jc_queued(&p->jc) > 0)
		jc_flush(&p->jc);
	if (revents & (POLLIN | POLLHUP | POLLERR))
		jc_fill(&p->jc);
	while ((packet = jc_take(&p->jc, &len)))
		hear_packet(p, packet, len);
	p->ended = p->jc.eof;
}

void peer_run(struct peer *p, short revents)
{
	if (p->stalled || p->ended)
		return;
	if (p->kind == NATIVE)
		run_native(p, revents);
	else
		run_json(p, revents);
}
