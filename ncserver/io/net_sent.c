/* net_sent.c - how much went to each host, for displays
 *
 * What goes to all is counted once, what goes to single ones by address. Who vanishes leaves a
 * count behind; when there are too many, all begin anew.
 */
#include "ncserver/io/net_impl.h"

#include "ncserver/io/server.h"

#include <stdlib.h>

/* Addresses: those of all peers, and of as many that are gone. */
#define SENT_MAX 2048u

struct net_sent {
	struct mesh_addr to;
	uint64_t datagrams, bytes;
};

void net_sent_init(struct net *n, const uint8_t hash_key[16])
{
	map_init(&n->sent, MAP_BYTES, SENT_MAX, hash_key);
}

void net_sent_fini(struct net *n)
{
	struct net_sent *s;
	struct map_walk w;

	map_walk_begin(&n->sent, &w);
	while ((s = map_walk_next(&n->sent, &w)))
		free(s);
	map_fini(&n->sent);
}

static struct net_sent *find(struct net *n, const struct netaddr *at)
{
	struct net_sent *s;
	struct mesh_addr to;

	net_addr_put(&to, at);
	s = map_get(&n->sent, &to, sizeof(to));
	if (s)
		return s;
	if (map_len(&n->sent) == SENT_MAX) {
		net_sent_fini(n);
		net_sent_init(n, n->server->env.hash_key);
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->to = to;
	if (map_put(&n->sent, &s->to, sizeof(s->to), s)) {
		free(s);
		return NULL;
	}
	return s;
}

static void add(struct net *n, const struct netaddr *to, uint64_t datagrams, uint64_t bytes)
{
	struct net_sent *s = to ? find(n, to) : NULL;

	if (!to) {
		n->all_datagrams += datagrams;
		n->all_bytes += bytes;
	} else if (s) {
		/* else there is no memory, and less to show */
		s->datagrams += datagrams;
		s->bytes += bytes;
	}
}

void net_sent_count(struct net *n)
{
	const struct outbox *b = &n->outbox;
	size_t i = 0;

	/* those to one host stand behind each other */
	while (i < b->n_out) {
		const struct netaddr *to = b->out[i].to;
		uint64_t datagrams = 0, bytes = 0;

		do {
			datagrams++;
			bytes += b->out[i++].len;
		} while (i < b->n_out && (b->out[i].to == to ||
		                          (to && b->out[i].to && netaddr_equal(b->out[i].to, to))));
		add(n, to, datagrams, bytes);
	}
}

void net_sent_get(struct net *n, const struct mesh_addr *to, uint64_t *datagrams, uint64_t *bytes)
{
	const struct net_sent *s = map_get(&n->sent, to, sizeof(*to));

	*datagrams = n->all_datagrams + (s ? s->datagrams : 0);
	*bytes = n->all_bytes + (s ? s->bytes : 0);
}
