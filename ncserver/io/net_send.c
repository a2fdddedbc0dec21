/* net_send.c - what sending needs: the list of peers where there is no group, and the turn */
#include "ncserver/io/net_impl.h"

#include "ncserver/io/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	return err;
}

/* ---- batches ---- */

int net_send_open(struct net *n, const struct conf *conf, struct fault *f)
{
	int err = conf->peers.n > 0 ? open_peers(n, conf, f) : 0;

	return err ? err : outbox_init(&n->outbox, n->peers);
}

void net_send_close(struct net *n)
{
	outbox_fini(&n->outbox);
	netnames_free(n->peers);
}

bool net_send(struct net *n, uint64_t now)
{
	if (n->is_blocked)
		return false;
	if (outbox_is_empty(&n->outbox)) {
		if (!outbox_make(&n->outbox, n->mesh, n->mtu, now))
			return false;
		net_sent_count(n);
	}
	outbox_send(&n->outbox, n->udp);
	n->is_blocked = !outbox_is_empty(&n->outbox);
	return true;
}
