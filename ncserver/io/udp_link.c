/* udp_link.c - follows the interface: gone, back, without a link, with another address
 *
 * What is open stays open while its interface has its address and is up, even without a carrier:
 * then datagrams would not pass, and the caller is told. Back on, the membership is renewed,
 * because switches may have forgotten it. When the address or the interface goes, the sockets go
 * with it.
 */
#include "ncserver/io/udp_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Headers of IP and UDP in front of a datagram. */
#define HEAD_4 (20 + 8)
#define HEAD_6 (40 + 8)

/* The interface that is in use, if it still has its address. */
static const struct netif *still(const struct udp *u, const struct netif *list, size_t n)
{
	for (size_t i = 0; u->own && i < n; i++)
		if (list[i].index == u->netif.index && list[i].is_up &&
		    netaddr_same_ip(&list[i].addr, &u->netif.addr))
			return &list[i];
	return NULL;
}

/* The addresses of an interface that other servers of this host may send from. */
static void learn_local(struct udp *u, const struct netif *list, size_t n, unsigned index)
{
	u->n_local = 0;
	for (size_t i = 0; i < n && u->n_local < UDP_LOCAL_MAX; i++)
		if (list[i].index == index && list[i].addr.sa.sa_family == u->opt.family)
			u->local[u->n_local++] = list[i].addr;
}

int udp_link_find(struct udp *u, struct netif *netif, struct fault *f)
{
	const struct netif *same;
	struct netif *list;
	size_t n;
	int r;

	if (!u->group.sa.sa_family && !u->is_spec_found) {
		*netif = (struct netif){.is_up = true, .is_running = true};
		netif->addr.sa.sa_family = (sa_family_t)u->opt.family;
		return NETIF_OK;
	}
	r = netif_list(&list, &n);
	if (r) {
		free(list);
		return r;
	}
	same = still(u, list, n);
	if (same)
		*netif = *same;
	else
		r = netif_choose(netif, list, n, u->spec, u->opt.family, f);
	if (r == NETIF_OK)
		learn_local(u, list, n, netif->index);
	free(list);
	if (r == NETIF_OK && !u->is_spec_found) {
		/* from now on it is that one, whatever else may come while it is away */
		u->is_spec_found = true;
		memcpy(u->spec, netif->name, sizeof(netif->name));
	}
	return r;
}

void udp_link_set(struct udp *u, const struct netif *netif, const char *why)
{
	struct udp_state *s = &u->state;
	size_t head = u->opt.family == AF_INET6 ? HEAD_6 : HEAD_4;

	if (!why)
		why = netif->is_running ? "" : "the interface has no carrier";
	/* it may be that very text */
	memmove(u->why, why, strlen(why) + 1);
	s->why = u->why;
	s->is_up = *why == '\0';
	if (!netif)
		return;
	memcpy(s->interface, netif->name, sizeof(s->interface));
	s->mtu = netif->mtu;
	s->len_max = s->mtu > head ? s->mtu - head : UDP_LEN_MAX;
	if (s->len_max > UDP_LEN_MAX)
		s->len_max = UDP_LEN_MAX;
	u->netif = *netif;
}

/* While it is down nothing is: when an interface comes back, it often has no carrier at first. */
static bool is_news(const struct udp_state *before, const struct udp_state *now)
{
	if (before->is_up != now->is_up)
		return true;
	return now->is_up &&
	       (before->mtu != now->mtu || !netaddr_equal(&before->own, &now->own) ||
	        memcmp(before->interface, now->interface, sizeof(now->interface)) != 0);
}

static void log_state(const struct udp *u)
{
	const struct udp_state *s = &u->state;
	char own[NETADDR_TEXT_MAX];

	if (!u->opt.log)
		return;
	if (!s->is_up)
		log_warning(u->opt.log, "the network is down", log_str("interface", s->interface),
		            log_str("why", s->why));
	else
		log_info(u->opt.log, "the network is up", log_str("interface", s->interface),
		         log_str("address", netaddr_text(&s->own, own)), log_uint("mtu", s->mtu));
}

/* Follows what was found. Returns NULL, or why it is down. */
static const char *follow(struct udp *u, const struct netif *netif, struct fault *f)
{
	bool is_same = u->own && u->netif.index == netif->index &&
	               netaddr_same_ip(&u->netif.addr, &netif->addr);

	if (is_same) {
		if (netif->is_running && !u->netif.is_running)
			udp_rejoin(u);
		return NULL;
	}
	udp_close(u);
	if (udp_open(u, netif, f)) {
		netwatch_ask(u->watch, UDP_RETRY_MS);
		return f->text;
	}
	u->n.reopened++;
	return NULL;
}

/* Those that wait for room need wait no more: it is another socket, or none. */
static void unblock(struct udp *u)
{
	if (!u->is_blocked)
		return;
	u->is_blocked = false;
	u->on.on_writable(u->arg);
}

void udp_link_check(void *arg)
{
	struct udp *u = arg;
	struct udp_state before = u->state;
	const struct udp_sock *own = u->own;
	struct netif netif;
	struct fault f;
	const char *why;
	int r = udp_link_find(u, &netif, &f);

	if (r < 0) {
		/* no memory or no descriptor to look with: nothing is known to have changed */
		netwatch_ask(u->watch, UDP_RETRY_MS);
		return;
	}
	if (u->own)
		udp_poll(u->own, UV_READABLE | (u->is_blocked ? UV_WRITABLE : 0));
	if (u->grp)
		udp_poll(u->grp, UV_READABLE);
	if (r == NETIF_OK) {
		why = follow(u, &netif, &f);
	} else {
		udp_close(u);
		why = f.text;
	}
	udp_link_set(u, why ? NULL : &netif, why);
	/* the news first: after either call there may be nothing left to tell of */
	if (is_news(&before, &u->state)) {
		log_state(u);
		u->n_handles++;
		u->on.on_change(u->arg, &u->state);
		if (!u->is_freed && own != u->own)
			unblock(u);
		udp_unref(u);
		return;
	}
	if (own != u->own)
		unblock(u);
}
