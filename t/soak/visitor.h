/* visitor.h - who comes to a soak and goes again: well-behaved, slow, curious and rude
 *
 * Each function is the whole life of a process: what it does follows from the seed, the visitor's
 * number, and what happens to it. It ends when its time is over, when the server ends its
 * connection, or soon after SIGTERM.
 */
#ifndef NC_T_SOAK_VISITOR_H
#define NC_T_SOAK_VISITOR_H

#include "t/soak/soak.h"

enum visit {
	VISIT_EMITTER,  /* emits, at some rate, in some dialect, with payloads of some size */
	VISIT_LISTENER, /* listens to some patterns; may change them, and may stop reading */
	VISIT_CHATTER,  /* both */
	VISIT_WRITER,   /* writes lines into the named pipe */
	VISIT_RUDE,     /* half frames, garbage, silence, crowds */
	VISIT_ASKER,    /* asks the control channel, sensibly and not */
	N_VISITS,
};

extern const char *const visit_names[N_VISITS];

/* Chooses a kind. */
enum visit visit_choose(void);

/* Lives. `number` is its own and that of its sender. */
void visit_live(enum visit v, uint32_t number);

/* Set once this process was told to go. */
bool visit_must_go(void);

/* Milliseconds for which a visitor stays. */
unsigned visit_ms(void);

/* The life of a rude one, and of an asker. */
void visit_rude(uint32_t number);
void visit_asker(uint32_t number);

#endif
