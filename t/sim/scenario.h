/* scenario.h - the worlds that are tried */
#ifndef NC_SIM_SCENARIO_H
#define NC_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct world;

struct scenario {
	const char *name;
	const char *about;
	uint32_t n_hosts;  /* 0: the seed decides, 2 to 6 */
	uint32_t runs_max; /* with another seed each; 0: as many as one likes */
	bool is_long;      /* not part of `all` */
	void (*run)(struct world *w);
};

/* Ends with a name of NULL. */
extern const struct scenario scenarios_traffic[]; /* scenario_traffic.c: what the network does */
extern const struct scenario scenarios_hosts[];   /* scenario_hosts.c: what hosts do */
extern const struct scenario scenarios_hostile[]; /* scenario_hostile.c: what enemies do */
extern const struct scenario scenarios_time[];    /* scenario_time.c: many hosts, and long times */

/* ---- what several have in common ---- */

/* All hosts boot within `within_ns`. */
void scenario_boot(struct world *w, uint64_t within_ns);
/* Different habits for all: lanes, sizes, rates. */
void scenario_habits(struct world *w);
/* Every path but those of kind 0, which heals, is of some random kind up to this loss. */
void scenario_paths(struct world *w, uint32_t loss_max_ppm);
/* A host is not run for up to half of its liveness limit. One that has not run for a second since
 * the last time is left alone: to others it would be silent for longer than that. */
void scenario_late(struct world *w, struct host *h);

#endif
