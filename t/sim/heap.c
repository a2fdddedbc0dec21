/* heap.c - see heap.h */
#include "t/sim/heap.h"

#include "t/sim/memory.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void heap_fini(struct heap *h)
{
	sim_free(h->events);
	*h = (struct heap){0};
}

void heap_put(struct heap *h, uint64_t at, event_fn *fn, void *p, uint64_t a)
{
	struct event e = {.at = at, .order = h->next_order++, .fn = fn, .p = p, .a = a};
	size_t i;

	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 1024;
		h->events = sim_realloc(h->events, h->room * sizeof(*h->events));
	}
	for (i = h->n++; i && before(&e, &h->events[(i - 1) / 2]); i = (i - 1) / 2)
		h->events[i] = h->events[(i - 1) / 2];
	h->events[i] = e;
}

bool heap_take(struct heap *h, struct event *e)
{
	struct event last;
	size_t i = 0, child;

	if (!h->n)
		return false;
	*e = h->events[0];
	last = h->events[--h->n];
	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && before(&h->events[child + 1], &h->events[child]))
			child++;
		if (!before(&h->events[child], &last))
			break;
		h->events[i] = h->events[child];
		i = child;
	}
	if (h->n)
		h->events[i] = last;
	return true;
}
