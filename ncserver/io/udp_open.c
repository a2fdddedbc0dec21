/* udp_open.c - makes the two sockets of udp.h, and closes them
 *
 * The own socket is bound to one address, so that what leaves has it as its source. The group
 * socket is bound to the group's address, so that it hears nothing else on that port, may share it
 * with other servers of this host (SO_REUSEADDR), and hears the group on the chosen interface only:
 * IP_MULTICAST_ALL is off, and since the kernel asks only for the group with IPv6, that socket is
 * bound to the interface besides.
 */
#include "ncserver/io/udp_impl.h"

#include <errno.h>
#include <limits.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int fail(struct fault *f, int err, const char *what)
{
	fault_set(f, err == -EADDRINUSE ? FAULT_EXIT_BUSY : EX_OSERR, "%s: %s", what,
	          strerror(-err));
	return err;
}

/* ---- buffers ---- */

static size_t buffer_of(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0)
		return 0;
	return (size_t)value;
}

static size_t set_buffer(int fd, int name, int force, size_t asked)
{
	int value = asked > INT_MAX / 2 ? INT_MAX / 2 : (int)asked;

	if (value > 0 && set(fd, SOL_SOCKET, force, value))
		(void)set(fd, SOL_SOCKET, name, value);
	return buffer_of(fd, name);
}

/* The kernel doubles what it is given, for its own books, and tells the double. */
static void set_buffers(struct udp_sock *s)
{
	struct udp *u = s->udp;
	char mend[64];

	set_buffer(s->fd, SO_SNDBUF, SO_SNDBUFFORCE, u->opt.sndbuf);
	s->rcvbuf = set_buffer(s->fd, SO_RCVBUF, SO_RCVBUFFORCE, u->opt.rcvbuf);
	if (s->rcvbuf / 2 >= u->opt.rcvbuf || u->is_rcvbuf_told || !u->opt.log)
		return;
	u->is_rcvbuf_told = true;
	snprintf(mend, sizeof(mend), "sysctl -w net.core.rmem_max=%zu", u->opt.rcvbuf);
	log_warning(u->opt.log, "the kernel gives less receive buffer than asked for",
	            log_uint("bytes", s->rcvbuf / 2), log_uint("asked", u->opt.rcvbuf),
	            log_str("mend", mend));
}

/* ---- the options of both ---- */

/* Whether it reaches IPv4 as well. */
static bool is_dual(const struct udp *u)
{
	return u->opt.family == AF_INET6 && !u->opt.group && !u->is_spec_found;
}

/* What is longer than the interface takes is refused rather than cut; what routers are said to
 * have told of a smaller MTU is not believed, since anybody can say so. */
static int forbid_fragments(const struct udp *u, int fd)
{
	int err;

	if (u->opt.family == AF_INET)
		return set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	err = set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	if (!err)
		err = set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
	if (!err && is_dual(u))
		err = set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	return err;
}

/* Where others of this host have joined a group, it is not ours for that. */
static int hear_own_groups_only(const struct udp *u, int fd)
{
	int err;

	if (u->opt.family == AF_INET)
		return set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	err = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	/* kernels before 4.20 have no such thing; what comes by mistake is not ours to decode */
	return err == -ENOPROTOOPT ? 0 : err;
}

