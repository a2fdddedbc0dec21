/* udp_test.c - what can be found out about the way of a group to this host
 *
 * With a time to live of 0 a datagram to the group passes this host's own filters as those of
 * others do, and leaves by no interface. And a socket that joins the group on all other interfaces
 * hears whether it is there that the others speak.
 */
#include "ncserver/io/udp_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

/* Datagrams that are looked at in one call. */
#define HEARD_MAX 1024u

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* ---- to oneself ---- */

static int aim_at_self(const struct udp *u, int fd)
{
	struct ip_mreqn m = {.imr_ifindex = (int)u->netif.index,
	                     .imr_address = u->netif.addr.in.sin_addr};
	struct netaddr from = u->netif.addr;
	int err;

	netaddr_set_port(&from, 0);
	if (bind(fd, &from.sa, netaddr_len(&from)) < 0)
		return -errno;
	if (u->opt.family == AF_INET6) {
		err = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)u->netif.index);
		return err ? err : set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0);
	}
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) < 0)
		return -errno;
	return set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 0);
}

int udp_test_self(const struct udp *u, const void *p, size_t len)
{
	int fd, err;

	if (!u->grp)
		return -ENOTCONN;
	fd = socket(u->opt.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = aim_at_self(u, fd);
	if (!err && sendto(fd, p, len, 0, &u->group.sa, netaddr_len(&u->group)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* ---- on other interfaces ---- */

static bool is_other(const struct udp *u, const struct netif *i)
{
	return i->is_up && i->can_multicast && !i->is_loopback && i->index != u->netif.index &&
	       i->addr.sa.sa_family == u->opt.family;
}

/* Each once, with its first address. */
static size_t find_others(const struct udp *u, struct udp_other *list, size_t cap)
{
	struct netif *all;
	size_t n_all, n = 0;

	if (netif_list(&all, &n_all))
		n_all = 0;
	for (size_t i = 0; i < n_all && n < cap; i++) {
		bool is_known = false;

		for (size_t k = 0; k < n; k++)
			is_known |= list[k].index == all[i].index;
		if (is_known || !is_other(u, &all[i]))
			continue;
		list[n] = (struct udp_other){.index = all[i].index, .addr = all[i].addr};
		memcpy(list[n++].name, all[i].name, sizeof(list->name));
	}
	free(all);
	return n;
}

/* Returns whether it has joined. */
static bool join(const struct udp *u, int fd, unsigned index)
{
	struct ip_mreqn m = {.imr_multiaddr = u->group.in.sin_addr, .imr_ifindex = (int)index};
	struct ipv6_mreq m6 = {.ipv6mr_multiaddr = u->group.in6.sin6_addr,
	                       .ipv6mr_interface = index};

	if (u->opt.family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)) == 0;
	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) == 0;
}

/* An address of one link would bind it to that link. */
static int bind_for_others(const struct udp *u, int fd)
{
	struct netaddr a = u->group;
	int err = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (u->opt.family == AF_INET6) {
		a.in6.sin6_addr = in6addr_any;
		a.in6.sin6_scope_id = 0;
		if (!err)
			err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		if (!err)
			err = set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		(void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	} else {
		if (!err)
			err = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		if (!err)
			err = set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	}
	if (!err && bind(fd, &a.sa, netaddr_len(&a)) < 0)
		err = -errno;
	return err;
}

int udp_test_others(const struct udp *u, struct udp_other *list, size_t cap, size_t *n)
{
	size_t n_joined = 0;
	int fd, err;

	*n = u->grp ? find_others(u, list, cap) : 0;
	if (*n == 0)
		return -ENOENT;
	fd = socket(u->opt.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = bind_for_others(u, fd);
	for (size_t i = 0; i < *n && !err; i++)
		n_joined += join(u, fd, list[i].index);
	if (!err && n_joined > 0)
		return fd;
	close(fd);
	return err ? err : -ENOENT;
}

/* The interface by which a datagram of the group has come, or 0. */
static unsigned came_by(const struct udp *u, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo i;

			memcpy(&i, CMSG_DATA(c), sizeof(i));
			return (unsigned)i.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo i;

			memcpy(&i, CMSG_DATA(c), sizeof(i));
			if (memcmp(&i.ipi6_addr, &u->group.in6.sin6_addr, sizeof(i.ipi6_addr)) == 0)
				return i.ipi6_ifindex;
		}
	}
	return 0;
}

void udp_test_hear(const struct udp *u, int fd, struct udp_other *list, size_t n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		           CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	uint8_t byte;

	for (unsigned k = 0; k < HEARD_MAX; k++) {
		struct iovec iov = {.iov_base = &byte, .iov_len = 1};
		struct msghdr m = {.msg_iov = &iov,
		                   .msg_iovlen = 1,
		                   .msg_control = control.space,
		                   .msg_controllen = sizeof(control.space)};
		unsigned index;

		if (recvmsg(fd, &m, MSG_DONTWAIT) < 0)
			return;
		index = came_by(u, &m);
		for (size_t i = 0; i < n; i++)
			list[i].n_heard += index != 0 && list[i].index == index;
	}
}
