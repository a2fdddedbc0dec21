/* net.c - see net.h */
#include "t/sim/net.h"

#include "t/sim/host.h"
#include "t/sim/memory.h"
#include "t/sim/world.h"

void net_init(struct net *net, struct world *w, uint32_t n, struct rng rng)
{
	size_t pairs = (size_t)n * n;

	*net = (struct net){.world = w, .rng = rng, .n = n};
	net->kind_of = sim_calloc(pairs, sizeof(*net->kind_of));
	net->is_bad = sim_calloc(pairs, sizeof(*net->is_bad));
	net->last_at = sim_calloc(pairs, sizeof(*net->last_at));
	net->last_bytes = sim_calloc(pairs, sizeof(*net->last_bytes));
	net->side = sim_calloc(n, sizeof(*net->side));
}

void net_fini(struct net *net)
{
	sim_free(net->kind_of);
	sim_free(net->is_bad);
	sim_free(net->last_at);
	sim_free(net->last_bytes);
	sim_free(net->side);
}

void net_path(struct net *net, uint32_t src, uint32_t dst, uint8_t kind)
{
	net->kind_of[(size_t)src * net->n + dst] = kind;
}

struct datagram *datagram_new(const uint8_t *p, size_t len)
{
	struct datagram *d = sim_calloc(1, sizeof(*d) + len);

	d->refs = 1;
	d->len = (uint32_t)len;
	memcpy(d->bytes, p, len);
	return d;
}

struct datagram *datagram_ref(struct datagram *d)
{
	d->refs++;
	return d;
}

void datagram_unref(struct datagram *d)
{
	if (!--d->refs)
		sim_free(d);
}

size_t net_truesize(size_t len)
{
	size_t room = 512;

	while (room < len + 384)
		room *= 2;
	return room + 256;
}

const char *net_loss_str(enum net_loss l)
{
	static const char *const text[NET_LOSS_N] = {"lost", "cut",    "mtu",
	                                             "port", "rcvbuf", "nobody"};

	return text[l];
}

static void lose(struct net *net, const struct datagram *d, uint32_t dst, enum net_loss why)
{
	net->lost[why]++;
	net->lost_bytes[why] += d->len;
	if (d->src != NET_FORGED)
		world_host(net->world, d->src)->lost_bytes += d->len;
	world_trace(net->world, "h%u> h%u %u bytes %s", d->src, dst, d->len, net_loss_str(why));
}

/* The datagram has passed the receiver's port. */
static void on_arrival(void *world, void *p, uint64_t dst)
{
	struct world *w = world;
	struct datagram *d = p;

	if (!host_arrive(world_host(w, (uint32_t)dst), d))
		lose(&w->net, d, (uint32_t)dst, NET_RCVBUF);
	datagram_unref(d);
}

/* The datagram comes to the receiver's port. */
static void on_port(void *world, void *p, uint64_t dst)
{
	struct world *w = world;
	struct host *h = world_host(w, (uint32_t)dst);
	struct datagram *d = p;
	uint64_t begin = h->port_free_at > w->now ? h->port_free_at : w->now;
	uint64_t end = begin + d->len * UINT64_C(1000000000) / h->port_rate;

	if ((begin - w->now) * h->port_rate / UINT64_C(1000000000) + d->len > h->port_queue) {
		lose(&w->net, d, (uint32_t)dst, NET_PORT);
		datagram_unref(d);
		return;
	}
	h->port_free_at = end;
	heap_put(&w->heap, end, on_arrival, d, dst);
}

void net_forget(struct event *e)
{
	if (e->fn == on_arrival || e->fn == on_port)
		datagram_unref(e->p);
}

static bool is_lost(struct net *net, const struct path *k, size_t pair)
{
	if (k->to_bad_ppm) {
		if (net->is_bad[pair] ? rng_chance(&net->rng, k->to_good_ppm)
		                      : rng_chance(&net->rng, k->to_bad_ppm))
			net->is_bad[pair] = !net->is_bad[pair];
		if (net->is_bad[pair] && rng_chance(&net->rng, k->bad_loss_ppm))
			return true;
	}
	return rng_chance(&net->rng, k->loss_ppm);
}

/* One copy of a datagram goes over a path, from `at` on. */
static void travel(struct net *net, struct datagram *d, uint32_t dst, uint64_t at)
{
	size_t pair = (size_t)d->src * net->n + dst;
	const struct path *k = &net->kinds[net->kind_of[pair]];

	at += k->delay_ns;
	if (k->jitter_ns)
		at += rng_below(&net->rng, k->jitter_ns);
	if (rng_chance(&net->rng, k->overtake_ppm)) {
		at += rng_below(&net->rng, k->overtake_ns);
		world_host(net->world, d->src)->overtaken_bytes += d->len;
		/* where those before it are slower still, it is they that are overtaken */
		if (at < net->last_at[pair])
			world_host(net->world, d->src)->overtaken_bytes += net->last_bytes[pair];
	} else {
		if (at > net->last_at[pair]) {
			net->last_at[pair] = at;
			net->last_bytes[pair] = 0;
		}
		at = net->last_at[pair];
		net->last_bytes[pair] += d->len;
	}
	heap_put(&net->world->heap, at,
	         world_host(net->world, dst)->port_rate ? on_port : on_arrival, datagram_ref(d),
	         dst);
}

static void send_one(struct net *net, struct datagram *d, uint32_t dst, uint64_t at)
{
	size_t pair = (size_t)d->src * net->n + dst;
	const struct path *k = &net->kinds[net->kind_of[pair]];

	if (net->tap && !net->tap(net->world, d, dst))
		return;
	if (net->side[d->src] != net->side[dst] || k->is_dead || (d->group && net->group_blocked)) {
		lose(net, d, dst, NET_CUT);
	} else if (k->mtu && d->len > k->mtu) {
		lose(net, d, dst, NET_MTU);
	} else if (is_lost(net, k, pair)) {
		lose(net, d, dst, NET_LOST);
	} else {
		travel(net, d, dst, at);
		if (rng_chance(&net->rng, k->dup_ppm))
			travel(net, d, dst, at);
	}
}

void net_send(struct net *net, struct host *h, const uint8_t *p, size_t len,
              const struct mesh_addr *to)
{
	struct datagram *d = datagram_new(p, len);
	uint64_t now = net->world->now, at = now;
	struct host *dst;

	d->src = h->index;
	d->from = h->addr;
	d->group = !to->len && !h->config.unicast;
	net->datagrams++;
	net->bytes += len;
	if (h->link_rate) {
		at = h->link_free_at > now ? h->link_free_at : now;
		at += len * UINT64_C(1000000000) / h->link_rate;
		h->link_free_at = at;
	}
	if (to->len) {
		dst = world_host_at(net->world, to);
		if (dst)
			send_one(net, d, dst->index, at);
		else
			lose(net, d, UINT32_MAX, NET_NOBODY);
	} else {
		for (uint32_t i = 0; i < net->n; i++)
			if (i != h->index || (d->group && net->loops_back))
				send_one(net, d, i, at);
	}
	datagram_unref(d);
}

void net_inject(struct net *net, struct host *dst, const uint8_t *p, size_t len,
                const struct mesh_addr *from, bool group)
{
	struct datagram *d = datagram_new(p, len);

	d->src = NET_FORGED;
	d->from = *from;
	d->group = group;
	heap_put(&net->world->heap, net->world->now, on_arrival, d, dst->index);
}
