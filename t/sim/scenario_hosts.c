/* scenario_hosts.c - what hosts do, and what is done to them */
#include "t/sim/scenario.h"

#include "t/sim/check.h"
#include "t/sim/world.h"

/* How long a host that was refused is not asked again. */
#define REFUSED (61 * S)

static struct host *any_host(struct world *w)
{
	return world_host(w, (uint32_t)rng_below(&w->rng, w->n));
}

/* Consumers take bytes in dribs, or nothing for a while. Up to half of block_ms nobody is evicted.
 */
static void consumers(struct world *w)
{
	bool is_patient = rng_chance(&w->rng, 500000);

	w->demands.no_leave = true;
	w->demands.no_eviction = w->demands.no_gap = is_patient;
	scenario_habits(w);
	w->net.kinds[0].delay_ns = 50 * US;
	for (uint32_t i = 0; i < w->n; i++) {
		struct host *h = world_host(w, i);

		h->app.habits.drib_ppm = (uint32_t)rng_below(&w->rng, 300000);
		h->app.habits.pause_ppm = (uint32_t)rng_below(&w->rng, 5000);
		h->app.habits.pause_ns = is_patient ? 400 * MS : 4 * S;
		h->config.memory_max = (size_t)rng_range(&w->rng, 1, 8) << 20;
		h->config.lane_max = h->config.memory_max / 2;
	}
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 6 * S);
	world_settle(w);
}

/* The network falls into two parts, for a moment or for long, and heals, and again. */
static void partition(struct world *w)
{
	uint64_t rounds = rng_range(&w->rng, 1, 4);

	w->demands.no_leave = true;
	scenario_habits(w);
	scenario_paths(w, 10000);
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 2 * S);
	for (uint64_t i = 0; i < rounds && !w->failed; i++) {
		world_partition(w, rng_next(&w->rng));
		world_run(w, w->now + rng_below(&w->rng, rng_chance(&w->rng, 500000) ? S : 12 * S));
		world_partition(w, 0);
		world_run(w, w->now + rng_below(&w->rng, 8 * S));
	}
	world_settle(w);
}

/* Some hear others that do not hear them. */
static void oneway(struct world *w)
{
	uint64_t n = rng_range(&w->rng, 1, 1 + w->n);

	scenario_habits(w);
	w->net.kinds[0].delay_ns = 100 * US;
	w->net.kinds[1].is_dead = true;
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 2 * S);
	for (uint64_t i = 0; i < n && w->n > 1; i++) {
		uint32_t a = (uint32_t)rng_below(&w->rng, w->n);
		uint32_t b = (a + 1 + (uint32_t)rng_below(&w->rng, w->n - 1)) % w->n;

		net_path(&w->net, a, b, 1);
		check_trouble(w, a, b, UINT64_MAX);
	}
	world_run(w, w->now + rng_below(&w->rng, 20 * S));
	world_settle(w);
}

/* Hosts die and come back, leave in order, and join late. */
static void crash(struct world *w)
{
	uint64_t rounds = rng_range(&w->rng, 2, 8);

	w->demands.no_leave = true;
	scenario_habits(w);
	scenario_paths(w, 10000);
	scenario_boot(w, S);
	for (uint64_t i = 0; i < rounds && !w->failed; i++) {
		struct host *h = any_host(w);

		world_run(w, w->now + rng_below(&w->rng, 3 * S));
		if (!h->mesh)
			host_boot(h);
		else if (!h->app.is_leaving && rng_chance(&w->rng, 300000))
			host_leave(h, 2 * S);
		else if (!h->app.is_leaving)
			host_crash(h);
		if (!h->mesh && rng_chance(&w->rng, 500000)) {
			world_run(w, w->now + rng_below(&w->rng, 100 * MS));
			host_boot(h);
		}
	}
	world_run(w, w->now + 3 * S);
	for (uint32_t i = 0; i < w->n && !w->failed; i++)
		if (!world_host(w, i)->mesh)
			host_boot(world_host(w, i));
	world_settle(w);
}

