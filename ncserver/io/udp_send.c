/* udp_send.c - datagrams out, as many in one system call as the kernel takes
 *
 * Neighbours to one destination whose lengths are equal (the last may be shorter) become one
 * message, which the kernel, or the network card, cuts; all messages of a call go by one
 * sendmmsg(). Where such a message is refused, its datagrams are sent again one by one. If the
 * first of them passes, it was the cutting that the kernel can't do here (EIO without checksum
 * offload, or under IPsec; EINVAL), and it is not tried again; else it was the datagram.
 */
#include "ncserver/io/udp_impl.h"

#include <assert.h>
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static bool is_same_destination(const struct netaddr *a, const struct netaddr *b)
{
	return a == b || (a && b && netaddr_equal(a, b));
}

/* How many from the first on are one message. */
static size_t run_of(const struct udp *u, const struct udp_out *v, size_t n)
{
	size_t total = v[0].len, k = 1;

	if (!u->state.has_gso || v[0].len > u->state.len_max)
		return 1;
	while (k < n && k < UDP_SEGMENTS_MAX && v[k].len <= v[0].len &&
	       total + v[k].len <= UDP_LEN_MAX && is_same_destination(v[k].to, v[0].to)) {
		total += v[k].len;
		if (v[k++].len < v[0].len)
			break;
	}
	return k;
}

static void address(struct udp *u, struct msghdr *m, const struct netaddr *to, unsigned at)
{
	struct udp_tx *tx = &u->tx;

	assert(to || u->opt.group);
	if (!to)
		to = &u->group;
	else if (to->sa.sa_family == AF_INET && u->opt.family == AF_INET6) {
		tx->mapped[at] = *to;
		netaddr_map(&tx->mapped[at]);
		to = &tx->mapped[at];
	}
	m->msg_name = (void *)(uintptr_t)&to->sa;
	m->msg_namelen = netaddr_len(to);
}

static void cut(struct msghdr *m, union udp_control *c, size_t len)
{
	uint16_t segment = (uint16_t)len;

	m->msg_control = c->write;
	m->msg_controllen = sizeof(c->write);
	c->align.cmsg_level = IPPROTO_UDP;
	c->align.cmsg_type = UDP_SEGMENT;
	c->align.cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(&c->align), &segment, sizeof(segment));
}

/* Datagrams that stand behind each other in memory are one piece. Returns the pieces. */
static size_t gather(struct iovec *iov, const struct udp_out *v, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *end = k ? (uint8_t *)iov[k - 1].iov_base + iov[k - 1].iov_len : NULL;

		assert(v[i].len > 0);
		if (end == (const uint8_t *)v[i].data)
			iov[k - 1].iov_len += v[i].len;
		else
			iov[k++] = (struct iovec){(void *)(uintptr_t)v[i].data, v[i].len};
	}
	return k;
}

/* Fills in messages for as many datagrams as one call takes. Returns the number of messages. */
static unsigned plan(struct udp *u, const struct udp_out *v, size_t n)
{
	struct udp_tx *tx = &u->tx;
	size_t at = 0, n_iovs = 0;
	unsigned k = 0;

	while (at < n && k < UDP_WRITE_MSGS) {
		size_t run = at < tx->n_alone ? 1 : run_of(u, v + at, n - at);
		struct msghdr *m = &tx->msgs[k].msg_hdr;

		if (n_iovs + run > UDP_WRITE_IOVS)
			break;
		*m = (struct msghdr){.msg_iov = &tx->iovs[n_iovs]};
		m->msg_iovlen = gather(m->msg_iov, v + at, run);
		n_iovs += m->msg_iovlen;
		tx->n_of[k] = run;
		address(u, m, v[at].to, k);
		if (run > 1)
			cut(m, &tx->control[k], v[at].len);
		at += run;
		k++;
	}
	return k;
}

/* `k` are done with. */
static void leave_alone(struct udp_tx *tx, size_t k)
{
	tx->n_alone -= tx->n_alone < k ? tx->n_alone : k;
}

static void give_gso_up(struct udp *u)
{
	u->state.has_gso = false;
	u->n.gso_error = -u->tx.suspect;
	u->tx.suspect = 0;
	u->tx.n_alone = 0;
	if (u->opt.log)
		log_info(u->opt.log, "datagrams are sent one by one, without segmentation offload",
		         log_err(u->n.gso_error));
}

/* The first `k` messages have been sent. Returns their datagrams. */
static size_t account(struct udp *u, struct udp_out *v, unsigned k)
{
	size_t at = 0;

	for (unsigned i = 0; i < k; i++) {
		for (size_t j = 0; j < u->tx.n_of[i]; j++) {
			u->n.bytes_out += v[at].len;
			v[at++].err = 0;
		}
	}
	u->n.datagrams_out += at;
	u->n.packets_out += k;
	leave_alone(&u->tx, at);
	if (u->tx.suspect)
		give_gso_up(u);
	return at;
}

static uint64_t *counter_of(struct udp *u, int err)
{
	switch (err) {
	case EMSGSIZE: return &u->n.too_big;
	case ENOBUFS:
	case ENOMEM: return &u->n.no_buffers;
	case ENETDOWN:
	case ENODEV:
	case ENXIO:
	case EADDRNOTAVAIL: return &u->n.down;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ECONNREFUSED: return &u->n.unreachable;
	case EPERM:
	case EACCES: return &u->n.refused;
	default: u->n.other_error = -err; return &u->n.other;
	}
}

static void lose(struct udp *u, struct udp_out *v, size_t n, int err)
{
	*counter_of(u, err) += n;
	for (size_t i = 0; i < n; i++)
		v[i].err = -err;
}

/* The first message was not sent. Returns how many datagrams are done with. */
static size_t on_error(struct udp *u, struct udp_out *v, int err)
{
	struct udp_tx *tx = &u->tx;
	size_t k = tx->n_of[0];

	if (k > 1 && (err == EIO || err == EINVAL || err == EMSGSIZE || err == EOPNOTSUPP)) {
		tx->n_alone = k;
		/* too long for the interface is too long for each */
		tx->suspect = err == EMSGSIZE ? 0 : err;
		return 0;
	}
	tx->suspect = 0;
	leave_alone(tx, k);
	lose(u, v, k, err);
	return k;
}

static void wait_for_room(struct udp *u)
{
	u->n.blocked++;
	u->is_blocked = true;
	udp_poll(u->own, u->own->events | UV_WRITABLE);
}

size_t udp_send(struct udp *u, struct udp_out *v, size_t n)
{
	size_t done = 0;

	/* those that were to go alone may be others by now */
	u->tx.n_alone = 0;
	u->tx.suspect = 0;
	if (!u->own) {
		lose(u, v, n, ENETDOWN);
		return n;
	}
	while (done < n) {
		unsigned k = plan(u, v + done, n - done);
		int r = sendmmsg(u->own->fd, u->tx.msgs, k, MSG_DONTWAIT);

		u->n.writes++;
		if (r > 0) {
			done += account(u, v + done, (unsigned)r);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			wait_for_room(u);
			break;
		} else if (errno != EINTR) {
			done += on_error(u, v + done, errno);
		}
	}
	return done;
}
