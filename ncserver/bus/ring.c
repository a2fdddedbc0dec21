/* ring.c - the entries of a queue */
#include "ncserver/bus/ring.h"

#include <stdlib.h>
#include <string.h>

/* Most queues hold a few merged ranges; empty ones hold none. */
#define RING_FIRST 4u
#define RING_KEEP  16u

static int grow(struct queue *q)
{
	uint32_t cap = q->cap_ents ? q->cap_ents * 2 : RING_FIRST;
	struct qent *ents;
	uint32_t first;

	if (cap > (1u << 30))
		return -1;
	ents = malloc((size_t)cap * sizeof(*ents));
	if (!ents)
		return -1;
	if (q->n_ents) {
		first = q->cap_ents - q->head;
		if (first > q->n_ents)
			first = q->n_ents;
		memcpy(ents, q->ents + q->head, first * sizeof(*ents));
		memcpy(ents + first, q->ents, (q->n_ents - first) * sizeof(*ents));
	}
	free(q->ents);
	q->pool->list_bytes += (cap - q->cap_ents) * sizeof(*ents);
	q->ents = ents;
	q->cap_ents = cap;
	q->head = 0;
	return 0;
}

struct qent *ring_append(struct queue *q)
{
	struct qent *e;

	if (q->n_ents == q->cap_ents && grow(q))
		return NULL;
	e = ring_at(q, q->n_ents++);
	*e = (struct qent){0};
	return e;
}

void ring_remove(struct queue *q, uint32_t i)
{
	assert(i < q->n_ents);
	for (; i > 0; i--)
		*ring_at(q, i) = *ring_at(q, i - 1);
	q->head = (q->head + 1) & (q->cap_ents - 1);
	q->n_ents--;
	q->base++;
}

struct qent *ring_insert(struct queue *q, uint32_t i)
{
	if (q->n_ents == q->cap_ents && grow(q))
		return NULL;
	q->head = (q->head - 1) & (q->cap_ents - 1);
	q->n_ents++;
	q->base--;
	for (uint32_t k = 0; k < i; k++)
		*ring_at(q, k) = *ring_at(q, k + 1);
	*ring_at(q, i) = (struct qent){0};
	return ring_at(q, i);
}

void ring_trim(struct queue *q)
{
	if (q->n_ents == 0 && q->cap_ents > RING_KEEP)
		ring_free(q);
}

void ring_free(struct queue *q)
{
	free(q->ents);
	q->pool->list_bytes -= q->cap_ents * sizeof(*q->ents);
	q->ents = NULL;
	q->cap_ents = 0;
	q->head = 0;
}
