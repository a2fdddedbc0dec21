/* deadline.c - see deadline.h */
#include "libnc/base/deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void deadlines_fini(struct deadlines *h)
{
	free(h->slots);
	*h = (struct deadlines){0};
}

int deadlines_reserve(struct deadlines *h, size_t n)
{
	size_t room = h->room ? h->room : 16;
	struct deadline_slot *slots;

	if (n <= h->room)
		return 0;
	while (room < n)
		room *= 2;
	slots = realloc(h->slots, room * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	h->slots = slots;
	h->room = room;
	return 0;
}

static void place(struct deadlines *h, struct deadline_slot s, size_t i)
{
	h->slots[i] = s;
	s.node->place = i + 1;
}

/* What has no place yet goes up or down from `i`, which is free, to where it belongs. */
static void settle(struct deadlines *h, struct deadline_slot s, size_t i)
{
	size_t child;

	for (; i && s.at < h->slots[(i - 1) / 2].at; i = (i - 1) / 2)
		place(h, h->slots[(i - 1) / 2], i);
	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->slots[child + 1].at < h->slots[child].at)
			child++;
		if (h->slots[child].at >= s.at)
			break;
		place(h, h->slots[child], i);
		i = child;
	}
	place(h, s, i);
}

void deadline_set(struct deadlines *h, struct deadline *d, uint64_t at)
{
	struct deadline_slot s = {at, d};

	if (at == DEADLINE_NEVER) {
		deadline_clear(h, d);
		return;
	}
	d->at = at;
	if (d->place) {
		settle(h, s, d->place - 1);
		return;
	}
	assert(h->n < h->room);
	settle(h, s, h->n++);
}

void deadline_clear(struct deadlines *h, struct deadline *d)
{
	size_t i = d->place - 1;
	struct deadline_slot last;

	if (!d->place)
		return;
	d->place = 0;
	last = h->slots[--h->n];
	if (last.node != d)
		settle(h, last, i);
}
