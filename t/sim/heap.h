/* heap.h - what happens next: events in the order of their virtual time
 *
 * A binary heap. Events of the same time come in the order in which they were put, so that a run
 * depends on nothing but its seed.
 */
#ifndef NC_SIM_HEAP_H
#define NC_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an event does; `p` and `a` mean what `fn` takes them for. */
typedef void event_fn(void *world, void *p, uint64_t a);

struct event {
	uint64_t at; /* ns of virtual time */
	uint64_t order;
	event_fn *fn;
	void *p; /* not owned */
	uint64_t a;
};

struct heap {
	struct event *events;
	size_t n, room;
	uint64_t next_order;
};

/* A heap of zeros is empty. */
void heap_fini(struct heap *h);
void heap_put(struct heap *h, uint64_t at, event_fn *fn, void *p, uint64_t a);
/* Takes the next event. Returns false where there is none. */
bool heap_take(struct heap *h, struct event *e);

#endif
