/*
 * Deadlines: what is due next, of many
 *
 * A binary heap of nodes that are members of the objects that wait. To put, move and take out one
 * costs the logarithm of their number, to see the first one nothing. Room is made beforehand, so
 * that none of this can fail. The heap owns nothing but its own room.
 */
#ifndef NC_BASE_DEADLINE_H
#define NC_BASE_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

/* All zeros: in no heap. */
struct deadline {
	uint64_t at;
	size_t place; /* in the heap, from 1; 0: in none */
};

/* All zeros: empty. Times stand beside the nodes, so that to compare them touches no node. */
struct deadlines {
	struct deadline_slot {
		uint64_t at;
		struct deadline *node;
	} * slots;
	size_t n, room;
};

/* Frees the room; the nodes are in no heap any more only if they were taken out. */
void deadlines_fini(struct deadlines *h);

/* Makes room for `n` nodes altogether. Returns 0, -ENOMEM. */
int deadlines_reserve(struct deadlines *h, size_t n);

/* Puts D in, or moves it, to AT; DEADLINE_NEVER takes it out. There is room for it. */
void deadline_set(struct deadlines *h, struct deadline *d, uint64_t at);

/* Takes D out, if it is in. */
void deadline_clear(struct deadlines *h, struct deadline *d);

static inline bool deadline_is_set(const struct deadline *d)
{
	return d->place;
}

/* The one that is due first, or NULL. */
static inline struct deadline *deadlines_first(const struct deadlines *h)
{
	return h->n ? h->slots[0].node : NULL;
}

/* When the first one is due; DEADLINE_NEVER: none is in. */
static inline uint64_t deadlines_when(const struct deadlines *h)
{
	return h->n ? h->slots[0].at : DEADLINE_NEVER;
}

#endif
