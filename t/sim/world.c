/* world.c - see world.h */
#include "t/sim/world.h"

#include "t/sim/book.h"
#include "t/sim/check.h"
#include "t/sim/memory.h"

#include <stdarg.h>
#include <stdio.h>

#define STEP (50 * MS) /* how often it is looked whether the world has settled */

/* The key that all hosts hold. */
static void make_key(struct world *w, struct key *k, struct rng *r)
{
	uint8_t secret[CRYPTO_KEY_LEN];
	enum cipher cipher = (enum cipher)rng_below(r, CIPHER_N);

	rng_fill(r, secret, sizeof(secret));
	key_init_insecure(k);
	if (cipher != CIPHER_NONE && key_init(k, w->crypto, cipher, secret))
		world_fail(w, "a key can't be made");
}

struct world *world_new(struct crypto *crypto, uint64_t seed, uint32_t n, bool traced)
{
	struct key key;
	struct world *w = sim_calloc(1, sizeof(*w));
	struct rng r = rng_stream(seed, 2);

	w->crypto = crypto;
	w->seed = seed;
	w->n = n;
	w->now = S;
	w->is_traced = traced;
	w->rng = rng_stream(seed, 0);
	w->demands.settle_ns = 30 * S;
	w->demands.repair_max = 1.25;
	w->block = sim_calloc(1, (size_t)2 * APP_FRAME_MAX);
	rng_fill(&r, w->block, (size_t)2 * APP_FRAME_MAX);
	w->trouble = sim_calloc((size_t)n * n, sizeof(*w->trouble));
	net_init(&w->net, w, n, rng_stream(seed, 1));
	make_key(w, &key, &r);
	w->hosts = sim_calloc(n, sizeof(*w->hosts));
	for (uint32_t i = 0; i < n; i++)
		host_init(&w->hosts[i], w, i, &key);
	key_wipe(&key);
	return w;
}

void world_free(struct world *w)
{
	struct event e;

	for (uint32_t i = 0; i < w->n; i++)
		host_fini(&w->hosts[i]);
	while (heap_take(&w->heap, &e))
		net_forget(&e);
	heap_fini(&w->heap);
	for (uint32_t i = 0; i < w->n_origins; i++)
		book_origin_free(w->origins[i]);
	sim_free(w->origins);
	sim_free(w->hosts);
	net_fini(&w->net);
	sim_free(w->trouble);
	sim_free(w->block);
	sim_free(w->scenario_data);
	sim_free(w);
}

struct host *world_host_at(struct world *w, const struct mesh_addr *a)
{
	uint32_t i = (uint32_t)a->bytes[6] << 8 | a->bytes[7];

	return i < w->n && !memcmp(a, &w->hosts[i].addr, sizeof(*a)) ? &w->hosts[i] : NULL;
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	w->failed_at = w->now;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
}

void world_trace(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->is_traced)
		return;
	printf("%12.6f ", (double)w->now / 1e9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void world_at(struct world *w, uint64_t at, event_fn *fn, void *p, uint64_t a)
{
	heap_put(&w->heap, at, fn, p, a);
}

/* Nothing but a mark in time. */
static void on_mark(void *world, void *p, uint64_t a)
{
	(void)world;
	(void)p;
	(void)a;
}

void world_run(struct world *w, uint64_t at)
{
	struct event e;

	if (at <= w->now)
		return;
	heap_put(&w->heap, at, on_mark, NULL, 0);
	while (!w->failed && heap_take(&w->heap, &e)) {
		w->now = e.at;
		w->n_events++;
		if (e.fn == on_mark && e.at == at)
			return;
		e.fn(w, e.p, e.a);
	}
}

void world_partition(struct world *w, uint64_t sides)
{
	world_trace(w, "partition %llx", (unsigned long long)sides);
	for (uint32_t i = 0; i < w->n; i++)
		w->net.side[i] = i < 64 ? (uint32_t)(sides >> i & 1) : 0;
	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t k = 0; k < i; k++)
			check_trouble(w, i, k,
			              w->net.side[i] != w->net.side[k] ? UINT64_MAX : w->now);
}

void world_heal(struct world *w)
{
	uint32_t n = w->n;

	world_trace(w, "healed");
	for (uint32_t i = 0; i < n; i++) {
		struct host *h = &w->hosts[i];

		w->net.side[i] = 0;
		h->late_until = 0;
		if (h->mesh)
			host_late(h, w->now);
		for (uint32_t k = 0; k < n; k++) {
			net_path(&w->net, i, k, 0);
			if (w->trouble[(size_t)i * n + k] == UINT64_MAX)
				check_trouble(w, i, k, w->now);
		}
		if (h->mesh)
			app_resume(&h->app);
	}
}

static bool have_met(const struct world *w, char *why, size_t cap)
{
	struct mesh_stats s;
	uint32_t n_live = 0, n_liars = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		n_live += w->hosts[i].mesh && !w->hosts[i].is_outcast && !w->hosts[i].liar;
		n_liars += w->hosts[i].liar != NULL;
	}
	for (uint32_t i = 0; i < w->n; i++) {
		const struct host *h = &w->hosts[i];

		if (!h->mesh || h->is_outcast || h->liar)
			continue;
		mesh_stats(h->mesh, &s);
		for (uint32_t k = 0; n_liars && k < w->n; k++)
			if (w->hosts[k].liar && host_sees(h, &w->hosts[k]) == MESH_PEER_UP)
				s.n_peers_up--;
		if (s.n_peers_up != n_live - 1) {
			snprintf(why, cap, "host%u sees %u of %u hosts up", i, s.n_peers_up,
			         n_live - 1);
			return false;
		}
	}
	return true;
}

void world_meet(struct world *w, uint64_t within)
{
	uint64_t end = w->now + within;
	char why[200];

	while (!w->failed && !have_met(w, why, sizeof(why))) {
		if (w->now >= end)
			world_fail(w, "after %.1f s of peace %s", (double)within / 1e9, why);
		world_run(w, w->now + STEP);
	}
}

static bool has_settled(struct world *w, char *why, size_t cap)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->hosts[i].mesh && !w->hosts[i].is_outcast && !w->hosts[i].liar &&
		    !app_is_settled(&w->hosts[i].app, why, cap))
			return false;
	return true;
}

void world_settle(struct world *w)
{
	uint64_t end, words = 0;
	char why[256];

	world_heal(w);
	w->is_quiet = true;
	world_meet(w, w->demands.settle_ns);
	end = w->now + w->demands.settle_ns;
	while (!w->failed && !has_settled(w, why, sizeof(why))) {
		if (w->now >= end)
			world_fail(w, "after %.1f s of peace %s",
			           (double)w->demands.settle_ns / 1e9, why);
		if (w->now >= words) {
			for (uint32_t i = 0; i < w->n; i++)
				if (w->hosts[i].mesh && !w->hosts[i].app.is_leaving)
					app_last_words(&w->hosts[i].app);
			words = w->now + S;
		}
		world_run(w, w->now + STEP);
	}
	if (!w->failed)
		check_repairs(w);
}
