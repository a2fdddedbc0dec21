/* witness.h - clients that talk while others misbehave, and must notice nothing */
#ifndef NC_T_CONFORMANCE_WITNESS_H
#define NC_T_CONFORMANCE_WITNESS_H

#include <stdint.h>

#include "t/helpers/world.h"

/* One of each kind, on channel A. */
struct witnesses {
	struct peer *p[N_KINDS];
	int64_t n;
};

void witnesses_come(struct world *w, struct witnesses *s);

/* Each hears the other, and nothing else. */
void witnesses_talk(struct witnesses *s);

/* They forget what reached them so far. */
void witnesses_forget(struct witnesses *s);

#endif
