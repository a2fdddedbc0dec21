/* outbox.c - batches of datagrams, by destination */
#include "ncserver/io/outbox.h"

#include "mesh/session.h"
#include "ncserver/io/netname.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses ---- */

void net_addr_get(struct netaddr *to, const struct mesh_addr *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to, from->bytes, from->len < sizeof(*to) ? from->len : sizeof(*to));
}

_Static_assert(sizeof(((struct mesh_addr *)NULL)->bytes) >= sizeof(struct sockaddr_in6),
               "an address of the session holds one of a socket");

void net_addr_put(struct mesh_addr *to, const struct netaddr *from)
{
	*to = (struct mesh_addr){.len = (uint8_t)netaddr_len(from)};
	memcpy(to->bytes, from, to->len);
	/* bytes of sockaddrs that say nothing, as the session compares all of them */
	if (from->sa.sa_family == AF_INET)
		memset(to->bytes + offsetof(struct sockaddr_in, sin_zero), 0,
		       sizeof(from->in.sin_zero));
	else
		memset(to->bytes + offsetof(struct sockaddr_in6, sin6_flowinfo), 0,
		       sizeof(from->in6.sin6_flowinfo));
}

/* ---- batches ---- */

int outbox_init(struct outbox *b, const struct netnames *peers)
{
	size_t n_peers = peers ? netnames_count(peers) : 0;

	*b = (struct outbox){.peers = peers};
	b->bytes = malloc(OUTBOX_BATCH * (size_t)MESH_DATAGRAM_MAX);
	b->made = calloc(OUTBOX_BATCH, sizeof(*b->made));
	b->out = calloc(OUTBOX_BATCH * (n_peers ? n_peers : 1), sizeof(*b->out));
	return b->bytes && b->made && b->out ? 0 : -ENOMEM;
}

void outbox_fini(struct outbox *b)
{
	free(b->bytes);
	free(b->made);
	free(b->out);
	*b = (struct outbox){0};
}

static bool is_for_all(const struct outbox_made *d)
{
	return d->to.sa.sa_family == 0;
}

static void put(struct outbox *b, const struct netaddr *to, const struct outbox_made *d)
{
	b->out[b->n_out++] = (struct udp_out){.to = to, .data = d->data, .len = d->len};
}

static bool goes_along(const struct outbox_made *d, const struct outbox_made *first)
{
	if (is_for_all(first) || is_for_all(d))
		return is_for_all(first) && is_for_all(d);
	return netaddr_equal(&d->to, &first->to);
}

/* The first of `n` that is not put yet, and with it all others that go where it goes. */
static void put_alike(struct outbox *b, struct outbox_made *first, size_t n)
{
	for (struct outbox_made *d = first; d < first + n; d++) {
		if (d->is_put || !goes_along(d, first))
			continue;
		put(b, is_for_all(d) ? NULL : &first->to, d);
		d->is_put = true;
	}
}

/* What is for all goes to each peer in turn. */
static void put_for_peers(struct outbox *b, size_t n)
{
	for (size_t k = 0; k < netnames_count(b->peers); k++) {
		const struct netaddr *peer = netnames_at(b->peers, k);

		for (size_t i = 0; peer && i < n; i++)
			if (is_for_all(&b->made[i]))
				put(b, peer, &b->made[i]);
	}
}

void outbox_order(struct outbox *b, size_t n)
{
	b->n_out = b->n_done = 0;
	for (size_t i = 0; i < n; i++)
		if (!b->made[i].is_put && !(b->peers && is_for_all(&b->made[i])))
			put_alike(b, &b->made[i], n - i);
	if (b->peers)
		put_for_peers(b, n);
}

/* Datagrams that fill whole packets of the kernel's. */
static size_t batch_of(size_t mtu)
{
	size_t packet = UDP_LEN_MAX / mtu;

	if (packet > UDP_SEGMENTS_MAX)
		packet = UDP_SEGMENTS_MAX;
	return OUTBOX_BATCH / packet * packet;
}

bool outbox_make(struct outbox *b, struct mesh *m, size_t mtu, uint64_t now)
{
	size_t n = 0, max = batch_of(mtu), at = 0;

	while (n < max) {
		struct outbox_made *d = &b->made[n];
		struct mesh_addr to;

		*d = (struct outbox_made){.data = b->bytes + at};
		d->len = mesh_next(m, b->bytes + at, MESH_DATAGRAM_MAX, &to, now);
		if (d->len == 0)
			break;
		net_addr_get(&d->to, &to);
		at += d->len;
		n++;
	}
	if (n > 0)
		outbox_order(b, n);
	return n > 0;
}

void outbox_send(struct outbox *b, struct udp *u)
{
	b->n_done += udp_send(u, b->out + b->n_done, b->n_out - b->n_done);
}
