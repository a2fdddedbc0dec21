/* scenario.c - what several scenarios have in common */
#include "t/sim/scenario.h"

#include "t/sim/world.h"

static void on_boot(void *world, void *p, uint64_t a)
{
	struct host *h = p;

	(void)world;
	(void)a;
	if (!h->mesh)
		host_boot(h);
}

void scenario_boot(struct world *w, uint64_t within_ns)
{
	for (uint32_t i = 0; i < w->n; i++)
		world_at(w, w->now + rng_below(&w->rng, within_ns + 1), on_boot, world_host(w, i),
		         0);
	world_run(w, w->now + within_ns + 1);
}

void scenario_habits(struct world *w)
{
	static const uint32_t sizes[] = {30, 300, 3000, 30000, 120000};
	static const uint64_t everies[] = {MS, 5 * MS, 20 * MS, 100 * MS};

	for (uint32_t i = 0; i < w->n; i++) {
		struct app_habits *a = &world_host(w, i)->app.habits;

		a->opens = (uint32_t)(rng_next(&w->rng) & rng_next(&w->rng) & 0xffff);
		if (!i || !a->opens)
			a->opens |= 1;
		a->accepts = rng_chance(&w->rng, 500000) ? 0xff : (uint32_t)rng_below(&w->rng, 256);
		a->burst = (uint32_t)rng_range(&w->rng, 1, rng_chance(&w->rng, 100000) ? 100 : 10);
		a->every_ns = everies[rng_below(&w->rng, 4)];
		a->size_max = sizes[rng_below(&w->rng, 5)];
		if (rng_chance(&w->rng, 300000))
			a->drib_ppm = (uint32_t)rng_below(&w->rng, 100000);
	}
}

void scenario_paths(struct world *w, uint32_t loss_max_ppm)
{
	struct net *net = &w->net;

	net->loops_back = rng_chance(&w->rng, 300000);
	net->kinds[0] = (struct path){.delay_ns = rng_range(&w->rng, 10 * US, 2 * MS)};
	for (uint8_t k = 1; k < 8; k++) {
		struct path *p = &net->kinds[k];

		*p = (struct path){.delay_ns = rng_range(&w->rng, 5 * US, 5 * MS),
		                   .jitter_ns = rng_below(&w->rng, MS),
		                   .loss_ppm = (uint32_t)rng_below(&w->rng, loss_max_ppm + 1)};
		if (rng_chance(&w->rng, 300000))
			p->dup_ppm = (uint32_t)rng_below(&w->rng, 50000);
		if (rng_chance(&w->rng, 300000)) {
			p->overtake_ppm = (uint32_t)rng_below(&w->rng, 50000);
			p->overtake_ns = rng_below(&w->rng, 5 * MS) + 1;
		}
	}
	for (uint32_t i = 0; i < w->n; i++)
		for (uint32_t k = 0; k < w->n; k++)
			net_path(net, i, k, (uint8_t)rng_range(&w->rng, 1, 7));
}

void scenario_late(struct world *w, struct host *h)
{
	uint64_t until = w->now + rng_below(&w->rng, h->config.liveness_ms * MS / 2);

	if (w->now < h->late_until + S)
		return;
	host_late(h, until);
	for (uint32_t i = 0; i < w->n; i++) /* gaps have a cause, leaving has none */
		for (struct ear *e = world_host(w, i)->app.ears; e; e = e->next_ear)
			e->was_evicted = true;
}
