/* request.c - the requests that wait for an answer
 *
 * A table of slots that grows up to REQUEST_MAX; the slot stands in the lower bits of the id, so
 * that an answer finds its request at once, and the upper bits make each id a new one, so that a
 * late answer finds nothing. Answers, errors and deadlines all take the request out before its
 * callback runs: it runs once.
 *
 * It knows no clock; deadlines are looked for only when the earliest has come.
 */

#include "libnc/client/request.h"

#include <stdlib.h>

#define REQUEST_FIRST_SLOTS 8u

void request_init(struct request_table *t)
{
	*t = (struct request_table){.earliest_ns = REQUEST_NEVER};
}

void request_fini(struct request_table *t)
{
	free(t->slots);
	request_init(t);
}

static int request_grow(struct request_table *t)
{
	unsigned n = t->n_slots ? t->n_slots * 2 : REQUEST_FIRST_SLOTS;
	struct request *slots;

	if (t->n_slots == REQUEST_MAX)
		return NC_EQUOTA;
	slots = realloc(t->slots, n * sizeof(*slots));
	if (!slots)
		return NC_ENOMEM;
	for (unsigned i = t->n_slots; i < n; i++)
		slots[i] = (struct request){0};
	t->slots = slots;
	t->n_slots = n;
	return NC_OK;
}

int request_add(struct request_table *t, uint64_t deadline_ns, nc_reply_cb *fn, void *arg,
                struct request **out)
{
	unsigned slot;

	if (t->n_open == t->n_slots) {
		int r = request_grow(t);

		if (r)
			return r;
	}
	t->n_ids++;
	/* ids go round, so that a free slot is found soon */
	slot = (unsigned)(t->n_ids % t->n_slots);
	while (t->slots[slot].id)
		slot = (slot + 1) % t->n_slots;
	t->slots[slot] = (struct request){
	        .id = t->n_ids * REQUEST_MAX + slot,
	        .deadline_ns = deadline_ns,
	        .fn = fn,
	        .arg = arg,
	};
	t->n_open++;
	if (deadline_ns < t->earliest_ns)
		t->earliest_ns = deadline_ns;
	*out = &t->slots[slot];
	return NC_OK;
}

static struct request *request_find(const struct request_table *t, uint64_t id)
{
	unsigned slot = (unsigned)(id % REQUEST_MAX);

	return id && slot < t->n_slots && t->slots[slot].id == id ? &t->slots[slot] : NULL;
}

static void request_take_slot(struct request_table *t, struct request *r, struct request *out)
{
	*out = *r;
	r->id = 0;
	if (!--t->n_open)
		t->earliest_ns = REQUEST_NEVER;
}

bool request_take(struct request_table *t, uint64_t id, struct request *out)
{
	struct request *r = request_find(t, id);

	if (r)
		request_take_slot(t, r, out);
	return r != NULL;
}

bool request_is_awaited(const struct request_table *t, uint64_t id, uint64_t now_ns)
{
	const struct request *r = request_find(t, id);

	return r && now_ns < r->deadline_ns;
}

bool request_take_seq(struct request_table *t, uint64_t seq, struct request *out)
{
	for (unsigned i = 0; seq && t->n_open && i < t->n_slots; i++) {
		struct request *r = &t->slots[i];

		if (r->id && r->seq == seq) {
			request_take_slot(t, r, out);
			return true;
		}
	}
	return false;
}

void request_fail_all(struct request_table *t, int error)
{
	for (unsigned i = 0; t->n_open && i < t->n_slots; i++) {
		struct request *r = &t->slots[i];

		if (!r->id || r->error)
			continue;
		r->error = error;
		r->deadline_ns = 0;
		t->earliest_ns = 0;
	}
}

bool request_take_ended(struct request_table *t, uint64_t now_ns, struct request *out)
{
	struct request *first = NULL;
	uint64_t second_ns = REQUEST_NEVER;

	if (!t->n_open || now_ns < t->earliest_ns)
		return false;
	for (unsigned i = 0; i < t->n_slots; i++) {
		struct request *r = &t->slots[i];

		if (!r->id)
			continue;
		if (!first || r->deadline_ns < first->deadline_ns ||
		    (r->deadline_ns == first->deadline_ns && r->id < first->id)) {
			if (first && first->deadline_ns < second_ns)
				second_ns = first->deadline_ns;
			first = r;
		} else if (r->deadline_ns < second_ns) {
			second_ns = r->deadline_ns;
		}
	}
	if (first->deadline_ns > now_ns) {
		t->earliest_ns = first->deadline_ns;
		return false;
	}
	t->earliest_ns = second_ns;
	request_take_slot(t, first, out);
	if (!out->error)
		out->error = NC_ETIMEOUT;
	return true;
}
