/* replay.h - which datagrams of one sender's boot have been opened before
 *
 * A window of REPLAY_WINDOW counters below the highest that was committed. What is older is
 * refused, since nobody knows any more; so is what was committed before. The form is that of
 * RFC 6479: a ring of bits, in which nothing is shifted.
 *
 * Checked before a datagram is opened, which is cheaper, and committed after it has proved genuine:
 * a forged counter moves nothing. Whoever repeats a datagram within the window gains nothing;
 * a receiver that starts anew begins at the counter of a datagram that answered its challenge, so
 * that nothing sent before can be played to it.
 */
#ifndef NC_MESH_REPLAY_H
#define NC_MESH_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/* 60 ms of 64-byte messages at a million datagrams per second: far more than a network reorders.
 * 8 KiB for each peer. A power of 2, and a multiple of 64. */
#define REPLAY_WINDOW 65536u

struct replay {
	uint64_t first; /* no counter below is taken */
	uint64_t top;   /* the highest committed */
	bool is_begun;  /* one was committed */
	uint64_t seen[REPLAY_WINDOW / 64];
};

/* Takes no counter below `first`; any above may be the first one. */
void replay_init(struct replay *r, uint64_t first);

/* Whether a datagram with this counter would be new. */
bool replay_check(const struct replay *r, uint64_t counter);

/* Takes note of a counter that has passed replay_check() and whose datagram is genuine. */
void replay_commit(struct replay *r, uint64_t counter);

#endif
