/* peer_mosquitto.c - the same work through mosquitto (QoS 0, over a Unix socket) and libmosquitto
 */

#include "bench/bench.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mosquitto.h>

#define KEEPALIVE_S   600
#define CONNECT_TRIES 2000

struct end {
	struct mosquitto *m;
	struct check *check; /* of a subscriber, else NULL */
	uint64_t n_heard;
	bool is_connected, is_subscribed, is_done;
};

static void on_connect(struct mosquitto *m, void *arg, int code)
{
	struct end *e = arg;

	(void)m;
	if (code)
		worker_fail("mosquitto refuses", 0);
	e->is_connected = true;
}

static void on_subscribe(struct mosquitto *m, void *arg, int id, int n, const int *granted)
{
	struct end *e = arg;

	(void)m;
	(void)id;
	(void)n;
	(void)granted;
	e->is_subscribed = true;
}

static void on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *msg)
{
	struct end *e = arg;

	(void)m;
	e->n_heard++;
	if (e->check && !e->is_done)
		e->is_done = check_take(e->check, msg->payload, (size_t)msg->payloadlen);
}

static void pump(struct end *e, int timeout_ms)
{
	struct pollfd p = {.fd = mosquitto_socket(e->m), .events = POLLIN};

	if (mosquitto_want_write(e->m))
		p.events |= POLLOUT;
	if (poll(&p, 1, timeout_ms) <= 0)
		return;
	if ((p.revents & ~POLLOUT) && mosquitto_loop_read(e->m, 1))
		worker_fail("mosquitto: read", 0);
	if ((p.revents & POLLOUT) && mosquitto_loop_write(e->m, 1))
		worker_fail("mosquitto: write", 0);
}

/* Port 0 stands for the path of a socket, whose backlog may be full for a moment. */
static void connect_path(struct end *e, const char *path)
{
	struct timespec nap = {.tv_nsec = 1000000};

	for (int i = 0; mosquitto_connect(e->m, path, 0, KEEPALIVE_S); i++) {
		if (i == CONNECT_TRIES)
			worker_fail("mosquitto: connect", 0);
		nanosleep(&nap, NULL);
	}
}

/* Connects, and subscribes where there is a topic. */
static void end_open(struct end *e, const struct daemon *d, const char *topic)
{
	e->m = mosquitto_new(NULL, true, e);
	if (!e->m)
		worker_fail("mosquitto: memory", 0);
	mosquitto_connect_callback_set(e->m, on_connect);
	mosquitto_subscribe_callback_set(e->m, on_subscribe);
	mosquitto_message_callback_set(e->m, on_message);
	connect_path(e, d->at);
	while (!e->is_connected)
		pump(e, 100);
	if (!topic)
		return;
	mosquitto_subscribe(e->m, NULL, topic, 0);
	while (!e->is_subscribed)
		pump(e, 100);
}

static void send_one(struct end *e, const char *topic, const uint8_t *payload, size_t len)
{
	if (mosquitto_publish(e->m, NULL, topic, (int)len, payload, 0, false))
		worker_fail("mosquitto: publish", 0);
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	struct end e = {0};

	end_open(&e, d, NULL);
	worker_ready(w);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		check_put(payload, false, check_tag(w->id, i));
		send_one(&e, "bench", payload, o->len);
		while (mosquitto_want_write(e.m))
			pump(&e, 100);
	}
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct end e = {.check = &w->check};

	(void)o;
	end_open(&e, d, "bench");
	worker_ready(w);
	while (!e.is_done)
		pump(&e, 1000);
}

static void wait_one(struct end *e)
{
	while (!e->n_heard)
		pump(e, 1000);
	e->n_heard--;
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	struct end e = {0};

	end_open(&e, d, "pong");
	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		send_one(&e, "ping", payload, o->len);
		wait_one(&e);
		ping_took(w, begin_ns);
	}
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	struct end e = {0};

	end_open(&e, d, "ping");
	worker_ready(w);
	for (;;) {
		wait_one(&e);
		send_one(&e, "pong", payload, o->len);
	}
}

static void crowd(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	unsigned n = crowd_share(o, w);
	struct end *all = calloc(n, sizeof(*all));

	if (!all)
		worker_fail("memory", 0);
	for (unsigned i = 0; i < n; i++)
		end_open(&all[i], d, "bench");
	worker_ready(w);
	free(all);
}

static void prepare(const struct bench_options *o, struct daemon *d)
{
	char conf[512];

	(void)o;
	snprintf(d->at, sizeof(d->at), "%s/sock", d->dir);
	snprintf(conf, sizeof(conf),
	         "listener 0 %s\nallow_anonymous true\nuser root\nmax_queued_messages 0\n"
	         "max_inflight_messages 0\npersistence false\nlog_type error\n",
	         d->at);
	daemon_file(d, "conf", conf);
	d->argv[0] = "mosquitto";
	d->argv[1] = "-c";
	d->argv[2] = "conf";
	mosquitto_lib_init();
}

static const struct bench_kind kind = {
        .name = "mosquitto",
        .prepare = prepare,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
        .crowd = crowd,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
