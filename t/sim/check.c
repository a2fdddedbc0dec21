/* check.c - see check.h */
#include "t/sim/check.h"

#include "t/sim/host.h"
#include "t/sim/world.h"

#include <stdio.h>

#define EVERY (20 * MS) /* between looks at one host */

/* What a session may hold beside its windows. Orders of magnitude, so that what grows without bound
 * is found. */
#define BASE_MAX (4u << 20)
#define PEER_MAX (64u << 10)
#define LANE_MAX (64u << 10)

/* Bytes per second in datagrams without data: status of a loaded host, and answers to newcomers. */
#define CONTROL_MAX 900000u

/* How long a lane may stay closed to its writer when nothing else is wrong: block_ms, the liveness
 * limit, and as much again to notice. */
static uint64_t patience(const struct host *h)
{
	return 2 * (h->config.block_ms + h->config.liveness_ms) * MS + 5 * S;
}

static uint64_t *trouble_of(const struct world *w, uint32_t a, uint32_t b)
{
	return &w->trouble[(size_t)a * w->n + b];
}

void check_trouble(struct world *w, uint32_t a, uint32_t b, uint64_t until)
{
	uint64_t *t = trouble_of(w, a, b);

	if (until != UINT64_MAX)
		until += 2 * w->hosts[a].config.liveness_ms * MS + S;
	if (*t != UINT64_MAX && *t > until)
		until = *t;
	if (*t == UINT64_MAX || *t < until)
		*t = until;
	*trouble_of(w, b, a) = *t;
}

void check_trouble_host(struct world *w, uint32_t a, uint64_t until)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (i != a && *trouble_of(w, a, i) != UINT64_MAX)
			check_trouble(w, a, i, until);
}

static void check_memory(struct host *h, const struct mesh_stats *s)
{
	size_t max = 2 * h->config.memory_max + BASE_MAX + (size_t)s->n_peers * PEER_MAX +
	             (size_t)(s->n_lanes_in + s->n_lanes_out) * LANE_MAX;

	if (s->memory_out > h->config.memory_max || s->memory_in > h->config.memory_max)
		world_fail(h->world,
		           "host%u: windows hold %llu and %llu bytes, of %zu that they may",
		           h->index, (unsigned long long)s->memory_out,
		           (unsigned long long)s->memory_in, h->config.memory_max);
	if (h->account.held > max)
		world_fail(h->world, "host%u holds %zu bytes, more than %zu", h->index,
		           h->account.held, max);
	if (s->n_peers > h->config.max_peers)
		world_fail(h->world, "host%u knows %u peers, more than %u", h->index, s->n_peers,
		           h->config.max_peers);
}

static void check_waiting(const struct host *h)
{
	for (uint32_t i = 0; i < APP_LANES; i++) {
		const struct ledger *l = &h->app.origin->ledgers[i];

		if (l->short_since && h->world->now > l->short_since + patience(h) &&
		    h->world->now > h->late_until + patience(h))
			world_fail(h->world, "host%u: lane %u takes nothing since %.3f s", h->index,
			           i, (double)l->short_since / 1e9);
	}
}

void check_host(struct host *h)
{
	struct mesh_stats s;
	uint64_t passed = h->world->now - h->checked_at, control;

	if (passed < EVERY || h->liar)
		return;
	host_stats(h, &s, NULL);
	check_memory(h, &s);
	check_waiting(h);
	control = s.control_out - h->stats_then.control_out;
	if (control > CONTROL_MAX * (passed + S) / S)
		world_fail(h->world, "host%u sends %llu bytes of control in %.3f s", h->index,
		           (unsigned long long)control, (double)passed / 1e9);
	if (passed < S && h->checked_at >= h->booted_at)
		return;
	h->checked_at = h->world->now;
	h->stats_then = s;
}

void check_datagram(struct host *h, const uint8_t *p, size_t len, const struct mesh_addr *to)
{
	static const char event[] = "sim.message";

	if (len > h->config.mtu)
		world_fail(h->world, "host%u sends a datagram of %zu bytes, more than %zu",
		           h->index, len, h->config.mtu);
	if (to->len && to->len != h->addr.len)
		world_fail(h->world, "host%u sends to an address of %u bytes", h->index, to->len);
	if (h->keys.current->id && memmem(p, len, event, sizeof(event) - 1))
		world_fail(h->world, "host%u sends the name of an event in clear", h->index);
}

