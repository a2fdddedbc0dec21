/* host.c - see host.h */
#include "t/sim/host.h"

#include "t/sim/check.h"
#include "t/sim/liar.h"
#include "t/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH     256u /* datagrams that one run takes from a socket */
#define SPINS_MAX 1000u

/* What the session calls may take memory of the simulator: not on the session's account. */
static void on_random(void *arg, void *p, size_t n)
{
	struct host *h = arg;

	rng_fill(&h->rng, p, n);
}

static void on_peer(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	struct account *a = account_enter(NULL);

	check_peer(arg, info, was);
	account_enter(a);
}

static void on_evicted(void *arg, const struct mesh_peer_info *info, const char *channel)
{
	struct account *a = account_enter(NULL);

	check_evicted(arg, info, channel);
	account_enter(a);
}

void host_init(struct host *h, struct world *w, uint32_t index, const struct key *key)
{
	*h = (struct host){.world = w, .index = index, .run_at = UINT64_MAX, .sndbuf = 212992};
	snprintf(h->name, sizeof(h->name), "host%u", index);
	mesh_config_init(&h->config);
	h->config.version = "sim 1";
	h->config.cluster = "simulated";
	keyring_init(&h->keys);
	keyring_install(&h->keys, key);
	keyring_use(&h->keys, key->id);
	h->rng = rng_stream(w->seed, 1000 + 4 * (uint64_t)index);
	h->sched = rng_stream(w->seed, 1001 + 4 * (uint64_t)index);
	h->base_local = rng_below(&h->sched, UINT64_C(1) << 50);
	h->wake_ns = 50000;
	app_init(&h->app, h, rng_stream(w->seed, 1002 + 4 * (uint64_t)index));
}

static void sock_clear(struct sock *s)
{
	while (s->n) {
		datagram_unref(s->ring[s->head++ & (s->room - 1)]);
		s->n--;
	}
	s->held = 0;
}

void host_fini(struct host *h)
{
	if (h->mesh)
		host_crash(h);
	for (int i = 0; i < 2; i++) {
		sock_clear(&h->sock[i]);
		sim_free(h->sock[i].ring);
	}
	app_fini(&h->app);
	keyring_fini(&h->keys);
}

uint64_t host_clock(const struct host *h)
{
	int64_t passed = (int64_t)(h->world->now - h->base);

	return h->base_local + (uint64_t)(passed + passed / 1000000 * h->ppm);
}

void host_clock_jump(struct host *h, uint64_t ns)
{
	h->base_local = host_clock(h) + ns;
	h->base = h->world->now;
	check_trouble_host(h->world, h->index, h->world->now);
	world_trace(h->world, "h%u clock jumps %.3f s", h->index, (double)ns / 1e9);
	host_pump(h);
}

/* Virtual time at which the host's clock shows `local`, or shortly after. */
static uint64_t world_time(const struct host *h, uint64_t local)
{
	uint64_t passed = local - h->base_local;

	if (local <= h->base_local)
		return h->base;
	return h->base + passed - (uint64_t)((int64_t)(passed / 1000000) * h->ppm) +
	       (h->ppm ? 1000 : 0);
}

/* Has the host run at `at`, unless it does so earlier. */
static void run_by(struct host *h, uint64_t at);

static void sock_read(struct host *h, struct sock *s, uint64_t *cost)
{
	uint8_t bytes[MESH_DATAGRAM_MAX];

	for (uint32_t i = 0; i < BATCH && s->n && h->mesh && !h->world->failed; i++) {
		struct datagram *d = s->ring[s->head++ & (s->room - 1)];
		uint32_t len = d->len < sizeof(bytes) ? d->len : sizeof(bytes);

		s->n--;
		s->held -= net_truesize(d->len);
		memcpy(bytes, d->bytes, len);
		world_trace(h->world, "h%u <h%d %u bytes%s", h->index, (int)d->src, d->len,
		            d->group ? " group" : "");
		if (h->liar)
			liar_overhear(h->liar, d);
		account_enter(&h->account);
		mesh_recv(h->mesh, bytes, len, &d->from, d->group, host_clock(h));
		account_enter(NULL);
		datagram_unref(d);
		*cost += h->cpu_ns;
	}
}

