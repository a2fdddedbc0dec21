/* queue.c - what waits for one receiver: its bounds, taking in, what it pins, its end */
#include "ncserver/bus/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/ring.h"
#include "ncserver/conf/conf.h"

void queue_init(struct queue *q, struct slab_pool *pool, const struct conf_queue *conf,
                enum frame_policy policy, const char *channel)
{
	*q = (struct queue){
	        .pool = pool, .conf = conf, .policy = (uint8_t)policy, .channel = channel};
}

static uint64_t slab_len(const struct slab *s)
{
	return sizeof(*s) + s->cap;
}

static void count_pinned(struct queue *q)
{
	const struct slab *prev = NULL;

	q->pinned = 0;
	for (uint32_t i = 0; i < q->n_ents; i++) {
		const struct slab *s = ring_at(q, i)->slab;

		if (s != prev)
			q->pinned += slab_len(s);
		prev = s;
	}
}

void queue_set_conf(struct queue *q, const struct conf_queue *conf, enum frame_policy policy)
{
	/* what comes in under another policy stands behind what has a name, and would be overtaken
	 * by what takes the place of that once the policy is conflate again */
	if (q->names && policy != FRAME_P_CONFLATE)
		for (uint32_t i = 0; i < q->n_ents; i++)
			queue_name_drop(q, ring_at(q, i));
	q->conf = conf;
	q->policy = (uint8_t)policy;
	count_pinned(q);
}

uint64_t queue_charge(const struct queue *q)
{
	return q->blocked && !queue_policy_drops(q->policy) ? q->pinned : q->bytes;
}

bool queue_has_room(const struct queue *q)
{
	return q->queued == 0 ||
	       (queue_charge(q) < q->conf->bytes && q->queued < q->conf->messages);
}

bool queue_fits(const struct queue *q, const struct batch *b)
{
	if (q->queued == 0 && (b->n == 1 || !queue_policy_drops(q->policy)))
		return true;
	return queue_charge(q) + b->len <= q->conf->bytes && q->queued + b->n <= q->conf->messages;
}

bool queue_has_drained(const struct queue *q)
{
	return q->queued == 0 || (queue_charge(q) <= q->conf->bytes - q->conf->bytes / 4 &&
	                          q->queued <= q->conf->messages - q->conf->messages / 4);
}

/* ---- taking in ---- */

static bool same_slab(const struct qent *e, const struct slab *s)
{
	return e && e->slab == s;
}

int queue_copy(struct queue *q, const void *p, uint32_t len, struct range *out)
{
	if (!q->own || slab_room(q->own) < len) {
		uint64_t cap = q->bytes;
		struct slab *s;

		if (cap < QUEUE_COPY_MIN)
			cap = QUEUE_COPY_MIN;
		if (cap > QUEUE_COPY_MAX)
			cap = QUEUE_COPY_MAX;
		if (cap < len)
			cap = len;
		s = slab_new(q->pool, (uint32_t)cap);
		if (!s)
			return -ENOMEM;
		s->is_copy = 1;
		slab_unref(q->own);
		q->own = s;
	}
	*out = (struct range){
	        .slab = slab_ref(q->own), .p = q->own->data + q->own->used, .len = len};
	memcpy(q->own->data + q->own->used, p, len);
	q->own->used += len;
	return 0;
}

static bool can_merge(const struct queue *q, const struct qent *last, const struct range *r,
                      enum qent_kind kind)
{
	return last && last->slab == r->slab && last->p + last->len == r->p && last->kind == kind &&
	       (kind == QENT_DATA || kind >= QENT_CONTROL) && !last->name && q->tail_gap_why == 0 &&
	       last->len + r->len > last->len;
}

/* The server's own frames that wait, in bytes. */
static void count_own(struct queue *q, enum qent_kind kind, uint32_t len)
{
	if (kind == QENT_CONTROL)
		q->control_len += len;
	else if (kind == QENT_NOTE)
		q->note_len += len;
}

int queue_append(struct queue *q, const struct range *from, enum qent_kind kind, bool copy)
{
	struct range r = *from;
	struct qent *last = ring_last(q);

	if (copy) {
		if (queue_copy(q, from->p, from->len, &r))
			return -ENOMEM;
		r.n = from->n;
	} else {
		slab_ref(r.slab);
	}
	if (can_merge(q, last, &r, kind)) {
		last->len += r.len;
		last->n += r.n;
		slab_unref(r.slab);
	} else {
		bool counted = same_slab(last, r.slab);
		struct qent *e = ring_append(q);

		if (!e) {
			slab_unref(r.slab);
			return -ENOMEM;
		}
		e->slab = r.slab;
		e->p = r.p;
		e->len = r.len;
		e->n = r.n;
		e->kind = (uint8_t)kind;
		e->gap = q->tail_gap;
		e->gap_why = q->tail_gap_why;
		q->tail_gap = 0;
		q->tail_gap_why = 0;
		if (!counted)
			q->pinned += slab_len(r.slab);
	}
	q->bytes += r.len;
	q->queued += r.n;
	count_own(q, kind, r.len);
	return 0;
}

