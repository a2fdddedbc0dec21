/* outq.c - a bounded queue of encoded EMIT frames
 *
 * Frames stand whole and one behind the other in segments, so that a burst goes out as a few
 * iovecs. Segments whose last frame went are kept for what comes next, where they are many, until
 * nothing came for a while: an idle queue holds no memory. What was written is counted by whole
 * frames; how much of the first one is written stands in `cursor`, and the frame stays whole in
 * memory until its last byte is taken, since after a break of the connection it goes out again from
 * its begin.
 *
 * The queue knows no socket and no policy: its owner asks for room and says what to drop.
 */

#include "libnc/client/outq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/wire/frame.h"

static struct outq_segment *segment_first(const struct outq *q)
{
	return list_entry(q->segments.next, struct outq_segment, link);
}

static size_t frame_len_at(const struct outq_segment *s, uint32_t at)
{
	return le32_get(s->data + at);
}

static struct outq_segment *segment_get(struct outq *q, size_t cap)
{
	struct outq_segment *s;

	if (cap == OUTQ_SEGMENT_LEN && q->n_spares) {
		s = list_entry(q->spares.next, struct outq_segment, link);
		list_del(&s->link);
		q->n_spares--;
	} else {
		s = malloc(sizeof(*s) + cap + BYTES_BLOCK - 1);
	}
	if (!s)
		return NULL;
	list_init(&s->link);
	s->cap = (uint32_t)cap;
	s->begin = 0;
	s->end = 0;
	s->n_messages = 0;
	return s;
}

static void spares_free(struct outq *q)
{
	while (q->n_spares) {
		struct outq_segment *s = list_entry(q->spares.next, struct outq_segment, link);

		list_del(&s->link);
		free(s);
		q->n_spares--;
	}
}

static void segment_free(struct outq *q, struct outq_segment *s)
{
	list_del(&s->link);
	if (s->cap == OUTQ_SEGMENT_LEN && q->n_spares < OUTQ_SPARE_MAX) {
		list_add_head(&q->spares, &s->link);
		q->n_spares++;
	} else {
		free(s);
	}
	if (list_empty(&q->segments) && q->n_spares <= OUTQ_SPARE_FEW)
		spares_free(q);
	q->tail = list_empty(&q->segments)
	                  ? NULL
	                  : list_entry(q->segments.prev, struct outq_segment, link);
}

void outq_init(struct outq *q, size_t max_bytes, size_t max_messages)
{
	*q = (struct outq){.max_bytes = max_bytes, .max_messages = max_messages};
	list_init(&q->segments);
	list_init(&q->spares);
}

void outq_fini(struct outq *q)
{
	while (!list_empty(&q->segments))
		segment_free(q, segment_first(q));
	spares_free(q);
	outq_init(q, q->max_bytes, q->max_messages);
}

void outq_trim(struct outq *q)
{
	if (q->n_trimmed == q->n_in)
		spares_free(q);
	q->n_trimmed = q->n_in;
}

bool outq_is_half_empty(const struct outq *q)
{
	return q->n_messages <= q->max_messages / 2 && q->n_bytes <= q->max_bytes / 2;
}

uint8_t *outq_reserve_segment(struct outq *q, size_t len)
{
	struct outq_segment *s = q->tail;

	/* A segment that was reserved and never committed is used again, or replaced. */
	if (s && s->begin == s->end)
		segment_free(q, s);
	s = segment_get(q, len > OUTQ_SHARE_LEN ? len : OUTQ_SEGMENT_LEN);
	if (!s)
		return NULL;
	list_add_tail(&q->segments, &s->link);
	q->tail = s;
	return s->data;
}

/* Takes the first frame of `s` out, which is not partly written. */
static void segment_shift(struct outq *q, struct outq_segment *s)
{
	size_t len = frame_len_at(s, s->begin);

	s->begin += (uint32_t)len;
	s->n_messages--;
	q->n_bytes -= len;
	q->n_messages--;
	if (!s->n_messages)
		segment_free(q, s);
}

/* Moves the partly written first frame to a segment of its own, so that those behind it can be
 * dropped. Returns false without memory. */
static bool outq_detach_partial(struct outq *q)
{
	struct outq_segment *s = segment_first(q), *own;
	size_t len = frame_len_at(s, s->begin);

	if (s->n_messages == 1)
		return true;
	own = segment_get(q, len);
	if (!own)
		return false;
	memcpy(own->data, s->data + s->begin, len);
	own->end = (uint32_t)len;
	own->n_messages = 1;
	s->begin += (uint32_t)len;
	s->n_messages--;
	list_add_head(&q->segments, &own->link);
	return true;
}

