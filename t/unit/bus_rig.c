/* bus_rig.c - a bus without sockets */
#include "t/unit/bus_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"
#include "ncserver/route/rules.h"

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void flush(void *arg, struct client *c)
{
	struct rig *r = arg;
	struct rig_client *rc = bus_client_io(c);
	struct iovec iov[QUEUE_IOV_MAX];
	bool paced;

	for (;;) {
		int n = bus_output(r->bus, c, iov, &paced);
		size_t all = 0;
		size_t done = 0;

		if (n == 0)
			return;
		for (int i = 0; i < n; i++) {
			size_t len = iov[i].iov_len;

			all += len;
			if (len > rc->kernel - done)
				len = rc->kernel - done;
			CHECK(buf_append(&rc->out, iov[i].iov_base, len) == 0);
			done += len;
		}
		if (rc->kernel != SIZE_MAX)
			rc->kernel -= done;
		if (done)
			bus_output_done(r->bus, c, done, r->now);
		if (done < all) {
			rc->blocked = true;
			bus_output_blocked(r->bus, c, true, r->now);
			return;
		}
	}
}

static void dump(void *arg, const char *channel, const char *text, size_t len)
{
	struct rig *r = arg;

	buf_printf(&r->dumped, "%s %.*s\n", channel, (int)len, text);
}

static int build(const char *json, struct conf **conf, struct rules **rules)
{
	static const struct conf_env env = {
	        .uid = 0, .runtime_dir = "/run/user/0", .hostname = "here"};
	struct conf_problems problems = {0};
	struct rules_in in[64];
	struct rules_error err;
	int rc = conf_parse(conf, json, strlen(json), "(test)", &env, &problems);

	if (rc)
		for (size_t i = 0; i < problems.n; i++)
			fprintf(stderr, "%s\n", problems.list[i].text);
	conf_problems_fini(&problems);
	if (rc)
		return rc;
	for (size_t i = 0; i < (*conf)->n_channels; i++)
		in[i] = (struct rules_in){.name = (*conf)->channels[i].name,
		                          .regex = (*conf)->channels[i].regex};
	return rules_new(rules, in, (*conf)->n_channels, &err);
}

static int reload(void *arg, const char *text, size_t len, const char *name, char **why)
{
	struct rig *r = arg;
	struct conf *conf;
	struct rules *rules;
	char *copy = strndup(text ? text : "", len);
	int rc = text ? build(copy, &conf, &rules) : 1;

	(void)name;
	free(copy);
	if (rc) {
		*why = strdup("wrong");
		return 1;
	}
	CHECK(bus_reconfigure(r->bus, conf, rules, r->now) == 0);
	return 0;
}

static int64_t wall_ms(void *arg)
{
	const struct rig *r = arg;

	return 1700000000000 + (int64_t)(r->now / 1000000);
}

static const char *user_name(void *arg, uid_t uid)
{
	(void)arg;
	return uid == 0 ? "root" : NULL;
}

__attribute__((format(printf, 3, 4))) static void log_line(void *arg, int level, const char *fmt,
                                                           ...)
{
	(void)arg;
	(void)level;
	(void)fmt;
}

void rig_init(struct rig *r, const char *json)
{
	rig_init_as(r, json, "here", 0x04030201);
}

void rig_init_as(struct rig *r, const char *json, const char *host, uint32_t tag)
{
	struct bus_env env = {.arg = r,
	                      .boot = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	                      .host = host,
	                      .version = "ncserver test",
	                      .pid = 1,
	                      .flush = flush,
	                      .dump = dump,
	                      .reload = reload,
	                      .wall_ms = wall_ms,
	                      .user_name = user_name,
	                      .log = log_line};
	struct conf *conf;
	struct rules *rules;

	le32_put(env.boot, tag);
	memset(r, 0, sizeof(*r));
	r->now = 1000000000;
	buf_init(&r->dumped, 1 << 20);
	CHECK(build(json, &conf, &rules) == 0);
	CHECK(bus_new(&r->bus, &env, conf, rules, r->now) == 0);
}