void queue_lose(struct queue *q, enum queue_drop why, uint64_t n)
{
	static const uint8_t told[QUEUE_N_DROP] = {
	        [QUEUE_DROP_OLDEST] = FRAME_GAP_DROP_OLDEST,
	        [QUEUE_DROP_NEWEST] = FRAME_GAP_DROP_NEWEST,
	        [QUEUE_DROP_CONFLATE] = FRAME_GAP_CONFLATE,
	        [QUEUE_DROP_DISCONNECTED] = FRAME_GAP_DROP_NEWEST,
	        [QUEUE_DROP_UNTRANSLATABLE] = FRAME_GAP_UNTRANSLATABLE,
	};

	q->flow.routed += n;
	q->flow.dropped[why] += n;
	gap_add(&q->tail_gap, &q->tail_gap_why, n, told[why]);
}

void queue_tell_gap(struct queue *q, uint64_t n, bool exact)
{
	gap_add(&q->tail_gap, &q->tail_gap_why, n, FRAME_GAP_NET);
	if (!exact)
		q->tail_gap_why |= GAP_INEXACT;
}

/* Whether a range is copied rather than pinned, for a receiver that is blocked. */
static bool wants_copy(const struct queue *q, const struct range *r)
{
	if (!q->blocked)
		return false;
	return queue_policy_drops(q->policy) || (uint64_t)r->len * QUEUE_PIN_FACTOR < r->slab->cap;
}

/* Takes back the parts of a chain of which not all could be taken. */
static void undo_chain(struct queue *q, uint32_t n_parts)
{
	while (n_parts--) {
		struct qent *e = ring_last(q);

		q->bytes -= e->len;
		gap_add(&q->tail_gap, &q->tail_gap_why, e->gap, e->gap_why);
		if (q->n_ents < 2 || ring_at(q, q->n_ents - 2)->slab != e->slab)
			q->pinned -= slab_len(e->slab);
		slab_unref(e->slab);
		q->n_ents--;
	}
}

static enum queue_result push_chain(struct queue *q, const struct batch *b)
{
	for (uint32_t i = 0; i < b->n_ranges; i++) {
		struct range r = b->ranges[i];
		bool tail = i + 1 == b->n_ranges;

		r.n = tail;
		if (queue_append(q, &r, tail ? QENT_TAIL : QENT_PART, wants_copy(q, &r))) {
			undo_chain(q, i);
			queue_lose(q, QUEUE_DROP_NEWEST, 1);
			return QUEUE_LOST;
		}
	}
	q->flow.routed++;
	return QUEUE_OK;
}

/* From when the receiver blocks until it has caught up: what came in between would overtake. */
static bool conflates(const struct queue *q)
{
	return q->policy == FRAME_P_CONFLATE && (q->blocked || (q->names && map_len(q->names) > 0));
}

enum queue_result queue_push(struct queue *q, const struct batch *b)
{
	enum queue_result rc = QUEUE_OK;

	if (queue_policy_drops(q->policy) && (!queue_fits(q, b) || conflates(q)))
		return queue_push_lossy(q, b);
	if (q->policy == FRAME_P_DISCONNECT && !queue_fits(q, b))
		return QUEUE_OVERFLOW;
	if (b->chain)
		return push_chain(q, b);
	for (uint32_t i = 0; i < b->n_ranges; i++) {
		const struct range *r = &b->ranges[i];

		if (queue_append(q, r, QENT_DATA, wants_copy(q, r))) {
			queue_lose(q, QUEUE_DROP_NEWEST, r->n);
			rc = QUEUE_LOST;
		} else {
			q->flow.routed += r->n;
		}
	}
	return rc;
}

int queue_control(struct queue *q, const void *p, size_t len)
{
	struct range r = {.p = p, .len = (uint32_t)len};

	return queue_append(q, &r, QENT_CONTROL, true);
}

int queue_note(struct queue *q, const void *p, size_t len)
{
	struct range r = {.p = p, .len = (uint32_t)len};

	/* notes are not dropped with what they are about: under a policy that drops they need a
	 * bound of their own */
	if (queue_policy_drops(q->policy) && q->note_len > QUEUE_NOTES_MAX)
		return 1;
	return queue_append(q, &r, QENT_NOTE, true);
}

void queue_take_out(struct queue *q, uint32_t i)
{
	struct qent *e = ring_at(q, i);
	struct slab *s = e->slab;
	bool shared = (i > 0 && ring_at(q, i - 1)->slab == s) ||
	              (i + 1 < q->n_ents && ring_at(q, i + 1)->slab == s);
	bool joins = i > 0 && i + 1 < q->n_ents && ring_at(q, i - 1)->slab != s &&
	             ring_at(q, i - 1)->slab == ring_at(q, i + 1)->slab;

	queue_name_drop(q, e);
	if (!shared)
		q->pinned -= slab_len(s);
	if (joins)
		q->pinned -= slab_len(ring_at(q, i - 1)->slab);
	slab_unref(s);
	ring_remove(q, i);
}

