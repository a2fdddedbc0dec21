/* queue_out.c - what is written next, what was written, and the gaps that are told between */
#include <stdio.h>

#include "ncserver/bus/ring.h"

/* Writes the gap before the head (or at the very end) into gap_buf, where it is not told yet. */
static void encode_gap(struct queue *q, uint64_t count, uint8_t why)
{
	static const char *const names[FRAME_GAP_MAX + 1] = {
	        [0] = "unknown",
	        [FRAME_GAP_DROP_OLDEST] = "drop-oldest",
	        [FRAME_GAP_DROP_NEWEST] = "drop-newest",
	        [FRAME_GAP_CONFLATE] = "conflate",
	        [FRAME_GAP_NET] = "net",
	        [FRAME_GAP_UNTRANSLATABLE] = "untranslatable",
	};

	bool exact = !(why & GAP_INEXACT);

	why &= (uint8_t)~GAP_INEXACT;
	if (q->dialect == QUEUE_NATIVE) {
		struct frame_gap g = {.count = count, .reason = why, .exact = exact};

		q->gap_len = (uint8_t)frame_gap_put(q->gap_buf, sizeof(q->gap_buf), &g);
	} else {
		int n = snprintf(
		        (char *)q->gap_buf, sizeof(q->gap_buf),
		        "{\"channel\":\"%s\",\"event\":\"nc.gap\",\"data\":{\"count\":%llu,"
		        "\"reason\":\"%s\",\"exact\":%s}}",
		        q->channel, (unsigned long long)count,
		        names[why <= FRAME_GAP_MAX ? why : 0], exact ? "true" : "false");

		assert(n > 0 && (size_t)n < sizeof(q->gap_buf));
		q->gap_len = (uint8_t)(n + 1);
	}
	q->gap_off = 0;
	q->bytes += q->gap_len;
}

static void tell_gap(struct queue *q)
{
	struct qent *e = q->n_ents ? ring_at(q, 0) : NULL;

	if (q->gap_len || queue_head_begun(q))
		return;
	if (e && e->gap_why) {
		encode_gap(q, e->gap, e->gap_why);
		e->gap = 0;
		e->gap_why = 0;
	} else if (!e && q->tail_gap_why) {
		encode_gap(q, q->tail_gap, q->tail_gap_why);
		q->tail_gap = 0;
		q->tail_gap_why = 0;
	}
}

/* Bytes of entry `e` (of which `off` are written) that a paced chunk may take, `have` bytes being
 * in it already; 0: the chunk ends before it. */
static uint32_t paced_len(const struct queue *q, const struct qent *e, uint32_t off, size_t have)
{
	uint32_t max = QUEUE_PACED_MAX;
	uint32_t n;
	uint32_t len;

	if (off > 0)
		return queue_first_len((enum queue_dialect)q->dialect, e->p, e->len) - off;
	if (have >= max)
		return 0;
	len = queue_fit_len(QUEUE_JSON, e->p, e->len, max - (uint32_t)have, &n);
	if (len == 0 && have == 0)
		len = queue_first_len(QUEUE_JSON, e->p, e->len);
	return len;
}

int queue_peek(struct queue *q, struct iovec *iov, bool paced)
{
	size_t total = 0;
	int n = 0;

	tell_gap(q);
	if (q->gap_len) {
		iov[n++] = (struct iovec){.iov_base = q->gap_buf + q->gap_off,
		                          .iov_len = (size_t)q->gap_len - q->gap_off};
		total = iov[0].iov_len;
	}
	for (uint32_t i = 0; i < q->n_ents && n < (int)QUEUE_IOV_MAX; i++) {
		const struct qent *e = ring_at(q, i);
		uint32_t off = i == 0 ? q->written_off : 0;
		uint32_t len = e->len - off;

		if (e->gap_why)
			break;
		if (paced)
			len = paced_len(q, e, off, total);
		if (len == 0)
			break;
		iov[n++] =
		        (struct iovec){.iov_base = (void *)(uintptr_t)(e->p + off), .iov_len = len};
		total += len;
		if (total >= QUEUE_WRITE_MAX || (paced && off + len < e->len))
			break;
	}
	return n;
}

uint32_t queue_begun_len(const struct queue *q)
{
	const struct qent *e = q->n_ents ? ring_at(q, 0) : NULL;

	if (!e || !queue_head_begun(q))
		return 0;
	if (q->in_chain || e->kind == QENT_PART)
		return UINT32_MAX;
	return e->kind == QENT_DATA ? queue_first_len((enum queue_dialect)q->dialect, e->p, e->len)
	                            : e->len;
}

/* The head entry is written to its end. */
static void pop_head(struct queue *q)
{
	struct qent *e = ring_at(q, 0);

	q->bytes -= e->len;
	q->queued -= e->n;
	q->flow.written += e->n;
	queue_uncount_own(q, e);
	if (e->kind == QENT_PART)
		q->in_chain = true;
	else if (e->kind == QENT_TAIL)
		q->in_chain = false;
	q->written_off = 0;
	queue_take_out(q, 0);
}

/* `off` bytes of the head entry are written: takes out the whole messages among them, so that the
 * entry begins with the message that is begun. */
static void advance_head(struct queue *q, uint32_t off)
{
	struct qent *e = ring_at(q, 0);
	uint32_t n = 0;
	uint32_t len = 0;

	if (e->kind == QENT_DATA)
		len = queue_fit_len((enum queue_dialect)q->dialect, e->p, e->len, off, &n);
	e->p += len;
	e->len -= len;
	e->n -= n;
	q->bytes -= len;
	q->queued -= n;
	q->flow.written += n;
	q->written_off = off - len;
	if (q->written_off > 0)
		queue_name_drop(q, e);
}

void queue_wrote(struct queue *q, size_t len)
{
	q->flow.bytes += len;
	if (q->gap_len) {
		size_t n = (size_t)q->gap_len - q->gap_off;

		if (len < n) {
			q->gap_off = (uint8_t)(q->gap_off + len);
			return;
		}
		len -= n;
		q->bytes -= q->gap_len;
		q->gap_len = 0;
	}
	while (len > 0) {
		uint32_t rest = ring_at(q, 0)->len - q->written_off;

		if (len < rest) {
			advance_head(q, q->written_off + (uint32_t)len);
			return;
		}
		len -= rest;
		pop_head(q);
	}
	if (q->n_ents == 0) {
		slab_unref(q->own);
		q->own = NULL;
		ring_trim(q);
	}
}
