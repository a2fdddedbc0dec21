/* scale.c - see scale.h
 *
 * One host sends 1,000 messages of 1 KiB per second on one reliable lane to all the others, first
 * without loss, then with 1% at each receiver. Bytes are those of UDP payload that a host sends;
 * a repair that goes to the group counts once, a lost datagram once for each receiver that missed
 * it.
 */
#include "t/sim/scale.h"

#include "t/sim/world.h"

#include <stdio.h>

#define RATE 1000u /* messages per second */

struct sums {
	uint64_t control, control_sender, heard, repairs, lost, naks;
};

static struct sums sums_of(struct world *w)
{
	struct sums s = {.heard = w->n_delivered};
	struct mesh_stats now;

	for (uint32_t i = 0; i < w->n; i++) {
		host_stats(world_host(w, i), &now, NULL);
		s.control += now.control_out;
		s.control_sender += i ? 0 : now.control_out;
		s.repairs += now.repair_bytes_out;
		s.naks += now.naks_out;
		s.lost += w->hosts[i].lost_bytes;
	}
	return s;
}

/* What happens in `ns`. */
static struct sums measure(struct world *w, uint64_t ns)
{
	struct sums a = sums_of(w), b;

	world_run(w, w->now + ns);
	b = sums_of(w);
	return (struct sums){b.control - a.control, b.control_sender - a.control_sender,
	                     b.heard - a.heard,     b.repairs - a.repairs,
	                     b.lost - a.lost,       b.naks - a.naks};
}

void scale_head(void)
{
	printf("| hosts | idle: control, B/s per host | load: control, B/s per receiver | of the "
	       "sender | with 1%% lost: bytes repaired per byte lost | NAKs per lost datagram | "
	       "memory per peer, B | messages heard, per receiver and second | all have met after, s "
	       "|\n"
	       "|---|---|---|---|---|---|---|---|---|\n");
	fflush(stdout);
}

bool scale_run(struct crypto *crypto, uint64_t seed, uint32_t n)
{
	struct world *w = world_new(crypto, seed, n, false);
	struct host *sender = world_host(w, 0);
	uint64_t second = n > 100 ? S : 5 * S, met, lost;
	struct sums idle, load, loss;
	size_t alone, memory;

	w->net.kinds[0].delay_ns = 100 * US;
	w->net.kinds[1] = (struct path){.delay_ns = 100 * US, .loss_ppm = 10000};
	for (uint32_t i = 0; i < n; i++) {
		world_host(w, i)->app.habits.opens = !i;
		world_host(w, i)->app.habits.every_ns = 0;
	}
	host_boot(sender);
	alone = sender->account.held;
	for (uint32_t i = 1; i < n; i++)
		host_boot(world_host(w, i));
	met = w->now;
	world_meet(w, 120 * S);
	met = w->now - met;
	world_run(w, w->now + 3 * S);
	memory = sender->account.held - alone;
	idle = measure(w, 10 * second);
	sender->app.habits.every_ns = S / RATE;
	sender->app.habits.burst = 1;
	sender->app.habits.size_fixed = 1024;
	world_run(w, w->now + S);
	load = measure(w, second);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < n; k++)
			net_path(&w->net, i, k, 1);
	lost = w->net.lost[NET_LOST];
	loss = measure(w, 2 * second);
	lost = w->net.lost[NET_LOST] - lost;
	printf("| %u | %.0f | %.0f | %.0f | %.3f | %.3f | %zu | %.0f | %.1f |\n", n,
	       (double)idle.control * 1e9 / (double)(10 * second) / n,
	       (double)(load.control - load.control_sender) * 1e9 / (double)second / (n - 1),
	       (double)load.control_sender * 1e9 / (double)second,
	       loss.lost ? (double)loss.repairs / (double)loss.lost : 0,
	       lost ? (double)loss.naks / (double)lost : 0, memory / (n - 1),
	       (double)load.heard * 1e9 / (double)second / (n - 1), (double)met / 1e9);
	fflush(stdout);
	if (w->failed)
		printf("FAILED: %u hosts, seed %llu, at %.6f s: %s\n", n, (unsigned long long)seed,
		       (double)w->failed_at / 1e9, w->why);
	n = !w->failed;
	world_free(w);
	return n;
}
