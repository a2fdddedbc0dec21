/* outbox.h - datagrams of a session on their way to the sockets
 *
 * A batch is made when the one before is with the kernel, and not before: the later a datagram is
 * made, the more fits into it. Datagrams lie back to back, and those of a batch to one destination
 * are sent one after the other, so that few packets and pieces hold them all: a repair to one host
 * among data to the group would otherwise cut a packet in two, and be one itself. Without a group a
 * datagram for all is sent to each peer in turn.
 */
#ifndef NC_IO_OUTBOX_H
#define NC_IO_OUTBOX_H

#include "ncserver/io/udp.h"

struct mesh;
struct mesh_addr;
struct netnames;

/* Datagrams of a batch; as many as fill whole packets of the kernel's are made. */
#define OUTBOX_BATCH 128u

struct outbox_made {
	struct netaddr to; /* sa_family 0: to all */
	const uint8_t *data;
	size_t len;
	bool is_put; /* it is in `out` */
};

struct outbox {
	uint8_t *bytes;           /* of OUTBOX_BATCH datagrams */
	struct outbox_made *made; /* as many */
	struct udp_out *out;      /* n_out of them, n_done are done with */
	size_t n_out, n_done;
	const struct netnames *peers; /* NULL: all hear the group; not owned */
};

/* `peers` outlive it. Returns 0 or -ENOMEM; then it is to be ended, too. */
int outbox_init(struct outbox *b, const struct netnames *peers);
void outbox_fini(struct outbox *b);

/* Whether all that was made is with the kernel. */
static inline bool outbox_is_empty(const struct outbox *b)
{
	return b->n_done == b->n_out;
}

/* Makes a batch of datagrams of at most `mtu` bytes, where the last one is with the kernel. Returns
 * whether the session had any. */
bool outbox_make(struct outbox *b, struct mesh *m, size_t mtu, uint64_t now);

/* Puts the first `n` of `made` into `out`, in the order in which they are sent. */
void outbox_order(struct outbox *b, size_t n);

/* Sends what was made; what the kernel has no room for stays, and on_writable() of the sockets
 * comes. */
void outbox_send(struct outbox *b, struct udp *u);

/* Addresses, as sockets and sessions have them. */
void net_addr_get(struct netaddr *to, const struct mesh_addr *from);
void net_addr_put(struct mesh_addr *to, const struct netaddr *from);

#endif
