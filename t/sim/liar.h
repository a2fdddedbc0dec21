/* liar.h - a member that holds the key, and lies
 *
 * Behind it runs a session like any other, so that it is proven, announced, and joins. What the
 * session sends is opened, altered and sealed again with a counter of the liar's own, and between
 * those go datagrams of its own making.
 */
#ifndef NC_SIM_LIAR_H
#define NC_SIM_LIAR_H

#include "mesh/session.h"

#include <stddef.h>
#include <stdint.h>

struct datagram;
struct host;
struct liar;

enum lie {
	LIE_NAK = 1,  /* asks for everything, all the time */
	LIE_HUSH = 2, /* what others lack it seems to ask for, but who could repair hears nothing */
	LIE_CLOSED = 4,     /* takes nothing */
	LIE_WIDE = 8,       /* takes everything, and has had it all */
	LIE_JOIN = 16,      /* joins over and over, and parts, with closed windows */
	LIE_HEAD = 32,      /* its lanes are anywhere, and have any number of members */
	LIE_HEARD = 64,     /* hears others than it does */
	LIE_ASK = 128,      /* challenges, questions and questions again */
	LIE_JOINED = 256,   /* evicts, and lets in at any place */
	LIE_ANNOUNCE = 512, /* any interval */
	LIE_N = 10,
};

/* Makes a host, which is up, a liar. `lies` are of enum lie. */
struct liar *liar_new(struct host *h, uint32_t lies, uint64_t seed);
void liar_free(struct liar *l);

/* What its session is about to send becomes what it does send. */
void liar_alter(struct liar *l, uint8_t *p, size_t len);
/* A datagram reaches it: what it needs for better lies it remembers. */
void liar_overhear(struct liar *l, const struct datagram *d);
/* Lies of its own, to one of the others each. */
void liar_speak(struct liar *l);

#endif