void rig_reload(struct rig *r, const char *json)
{
	struct conf *conf;
	struct rules *rules;

	CHECK(build(json, &conf, &rules) == 0);
	CHECK(bus_reconfigure(r->bus, conf, rules, r->now) == 0);
}

static void check_client(void *arg, struct client *c)
{
	uint64_t *bytes = arg;
	const struct queue_flow *f = &c->out.flow;

	CHECK(f->routed == f->written + c->out.queued + queue_flow_dropped(f));
	CHECK(c->charged == queue_charge(&c->out) + c->in.len + c->in.chain_len || c->dead);
	*bytes += c->charged;
}

static void add_bytes(void *arg, const struct user *u);

#include "ncserver/bus/users.h"

static void add_bytes(void *arg, const struct user *u)
{
	*(uint64_t *)arg += u->bytes;
}

void rig_check(struct rig *r)
{
	uint64_t charged = 0;
	uint64_t accounts = 0;

	bus_each_client(r->bus, check_client, &charged);
	users_each(r->bus->users, add_bytes, &accounts);
	CHECK(charged == accounts);
}

void rig_fini(struct rig *r)
{
	for (int i = 0; i < r->n_clients; i++)
		rig_close(r, i);
	rig_turn(r);
	rig_check(r);
	for (int i = 0; i < r->n_clients; i++)
		buf_fini(&r->clients[i].out);
	bus_free(r->bus);
	buf_fini(&r->dumped);
}

/* The client that was accepted last. Returns its index, or -1 where it was refused. */
static int rig_add(struct rig *r, struct client *c)
{
	struct rig_client *rc = &r->clients[r->n_clients];

	rc->c = c;
	if (!c)
		return -1;
	buf_init(&rc->out, UINT32_MAX);
	rc->kernel = SIZE_MAX;
	bus_client_set_io(c, rc);
	return r->n_clients++;
}

int rig_accept(struct rig *r, const char *channel, uid_t uid, pid_t pid, enum nc_error *why)
{
	struct peer peer = {.uid = uid, .pid = pid, .n_gids = 1, .comm = "test"};
	enum nc_error e = NC_OK;
	struct client *c;

	CHECK(r->n_clients < RIG_CLIENTS_MAX);
	CHECK(bus_chan(r->bus, channel));
	c = bus_accept(r->bus, bus_chan(r->bus, channel), &peer, r->now, &e);
	if (why)
		*why = e;
	return rig_add(r, c);
}

int rig_accept_fifo(struct rig *r, const char *channel)
{
	CHECK(r->n_clients < RIG_CLIENTS_MAX);
	CHECK(bus_chan(r->bus, channel));
	return rig_add(r, bus_accept_fifo(r->bus, bus_chan(r->bus, channel), r->now));
}

int rig_lane_out(struct rig *r, const char *channel)
{
	CHECK(r->n_clients < RIG_CLIENTS_MAX);
	CHECK(bus_chan(r->bus, channel));
	return rig_add(r, bus_open_lane_out(r->bus, bus_chan(r->bus, channel), r->now));
}

int rig_lane_in(struct rig *r, const char *channel, const char *host, uint32_t tag,
                enum nc_error *why)
{
	struct chan *ch = bus_chan(r->bus, channel);
	enum nc_error e = NC_OK;
	struct client *c;

	CHECK(r->n_clients < RIG_CLIENTS_MAX && ch);
	c = bus_open_lane_in(r->bus, ch, host, tag, r->now, &e);
	CHECK((c != NULL) == (e == NC_OK));
	if (why)
		*why = e;
	return rig_add(r, c);
}

size_t rig_send(struct rig *r, int i, const void *p, size_t len, size_t chunk)
{
	struct rig_client *rc = &r->clients[i];
	size_t done = 0;

	while (done < len && rc->c && bus_wants_input(rc->c)) {
		size_t n = len - done < chunk ? len - done : chunk;
		size_t room;
		uint8_t *to;

		CHECK(bus_input_space(r->bus, rc->c, &to, &room) == 0);
		CHECK(room > 0);
		n = n < room ? n : room;
		memcpy(to, (const char *)p + done, n);
		done += n;
		bus_input(r->bus, rc->c, n, r->now);
	}
	return done;
}

