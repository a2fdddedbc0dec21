/* host.h - a simulated host: one session at a time, its sockets, its clock, its scheduler
 *
 * The host does what an event loop does around a session: it wakes up when a datagram arrives or
 * the session's time has come, empties its sockets in batches, and sends what there is until the
 * socket is full. It may be kept from running for a while, and its clock is its own.
 */
#ifndef NC_SIM_HOST_H
#define NC_SIM_HOST_H

#include "mesh/key.h"
#include "mesh/session.h"
#include "t/sim/app.h"
#include "t/sim/memory.h"
#include "t/sim/net.h"
#include "t/sim/rng.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_NAME_LEN 32u

/* Datagrams that wait in a socket. */
struct sock {
	struct datagram **ring; /* room is a power of 2 */
	uint32_t head, n, room;
	size_t held; /* bytes, as Linux counts them */
};

struct liar;

struct host {
	struct world *world;
	uint32_t index;
	char name[HOST_NAME_LEN];
	struct mesh_config config; /* of the next boot; host, boot and hash_key are filled in */
	struct mesh *mesh;         /* NULL: down */
	struct keyring keys;
	struct mesh_addr addr;
	uint32_t n_boots;
	struct account account;
	struct rng rng;      /* of env.random */
	struct rng sched;    /* of wake-ups */
	struct sock sock[2]; /* unicast, group */
	/* the clock: local = base_local + (now - base) * (1 + ppm / 1e6) */
	uint64_t base, base_local;
	int64_t ppm;
	/* scheduling */
	uint64_t run_at;     /* of the next run; UINT64_MAX: none */
	uint64_t late_until; /* not run before */
	uint64_t cpu_ns;     /* what each datagram costs, in and out */
	uint64_t busy_until;
	uint64_t wake_ns; /* from an arrival to the run, up to so much */
	uint32_t n_spins; /* runs in a row at which the session's time had come already */
	/* interface: bytes per second (0: no limit), and what may wait */
	uint64_t link_rate, link_free_at;
	size_t sndbuf;
	uint64_t port_rate, port_free_at;
	size_t port_queue;
	/* watched */
	uint64_t overtaken_bytes;     /* the same, of those that came later than others */
	uint64_t lost_bytes;          /* of its datagrams, at each receiver that missed them */
	struct mesh_stats stats_then; /* at the last check */
	struct mesh_stats stats_past; /* sum over boots that have ended */
	uint64_t booted_at;
	uint64_t checked_at, n_evicted;
	struct liar *liar; /* NULL: it is honest */
	bool is_outcast;   /* nobody need meet it: refused, or out of reach for good */
	struct app app;
};

/* `key` (copied) is the one that it holds. */
void host_init(struct host *h, struct world *w, uint32_t index, const struct key *key);
void host_fini(struct host *h);

/* Starts a new boot, with lanes as the application has them. */
void host_boot(struct host *h);
/* The process is gone, without a word. What waits in its sockets is lost. */
void host_crash(struct host *h);
/* Begins to leave; the host goes down when it has drained, or after `timeout_ns`. */
void host_leave(struct host *h, uint64_t timeout_ns);

/* The host's own clock. */
uint64_t host_clock(const struct host *h);
/* The clock jumps forward. */
void host_clock_jump(struct host *h, uint64_t ns);
/* Its process is not run until then. */
void host_late(struct host *h, uint64_t until);

/* Whether its process is kept from running now: its application is, too. */
bool host_is_late(const struct host *h);

/* A datagram enters a socket. Returns false where there is no room. */
bool host_arrive(struct host *h, struct datagram *d);

/* Sends what the session has, and arms its timer: after anything that was done with the session. */
void host_pump(struct host *h);

/* What the session tells now; zeros while it is down. Sums include boots that have ended. */
void host_stats(const struct host *h, struct mesh_stats *now, struct mesh_stats *sum);

/* The state of one host as another sees it, by name: the state of its living boot where there is
 * one, or -1. */
int host_sees(const struct host *h, const struct host *other);

#endif
