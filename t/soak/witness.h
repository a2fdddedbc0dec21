/* witness.h - who stays from the beginning of a soak to its end, and misses nothing untold
 *
 * Each is a process with one connection that listens to everything on its channel. At every inquiry
 * it says what it has heard, and what it was told to have lost.
 */
#ifndef NC_T_SOAK_WITNESS_H
#define NC_T_SOAK_WITNESS_H

#include "t/soak/client.h"

struct witness_kind {
	const char *label;
	enum dialect dialect;
	enum soak_channel channel;
	bool loses;  /* its channel drops */
	bool stalls; /* now and then it does not read */
	bool leaves; /* it may be disconnected, and comes back by itself */
};

extern const struct witness_kind witness_kinds[];
extern const unsigned n_witnesses;

/* The life of witness `number`; it ends with the server, and the process with it. */
_Noreturn void witness_live(unsigned number);

#endif
