/* peer_zmq.c - the same work from one ZeroMQ socket to others, without a broker: one hop */

#include "bench/zmq_ends.h"

/* There is none; but the clients need the folder. */
static int no_daemon(const struct bench_options *o, struct daemon *d)
{
	(void)o;
	daemon_dir(d);
	return 0;
}

static const struct bench_kind kind = {
        .name = "zeromq",
        .find = no_daemon,
        .publish = zmq_ends_publish,
        .subscribe = zmq_ends_subscribe,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
