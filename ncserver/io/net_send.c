/* net_send.c - datagrams of the session to the group, or to each peer
 *
 * A batch is made when the one before is with the kernel, and not before: the later a datagram is
 * made, the more fits into it. Without a group a datagram for all is sent to each peer in turn, all
 * of a batch to one peer first, so that they go as one packet.
 */
#include "ncserver/io/net_impl.h"

#include "ncserver/io/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- peers ---- */

static void on_found(void *arg)
{
	/* addresses are asked for with each batch */
	(void)arg;
}

/* "host" becomes "host:port" with the usual one. Returns it, to be freed, or NULL. */
static char *with_port(const char *text, uint16_t port)
{
	char host[NETADDR_HOST_MAX], *out;
	struct netaddr a;
	uint16_t own;

	if (netaddr_split(host, &own, text) == NETADDR_OK)
		return strdup(text);
	if (netaddr_from_ip(&a, text) && a.sa.sa_family == AF_INET6)
		return asprintf(&out, "[%s]:%u", text, port) < 0 ? NULL : out;
	return asprintf(&out, "%s:%u", text, port) < 0 ? NULL : out;
}

/* IPv6, which reaches both, where one of them has such an address. */
static int family_of(char *const *list, size_t n)
{
	char host[NETADDR_HOST_MAX];
	struct netaddr a;
	uint16_t port;

	for (size_t i = 0; i < n; i++)
		if (netaddr_split(host, &port, list[i]) == NETADDR_OK &&
		    netaddr_from_ip(&a, host) && a.sa.sa_family == AF_INET6)
			return AF_INET6;
	return AF_INET;
}

static int open_peers(struct net *n, const struct conf *conf, struct fault *f)
{
	size_t n_all = conf->peers.n, done = 0;
	char **list = calloc(n_all + 1, sizeof(*list));
	int err = -ENOMEM;

	while (list && done < n_all && (list[done] = with_port(conf->peers.list[done], conf->port)))
		done++;
	if (list && done == n_all) {
		n->family = family_of(list, n_all);
		err = netnames_new(&n->peers, &n->server->loop, (const char *const *)list, n_all,
		                   n->family, on_found, n, &n->server->log, f);
	}
	while (list && done > 0)
		free(list[--done]);
	free(list);
	n->n_peers = err ? 0 : n_all;
	return err;
}

/* ---- batches ---- */

int net_send_open(struct net *n, const struct conf *conf, struct fault *f)
{
	int err = conf->peers.n > 0 ? open_peers(n, conf, f) : 0;

	n->out_max = NET_BATCH * (n->n_peers > 1 ? n->n_peers : 1);
	n->bytes = malloc(NET_BATCH * (size_t)MESH_DATAGRAM_MAX);
	n->to = calloc(NET_BATCH, sizeof(*n->to));
	n->out = calloc(n->out_max, sizeof(*n->out));
	if (err)
		return err;
	return n->bytes && n->to && n->out ? 0 : -ENOMEM;
}

void net_send_close(struct net *n)
{
	netnames_free(n->peers);
	free(n->bytes);
	free(n->to);
	free(n->out);
}

static bool is_for_all(const struct netaddr *to)
{
	return to->sa.sa_family == 0;
}

static void put(struct net *n, const struct netaddr *to, size_t i, size_t len)
{
	n->out[n->n_out++] =
	        (struct udp_out){.to = to, .data = n->bytes + i * MESH_DATAGRAM_MAX, .len = len};
}

/* What is made goes out in this order. */
static void address(struct net *n, const size_t *len, size_t n_made)
{
	bool has_group = n->group.sa.sa_family != 0;

	n->n_out = n->n_done = 0;
	for (size_t i = 0; i < n_made; i++)
		if (has_group || !is_for_all(&n->to[i]))
			put(n, is_for_all(&n->to[i]) ? NULL : &n->to[i], i, len[i]);
	for (size_t k = 0; !has_group && k < n->n_peers; k++) {
		const struct netaddr *peer = netnames_at(n->peers, k);

		if (!peer)
			continue;
		for (size_t i = 0; i < n_made; i++)
			if (is_for_all(&n->to[i]))
				put(n, peer, i, len[i]);
	}
}

static bool make(struct net *n, uint64_t now)
{
	size_t len[NET_BATCH];
	size_t k = 0;

	while (k < NET_BATCH) {
		struct mesh_addr to = {0};

		len[k] = mesh_next(n->mesh, n->bytes + k * MESH_DATAGRAM_MAX, MESH_DATAGRAM_MAX,
		                   &to, now);
		if (len[k] == 0)
			break;
		net_addr_get(&n->to[k++], &to);
	}
	if (k > 0)
		address(n, len, k);
	return k > 0;
}

bool net_send(struct net *n, uint64_t now)
{
	if (n->is_blocked)
		return false;
	if (n->n_done == n->n_out && !make(n, now))
		return false;
	n->n_done += udp_send(n->udp, n->out + n->n_done, n->n_out - n->n_done);
	n->is_blocked = n->n_done < n->n_out;
	return true;
}