static int open_fd(struct udp_sock *s, struct fault *f)
{
	struct udp *u = s->udp;
	int err;

	s->fd = socket(u->opt.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return fail(f, -errno, "cannot make a UDP socket");
	err = forbid_fragments(u, s->fd);
	if (err)
		return fail(f, err, "cannot forbid fragments");
	err = hear_own_groups_only(u, s->fd);
	if (err)
		return fail(f, err, "cannot limit the groups of a socket");
	if (u->opt.family == AF_INET6)
		(void)set(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_dual(u));
	/* without it packets arrive one by one, and nothing else changes */
	if (!u->opt.has_no_gro)
		(void)set(s->fd, IPPROTO_UDP, UDP_GRO, 1);
	set_buffers(s);
	return 0;
}

static int bind_to(struct udp_sock *s, const struct netaddr *a, struct fault *f)
{
	char text[NETADDR_TEXT_MAX], what[128];

	if (bind(s->fd, &a->sa, netaddr_len(a)) == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot bind to %s", netaddr_text(a, text));
	return fail(f, -errno, what);
}

/* ---- the own socket ---- */

/* What goes to the group: by which interface, and how far. */
static int aim(const struct udp *u, int fd, const struct netif *netif)
{
	struct ip_mreqn m = {.imr_ifindex = (int)netif->index,
	                     .imr_address = netif->addr.in.sin_addr};
	int err;

	if (u->opt.family == AF_INET6) {
		err = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)netif->index);
		return err ? err : set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, (int)u->opt.ttl);
	}
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) < 0)
		return -errno;
	return set(fd, IPPROTO_IP, IP_MULTICAST_TTL, (int)u->opt.ttl);
}

/* Whether there is a way at all: IPv6 has routes for its groups, without which every datagram would
 * be refused. On loopback there is none, and with one added nothing is delivered. */
static int look_for_way(const struct udp *u, const struct netif *netif, struct fault *f)
{
	struct netaddr to = u->group;
	char text[NETADDR_TEXT_MAX];
	int fd, err = 0;

	if (u->opt.family != AF_INET6)
		return 0;
	if (netif->is_loopback)
		return fail(f, -EAFNOSUPPORT, "IPv6 has no groups on loopback");
	to.in6.sin6_scope_id = netif->index;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)netif->index) ||
	    connect(fd, &to.sa, sizeof(to.in6)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		fault_set(f, EX_UNAVAILABLE,
		          "the group %s is not reached by %s: %s (ip -6 route add ff00::/8 dev %s)",
		          netaddr_text(&u->group, text), netif->name, strerror(-err), netif->name);
	return err;
}

static void ask_for_gso(struct udp *u)
{
	int err;

	if (u->opt.has_no_gso || u->n.gso_error) {
		u->state.has_gso = false;
		return;
	}
	/* 0: no length but what each message says */
	err = set(u->own->fd, IPPROTO_UDP, UDP_SEGMENT, 0);
	u->state.has_gso = !err;
	u->n.gso_error = err;
}

static int bind_own(struct udp_sock *s, const struct netif *netif, struct fault *f)
{
	struct udp *u = s->udp;
	struct netaddr a = netif->addr;
	socklen_t len = sizeof(a);
	int err = -EADDRINUSE;

	a.sa.sa_family = (sa_family_t)u->opt.family;
	netaddr_set_port(&a, u->opt.port ? u->opt.port : u->port);
	err = bind_to(s, &a, f);
	if (err == -EADDRINUSE && u->opt.port == 0 && u->port != 0) {
		netaddr_set_port(&a, 0);
		err = bind_to(s, &a, f);
	}
	if (err)
		return err;
	if (getsockname(s->fd, &a.sa, &len) < 0)
		return fail(f, -errno, "a socket has no name");
	u->state.own = a;
	u->port = netaddr_port(&a);
	return 0;
}

/* ---- the group socket ---- */

static int join(const struct udp *u, const struct udp_sock *s, const struct netif *netif,
                bool is_on)
{
	struct ip_mreqn m = {.imr_multiaddr = u->group.in.sin_addr,
	                     .imr_ifindex = (int)netif->index};
	struct ipv6_mreq m6 = {.ipv6mr_multiaddr = u->group.in6.sin6_addr,
	                       .ipv6mr_interface = netif->index};
	int r;

	if (u->opt.family == AF_INET)
		r = setsockopt(s->fd, IPPROTO_IP, is_on ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
		               &m, sizeof(m));
	else
		r = setsockopt(s->fd, IPPROTO_IPV6, is_on ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &m6,
		               sizeof(m6));
	return r < 0 ? -errno : 0;
}

