/* scenario_traffic.c - what the network does to datagrams */
#include "t/sim/scenario.h"

#include "t/sim/world.h"

/* Nothing goes wrong at all. */
static void calm(struct world *w)
{
	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	w->demands.settle_ns = 5 * S;
	scenario_habits(w);
	w->net.kinds[0].delay_ns = 50 * US;
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 3 * S);
	world_settle(w);
}

/* Each path loses, doubles, delays and reorders in its own way. */
static void loss(struct world *w)
{
	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	scenario_habits(w);
	scenario_paths(w, rng_chance(&w->rng, 500000) ? 10000 : 50000);
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* A fifth is lost. */
static void heavy(struct world *w)
{
	scenario_habits(w);
	scenario_paths(w, 200000);
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* Losses come in bursts. */
static void burst(struct world *w)
{
	scenario_habits(w);
	scenario_paths(w, 2000);
	for (uint8_t k = 1; k < 8; k++) {
		w->net.kinds[k].to_bad_ppm = (uint32_t)rng_range(&w->rng, 100, 10000);
		w->net.kinds[k].to_good_ppm = (uint32_t)rng_range(&w->rng, 10000, 300000);
		w->net.kinds[k].bad_loss_ppm = (uint32_t)rng_range(&w->rng, 200000, 1000000);
	}
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* Slow links, slow hosts, small buffers: more is written than passes. */
static void narrow(struct world *w)
{
	w->demands.settle_ns = 60 * S;
	scenario_habits(w);
	w->net.kinds[0].delay_ns = 100 * US;
	for (uint32_t i = 0; i < w->n; i++) {
		struct host *h = world_host(w, i);

		h->app.habits.every_ns = 2 * MS;
		h->config.rcvbuf = rng_range(&w->rng, 32 << 10, 425984);
		h->config.rate = rng_range(&w->rng, 5000000, 62500000);
		if (rng_chance(&w->rng, 500000)) {
			h->port_rate = rng_range(&w->rng, 2000000, 125000000);
			h->port_queue = rng_range(&w->rng, 64 << 10, 1 << 20);
		}
		if (rng_chance(&w->rng, 500000))
			h->link_rate = rng_range(&w->rng, 2000000, 125000000);
		if (rng_chance(&w->rng, 300000))
			h->cpu_ns = rng_range(&w->rng, 1000, 20000);
		h->config.memory_max = (size_t)rng_range(&w->rng, 2, 64) << 20;
		h->config.lane_max = h->config.memory_max / 2;
	}
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

/* Datagrams of several sizes vanish on some paths: who can't be reached in full is refused. */
static void mtu(struct world *w)
{
	struct host *small = world_host(w, 1);

	w->demands.no_leave = w->demands.no_eviction = true;
	w->net.kinds[0].delay_ns = 50 * US;
	w->net.kinds[1] = w->net.kinds[0];
	w->net.kinds[1].mtu = (uint32_t)rng_range(&w->rng, 600, 1200);
	small->is_outcast = true;
	for (uint32_t i = 0; i < w->n; i++)
		if (i != 1) {
			net_path(&w->net, i, 1, 1);
			if (rng_chance(&w->rng, 500000))
				net_path(&w->net, 1, i, 1);
		}
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 10 * S);
	for (uint32_t i = 0; i < w->n && !w->failed; i++) {
		int seen = host_sees(world_host(w, i), small);

		if (i != 1 && seen != MESH_PEER_REFUSED_MTU)
			world_fail(w, "host%u can't reach host1 in full, and sees it %s", i,
			           seen < 0 ? "not at all"
			                    : mesh_peer_state_str((enum mesh_peer_state)seen));
		if (i != 1 && host_sees(small, world_host(w, i)) == MESH_PEER_UP)
			world_fail(w, "host1 sees host%u up, which can't reach it in full", i);
	}
	world_meet(w, S);
	/* once it can be reached, it is taken, though not at once */
	world_heal(w);
	world_run(w, w->now + 61 * S);
	small->is_outcast = false;
	world_settle(w);
}

/* No multicast: every datagram goes to single hosts. */
static void unicast(struct world *w)
{
	scenario_habits(w);
	scenario_paths(w, 20000);
	w->net.group_blocked = true;
	for (uint32_t i = 0; i < w->n; i++)
		world_host(w, i)->config.unicast = true;
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + 4 * S);
	world_settle(w);
}

const struct scenario scenarios_traffic[] = {
        {"calm", "nothing goes wrong", 0, 0, false, calm},
        {"loss", "up to 5% lost, doubled, delayed, overtaken", 0, 0, false, loss},
        {"heavy", "up to 20% lost", 0, 0, false, heavy},
        {"burst", "losses come in bursts", 0, 0, false, burst},
        {"narrow", "slow links and hosts, small buffers", 0, 0, false, narrow},
        {"mtu", "large datagrams do not pass", 3, 0, false, mtu},
        {"unicast", "multicast blocked", 0, 0, false, unicast},
        {0},
};