static void on_run(void *world, void *p, uint64_t at)
{
	struct world *w = world;
	struct host *h = p;
	uint64_t cost = 0;

	if (h->run_at != at)
		return; /* another run was put before it */
	h->run_at = UINT64_MAX;
	if (!h->mesh)
		return;
	sock_read(h, &h->sock[1], &cost);
	sock_read(h, &h->sock[0], &cost);
	if (h->mesh && mesh_next_expiry(h->mesh) <= host_clock(h)) {
		account_enter(&h->account);
		mesh_tick(h->mesh, host_clock(h));
		account_enter(NULL);
	}
	h->busy_until = w->now + cost;
	host_pump(h);
	if (h->mesh && (h->sock[0].n || h->sock[1].n))
		run_by(h, h->busy_until);
	if (h->mesh)
		check_host(h);
}

static void run_by(struct host *h, uint64_t at)
{
	if (at < h->world->now)
		at = h->world->now;
	if (at < h->busy_until)
		at = h->busy_until;
	if (at < h->late_until)
		at = h->late_until;
	if (at >= h->run_at)
		return;
	h->run_at = at;
	heap_put(&h->world->heap, at, on_run, h, at);
}

void host_late(struct host *h, uint64_t until)
{
	h->late_until = until;
	world_trace(h->world, "h%u is not run for %.3f s", h->index,
	            (double)(until - h->world->now) / 1e9);
	if (h->run_at < until) {
		h->run_at = UINT64_MAX;
		run_by(h, until);
	}
}

bool host_is_late(const struct host *h)
{
	return h->world->now < h->late_until;
}

bool host_arrive(struct host *h, struct datagram *d)
{
	struct sock *s = &h->sock[d->group ? 1 : 0];
	size_t size = net_truesize(d->len);

	if (!h->mesh)
		return true; /* nobody's loss: no process is there */
	if (s->held + size > h->config.rcvbuf)
		return false;
	if (s->n == s->room) {
		uint32_t room = s->room ? 2 * s->room : 16;
		struct datagram **ring = sim_calloc(room, sizeof(struct datagram *));

		for (uint32_t i = 0; i < s->n; i++)
			ring[i] = s->ring[(s->head + i) & (s->room - 1)];
		sim_free(s->ring);
		s->ring = ring;
		s->head = 0;
		s->room = room;
	}
	s->ring[(s->head + s->n++) & (s->room - 1)] = datagram_ref(d);
	s->held += size;
	run_by(h, h->world->now + rng_below(&h->sched, h->wake_ns + 1));
	return true;
}

/* What waits for the interface is as much as the socket takes. Returns when there is room, or 0. */
static uint64_t full_until(const struct host *h)
{
	uint64_t now = h->world->now, wait;

	if (!h->link_rate || h->link_free_at <= now)
		return 0;
	wait = h->sndbuf * UINT64_C(1000000000) / h->link_rate;
	return h->link_free_at > now + wait ? h->link_free_at - wait / 2 : 0;
}

void host_pump(struct host *h)
{
	uint8_t bytes[MESH_DATAGRAM_MAX];
	struct mesh_addr to;
	uint64_t clock = host_clock(h), expiry, at;
	size_t len;

	if (!h->mesh || h->world->failed)
		return;
	if (host_is_late(h)) {
		run_by(h, h->late_until);
		return;
	}
	while (!(at = full_until(h))) {
		account_enter(&h->account);
		len = mesh_next(h->mesh, bytes, sizeof(bytes), &to, clock);
		account_enter(NULL);
		if (!len)
			break;
		if (h->liar)
			liar_alter(h->liar, bytes, len);
		check_datagram(h, bytes, len, &to);
		net_send(&h->world->net, h, bytes, len, &to);
		h->busy_until += h->cpu_ns;
	}
	if (at) {
		run_by(h, at);
		return;
	}
	expiry = mesh_next_expiry(h->mesh);
	if (expiry > clock) {
		h->n_spins = 0;
		if (expiry != UINT64_MAX)
			run_by(h, world_time(h, expiry));
		return;
	}
	if (++h->n_spins > SPINS_MAX)
		world_fail(h->world,
		           "host%u: the session has something to do at once, %u times over",
		           h->index, SPINS_MAX);
	run_by(h, h->world->now + 1000);
}