void queue_uncount_own(struct queue *q, const struct qent *e)
{
	if (e->kind == QENT_CONTROL)
		q->control_len -= e->len;
	else if (e->kind == QENT_NOTE)
		q->note_len -= e->len;
}

/* ---- blocked ---- */

/* Moves an entry's bytes into memory of the queue's own. Without memory they stay where they are,
 * and that stays charged; returns false then. */
static bool move_own(struct queue *q, struct qent *e)
{
	struct range r;

	if (queue_copy(q, e->p, e->len, &r))
		return false;
	slab_unref(e->slab);
	e->slab = r.slab;
	e->p = r.p;
	return true;
}

/* Bytes that this queue holds of the slab of entry `i`, in it and the entries that follow. */
static uint64_t group_len(const struct queue *q, uint32_t i, uint32_t *n)
{
	const struct slab *s = ring_at(q, i)->slab;
	uint64_t len = 0;

	*n = 0;
	for (; i < q->n_ents && ring_at(q, i)->slab == s; i++) {
		len += ring_at(q, i)->len;
		++*n;
	}
	return len;
}

static void copy_out(struct queue *q)
{
	bool all = queue_policy_drops(q->policy);
	uint32_t n;

	for (uint32_t i = 0; i < q->n_ents; i += n) {
		const struct slab *s = ring_at(q, i)->slab;
		uint64_t len = group_len(q, i, &n);

		if (s->is_copy || (!all && len * QUEUE_PIN_FACTOR >= s->cap))
			continue;
		for (uint32_t k = i; k < i + n && move_own(q, ring_at(q, k)); k++)
			;
	}
}

void queue_put_together(struct queue *q)
{
	if (q->waste <= QUEUE_PIN_FACTOR * (q->bytes + QUEUE_COPY_MAX))
		return;
	q->waste = 0;
	slab_unref(q->own);
	q->own = NULL;
	for (uint32_t i = 0; i < q->n_ents && move_own(q, ring_at(q, i)); i++)
		;
	count_pinned(q);
}

void queue_set_blocked(struct queue *q, bool blocked)
{
	if (q->blocked == blocked)
		return;
	q->blocked = blocked;
	if (blocked)
		copy_out(q);
	count_pinned(q);
}

/* ---- the end ---- */

/* Index of the first entry that belongs to no message that is begun. */
static uint32_t first_unbegun(const struct queue *q)
{
	uint32_t i = 0;

	if (!queue_head_begun(q) || q->n_ents == 0)
		return 0;
	while (ring_at(q, i)->kind == QENT_PART)
		i++;
	return i + 1;
}

void queue_drop_all(struct queue *q)
{
	uint32_t keep = first_unbegun(q);
	struct qent *e;

	if (keep > 0 && ring_at(q, 0)->kind == QENT_DATA && ring_at(q, 0)->n > 1) {
		uint32_t len;

		e = ring_at(q, 0);
		len = queue_first_len((enum queue_dialect)q->dialect, e->p, e->len);
		q->flow.dropped[QUEUE_DROP_DISCONNECTED] += e->n - 1;
		q->queued -= e->n - 1;
		q->bytes -= e->len - len;
		e->len = len;
		e->n = 1;
	}
	while (q->n_ents > keep) {
		e = ring_at(q, keep);
		q->flow.dropped[QUEUE_DROP_DISCONNECTED] += e->n;
		q->queued -= e->n;
		q->bytes -= e->len;
		queue_uncount_own(q, e);
		queue_take_out(q, keep);
	}
	q->tail_gap = 0;
	q->tail_gap_why = 0;
}

void queue_withdraw(struct queue *q)
{
	queue_drop_all(q);
	q->dialect = QUEUE_NATIVE;
	q->flow.routed -= queue_flow_dropped(&q->flow);
	for (int i = 0; i < QUEUE_N_DROP; i++)
		q->flow.dropped[i] = 0;
}

void queue_fini(struct queue *q)
{
	q->written_off = 0;
	q->in_chain = false;
	queue_drop_all(q);
	q->bytes -= q->gap_len;
	q->gap_len = 0;
	slab_unref(q->own);
	q->own = NULL;
	ring_free(q);
	if (q->names) {
		map_fini(q->names);
		free(q->names);
		q->names = NULL;
	}
}

uint64_t queue_flow_dropped(const struct queue_flow *f)
{
	uint64_t n = 0;

	for (int i = 0; i < QUEUE_N_DROP; i++)
		n += f->dropped[i];
	return n;
}

void queue_flow_add(struct queue_flow *a, const struct queue_flow *b)
{
	a->routed += b->routed;
	a->written += b->written;
	a->bytes += b->bytes;
	for (int i = 0; i < QUEUE_N_DROP; i++)
		a->dropped[i] += b->dropped[i];
}
