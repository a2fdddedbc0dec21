/* peer_nats.c - the same work through nats-server and its C client */

#include "bench/bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <nats/nats.h>

#define SUBJECT "bench"
/* As long as it takes; the parent gives up earlier. */
#define FOREVER_MS 600000

static void ok(natsStatus s)
{
	if (s != NATS_OK)
		worker_fail(natsStatus_GetText(s), 0);
}

static natsConnection *end_open(const struct daemon *d, bool asap)
{
	natsOptions *options;
	natsConnection *c;
	char url[64];

	snprintf(url, sizeof(url), "nats://127.0.0.1:%d", d->port);
	ok(natsOptions_Create(&options));
	ok(natsOptions_SetURL(options, url));
	/* else each message waits for the flusher thread */
	if (asap)
		ok(natsOptions_SetSendAsap(options, true));
	ok(natsConnection_Connect(&c, options));
	natsOptions_Destroy(options);
	return c;
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	natsConnection *c = end_open(d, false);

	worker_ready(w);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		check_put(payload, false, check_tag(w->id, i));
		ok(natsConnection_Publish(c, SUBJECT, payload, (int)o->len));
	}
	ok(natsConnection_FlushTimeout(c, FOREVER_MS));
}

struct hearing {
	struct check *check;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_done;
};

static void on_message(natsConnection *c, natsSubscription *s, natsMsg *m, void *arg)
{
	struct hearing *h = arg;

	(void)c;
	(void)s;
	if (!h->is_done &&
	    check_take(h->check, natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m))) {
		pthread_mutex_lock(&h->lock);
		h->is_done = true;
		pthread_cond_signal(&h->changed);
		pthread_mutex_unlock(&h->lock);
	}
	natsMsg_Destroy(m);
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct hearing h = {.check = &w->check,
	                    .lock = PTHREAD_MUTEX_INITIALIZER,
	                    .changed = PTHREAD_COND_INITIALIZER};
	natsConnection *c = end_open(d, false);
	natsSubscription *s;

	(void)o;
	ok(natsConnection_Subscribe(&s, c, SUBJECT, on_message, &h));
	ok(natsSubscription_SetPendingLimits(s, -1, -1));
	ok(natsConnection_Flush(c));
	worker_ready(w);
	pthread_mutex_lock(&h.lock);
	while (!h.is_done)
		pthread_cond_wait(&h.changed, &h.lock);
	pthread_mutex_unlock(&h.lock);
}

static void take_one(natsSubscription *s)
{
	natsMsg *m;

	ok(natsSubscription_NextMsg(&m, s, FOREVER_MS));
	natsMsg_Destroy(m);
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	natsConnection *c = end_open(d, true);
	natsSubscription *s;

	ok(natsConnection_SubscribeSync(&s, c, "pong"));
	ok(natsConnection_Flush(c));
	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		ok(natsConnection_Publish(c, "ping", payload, (int)o->len));
		take_one(s);
		ping_took(w, begin_ns);
	}
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	natsConnection *c = end_open(d, true);
	natsSubscription *s;

	ok(natsConnection_SubscribeSync(&s, c, "ping"));
	ok(natsConnection_Flush(c));
	worker_ready(w);
	for (;;) {
		take_one(s);
		ok(natsConnection_Publish(c, "pong", payload, (int)o->len));
	}
}

static void prepare(const struct bench_options *o, struct daemon *d)
{
	char conf[256];

	(void)o;
	d->port = daemon_free_port();
	snprintf(conf, sizeof(conf),
	         "listen: 127.0.0.1:%d\nmax_pending: 8589934592\nmax_payload: 8388608\n"
	         "write_deadline: \"60s\"\nmax_connections: 30000\n",
	         d->port);
	daemon_file(d, "conf", conf);
	d->argv[0] = "nats-server";
	d->argv[1] = "-c";
	d->argv[2] = "conf";
}

static const struct bench_kind kind = {
        .name = "nats",
        .prepare = prepare,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
