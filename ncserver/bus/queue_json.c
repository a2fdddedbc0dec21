/* queue_json.c - a queue of frames, whose receiver turns out to hear packets */
#include <errno.h>
#include <stdlib.h>

#include "libnc/base/buf.h"
#include "ncserver/bus/ring.h"

/* Gathers the parts of the message that begins at entry `i` into `in`. Returns how many entries, or
 * -ENOMEM. */
static int gather(const struct queue *q, uint32_t i, struct buf *in)
{
	uint32_t k = i;

	buf_clear(in);
	for (;; k++) {
		const struct qent *e = ring_at(q, k);

		if (buf_append(in, e->p, e->len))
			return -ENOMEM;
		if (e->kind != QENT_PART)
			return (int)(k + 1 - i);
	}
}

/* What turns frames into packets. */
struct translation {
	int (*fn)(void *arg, const uint8_t *p, size_t len, struct buf *out);
	void *arg;
	struct buf out;
};

/* Appends the packets of the frames at p to `new`, one by one, so that what has none is told where
 * it is missing. Returns 0 or -ENOMEM; *n_done says how many messages it has accounted for. */
static int append_packets(struct queue *new, struct translation *t, const uint8_t *p, size_t len,
                          uint64_t *n_done)
{
	while (len > 0) {
		uint32_t frame_len = queue_first_len(QUEUE_NATIVE, p, (uint32_t)len);
		struct range r = {.n = 1};
		int made;

		buf_clear(&t->out);
		made = t->fn(t->arg, p, frame_len, &t->out);
		if (made < 0)
			return made;
		++*n_done;
		r.p = t->out.data;
		r.len = (uint32_t)t->out.len;
		if (made == 0) {
			/* it was counted as routed when it came in */
			new->flow.routed--;
			queue_lose(new, QUEUE_DROP_UNTRANSLATABLE, 1);
		} else if (queue_append(new, &r, QENT_DATA, true)) {
			new->flow.dropped[QUEUE_DROP_NEWEST]++;
			gap_add(&new->tail_gap, &new->tail_gap_why, 1, FRAME_GAP_DROP_NEWEST);
			return -ENOMEM;
		}
		p += frame_len;
		len -= frame_len;
	}
	return 0;
}

int queue_to_json(struct queue *q,
                  int (*translate)(void *arg, const uint8_t *p, size_t len, struct buf *out),
                  void *arg)
{
	struct translation t = {.fn = translate, .arg = arg};
	struct queue new = *q;
	struct buf in;
	int rc = 0;

	assert(!queue_head_begun(q) && q->gap_len == 0 && q->control_len == 0);
	buf_init(&in, UINT32_MAX);
	buf_init(&t.out, UINT32_MAX);
	new.ents = NULL;
	new.cap_ents = new.head = new.n_ents = 0;
	new.own = NULL;
	new.names = NULL;
	new.bytes = new.queued = new.pinned = new.tail_gap = 0;
	new.tail_gap_why = 0;
	new.dialect = QUEUE_JSON;
	while (rc == 0 && q->n_ents > 0) {
		struct qent *e = ring_at(q, 0);
		int n_ents = gather(q, 0, &in);
		uint64_t n = 0;

		gap_add(&new.tail_gap, &new.tail_gap_why, e->gap, e->gap_why);
		rc = n_ents < 0 ? n_ents : append_packets(&new, &t, in.data, in.len, &n);
		q->queued -= n;
		for (int k = 0; k < n_ents && rc == 0; k++)
			queue_take_out(q, 0);
	}
	if (rc)
		new.flow.dropped[QUEUE_DROP_NEWEST] += q->queued;
	if (rc)
		gap_add(&new.tail_gap, &new.tail_gap_why, q->queued, FRAME_GAP_DROP_NEWEST);
	gap_add(&new.tail_gap, &new.tail_gap_why, q->tail_gap, q->tail_gap_why);
	while (q->n_ents > 0)
		queue_take_out(q, 0);
	slab_unref(q->own);
	ring_free(q);
	if (q->names) {
		map_fini(q->names);
		free(q->names);
	}
	*q = new;
	buf_fini(&in);
	buf_fini(&t.out);
	return rc;
}
