/* queue_drop.c - what a queue does that is full and may drop
 *
 * Under drop-oldest the oldest messages that are not begun make room; under drop-newest what does
 * not fit is lost; under conflate, while the receiver is blocked, a message takes the place of the
 * one of the same event that waits already. Each loss is told before the message that follows it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/ring.h"
#include "ncserver/conf/conf.h"

void queue_name_drop(struct queue *q, struct qent *e)
{
	if (!e->name)
		return;
	map_del(q->names, e->name->key, e->name->len);
	free(e->name);
	e->name = NULL;
}

static bool over_limit(const struct queue *q, uint64_t len, uint64_t n)
{
	return q->queued > 0 &&
	       (q->bytes + len > q->conf->bytes || q->queued + n > q->conf->messages ||
	        (q->names && map_len(q->names) >= q->conf->conflate_names));
}

static void tell_before(struct queue *q, uint32_t i, uint64_t n, uint8_t why)
{
	if (i < q->n_ents) {
		struct qent *e = ring_at(q, i);

		gap_add(&e->gap, &e->gap_why, n, why);
	} else {
		gap_add(&q->tail_gap, &q->tail_gap_why, n, why);
	}
}

/* Splits off the begun message at the head, so that what follows it can be dropped. Returns 0,
 * -ENOMEM. */
static int split_begun(struct queue *q)
{
	struct qent *e = ring_at(q, 0);
	struct qent *first;
	struct qent rest;
	uint32_t len;

	len = queue_first_len((enum queue_dialect)q->dialect, e->p, e->len);
	first = ring_insert(q, 0);
	if (!first)
		return -ENOMEM;
	e = ring_at(q, 1);
	rest = *e;
	*first = rest;
	first->slab = slab_ref(rest.slab);
	first->len = len;
	first->n = 1;
	first->name = NULL;
	e->p += len;
	e->len -= len;
	e->n -= 1;
	e->gap = 0;
	e->gap_why = 0;
	return 0;
}

/* Finds the entry with the oldest message that may go. Returns its index, or -1. */
static int64_t oldest(struct queue *q)
{
	uint32_t i = 0;

	if (q->n_ents == 0)
		return -1;
	if (q->in_chain || q->written_off > 0) {
		struct qent *e = ring_at(q, 0);

		if (e->kind == QENT_DATA && e->n > 1 && split_begun(q))
			return -1;
		while (ring_at(q, i)->kind == QENT_PART)
			i++;
		i++;
	}
	while (i < q->n_ents && ring_at(q, i)->kind >= QENT_CONTROL)
		i++;
	return i < q->n_ents ? (int64_t)i : -1;
}

/* Drops the oldest message. Returns whether there was one. */
static bool drop_oldest(struct queue *q)
{
	int64_t at = oldest(q);
	uint32_t i = (uint32_t)at;
	struct qent *e;

	if (at < 0)
		return false;
	e = ring_at(q, i);
	q->flow.dropped[QUEUE_DROP_OLDEST]++;
	q->queued--;
	if (e->kind == QENT_DATA && e->n > 1) {
		uint32_t len = queue_first_len((enum queue_dialect)q->dialect, e->p, e->len);

		e->p += len;
		e->len -= len;
		e->n--;
		q->bytes -= len;
		q->waste += len;
		tell_before(q, i, 1, FRAME_GAP_DROP_OLDEST);
		return true;
	}
	for (bool last = false; !last;) {
		uint64_t gap;
		uint8_t why;

		e = ring_at(q, i);
		gap = e->gap;
		why = e->gap_why;
		last = e->kind != QENT_PART;
		q->bytes -= e->len;
		q->waste += e->len;
		queue_take_out(q, i);
		tell_before(q, i, gap, why);
		if (last)
			tell_before(q, i, 1, FRAME_GAP_DROP_OLDEST);
	}
	return true;
}

/* Puts the newest message of an event where the older one waits. Returns 0, or 1 where none does.
 */