size_t outq_drop_oldest(struct outq *q, size_t len)
{
	size_t n = 0;

	while (!outq_has_room(q, len)) {
		struct outq_segment *s = segment_first(q);

		if (q->cursor) {
			if (!outq_detach_partial(q))
				break;
			/* there is a whole one, or there would be room */
			s = list_entry(segment_first(q)->link.next, struct outq_segment, link);
		}
		segment_shift(q, s);
		n++;
	}
	q->n_dropped += n;
	return n;
}

size_t outq_drop_all(struct outq *q)
{
	size_t n = q->n_messages;

	while (!list_empty(&q->segments))
		segment_free(q, segment_first(q));
	spares_free(q);
	q->n_bytes = 0;
	q->n_messages = 0;
	q->cursor = 0;
	q->n_dropped += n;
	return n;
}

void outq_drop_newest(struct outq *q)
{
	q->n_in++;
	q->n_dropped++;
}

void outq_pass(struct outq *q)
{
	assert(q->n_messages == 0);
	q->n_in++;
	q->n_written++;
}

size_t outq_partial(const struct outq *q)
{
	const struct outq_segment *s;

	if (!q->cursor)
		return 0;
	s = segment_first(q);
	return frame_len_at(s, s->begin) - q->cursor;
}

int outq_gather(const struct outq *q, struct iovec *iov, int max, bool skip_partial)
{
	size_t skip = q->cursor + (skip_partial ? outq_partial(q) : 0);
	struct list *it;
	int n = 0;

	list_for_each(it, &q->segments) {
		struct outq_segment *s = list_entry(it, struct outq_segment, link);
		size_t len = s->end - s->begin;

		if (n == max)
			break;
		if (len > skip) {
			iov[n].iov_base = s->data + s->begin + skip;
			iov[n].iov_len = len - skip;
			n++;
		}
		skip = 0;
	}
	return n;
}

void outq_advance(struct outq *q, size_t n)
{
	while (n) {
		struct outq_segment *s = segment_first(q);
		size_t all = s->end - s->begin, len;

		assert(!list_empty(&q->segments));
		if (n + q->cursor >= all) {
			n -= all - q->cursor;
			q->cursor = 0;
			q->n_bytes -= all;
			q->n_messages -= s->n_messages;
			q->n_written += s->n_messages;
			segment_free(q, s);
			continue;
		}
		len = frame_len_at(s, s->begin);
		if (n < len - q->cursor) {
			q->cursor += n;
			return;
		}
		n -= len - q->cursor;
		q->cursor = 0;
		q->n_written++;
		segment_shift(q, s);
	}
}

const uint8_t *outq_front(const struct outq *q, size_t *len)
{
	const struct outq_segment *s;

	if (!q->n_messages)
		return NULL;
	s = segment_first(q);
	*len = frame_len_at(s, s->begin);
	return s->data + s->begin;
}

void outq_pop(struct outq *q)
{
	assert(q->n_messages && !q->cursor);
	q->n_written++;
	segment_shift(q, segment_first(q));
}

void outq_rewind(struct outq *q)
{
	q->cursor = 0;
}

static size_t segment_filter(struct outq *q, struct outq_segment *s, uint32_t from,
                             bool (*keep)(void *arg, const uint8_t *frame, size_t len), void *arg)
{
	uint32_t to = from;
	size_t n = 0;

	for (uint32_t at = from, next; at < s->end; at = next) {
		size_t len = frame_len_at(s, at);

		next = at + (uint32_t)len;
		if (keep(arg, s->data + at, len)) {
			if (to != at)
				memmove(s->data + to, s->data + at, len);
			to += (uint32_t)len;
			continue;
		}
		q->n_bytes -= len;
		n++;
	}
	s->end = to;
	s->n_messages -= (uint32_t)n;
	return n;
}

size_t outq_filter(struct outq *q, bool (*keep)(void *arg, const uint8_t *frame, size_t len),
                   void *arg)
{
	struct list *it, *next;
	size_t n = 0, begun = q->cursor;

	list_for_each_safe(it, next, &q->segments) {
		struct outq_segment *s = list_entry(it, struct outq_segment, link);
		uint32_t from = s->begin;

		/* what is begun must be ended */
		if (begun)
			from += (uint32_t)frame_len_at(s, from);
		begun = 0;
		n += segment_filter(q, s, from, keep, arg);
		if (!s->n_messages)
			segment_free(q, s);
	}
	q->n_messages -= n;
	q->n_dropped += n;
	return n;
}

uint64_t outq_stamp(struct outq *q, uint64_t sender, uint64_t seq)
{
	struct list *it;

	assert(!q->cursor);
	list_for_each(it, &q->segments) {
		struct outq_segment *s = list_entry(it, struct outq_segment, link);

		for (uint32_t at = s->begin; at < s->end; at += (uint32_t)frame_len_at(s, at))
			frame_emit_stamp(s->data + at, sender, seq++);
	}
	return seq;
}
