/* ring.h - the entries of a queue (private to ncserver/bus/queue*.c)
 *
 * A ring of entries that grows by doubling and gives its memory back when it is empty again.
 */
#ifndef NC_BUS_RING_H
#define NC_BUS_RING_H

#include <assert.h>
#include <stdbool.h>

#include "ncserver/bus/queue.h"

enum qent_kind {
	QENT_DATA = 0, /* whole messages */
	QENT_PART,     /* a part of one message, not the last */
	QENT_TAIL,     /* its last part, or a whole one that is not to be merged */
	QENT_CONTROL,  /* control frames, not counted */
	QENT_NOTE,     /* who the sender of what follows is, not counted */
};

/* What a conflating queue knows of an event that waits in it. */
struct qname {
	uint64_t serial;
	uint32_t len;
	char key[];
};

struct qent {
	struct slab *slab; /* one reference */
	const uint8_t *p;
	uint32_t len;
	uint32_t n;         /* messages that end in it */
	uint64_t gap;       /* lost before it, to be told */
	struct qname *name; /* under conflation, not begun */
	uint8_t kind;
	uint8_t gap_why; /* 0: nothing was lost before it */
};

/* Of a gap's reason: the count is the least that may be missing. */
#define GAP_INEXACT 0x80u

/* Adds what is missing, and why (0: nothing), to a gap that is not told yet: its reason is the one
 * that came last. Other hosts may say any number: it ends at the largest. */
static inline void gap_add(uint64_t *gap, uint8_t *gap_why, uint64_t n, uint8_t why)
{
	if (why == 0)
		return;
	if (__builtin_add_overflow(*gap, n, gap))
		*gap = UINT64_MAX;
	*gap_why = (uint8_t)(why | (*gap_why & GAP_INEXACT));
}

static inline struct qent *ring_at(const struct queue *q, uint32_t i)
{
	return &q->ents[(q->head + i) & (q->cap_ents - 1)];
}

static inline struct qent *ring_last(const struct queue *q)
{
	return q->n_ents ? ring_at(q, q->n_ents - 1) : NULL;
}

/* Appends an entry, zeroed. Returns it, or NULL without memory. */
struct qent *ring_append(struct queue *q);

/* Removes entry `i` (its contents are the caller's affair), moving those before it. */
void ring_remove(struct queue *q, uint32_t i);

/* Inserts a zeroed entry at `i`, moving those before it to the front. Returns it or NULL without
 * memory. */
struct qent *ring_insert(struct queue *q, uint32_t i);

/* Frees the memory of an empty ring where it is more than a small one. */
void ring_trim(struct queue *q);

void ring_free(struct queue *q);

/* queue_cut.c: where messages end. */

/* Bytes of the first message of the `len` bytes of whole messages at p. */
uint32_t queue_first_len(enum queue_dialect dialect, const uint8_t *p, uint32_t len);

/* Passes over whole messages that fit into `max` bytes. Returns their bytes, *n their number. */
uint32_t queue_fit_len(enum queue_dialect dialect, const uint8_t *p, uint32_t len, uint32_t max,
                       uint32_t *n);

/* queue_drop.c: what a full queue does. */

enum queue_result queue_push_lossy(struct queue *q, const struct batch *b);

/* Frees what a name of a conflating queue takes, when its entry is begun or goes. */
void queue_name_drop(struct queue *q, struct qent *e);

/* queue.c, for the others */

/* Appends a range, merged where it can be; copied out where `copy`. Returns 0 or -ENOMEM. */
int queue_append(struct queue *q, const struct range *r, enum qent_kind kind, bool copy);

/* Copies bytes into a private slab. Returns 0 and *out (its reference is the caller's), or -ENOMEM.
 */
int queue_copy(struct queue *q, const void *p, uint32_t len, struct range *out);

/* Copies what waits into new slabs, where much of the old ones was dropped: what is left in them
 * may be a few bytes each. Costs nothing but a compare in most cases, and less per byte dropped
 * than the copy of it had cost. */
void queue_put_together(struct queue *q);

/* Counts an entry off what the server itself has to say. */
void queue_uncount_own(struct queue *q, const struct qent *e);

/* Takes entry `i` out and drops its reference; counters but for pinned are the caller's affair. */
void queue_take_out(struct queue *q, uint32_t i);

/* Whether a part of the message at the head is written, and the rest is not. */
static inline bool queue_head_begun(const struct queue *q)
{
	return q->written_off > 0 || q->in_chain;
}

static inline bool queue_policy_drops(uint8_t policy)
{
	return policy == FRAME_P_DROP_OLDEST || policy == FRAME_P_DROP_NEWEST ||
	       policy == FRAME_P_CONFLATE;
}

#endif
