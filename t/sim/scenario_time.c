/* scenario_time.c - many hosts, and long times */
#include "t/sim/scenario.h"

#include "t/sim/check.h"
#include "t/sim/world.h"

#define HOUR (3600 * S)

/* A hundred hosts that start at once meet within five seconds. */
static void start(struct world *w)
{
	w->demands.no_leave = true;
	w->net.kinds[0] = (struct path){.delay_ns = 100 * US, .jitter_ns = 100 * US};
	for (uint32_t i = 0; i < w->n; i++)
		world_host(w, i)->app.habits.every_ns = 0;
	scenario_boot(w, 10 * MS);
	world_meet(w, 5 * S);
}

/* More hosts than NAKs are sent to a single one for. */
static void crowd(struct world *w)
{
	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	w->net.kinds[0] = (struct path){.delay_ns = 100 * US, .loss_ppm = 10000};
	for (uint32_t i = 1; i < w->n; i++) {
		struct app_habits *a = &world_host(w, i)->app.habits;

		a->opens = i < 3;
		a->every_ns = i < 3 ? 10 * MS : 0;
	}
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* 24 hours with 5% loss, and every now and then a host is not run for half the liveness limit. */
static void day(struct world *w, uint64_t every_ns)
{
	uint64_t end = w->now + 24 * HOUR;

	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	w->net.kinds[0] = (struct path){.delay_ns = 100 * US, .loss_ppm = 50000};
	for (uint32_t i = 0; i < w->n; i++) {
		world_host(w, i)->app.habits.opens = 1;
		world_host(w, i)->app.habits.every_ns = every_ns;
		world_host(w, i)->app.habits.size_max = 300;
	}
	scenario_boot(w, 100 * MS);
	while (w->now < end && !w->failed) {
		struct host *h = world_host(w, (uint32_t)rng_below(&w->rng, w->n));

		world_run(w, w->now + rng_below(&w->rng, 60 * S));
		scenario_late(w, h);
	}
	world_settle(w);
}

static void day_idle(struct world *w)
{
	day(w, 0);
}

static void day_load(struct world *w)
{
	day(w, 200 * MS);
}

const struct scenario scenarios_time[] = {
        {"start", "a hundred hosts start at once", 100, 1, false, start},
        {"crowd", "twelve hosts, some loss", 12, 0, false, crowd},
        {"day-idle", "24 hours of silence, 5% loss, late hosts", 3, 1, true, day_idle},
        {"day-load", "24 hours of traffic, 5% loss, late hosts", 3, 1, true, day_load},
        {0},
};