void host_boot(struct host *h)
{
	struct world *w = h->world;
	struct mesh_env env = {
	        .arg = h, .random = on_random, .peer = on_peer, .evicted = on_evicted};
	uint16_t port = (uint16_t)rng_range(&h->sched, 1024, 65535);
	int r;

	app_env(&env);
	h->n_boots++;
	h->booted_at = w->now;
	h->config.host = h->name;
	rng_fill(&h->rng, h->config.boot, sizeof(h->config.boot));
	rng_fill(&h->rng, h->config.hash_key, sizeof(h->config.hash_key));
	h->addr = (struct mesh_addr){.len = 16,
	                             .bytes = {2, 0, (uint8_t)(port >> 8), (uint8_t)port, 10, 0,
	                                       (uint8_t)(h->index >> 8), (uint8_t)h->index}};
	h->stats_then = (struct mesh_stats){0};
	h->account = (struct account){0};
	account_enter(&h->account);
	r = mesh_new(&h->mesh, &h->config, &env, w->crypto, &h->keys, host_clock(h));
	account_enter(NULL);
	if (r) {
		world_fail(w, "host%u: mesh_new() returns %d", h->index, r);
		return;
	}
	world_trace(w, "h%u boots, as %s", h->index, h->name);
	app_boot(&h->app);
	host_pump(h);
}

static void add_stats(struct mesh_stats *sum, const struct mesh_stats *s)
{
	sum->datagrams_in += s->datagrams_in;
	sum->bytes_in += s->bytes_in;
	sum->datagrams_out += s->datagrams_out;
	sum->bytes_out += s->bytes_out;
	for (int i = 0; i < MESH_DROP_N; i++)
		sum->dropped[i] += s->dropped[i];
	sum->control_out += s->control_out;
	sum->data_out += s->data_out;
	sum->data_in += s->data_in;
	sum->messages_out += s->messages_out;
	sum->messages_in += s->messages_in;
	sum->unheard += s->unheard;
	sum->repairs_out += s->repairs_out;
	sum->repair_bytes_out += s->repair_bytes_out;
	sum->naks_out += s->naks_out;
	sum->naks_in += s->naks_in;
	sum->gaps += s->gaps;
	sum->gap_messages += s->gap_messages;
	sum->evictions += s->evictions;
}

void host_stats(const struct host *h, struct mesh_stats *now, struct mesh_stats *sum)
{
	*now = (struct mesh_stats){0};
	if (h->mesh)
		mesh_stats(h->mesh, now);
	if (sum) {
		*sum = h->stats_past;
		add_stats(sum, now);
	}
}

void host_crash(struct host *h)
{
	struct mesh_stats now;

	world_trace(h->world, "h%u is gone", h->index);
	host_stats(h, &now, NULL);
	add_stats(&h->stats_past, &now);
	account_enter(&h->account);
	mesh_free(h->mesh);
	account_enter(NULL);
	liar_free(h->liar);
	h->liar = NULL;
	h->mesh = NULL;
	h->run_at = UINT64_MAX;
	if (h->account.n && !h->world->failed)
		world_fail(h->world, "host%u: mesh_free() leaves %zu allocations, %zu bytes",
		           h->index, h->account.n, h->account.held);
	app_down(&h->app);
	sock_clear(&h->sock[0]);
	sock_clear(&h->sock[1]);
	check_trouble_host(h->world, h->index, h->world->now);
}

/* Leaving is looked after every ms. `a` is when patience ends; 0: good-bye was said. */
static void on_leaving(void *world, void *p, uint64_t until)
{
	struct world *w = world;
	struct host *h = p;

	if (!h->mesh || !h->app.is_leaving)
		return;
	if (!until) {
		host_crash(h);
		return;
	}
	if (mesh_is_drained(h->mesh) || w->now >= until) {
		account_enter(&h->account);
		mesh_bye(h->mesh, host_clock(h));
		account_enter(NULL);
		host_pump(h);
		until = 0;
	}
	heap_put(&w->heap, w->now + 1000000, on_leaving, h, until);
}

void host_leave(struct host *h, uint64_t timeout_ns)
{
	world_trace(h->world, "h%u leaves", h->index);
	app_leave(&h->app);
	account_enter(&h->account);
	mesh_leave(h->mesh, host_clock(h));
	account_enter(NULL);
	host_pump(h);
	heap_put(&h->world->heap, h->world->now, on_leaving, h, h->world->now + timeout_ns);
}

struct seen {
	const struct host *other;
	int state;
};

static void on_seen(void *arg, const struct mesh_peer_info *info)
{
	struct seen *s = arg;

	if (!memcmp(info->boot, s->other->config.boot, MESH_BOOT_LEN))
		s->state = (int)info->state;
}

int host_sees(const struct host *h, const struct host *other)
{
	struct seen s = {.other = other, .state = -1};

	if (h->mesh && other->mesh)
		mesh_each_peer(h->mesh, on_seen, &s);
	return s.state;
}