static int bind_group(struct udp_sock *s, const struct netif *netif, struct fault *f)
{
	struct udp *u = s->udp;
	char text[NETADDR_TEXT_MAX], what[128];
	int err = set(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (err)
		return fail(f, err, "cannot share the port of the group");
	if (u->opt.family == AF_INET6) {
		u->group.in6.sin6_scope_id = netif->index;
		/* before 5.7 only root may: then other interfaces' members are heard too, and
		 * are for the caller to tell apart */
		(void)set(s->fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)netif->index);
	}
	err = bind_to(s, &u->group, f);
	if (err)
		return err;
	err = join(u, s, netif, true);
	if (!err)
		return 0;
	snprintf(what, sizeof(what), "cannot join %s on %s", netaddr_text(&u->group, text),
	         netif->name);
	return fail(f, err, what);
}

void udp_rejoin(struct udp *u)
{
	if (!u->grp)
		return;
	(void)join(u, u->grp, &u->netif, false);
	(void)join(u, u->grp, &u->netif, true);
}

/* ---- both ---- */

void udp_count_drops(struct udp_sock *s)
{
	uint32_t info[16] = {0}; /* SK_MEMINFO_VARS of linux/sock_diag.h, and those to come */
	const unsigned at = 8;   /* SK_MEMINFO_DROPS */
	socklen_t len = sizeof(info);

	/* exact at any time; the message that SO_RXQ_OVFL adds tells it with the next datagram,
	 * which may never come */
	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 || len <= at * sizeof(*info))
		return;
	s->udp->n.kernel_drops += info[at] - s->drops;
	s->drops = info[at];
}

static void on_closed(uv_handle_t *handle)
{
	struct udp_sock *s = handle->data;

	udp_unref(s->udp);
	free(s);
}

static void close_sock(struct udp_sock **at)
{
	struct udp_sock *s = *at;

	*at = NULL;
	if (!s)
		return;
	udp_count_drops(s);
	s->is_closed = true;
	uv_close((uv_handle_t *)&s->poll, on_closed);
	close(s->fd);
}

/* Makes a socket. Returns 0 or a negative errno with *f. */
static int make(struct udp_sock **out, struct udp *u, bool is_group, const struct netif *netif,
                struct fault *f)
{
	struct udp_sock *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return fail(f, -ENOMEM, "cannot make a UDP socket");
	s->udp = u;
	s->fd = -1;
	s->is_group = is_group;
	err = open_fd(s, f);
	if (!err)
		err = is_group ? bind_group(s, netif, f) : bind_own(s, netif, f);
	if (!err && !is_group && u->opt.group) {
		err = aim(u, s->fd, netif);
		if (err)
			fail(f, err, "cannot send to groups");
		else
			err = look_for_way(u, netif, f);
	}
	if (!err) {
		err = uv_poll_init(u->loop, &s->poll, s->fd);
		if (err)
			fail(f, err, "cannot wait for datagrams");
	}
	if (err) {
		if (s->fd >= 0)
			close(s->fd);
		free(s);
		return err;
	}
	s->poll.data = s;
	u->n_handles++;
	*out = s;
	udp_poll(s, UV_READABLE);
	return 0;
}

int udp_open(struct udp *u, const struct netif *netif, struct fault *f)
{
	int err = make(&u->own, u, false, netif, f);

	if (!err && u->opt.group)
		err = make(&u->grp, u, true, netif, f);
	if (err) {
		udp_close(u);
		return err;
	}
	ask_for_gso(u);
	u->netif = *netif;
	u->state.rcvbuf = u->own->rcvbuf;
	if (u->grp && u->grp->rcvbuf < u->own->rcvbuf)
		u->state.rcvbuf = u->grp->rcvbuf;
	if (u->grp)
		udp_loop_begin(u);
	return 0;
}

void udp_close(struct udp *u)
{
	close_sock(&u->own);
	close_sock(&u->grp);
	u->state.own = (struct netaddr){.in6 = {0}};
}
