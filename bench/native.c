/* native.c - clients that use libnc, as any program does */

#include "bench/ends.h"

#include <stdio.h>
#include <stdlib.h>

#include <netcluster/nc.h>

#define CONNECT_MS 10000
#define KNOCK_MS   100

static void fail(nc_client *c, const char *what, int error)
{
	const char *text = nc_error_text(c);

	fprintf(stderr, "ncbench: %s: %s %s\n", what, nc_strerror(error), text);
	worker_fail(what, 0);
}

static nc_client *client_open(const struct bench_options *o, const struct daemon *d,
                              const struct worker *w)
{
	const char *at = end_at(o, d, w);
	nc_client *c;
	int r = nc_new(&c, o->channel);

	if (r)
		worker_fail(nc_strerror(r), 0);
	r = nc_setopt_str(c, NC_OPT_SOCKET, at);
	if (r)
		fail(c, at, r);
	nc_setopt_int(c, NC_OPT_RECONNECT, 0);
	r = nc_connect(c, CONNECT_MS);
	if (r)
		fail(c, "connect", r);
	return c;
}

static void hear(nc_client *c, const char *event, nc_handler *fn, void *arg)
{
	int r = nc_on(c, event, fn, arg);

	if (!r)
		r = nc_sync(c, CONNECT_MS);
	if (r)
		fail(c, "subscribe", r);
}

static const char *event_of(const struct bench_options *o, const char *suffix, char name[256])
{
	snprintf(name, 256, "%s%s", o->event, suffix);
	return name;
}

static enum nc_type type_of(const struct bench_options *o)
{
	return o->text ? NC_TEXT : NC_BYTES;
}

/* ---- throughput ---- */

struct source {
	const struct bench_options *o;
	nc_client *c;
};

static void source_send(void *end, const uint8_t *payload, size_t len)
{
	const struct source *s = end;
	int r = nc_emit_wait(s->c, s->o->event, type_of(s->o), payload, len, 0, -1);

	if (r)
		fail(s->c, "emit", r);
}

/* For what must not wait for more. */
static void source_send_now(void *end, const uint8_t *payload, size_t len)
{
	const struct source *s = end;

	source_send(end, payload, len);
	nc_flush(s->c);
}

void native_publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	struct source s = {.o = o, .c = client_open(o, d, w)};
	int r;

	worker_publishes(o, w, payload, source_send_now, &s);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		worker_stamps(o, w, payload, i);
		source_send(&s, payload, o->len);
		if (o->work == BENCH_DELAY)
			nc_flush(s.c);
	}
	r = nc_disconnect(s.c, BENCH_SILENCE_MS);
	if (r)
		fail(s.c, "disconnect", r);
	nc_free(s.c);
	free(payload);
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct check *k = arg;

	if (check_take(k, nc_msg_data(m), nc_msg_len(m)))
		nc_stop(c);
}

/* A JSON client's string comes with its quotes. */
static void on_json_message(nc_client *c, const nc_msg *m, void *arg)
{
	const uint8_t *data = nc_msg_data(m);
	struct check *k = arg;
	size_t len = nc_msg_len(m);

	if (nc_msg_type(m) == NC_JSON && len >= 2 && data[0] == '"') {
		data++;
		len -= 2;
	}
	if (check_take(k, data, len))
		nc_stop(c);
}

void native_subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	nc_client *c = client_open(o, d, w);
	int r;

	hear(c, o->event, o->json_from ? on_json_message : on_message, &w->check);
	worker_listens(o, w);
	r = nc_run(c);
	if (r)
		fail(c, "listen", r);
	nc_free(c);
}

/* ---- latency ---- */

struct echo {
	const struct bench_options *o;
	struct worker *w;
	uint8_t *payload;
	uint64_t begin_ns;
	bool is_heard, is_going;
	char to[256];
};

static void echo_send(nc_client *c, struct echo *e)
{
	int r = nc_emit(c, e->to, type_of(e->o), e->payload, e->o->len, 0);

	if (r)
		fail(c, "emit", r);
}

static void on_pong(nc_client *c, const nc_msg *m, void *arg)
{
	struct echo *e = arg;

	(void)m;
	e->is_heard = true;
	if (!e->is_going)
		return;
	ping_took(e->w, e->begin_ns);
	if (!ping_goes_on(e->o, e->w)) {
		nc_stop(c);
		return;
	}
	e->begin_ns = bench_now_ns();
	echo_send(c, e);
}

static void on_ping(nc_client *c, const nc_msg *m, void *arg)
{
	(void)m;
	echo_send(c, arg);
}

/* Tries until the other end answers, and waits until it has answered all. */
static void knock(nc_client *c, struct echo *e)
{
	uint64_t end_ns = bench_now_ns() + BENCH_HELLO_MS * UINT64_C(1000000);

	while (!e->is_heard && bench_now_ns() < end_ns) {
		echo_send(c, e);
		(void)nc_wait(c, KNOCK_MS);
	}
	if (!e->is_heard)
		worker_fail("the other end does not answer", 0);
	for (end_ns = bench_now_ns() + 2 * KNOCK_MS * UINT64_C(1000000); bench_now_ns() < end_ns;)
		(void)nc_wait(c, KNOCK_MS / 10);
}

static void echo(const struct bench_options *o, const struct daemon *d, struct worker *w,
                 bool is_ping)
{
	struct echo e = {.o = o, .w = w, .payload = check_filler(o->len)};
	nc_client *c = client_open(o, d, w);
	char from[256];
	int r;

	/* while hear() waits, the first ones may come */
	event_of(o, is_ping ? ".ping" : ".pong", e.to);
	hear(c, event_of(o, is_ping ? ".pong" : ".ping", from), is_ping ? on_pong : on_ping, &e);
	if (is_ping && o->has_hello)
		knock(c, &e);
	if (is_ping)
		worker_ready(w);
	else
		worker_listens(o, w);
	e.is_going = true;
	e.begin_ns = bench_now_ns();
	if (is_ping)
		echo_send(c, &e);
	r = nc_run(c);
	if (r)
		fail(c, "listen", r);
	nc_free(c);
	free(e.payload);
}

void native_ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	echo(o, d, w, true);
}

void native_pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	echo(o, d, w, false);
}

/* ---- idle clients ---- */

static void on_nothing(nc_client *c, const nc_msg *m, void *arg)
{
	(void)c;
	(void)m;
	(void)arg;
}

void native_crowd(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	unsigned n = crowd_share(o, w);
	nc_client **all = calloc(n, sizeof(*all));

	if (!all)
		worker_fail("memory", 0);
	for (unsigned i = 0; i < n; i++) {
		all[i] = client_open(o, d, w);
		hear(all[i], o->event, on_nothing, NULL);
	}
	worker_ready(w);
	for (unsigned i = 0; i < n; i++)
		nc_free(all[i]);
	free(all);
}
