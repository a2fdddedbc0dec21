/* crew.h - the processes of a soak: who comes, who is stopped, who is killed */
#ifndef NC_T_SOAK_CREW_H
#define NC_T_SOAK_CREW_H

#include <netcluster/nc.h>

#include "t/soak/visitor.h"
#include "t/soak/witness.h"

/* Visitors at one time. */
#define CREW_MAX 64u

struct crew {
	struct member {
		pid_t pid; /* 0: free */
		enum visit visit;
		bool is_killed;
		uint64_t wakes_at_ms; /* 0: it is not stopped */
	} members[CREW_MAX];
	pid_t witnesses[SOAK_WITNESSES_MAX];
	uint64_t seed;
	uint32_t n_senders; /* numbers given out */
	unsigned target;    /* how many there are to be */
	uint64_t n_visits;
	uint64_t n_killed;
	uint64_t n_stopped;
	nc_client *control; /* not owned; forked processes let go of it */
};

void crew_init(struct crew *c, uint64_t seed, nc_client *control);

/* Starts all witnesses, and waits until they are there. */
void crew_start_witnesses(struct crew *c);

/* Who has ended is taken off the list, others come, some are stopped, woken or killed. */
void crew_turn(struct crew *c);

/* All visitors are told to go, and waited for. */
void crew_dismiss(struct crew *c);

/* One more sender emits n messages on the calm channel, goes in order and has gone when this
 * returns, which returns its number. */
uint32_t crew_emit_last(struct crew *c, unsigned n);

/* Waits until all witnesses have ended; kills those that don't. */
void crew_await_witnesses(struct crew *c);

#endif
