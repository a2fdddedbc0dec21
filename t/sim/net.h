/* net.h - the network between simulated hosts: what it does to datagrams
 *
 * Between each ordered pair of hosts lies a path, of which there are a few kinds. A datagram waits
 * for its sender's interface, is lost, doubled, delayed or overtaken on the path, waits at the
 * receiver's port of the switch, and ends in one of the two sockets of the receiver, where there is
 * room for so many bytes as Linux counts them.
 */
#ifndef NC_SIM_NET_H
#define NC_SIM_NET_H

#include "mesh/session.h"
#include "t/sim/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_KINDS_MAX 16u

struct world;
struct host;

/* A datagram under way, shared by all who receive it. */
struct datagram {
	uint32_t refs;
	uint32_t len;
	uint32_t src; /* host that sent it; NET_FORGED for one that nobody sent */
	bool group;
	struct mesh_addr from;
	uint8_t bytes[];
};
#define NET_FORGED UINT32_MAX

/* What one kind of path does. Probabilities are in millionths. All zeros: a perfect path. */
struct path {
	uint64_t delay_ns;
	uint64_t jitter_ns;   /* more delay, up to so much; order is kept */
	uint64_t overtake_ns; /* delay, up to so much, of a datagram that others overtake */
	uint32_t loss_ppm;
	/* E. N. Gilbert, "Capacity of a burst-noise channel", 1960; E. O. Elliott, 1963: the path
	 * is good or bad, and each datagram may change that */
	uint32_t to_bad_ppm, to_good_ppm, bad_loss_ppm;
	uint32_t dup_ppm;
	uint32_t overtake_ppm;
	uint32_t mtu; /* larger datagrams vanish; 0: none do */
	bool is_dead; /* nothing passes */
};

/* Why datagrams did not arrive, counted once per receiver. */
enum net_loss {
	NET_LOST,   /* at random, or in a burst */
	NET_CUT,    /* partition, dead path, multicast blocked */
	NET_MTU,    /* too large */
	NET_PORT,   /* the receiver's port of the switch was full */
	NET_RCVBUF, /* its socket was full */
	NET_NOBODY, /* nobody has the address any more */
	NET_LOSS_N,
};

struct net {
	struct world *world;
	struct rng rng;
	uint32_t n;
	struct path kinds[NET_KINDS_MAX];
	uint8_t *kind_of;     /* [src * n + dst] */
	uint8_t *is_bad;      /* the same */
	uint64_t *last_at;    /* arrival of the latest datagram on each path */
	uint64_t *last_bytes; /* of all that arrive then */
	uint32_t *side;       /* of each host: hosts of different sides do not reach each other */
	bool group_blocked;
	bool loops_back;           /* a group datagram comes back to its sender */
	uint64_t datagrams, bytes; /* sent, each once */
	uint64_t lost[NET_LOSS_N], lost_bytes[NET_LOSS_N];
	/* Sees each datagram as it is sent; NULL: nobody looks. Returns false to withhold it. */
	bool (*tap)(struct world *w, struct datagram *d, uint32_t dst);
};

void net_init(struct net *net, struct world *w, uint32_t n, struct rng rng);
void net_fini(struct net *net);

/* The path from one host to another becomes one of this kind. */
void net_path(struct net *net, uint32_t src, uint32_t dst, uint8_t kind);

/* Sends a datagram of host `h` to an address, the group, or each host of the unicast list. */
void net_send(struct net *net, struct host *h, const uint8_t *p, size_t len,
              const struct mesh_addr *to);

/* A datagram that nobody sends, as far as addresses tell, reaches host `dst` at once: replayed or
 * forged ones. */
void net_inject(struct net *net, struct host *dst, const uint8_t *p, size_t len,
                const struct mesh_addr *from, bool group);

/* Frees what an event of the network holds that will never come; others hold nothing. */
struct event;
void net_forget(struct event *e);

struct datagram *datagram_new(const uint8_t *p, size_t len);
struct datagram *datagram_ref(struct datagram *d);
void datagram_unref(struct datagram *d);

/* Bytes that Linux counts against SO_RCVBUF for a datagram: its buffer in a power of 2, and the
 * socket buffer's head. */
size_t net_truesize(size_t len);

const char *net_loss_str(enum net_loss l);

#endif
