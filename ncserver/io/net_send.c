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

/* One question to the resolver. It may outlive the session that asked. */
struct lookup {
	uv_getaddrinfo_t req;
	struct server *server;
	uint64_t serial;
	size_t peer;
	uint16_t port;
};

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct lookup *q = req->data;
	struct net *n = q->server->net;

	if (n && n->serial == q->serial && status == 0 && res) {
		struct netaddr *a = &n->peers[q->peer].addr;

		memset(a, 0, sizeof(*a));
		memcpy(a, res->ai_addr,
		       res->ai_addrlen < sizeof(*a) ? res->ai_addrlen : sizeof(*a));
		netaddr_set_port(a, q->port);
	} else if (n && n->serial == q->serial) {
		log_warning(&n->server->log, "a peer is not found, asking again",
		            log_str("peer", n->peers[q->peer].text),
		            log_str("error", status ? uv_strerror(status) : "no address"));
	}
	uv_freeaddrinfo(res);
	free(q);
}

static void look_up(struct net *n, size_t i, const char *host, uint16_t port)
{
	const struct addrinfo hints = {
	        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
	struct lookup *q = calloc(1, sizeof(*q));

	if (!q)
		return;
	q->req.data = q;
	q->server = n->server;
	q->serial = n->serial;
	q->peer = i;
	q->port = port;
	if (uv_getaddrinfo(&n->server->loop, &q->req, on_found, host, NULL, &hints) < 0)
		free(q);
}

/* Takes "host:port", or a host alone with the usual port. */
static void split(const struct net *n, const char *text, char host[NETADDR_HOST_MAX],
                  uint16_t *port)
{
	if (netaddr_split(host, port, text) == NETADDR_OK)
		return;
	snprintf(host, NETADDR_HOST_MAX, "%s", text);
	*port = bus_conf(n->server->bus)->port;
}

static bool wants_lookup(const struct net_peer *p)
{
	return p->addr.sa.sa_family == 0;
}

void net_resolve(struct net *n, uint64_t now)
{
	char host[NETADDR_HOST_MAX];
	uint16_t port;

	n->resolve_at = UINT64_MAX;
	for (size_t i = 0; i < n->n_peers; i++) {
		if (!wants_lookup(&n->peers[i]))
			continue;
		split(n, n->peers[i].text, host, &port);
		look_up(n, i, host, port);
		n->resolve_at = now + NET_RESOLVE_NS;
	}
}

static int open_peers(struct net *n, const struct conf *conf)
{
	char host[NETADDR_HOST_MAX];
	uint16_t port;

	n->peers = calloc(conf->peers.n + 1, sizeof(*n->peers));
	if (!n->peers)
		return -ENOMEM;
	for (size_t i = 0; i < conf->peers.n; i++) {
		struct net_peer *p = &n->peers[n->n_peers];

		p->text = strdup(conf->peers.list[i]);
		if (!p->text)
			return -ENOMEM;
		n->n_peers++;
		if (netaddr_split(host, &port, p->text) != NETADDR_OK) {
			snprintf(host, sizeof(host), "%s", p->text);
			port = conf->port;
		}
		if (netaddr_from_ip(&p->addr, host))
			netaddr_set_port(&p->addr, port);
		else
			p->addr = (struct netaddr){0};
	}
	return 0;
}

/* ---- batches ---- */

int net_send_open(struct net *n, const struct conf *conf)
{
	int err = open_peers(n, conf);

	n->resolve_at = 0;
	n->out_max = NET_BATCH * (n->n_peers > 1 ? n->n_peers : 1);
	n->bytes = malloc(NET_BATCH * (size_t)MESH_DATAGRAM_MAX);
	n->to = calloc(NET_BATCH, sizeof(*n->to));
	n->out = calloc(n->out_max, sizeof(*n->out));
	return err || !n->bytes || !n->to || !n->out ? -ENOMEM : 0;
}

void net_send_close(struct net *n)
{
	for (size_t i = 0; i < n->n_peers; i++)
		free(n->peers[i].text);
	free(n->peers);
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
		if (wants_lookup(&n->peers[k]))
			continue;
		for (size_t i = 0; i < n_made; i++)
			if (is_for_all(&n->to[i]))
				put(n, &n->peers[k].addr, i, len[i]);
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