/* The living boot that a peer is, or NULL. */
static struct host *host_of(struct world *w, const struct mesh_peer_info *info)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->hosts[i].mesh && !memcmp(w->hosts[i].config.boot, info->boot, MESH_BOOT_LEN))
			return &w->hosts[i];
	return NULL;
}

void check_peer(struct host *h, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	struct world *w = h->world;
	struct host *other = host_of(w, info);

	world_trace(w, "h%u: %s was %s, is %s", h->index, other ? other->name : info->host,
	            mesh_peer_state_str(was), mesh_peer_state_str(info->state));
	if (info->state < MESH_PEER_LEFT || !other || other == h || !w->demands.no_leave ||
	    h->liar || other->liar)
		return;
	if (other->app.is_leaving || h->app.is_leaving || other->is_outcast || h->is_outcast)
		return;
	if (*trouble_of(w, h->index, other->index) < w->now)
		world_fail(w, "host%u takes %s, which lives, for %s", h->index, other->name,
		           mesh_peer_state_str(info->state));
}

void check_evicted(struct host *h, const struct mesh_peer_info *info, const char *channel)
{
	struct world *w = h->world;
	struct host *other = host_of(w, info);
	char name[16];

	world_trace(w, "h%u evicts %s from %s", h->index, info->host, channel);
	h->n_evicted++;
	for (struct ear *e = other ? other->app.ears : NULL; e; e = e->next_ear) {
		snprintf(name, sizeof(name), "ch%u", e->ledger->number / 2);
		if (e->ledger->origin == h->app.origin && !strcmp(name, channel))
			e->was_evicted = true;
	}
	if (w->demands.no_eviction && other && !other->liar && !h->liar &&
	    *trouble_of(w, h->index, other->index) < w->now)
		world_fail(w, "host%u evicts %s from %s", h->index, info->host, channel);
}

bool check_is_excused(const struct ear *e)
{
	const struct origin *o = e->ledger->origin;

	return o->is_over || o->has_left || e->was_evicted ||
	       *trouble_of(e->host->world, e->host->index, o->host) >= e->heard_at;
}

void check_gap_cause(struct ear *e)
{
	struct world *w = e->host->world;

	if (e->host->liar || world_host(w, e->ledger->origin->host)->liar)
		return;
	if (!(e->ledger->number % 2) && (w->demands.no_gap || w->demands.no_eviction) &&
	    !check_is_excused(e))
		world_fail(w, "host%u misses %llu messages of host%u, ch%u, without a cause",
		           e->host->index, (unsigned long long)e->gap, e->ledger->origin->host,
		           e->ledger->number / 2);
}

/* What a host may be made to repair by one that lies: twice what it sends, and two windows. */
static uint64_t lied(const struct world *w, const struct host *h, uint64_t sent)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < w->n; i++)
		n += w->hosts[i].liar != NULL;
	return n * 2 * (sent + h->config.lane_max);
}

/* What came, and could not be taken yet: it is asked for again. */
static uint64_t put_off(const struct host *h, const struct mesh_stats *s)
{
	return (s->dropped[MESH_DROP_JOINING] + s->dropped[MESH_DROP_WINDOW] +
	        s->dropped[MESH_DROP_MEMORY]) *
	       h->config.mtu;
}

void check_repairs(struct world *w)
{
	uint64_t repaired = 0, lost = 0, extra = 0;
	struct mesh_stats now, sum;
	double max;

	for (uint32_t i = 0; i < w->n; i++) {
		if (w->hosts[i].liar)
			continue;
		host_stats(&w->hosts[i], &now, &sum);
		repaired += sum.repair_bytes_out;
		lost += w->hosts[i].lost_bytes + w->hosts[i].overtaken_bytes;
		lost += put_off(&w->hosts[i], &sum);
		extra += lied(w, &w->hosts[i], sum.data_out);
	}
	w->repaired = repaired;
	w->to_repair = lost;
	max = w->demands.repair_max * (double)lost + 16384.0 * w->n + (double)extra;
	if ((double)repaired > max)
		world_fail(w,
		           "%llu bytes were repaired, of %llu that were lost, overtaken or put off",
		           (unsigned long long)repaired, (unsigned long long)lost);
}
