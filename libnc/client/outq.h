/* outq.h - a bounded queue of encoded EMIT frames
 *
 * What was emitted and not yet written (and, in another instance, what waits for own handlers).
 */
#ifndef NC_CLIENT_OUTQ_H
#define NC_CLIENT_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "libnc/base/bytes.h"
#include "libnc/base/list.h"

/* Frames are written one behind the other into segments of this size: large enough that taking
 * memory costs nothing per message, small enough that a queue of one message is not heavy. */
#define OUTQ_SEGMENT_LEN (64u << 10)

/* A frame above this gets a segment of exactly its size, so that at most a quarter of a segment's
 * end is left unused. */
#define OUTQ_SHARE_LEN (OUTQ_SEGMENT_LEN / 4)

/* Segments that are kept for what comes next, rather than given back to a malloc() that may give
 * them back to the system each time. */
#define OUTQ_SPARE_MAX 16

/* So few are not worth it once the queue is empty: malloc() keeps as much. */
#define OUTQ_SPARE_FEW 2

struct outq_segment {
	struct list link;
	uint32_t cap;
	uint32_t begin; /* of the first frame that is still queued */
	uint32_t end;
	uint32_t n_messages;
	uint8_t data[];
};

struct outq {
	struct list segments; /* none is empty, but perhaps the last */
	struct list spares;   /* of OUTQ_SEGMENT_LEN each; none where there are no segments */
	size_t n_spares;
	struct outq_segment *tail; /* the last one, or NULL; not owned */
	size_t n_bytes;            /* of all queued frames, whole */
	size_t n_messages;
	size_t cursor; /* bytes of the first frame that are written already */
	size_t max_bytes;
	size_t max_messages;
	uint64_t n_in;      /* ever committed; n_in = n_written + n_dropped + n_messages */
	uint64_t n_written; /* ever written whole, or popped */
	uint64_t n_dropped; /* ever dropped */
	uint64_t n_trimmed; /* n_in when it was last trimmed */
};

/* Makes the queue empty; it takes no memory before the first frame. */
void outq_init(struct outq *q, size_t max_bytes, size_t max_messages);

/* Frees the frames, without counting them, and the spares. */
void outq_fini(struct outq *q);

/* Frees the spares where nothing came in since the last time. */
void outq_trim(struct outq *q);

/* Whether a frame of `len` bytes may be queued. A frame that finds nothing before it but one that
 * is partly written always may, so that a message larger than the bound is not stuck for ever. */
static inline bool outq_has_room(const struct outq *q, size_t len);

/* Whether at most half of both bounds is in use. */
bool outq_is_half_empty(const struct outq *q);

static inline bool outq_is_empty(const struct outq *q)
{
	return q->n_messages == 0;
}

/* Returns where a frame of `len` bytes is to be written, before outq_commit() of the same length;
 * NULL without memory. What follows it may be written too, by up to BYTES_BLOCK - 1 bytes. Bounds
 * are the caller's affair. */
static inline uint8_t *outq_reserve(struct outq *q, size_t len);
static inline void outq_commit(struct outq *q, size_t len);
uint8_t *outq_reserve_segment(struct outq *q, size_t len);

/* Drops the oldest frames, never one that is partly written, until there is room for `len` bytes.
 * Returns how many; it may be too few where there is no memory to move a partly written frame out
 * of the way: outq_has_room() tells. */
size_t outq_drop_oldest(struct outq *q, size_t len);

/* Drops everything, and frees the spares. Returns how many. */
size_t outq_drop_all(struct outq *q);

/* Counts a frame that came in and was dropped at once. */
void outq_drop_newest(struct outq *q);

/* Counts a frame that came in and was written at once; the queue is empty. */
void outq_pass(struct outq *q);

/* Bytes of the first frame that are still to be written, where a part of it was; else 0. */
size_t outq_partial(const struct outq *q);

/* Fills up to `max` iovecs with what is to be written, in order; `skip_partial` leaves out what
 * outq_partial() counts. Returns how many were filled. */
int outq_gather(const struct outq *q, struct iovec *iov, int max, bool skip_partial);

/* Takes note that the next `n` bytes were written, and frees the frames that were written whole. */
void outq_advance(struct outq *q, size_t n);

/* The first frame, or NULL; valid until the queue is changed by anything but a commit. */
const uint8_t *outq_front(const struct outq *q, size_t *len);

/* Takes the first frame out, counted as written. */
void outq_pop(struct outq *q);

/* Goes back to the begin of a frame that was partly written, for a new connection. */
void outq_rewind(struct outq *q);

/* Drops each frame that `keep` says no to; one that is partly written stays, unasked. Returns how
 * many. */
size_t outq_filter(struct outq *q, bool (*keep)(void *arg, const uint8_t *frame, size_t len),
                   void *arg);

/* Writes `sender` and rising sequences, from `seq` on, into all queued frames; nothing is partly
 * written. Returns the next sequence. */
uint64_t outq_stamp(struct outq *q, uint64_t sender, uint64_t seq);

static inline bool outq_has_room(const struct outq *q, size_t len)
{
	/* nothing before it, or nothing but one that is partly written */
	if (q->n_messages <= (q->cursor ? 1 : 0))
		return true;
	return q->n_messages < q->max_messages && q->n_bytes <= q->max_bytes &&
	       len <= q->max_bytes - q->n_bytes;
}

static inline uint8_t *outq_reserve(struct outq *q, size_t len)
{
	struct outq_segment *s = q->tail;

	if (s && s->cap - s->end >= len)
		return s->data + s->end;
	return outq_reserve_segment(q, len);
}

static inline void outq_commit(struct outq *q, size_t len)
{
	q->tail->end += (uint32_t)len;
	q->tail->n_messages++;
	q->n_bytes += len;
	q->n_messages++;
	q->n_in++;
}

#endif
