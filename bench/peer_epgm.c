/* peer_epgm.c - the same work from host to host through ZeroMQ over EPGM, which is PGM in UDP */

#include "bench/mesh_ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <zmq.h>

#define GROUP "239.77.0.5:17005"
/* How far back a sender can repair. */
#define RECOVERY_MS 10000

static void *end_open(int type)
{
	int none = 0, rate = MESH_MBIT * 1000, recovery = RECOVERY_MS, buffer = MESH_BUFFER;
	void *s = zmq_socket(zmq_ctx_new(), type);
	struct ends_interface i;
	char at[64];

	ends_interface(&i);
	snprintf(at, sizeof(at), "epgm://%s;" GROUP, i.addr_text);
	zmq_setsockopt(s, ZMQ_SNDHWM, &none, sizeof(none));
	zmq_setsockopt(s, ZMQ_RCVHWM, &none, sizeof(none));
	zmq_setsockopt(s, ZMQ_RATE, &rate, sizeof(rate));
	zmq_setsockopt(s, ZMQ_RECOVERY_IVL, &recovery, sizeof(recovery));
	zmq_setsockopt(s, ZMQ_SNDBUF, &buffer, sizeof(buffer));
	zmq_setsockopt(s, ZMQ_RCVBUF, &buffer, sizeof(buffer));
	if (type == ZMQ_SUB)
		zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0);
	if (type == ZMQ_PUB ? zmq_bind(s, at) : zmq_connect(s, at))
		worker_fail(at, errno);
	return s;
}

static void send_one(void *end, const uint8_t *payload, size_t len)
{
	if (zmq_send(end, payload, len, 0) < 0)
		worker_fail("zmq_send", errno);
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct ends_sender s = {.send = send_one, .end = end_open(ZMQ_PUB)};

	(void)d;
	ends_publish(o, w, &s);
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	void *s = end_open(ZMQ_SUB);
	zmq_msg_t m;

	(void)d;
	zmq_msg_init(&m);
	worker_listens(o, w);
	do
		if (zmq_msg_recv(&m, s, 0) < 0)
			worker_fail("zmq_msg_recv", errno);
	while (!check_take(&w->check, zmq_msg_data(&m), zmq_msg_size(&m)));
}

static const struct bench_kind kind = {
        .name = "zeromq epgm",
        .publish = publish,
        .subscribe = subscribe,
        .is_mesh = true,
        .is_stamped = true,
};

int main(int argc, char **argv)
{
	if (!zmq_has("pgm")) {
		fprintf(stderr, "peer_epgm: this libzmq was built without PGM\n");
		return EXIT_FAILURE;
	}
	return bench_main(&kind, argc, argv);
}
