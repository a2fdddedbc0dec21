/* udp_recv.c - datagrams in, as many in one system call as there are, and no more than fit in a
 * turn
 *
 * The kernel hands over neighbours of one sender as one packet with the length of its parts. A
 * turn of the loop takes no more than the budget from each socket: whoever sends garbage at full
 * speed keeps the loop busy, but does not keep others from their turn.
 */
#include "ncserver/io/udp_impl.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static void on_poll(uv_poll_t *poll, int status, int events);

void udp_poll(struct udp_sock *s, int events)
{
	if (s->events == events)
		return;
	s->events = events;
	if (events)
		uv_poll_start(&s->poll, events, on_poll);
	else
		uv_poll_stop(&s->poll);
}

/* Those that the last read has used. */
static void prepare(struct udp *u)
{
	struct udp_rx *rx = &u->rx;

	for (; rx->n_used > 0; rx->n_used--) {
		unsigned i = rx->n_used - 1;

		rx->iovs[i].iov_base = rx->data + i * u->opt.read_len;
		rx->iovs[i].iov_len = u->opt.read_len;
		rx->msgs[i].msg_hdr = (struct msghdr){
		        .msg_name = &rx->from[i],
		        .msg_namelen = sizeof(rx->from[i]),
		        .msg_iov = &rx->iovs[i],
		        .msg_iovlen = 1,
		        .msg_control = rx->control[i].read,
		        .msg_controllen = sizeof(rx->control[i].read),
		};
	}
}

/* The length of the parts of a packet, or its own. */
static size_t part_of(struct msghdr *m, size_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int value;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		if (value > 0 && (size_t)value < len)
			return (size_t)value;
	}
	return len;
}

/* Hands on the datagrams of one packet. Returns how many. */
static size_t deliver(struct udp_sock *s, unsigned i, uint64_t read_ns)
{
	struct udp *u = s->udp;
	struct mmsghdr *m = &u->rx.msgs[i];
	struct udp_in d = {.data = m->msg_hdr.msg_iov->iov_base,
	                   .from = &u->rx.from[i],
	                   .read_ns = read_ns,
	                   .is_group = s->is_group};
	size_t len = m->msg_len, part, n = 0;

	u->n.packets_in++;
	if (m->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		u->n.truncated++;
		return 1;
	}
	netaddr_unmap(&u->rx.from[i]);
	if (s->is_group && !u->state.is_shared)
		udp_loop_heard(u, &u->rx.from[i]);
	part = part_of(&m->msg_hdr, len);
	do {
		d.len = part < len ? part : len;
		u->n.datagrams_in++;
		u->n.bytes_in += d.len;
		u->on.on_datagram(u->arg, &d);
		n++;
		d.data += d.len;
		len -= d.len;
	} while (len > 0 && !s->is_closed);
	return n;
}

/* An error that stays would keep the loop from sleeping: reading rests until udp_link_check(). */
static void rest(struct udp_sock *s)
{
	s->udp->n.read_errors++;
	udp_poll(s, s->events & ~UV_READABLE);
	netwatch_ask(s->udp->watch, UDP_REST_MS);
}

static void read_some(struct udp_sock *s)
{
	struct udp *u = s->udp;
	size_t n = 0;

	while (n < u->opt.budget) {
		size_t left = (u->opt.budget - n + UDP_SEGMENTS_MAX - 1) / UDP_SEGMENTS_MAX;
		unsigned want = left < UDP_READ_MSGS ? (unsigned)left : UDP_READ_MSGS;
		uint64_t read_ns;
		int r;

		prepare(u);
		r = recvmmsg(s->fd, u->rx.msgs, want, MSG_DONTWAIT, NULL);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (r < 0) {
			rest(s);
			return;
		}
		read_ns = uv_hrtime();
		u->n.reads++;
		u->rx.n_used = (unsigned)r;
		for (int i = 0; i < r && !s->is_closed; i++)
			n += deliver(s, (unsigned)i, read_ns);
		if (s->is_closed || (unsigned)r < want)
			return;
	}
	u->n.spent++;
}

void udp_read(struct udp_sock *s)
{
	read_some(s);
	if (!s->is_closed && s->udp->on.on_read)
		s->udp->on.on_read(s->udp->arg);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct udp_sock *s = poll->data;
	struct udp *u = s->udp;

	if (status < 0) {
		int err;
		socklen_t len = sizeof(err);

		/* the loop has stopped to wait for anything, and the error goes by being read */
		(void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		s->events = 0;
		rest(s);
		return;
	}
	if (events & UV_WRITABLE) {
		udp_poll(s, s->events & ~UV_WRITABLE);
		u->is_blocked = false;
		u->on.on_writable(u->arg);
	}
	if (!s->is_closed && (events & UV_READABLE))
		udp_read(s);
}