void rig_hello(struct rig *r, int i, uint32_t features, uint8_t policy)
{
	struct frame_hello h = {.version_min = 1,
	                        .version_max = 1,
	                        .features = features,
	                        .policy = policy,
	                        .label = "rig",
	                        .label_len = 3};
	struct frame_welcome w;
	uint8_t frame[256];
	size_t n = frame_hello_put(frame, sizeof(frame), &h);
	struct rig_client *rc = &r->clients[i];

	CHECK(rig_send(r, i, FRAME_PREFACE, FRAME_PREFACE_LEN, 4) == 4);
	CHECK(rig_send(r, i, frame, n, n) == n);
	rig_turn(r);
	CHECK(rc->out.len > FRAME_PREFIX_LEN);
	CHECK(frame_welcome_get(&w, rc->out.data, le32_get(rc->out.data)) == FRAME_OK);
	rc->id = w.sender;
	buf_consume(&rc->out, le32_get(rc->out.data));
}

int rig_native(struct rig *r, const char *channel)
{
	int i = rig_accept(r, channel, 1000, 100 + r->n_clients, NULL);

	CHECK(i >= 0);
	rig_hello(r, i, 0, 0);
	return i;
}

void rig_emit(struct rig *r, int i, const char *channel, const char *event, const void *data,
              size_t len)
{
	struct rig_client *rc = &r->clients[i];
	struct frame_emit f = {.sender = rc->id,
	                       .seq = ++rc->seq,
	                       .channel = channel,
	                       .channel_len = (uint8_t)strlen(channel),
	                       .event = event,
	                       .event_len = (uint8_t)strlen(event),
	                       .payload_len = (uint32_t)len,
	                       .flags = FRAME_T_TEXT};
	size_t head = frame_emit_head_len(&f);
	uint8_t *p = malloc(head + len);

	CHECK(p);
	frame_emit_head_put(p, head, &f);
	memcpy(p + head, data, len);
	if (rig_send(r, i, p, head + len, SIZE_MAX) != head + len)
		rc->seq--;
	free(p);
}

void rig_listen(struct rig *r, int i, const char *pattern)
{
	struct frame_listen l = {.pattern = pattern, .pattern_len = (uint8_t)strlen(pattern)};
	uint8_t frame[300];
	size_t n = frame_listen_put(frame, sizeof(frame), FRAME_LISTEN, &l);

	CHECK(rig_send(r, i, frame, n, n) == n);
}

void rig_close(struct rig *r, int i)
{
	if (r->clients[i].c)
		bus_broken(r->bus, r->clients[i].c, r->now);
}

/* Sockets that have room again. */
static void unblock(struct rig *r)
{
	for (int i = 0; i < r->n_clients; i++) {
		struct rig_client *rc = &r->clients[i];

		if (!rc->c || !rc->blocked || rc->kernel == 0)
			continue;
		rc->blocked = false;
		bus_output_blocked(r->bus, rc->c, false, r->now);
		flush(r, rc->c);
	}
}

void rig_turn(struct rig *r)
{
	bool again;

	do {
		struct client *c;

		unblock(r);
		again = bus_run_ready(r->bus, r->now);
		while ((c = bus_next_dirty(r->bus)))
			if (!((struct rig_client *)bus_client_io(c))->blocked)
				flush(r, c);
		while (bus_next_changed(r->bus))
			;
		while ((c = bus_next_dead(r->bus))) {
			flush(r, c);
			((struct rig_client *)bus_client_io(c))->c = NULL;
			bus_client_free(r->bus, c);
			again = true;
		}
	} while (again);
	rig_check(r);
}

void rig_wait(struct rig *r, uint64_t ms)
{
	uint64_t end = r->now + ms * 1000000;

	rig_turn(r);
	while (r->now < end) {
		uint64_t at = bus_next_deadline(r->bus);

		r->now = at < end ? (at > r->now ? at : r->now) : end;
		bus_tick(r->bus, r->now);
		rig_turn(r);
	}
}