static int replace(struct queue *q, const struct batch *b, const struct range *m)
{
	struct qname *name = q->names ? map_get(q->names, b->key, b->key_len) : NULL;
	struct qent *e;

	if (!name)
		return 1;
	e = ring_at(q, (uint32_t)(name->serial - q->base));
	assert(e->name == name);
	q->bytes = q->bytes - e->len + m->len;
	q->waste += e->len;
	slab_unref(e->slab);
	e->slab = m->slab;
	e->p = m->p;
	e->len = m->len;
	gap_add(&e->gap, &e->gap_why, 1, FRAME_GAP_CONFLATE);
	q->flow.dropped[QUEUE_DROP_CONFLATE]++;
	return 0;
}

/* Names the last entry, so that a later message of the same event replaces it. Without memory it
 * stays without a name. */
static void name_last(struct queue *q, const struct batch *b)
{
	static const uint8_t seed[SIPHASH_KEY_LEN];
	struct qname *name;

	if (!q->names) {
		q->names = malloc(sizeof(*q->names));
		if (!q->names)
			return;
		/* the keys are bounded, and names that peers choose cost them alone */
		map_init(q->names, MAP_BYTES, q->conf->conflate_names, seed);
	}
	name = malloc(sizeof(*name) + b->key_len);
	if (!name)
		return;
	name->serial = q->base + q->n_ents - 1;
	name->len = b->key_len;
	memcpy(name->key, b->key, b->key_len);
	if (map_put(q->names, name->key, name->len, name))
		free(name);
	else
		ring_last(q)->name = name;
}

/* Takes one message, contiguous in a range, with the queue's own copy. */
static enum queue_result push_one(struct queue *q, const struct batch *b, const struct range *m)
{
	bool conflate = q->policy == FRAME_P_CONFLATE;
	enum queue_result rc = QUEUE_OK;
	struct range own;

	q->flow.routed++;
	if (q->policy == FRAME_P_DROP_NEWEST && over_limit(q, m->len, 1))
		goto lost;
	if (queue_copy(q, m->p, m->len, &own))
		goto lost;
	own.n = 1;
	if (conflate && replace(q, b, &own) == 0)
		return QUEUE_LOST;
	while (over_limit(q, m->len, 1)) {
		rc = QUEUE_LOST;
		if (!drop_oldest(q)) {
			q->waste += own.len;
			slab_unref(own.slab);
			goto lost;
		}
	}
	/* as a tail it stays an entry of its own, that a newer one can replace */
	if (queue_append(q, &own, conflate ? QENT_TAIL : QENT_DATA, false)) {
		slab_unref(own.slab);
		goto lost;
	}
	slab_unref(own.slab);
	if (conflate)
		name_last(q, b);
	return rc;
lost:
	q->flow.routed--;
	queue_lose(q, QUEUE_DROP_NEWEST, 1);
	return QUEUE_LOST;
}

/* A message in parts, made one. */
static enum queue_result push_joined(struct queue *q, const struct batch *b)
{
	struct slab *s = slab_new(q->pool, (uint32_t)b->len);
	struct range m;
	enum queue_result rc;

	if (!s) {
		queue_lose(q, QUEUE_DROP_NEWEST, 1);
		return QUEUE_LOST;
	}
	for (uint32_t i = 0; i < b->n_ranges; i++) {
		memcpy(s->data + s->used, b->ranges[i].p, b->ranges[i].len);
		s->used += b->ranges[i].len;
	}
	m = (struct range){.slab = s, .p = s->data, .len = s->used, .n = 1};
	rc = push_one(q, b, &m);
	slab_unref(s);
	return rc;
}

enum queue_result queue_push_lossy(struct queue *q, const struct batch *b)
{
	enum queue_result rc = QUEUE_OK;

	if (b->chain)
		rc = push_joined(q, b);
	for (uint32_t i = 0; !b->chain && i < b->n_ranges; i++) {
		struct range m = b->ranges[i];
		uint32_t left = m.len;

		while (left > 0) {
			m.len = queue_first_len((enum queue_dialect)q->dialect, m.p, left);
			m.n = 1;
			if (push_one(q, b, &m) != QUEUE_OK)
				rc = QUEUE_LOST;
			m.p += m.len;
			left -= m.len;
		}
	}
	queue_put_together(q);
	return rc;
}
