/* world.h - hosts, their network, virtual time, and the first thing that went wrong */
#ifndef NC_SIM_WORLD_H
#define NC_SIM_WORLD_H

#include "t/sim/heap.h"
#include "t/sim/host.h"
#include "t/sim/net.h"
#include "t/sim/rng.h"

#include <stdbool.h>
#include <stdint.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* How much a scenario demands beyond what always holds. */
struct demands {
	bool no_leave;      /* no peer that lives is taken for gone */
	bool no_eviction;   /* nobody is evicted */
	bool no_gap;        /* nothing is lost on reliable lanes */
	uint64_t settle_ns; /* all is delivered so long after the network was healed */
	double repair_max; /* repaired bytes per byte that was lost, came late, or was not taken yet
	                    */
};

struct world {
	uint64_t seed;
	const char *scenario;
	uint64_t now;   /* ns */
	struct rng rng; /* of the scenario */
	struct heap heap;
	struct crypto *crypto; /* not owned: one for all worlds */
	struct net net;
	struct host *hosts;
	uint32_t n;
	struct origin **origins; /* every boot that ever was */
	uint32_t n_origins, room_origins;
	uint64_t *trouble; /* [a * n + b]: until then, what a and b say of each other is excused */
	struct demands demands;
	uint8_t *block; /* random bytes that payloads are cut from */
	bool is_quiet;  /* applications write nothing more */
	bool is_traced;
	bool failed;
	char why[512];
	uint64_t failed_at;
	uint64_t n_events, n_delivered;
	uint64_t repaired, to_repair; /* bytes repaired; lost, or later than others: at the end */
	void *scenario_data;          /* freed with the world */
};

/* The cipher follows from the seed. */
struct world *world_new(struct crypto *crypto, uint64_t seed, uint32_t n, bool traced);
void world_free(struct world *w);

static inline struct host *world_host(struct world *w, uint32_t i)
{
	return &w->hosts[i];
}

/* The host that is reached at an address, or NULL. */
struct host *world_host_at(struct world *w, const struct mesh_addr *a);

/* Notes what went wrong, unless something did before. */
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line of the trace. */
void world_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Has `fn` called at a time. */
void world_at(struct world *w, uint64_t at, event_fn *fn, void *p, uint64_t a);

/* Lets time pass until `at`, or until something goes wrong. */
void world_run(struct world *w, uint64_t at);

/* ---- what scenarios do to the world ---- */

/* Hosts whose bit is set in `sides` and the others do not reach each other. */
void world_partition(struct world *w, uint64_t sides);
/* All paths are of kind 0, which loses nothing; nobody is late or takes nothing; partitions end. */
void world_heal(struct world *w);
/* Everything is healed and nothing more written: then all who live must find each other, and each
 * lane must bring all that was written, or say how much it lost. */
void world_settle(struct world *w);
/* Runs until all living hosts see each other up, `within` at most, or fails. */
void world_meet(struct world *w, uint64_t within);

#endif
