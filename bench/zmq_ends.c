/* zmq_ends.c - clients of ZeroMQ: PUB and SUB over ipc, with no bound that would drop */

#include "bench/zmq_ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <zmq.h>

/* Subscriptions travel by themselves, and nobody tells when they have arrived. */
#define SETTLE_MS 700

static bool has_proxy;

void zmq_ends_use_proxy(void)
{
	has_proxy = true;
}

static void *end_open(void *context, int type, const char *dir, const char *name, bool is_binding)
{
	void *s = zmq_socket(context, type);
	int none = 0, forever = -1;
	char at[128];

	snprintf(at, sizeof(at), "ipc://%s/%s", dir, name);
	zmq_setsockopt(s, ZMQ_SNDHWM, &none, sizeof(none));
	zmq_setsockopt(s, ZMQ_RCVHWM, &none, sizeof(none));
	zmq_setsockopt(s, ZMQ_LINGER, &forever, sizeof(forever));
	if (type == ZMQ_SUB)
		zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0);
	if (is_binding ? zmq_bind(s, at) : zmq_connect(s, at))
		worker_fail(at, errno);
	return s;
}

static void settle(void)
{
	struct timespec nap = {.tv_nsec = SETTLE_MS * 1000000L};

	nanosleep(&nap, NULL);
}

void zmq_ends_publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	void *context = zmq_ctx_new();
	void *s = end_open(context, ZMQ_PUB, d->dir, has_proxy ? "in" : "out", !has_proxy);

	settle();
	worker_ready(w);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		check_put(payload, false, check_tag(w->id, i));
		if (zmq_send(s, payload, o->len, 0) < 0)
			worker_fail("zmq_send", errno);
	}
	/* waits until all was written */
	zmq_close(s);
	zmq_ctx_term(context);
	free(payload);
}

void zmq_ends_subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	void *s = end_open(zmq_ctx_new(), ZMQ_SUB, d->dir, "out", false);
	zmq_msg_t m;

	(void)o;
	zmq_msg_init(&m);
	worker_ready(w);
	do
		if (zmq_msg_recv(&m, s, 0) < 0)
			worker_fail("zmq_msg_recv", errno);
	while (!check_take(&w->check, zmq_msg_data(&m), zmq_msg_size(&m)));
}

int zmq_ends_proxy(void)
{
	void *context = zmq_ctx_new();
	void *in = end_open(context, ZMQ_XSUB, ".", "in", true);

	return zmq_proxy(in, end_open(context, ZMQ_XPUB, ".", "out", true), NULL);
}
