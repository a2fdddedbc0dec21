/* mesh_ends.h - what the programs share that send from one host to others */
#ifndef NC_BENCH_MESH_ENDS_H
#define NC_BENCH_MESH_ENDS_H

#include <net/if.h>
#include <netinet/in.h>

#include "bench/bench.h"

/* The rate of those that keep to one which has to be told, since it does not find it out. */
#define MESH_MBIT 500

/* What kernels give at most is less, unless net.core.rmem_max says more. */
#define MESH_BUFFER (4 << 20)

struct ends_sender {
	bench_send *send;
	/* After the last, and after each that must not wait for more. NULL: nothing waits. */
	void (*flush)(void *end);
	void *end; /* of both; not owned */
};

/* Waits until it may go, and sends all messages. */
void ends_publish(const struct bench_options *o, struct worker *w, const struct ends_sender *s);

/* Tells subscribers that nothing more comes, several times. */
void ends_bye(const struct bench_options *o, const struct ends_sender *s);

/* Each namespace has one interface beside the loopback. */
struct ends_interface {
	char name[IF_NAMESIZE];
	struct in_addr addr;
	char addr_text[INET_ADDRSTRLEN];
};

/* Finds it: IPv4, up, able to multicast. Ends the process where there is none. */
void ends_interface(struct ends_interface *i);

#endif
