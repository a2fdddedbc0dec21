/* udp_loop.c - whether what goes to the group comes back to this host
 *
 * It must where another server of this host is in the group; where none is, each datagram would be
 * delivered to the own group socket, read and thrown away, at a good part of the cost of sending
 * it. The kernel knows how many of the host's sockets have joined a group on an interface
 * (/proc/self/net/igmp, igmp6). It is asked when the sockets are opened and a few times afterwards,
 * when a datagram comes from another port of this host, and now and then while there are others. On
 * the loopback interface everything comes back anyway.
 */
#include "ncserver/io/udp_impl.h"

#include <stdio.h>
#include <string.h>

/* Checks after sockets were opened: others may be about to open theirs. */
#define CHECKS_AFTER_OPEN 3u

/* "<index> <name> : ..." is an interface, "  <group> <users> ..." a group on it. */
static long users_4(FILE *f, const struct udp *u)
{
	char line[256];
	unsigned index = 0;

	while (fgets(line, sizeof(line), f)) {
		unsigned group, n;

		if (line[0] != '\t' && line[0] != ' ') {
			if (sscanf(line, "%u", &index) != 1)
				index = 0;
		} else if (index == u->netif.index && sscanf(line, "%x %u", &group, &n) == 2 &&
		           group == u->group.in.sin_addr.s_addr) {
			return n;
		}
	}
	return 0;
}

/* "<index> <name> <group> <users> ..." */
static long users_6(FILE *f, const struct udp *u)
{
	char line[256], want[33];

	for (unsigned i = 0; i < 16; i++)
		snprintf(want + 2 * i, 3, "%02x", u->group.in6.sin6_addr.s6_addr[i]);
	while (fgets(line, sizeof(line), f)) {
		char group[33];
		unsigned index, n;

		if (sscanf(line, "%u %*s %32s %u", &index, group, &n) == 3 &&
		    index == u->netif.index && strcmp(group, want) == 0)
			return n;
	}
	return 0;
}

/* The sockets of this host that have joined, our own among them; -1 where that can't be known. */
static long users_of(const struct udp *u)
{
	bool is_6 = u->opt.family == AF_INET6;
	FILE *f = fopen(is_6 ? "/proc/self/net/igmp6" : "/proc/self/net/igmp", "re");
	long n;

	if (!f)
		return -1;
	n = is_6 ? users_6(f, u) : users_4(f, u);
	fclose(f);
	return n;
}

static void set_loop(struct udp *u, bool is_on)
{
	int value = is_on, r;

	if (u->opt.family == AF_INET6)
		r = setsockopt(u->own->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &value,
		               sizeof(value));
	else
		r = setsockopt(u->own->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &value, sizeof(value));
	if (r == 0)
		u->state.is_shared = is_on;
}

static void on_timer(uv_timer_t *timer)
{
	udp_loop_check(timer->data);
}

void udp_loop_check(struct udp *u)
{
	bool is_shared;

	if (!u->grp || !u->own)
		return;
	is_shared = u->netif.is_loopback || users_of(u) != 1;
	if (is_shared != u->state.is_shared)
		set_loop(u, is_shared);
	if (u->n_loop_checks > 0)
		u->n_loop_checks--;
	if (u->n_loop_checks > 0 || (u->state.is_shared && !u->netif.is_loopback))
		uv_timer_start(&u->loop_timer, on_timer, UDP_SHARED_MS, 0);
	else
		uv_timer_stop(&u->loop_timer);
}

void udp_loop_begin(struct udp *u)
{
	u->n_loop_checks = CHECKS_AFTER_OPEN;
	/* the kernel's default for a new socket */
	u->state.is_shared = true;
	u->loop_heard_at = 0;
	udp_loop_check(u);
}

/* The local host may be said to be the sender by anybody: it is looked up once in a while only. */
void udp_loop_heard(struct udp *u, const struct netaddr *from)
{
	uint64_t now = uv_now(u->loop);

	for (size_t i = 0; i < u->n_local; i++) {
		if (!netaddr_same_ip(from, &u->local[i]))
			continue;
		if (u->loop_heard_at && now - u->loop_heard_at < UDP_SHARED_MS / 20)
			return;
		u->loop_heard_at = now;
		udp_loop_check(u);
		return;
	}
}
