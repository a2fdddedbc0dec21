/* net_impl.h - what the files of net.h share */
#ifndef NC_IO_NET_IMPL_H
#define NC_IO_NET_IMPL_H

#include "libnc/base/list.h"
#include "libnc/base/map.h"
#include "libnc/wire/limits.h"
#include "mesh/key.h"
#include "mesh/session.h"
#include "ncserver/bus/bus.h"
#include "ncserver/conf/conf.h"
#include "ncserver/io/net.h"
#include "ncserver/io/netaddr.h"
#include "ncserver/io/netname.h"
#include "ncserver/io/outbox.h"
#include "ncserver/io/udp.h"

/* Such batches in one turn of the loop, before others get their turn. */
#define NET_ROUNDS 8u
/* A datagram where the interface is not known yet: what passes an Ethernet, with IPv6 as well. */
#define NET_MTU_USUAL 1452u
/* A look at the network, and after what time it tells more than what was known before. */
#define NET_LOOK_NS       UINT64_C(10000000000)
#define NET_LOOK_LEAST_NS UINT64_C(1000000000)
/* After what time the first look's result is logged. */
#define NET_LOOK_FIRST_NS UINT64_C(4000000000)
/* What was due, and could not be done, is tried again after this. */
#define NET_AGAIN_NS 1000000u

/* A lane: a client of the bus, and a lane of the session. Each may go first. */
struct net_lane {
	struct list link;      /* net.lanes */
	struct list room;      /* net.rooms: it may write again */
	struct net *net;       /* NULL: that is over */
	struct client *client; /* NULL: gone */
	struct mesh_lane *out; /* of a lane out; NULL: closed */
	struct mesh_in *in;    /* of a lane in; NULL: gone */
	enum mesh_class class;
	bool is_blocked;
	char channel[NC_CHANNEL_MAX + 1];
};

struct net_look;
struct net_sent;

struct net {
	struct server *server;
	struct mesh *mesh;
	struct udp *udp;
	struct keyring ring;
	struct netaddr group; /* sa_family 0: peers */
	size_t mtu;
	bool is_mtu_guessed; /* there was no interface to ask */
	bool is_deaf;        /* takes no lane in */
	bool is_leaving;     /* mesh_leave() was called */
	bool is_starved;     /* a lane in waits for memory */
	bool is_blocked;     /* the kernel takes no more datagrams now */

	struct list lanes;
	struct list rooms;
	struct map by_in; /* mesh_in -> net_lane */

	/* what the session delivered and the bus has not yet looked at */
	struct net_lane *filling;
	uint8_t *fill;
	size_t fill_len, fill_room;

	struct netnames *peers; /* where datagrams go that are for all, without a group */
	int family;             /* of the socket, without a group */
	struct outbox outbox;

	/* what was sent to all, and to single hosts (mesh_addr -> net_sent) */
	uint64_t all_datagrams, all_bytes;
	struct map sent;

	struct net_look *look; /* NULL: nobody has asked for a while how the network is */
};

/* ---- net_lane.c ---- */

void *net_on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                    enum mesh_class class, struct mesh_in *in);
size_t net_on_deliver(void *arg, void *obj, const uint8_t *p, size_t len);
void net_on_gap(void *arg, void *obj, uint64_t count, bool exact);
void net_on_gone(void *arg, void *obj);
void net_on_writable(void *arg, void *user);

/* What was delivered goes to the bus. */
void net_fill_done(struct net *n);

/* Lanes out are as the configuration of the bus says. */
void net_lanes_out(struct net *n, uint64_t now);

/* Writes what lanes have for which there is room again. Returns whether there were any. */
bool net_write_rooms(struct net *n, uint64_t now);

/* Ends all lanes: the session goes. */
void net_lanes_end(struct net *n, uint64_t now);

/* ---- net_send.c ---- */

/* What sending needs. Returns 0; 1 with *f; or a negative errno. */
int net_send_open(struct net *n, const struct conf *conf, struct fault *f);
void net_send_close(struct net *n);

/* Makes and sends one batch. Returns whether there was something. */
bool net_send(struct net *n, uint64_t now);

/* ---- net_sent.c ---- */

void net_sent_init(struct net *n, const uint8_t hash_key[16]);
void net_sent_fini(struct net *n);
/* Counts what the outbox holds anew. */
void net_sent_count(struct net *n);
/* What went to a host, alone or with all others. */
void net_sent_get(struct net *n, const struct mesh_addr *to, uint64_t *datagrams, uint64_t *bytes);

/* ---- net_probe.c ---- */

/* Answers whether the network works, and what to do where it does not. A question begins a look at
 * it, of which one that goes on tells the result so far. Returns 0 or an error. */
int net_ask_probe(struct net *n, bool goes_on, struct buf *out, uint64_t now);

/* While there is a look: a datagram has come by the group. Returns whether it is the look's own. */
bool net_look_heard(struct net *n, const struct udp_in *d);

/* Begins the look of the start, whose result is logged. */
void net_look_first(struct net *n, uint64_t now);

/* Ends a look that has lasted long enough. */
void net_look_tick(struct net *n, uint64_t now);

void net_look_end(struct net *n);

/* ---- net_keys.c ---- */

/* Reads the keys of a configuration. Returns 0; 1 with *f and an empty ring. */
int net_keys_read(struct keyring *r, struct server *s, const struct conf *conf, struct fault *f);

/* Whether all hosts could follow from the keys of `n` to those of `next`. Returns 0, or 1 with *f.
 */
int net_keys_check(struct net *n, const struct keyring *next, struct fault *f);

enum nc_error net_ask_keys(struct server *s, const char *what, size_t len, const char *data,
                           size_t data_len, struct buf *out, char **why);

#endif
