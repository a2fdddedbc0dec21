/* reconnect.h - when to try again: exponential back-off with jitter */
#ifndef NC_CLIENT_RECONNECT_H
#define NC_CLIENT_RECONNECT_H

#include <stdint.h>

struct reconnect {
	uint32_t min_ms;
	uint32_t max_ms; /* at least min_ms */
	uint32_t cap_ms; /* upper bound of the last delay; 0 after a reset */
};

/* Starts with the first delay. Where max_ms is below min_ms, min_ms counts for both. */
void reconnect_init(struct reconnect *r, uint32_t min_ms, uint32_t max_ms);

/* The next delay in milliseconds: somewhere between the minimum and a cap that starts at twice the
 * minimum and doubles with each call up to the maximum. `random` is 64 random bits. */
uint32_t reconnect_next_ms(struct reconnect *r, uint64_t random);

/* Takes note that a connection has ended that had lasted for `lasted_ns`: one that outlived the
 * longest delay counts as sound, and the delays begin anew. */
void reconnect_ended(struct reconnect *r, uint64_t lasted_ns);

#endif