/* Hosts are not run for up to half of the liveness limit, their clocks run at other speeds. */
static void late(struct world *w)
{
	w->demands.no_leave = true;
	scenario_habits(w);
	scenario_paths(w, 10000);
	for (uint32_t i = 0; i < w->n; i++)
		world_host(w, i)->ppm = (int64_t)rng_range(&w->rng, 0, 400) - 200;
	scenario_boot(w, 100 * MS);
	for (int i = 0; i < 6 && !w->failed; i++) {
		struct host *h = any_host(w);

		world_run(w, w->now + rng_below(&w->rng, 2 * S));
		scenario_late(w, h);
	}
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* Clocks jump forward, as after a suspended virtual machine. */
static void clocks(struct world *w)
{
	w->demands.no_leave = true;
	scenario_habits(w);
	scenario_paths(w, 10000);
	scenario_boot(w, 100 * MS);
	for (int i = 0; i < 5 && !w->failed; i++) {
		world_run(w, w->now + rng_below(&w->rng, 2 * S));
		host_clock_jump(
		        any_host(w),
		        rng_below(&w->rng, rng_chance(&w->rng, 500000) ? 2 * S : 100000 * S));
	}
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* Lanes come and go on both sides. */
static void lanes(struct world *w)
{
	w->demands.no_leave = w->demands.no_eviction = true;
	scenario_habits(w);
	scenario_paths(w, 10000);
	scenario_boot(w, 100 * MS);
	for (int i = 0; i < 10 && !w->failed; i++) {
		struct host *h = any_host(w);

		world_run(w, w->now + rng_below(&w->rng, S));
		if (rng_chance(&w->rng, 500000)) {
			h->app.habits.accepts = (uint32_t)rng_below(&w->rng, 256);
			account_enter(&h->account);
			mesh_offers_changed(h->mesh, host_clock(h));
			account_enter(NULL);
			host_pump(h);
		} else {
			h->app.habits.opens = (uint32_t)rng_below(&w->rng, 65536) | 1;
			app_lanes(&h->app);
		}
	}
	world_settle(w);
}

/* Everything at once. */
static void chaos(struct world *w)
{
	scenario_habits(w);
	scenario_paths(w, 50000);
	for (uint32_t i = 0; i < w->n; i++) {
		struct app_habits *a = &world_host(w, i)->app.habits;

		a->drib_ppm = (uint32_t)rng_below(&w->rng, 30000);
		a->pause_ppm = (uint32_t)rng_below(&w->rng, 1000);
		a->pause_ns = 2 * S;
	}
	scenario_boot(w, 500 * MS);
	for (int i = 0; i < 12 && !w->failed; i++) {
		struct host *h = any_host(w);

		world_run(w, w->now + rng_below(&w->rng, 2 * S));
		switch (rng_below(&w->rng, 5)) {
		case 0: world_partition(w, rng_next(&w->rng)); break;
		case 1: world_partition(w, 0); break;
		case 2: host_late(h, w->now + rng_below(&w->rng, 4 * S)); break;
		case 3:
			if (h->mesh && !h->app.is_leaving)
				host_crash(h);
			break;
		default:
			if (!h->mesh)
				host_boot(h);
		}
		if (h->late_until > w->now)
			check_trouble_host(w, h->index, h->late_until);
	}
	for (uint32_t i = 0; i < w->n && !w->failed; i++)
		if (!world_host(w, i)->mesh)
			host_boot(world_host(w, i));
	world_settle(w);
}

/* A second host of a name is refused while the first one lives, and takes its place afterwards. */
static void duplicate(struct world *w)
{
	struct host *first = world_host(w, 0), *second = world_host(w, w->n - 1);

	w->demands.no_leave = true;
	w->net.kinds[0].delay_ns = 50 * US;
	memcpy(second->name, first->name, sizeof(first->name));
	second->is_outcast = true;
	for (uint32_t i = 0; i + 1 < w->n; i++)
		host_boot(world_host(w, i));
	world_meet(w, 5 * S);
	world_run(w, w->now + S);
	host_boot(second);
	world_run(w, w->now + 8 * S);
	for (uint32_t i = 0; i + 1 < w->n && !w->failed; i++) {
		int seen = host_sees(world_host(w, i), second);

		if (seen != MESH_PEER_REFUSED_NAME && seen != MESH_PEER_REFUSED_SELF)
			world_fail(w, "host%u sees a second host of one name %s", i,
			           seen < 0 ? "not at all"
			                    : mesh_peer_state_str((enum mesh_peer_state)seen));
	}
	world_meet(w, 0);
	first->is_outcast = true;
	second->is_outcast = false;
	host_crash(first);
	check_trouble_host(w, second->index, w->now);
	world_run(w, w->now + REFUSED);
	world_settle(w);
}

const struct scenario scenarios_hosts[] = {
        {"consumers", "those that take nothing for a while", 0, 0, false, consumers},
        {"partition", "the network falls apart and heals", 0, 0, false, partition},
        {"oneway", "one hears another, but not the other way", 0, 0, false, oneway},
        {"crash", "hosts die, leave, come back", 0, 0, false, crash},
        {"late", "hosts are not run for a while", 0, 0, false, late},
        {"clocks", "clocks jump", 0, 0, false, clocks},
        {"lanes", "lanes come and go", 0, 0, false, lanes},
        {"chaos", "everything at once", 0, 0, false, chaos},
        {"duplicate", "two hosts of one name", 4, 0, false, duplicate},
        {0},
};
