/* peer_zmq_proxy.c - the same work through a ZeroMQ proxy (XSUB, XPUB) */

#include "bench/zmq_ends.h"

#include <stdio.h>
#include <string.h>

static void prepare(const struct bench_options *o, struct daemon *d)
{
	(void)o;
	zmq_ends_use_proxy();
	snprintf(d->at, sizeof(d->at), "%s/out", d->dir);
	d->argv[0] = "/proc/self/exe";
	d->argv[1] = "--daemon";
}

static const struct bench_kind kind = {
        .name = "zeromq-proxy",
        .prepare = prepare,
        .publish = zmq_ends_publish,
        .subscribe = zmq_ends_subscribe,
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--daemon"))
		return zmq_ends_proxy();
	return bench_main(&kind, argc, argv);
}
