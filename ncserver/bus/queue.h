/* queue.h - what waits for one receiver: bounded, with a policy, and exact
 *
 * A queue holds ranges of slabs, each of whole messages (or of one message in several parts), in
 *the order in which they will be written; neighbours in one slab are one range, so that a burst
 *goes out as one write. It counts every message once: at any time
 *
 *	routed == written + queued + dropped (by reason)
 *
 * where written means taken whole by the kernel. What is lost is told where it was lost, by a gap
 *entry, for which room is always kept. A message of which a byte is written is never dropped.
 *
 * While the receiver is blocked (the kernel took less than there was), the queue is charged for the
 *memory that it pins: a range that would pin more than four times its size is copied out. While it
 *is not, it is charged for its bytes.
 *
 * Control frames of the server (welcome, errors, pongs, answers) pass through the same order, are
 *not counted as messages, and are never dropped; who makes them bounds them by queue_control_len().
 */
#ifndef NC_BUS_QUEUE_H
#define NC_BUS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "libnc/wire/frame.h"
#include "ncserver/bus/slab.h"

struct conf_queue;
struct conflate;

/* Iovecs that one write gathers at most. */
#define QUEUE_IOV_MAX 256u
/* Bytes that one write gathers at most: more does not get faster, and starves other clients. */
#define QUEUE_WRITE_MAX (1u << 20)
/* A paced JSON client gets chunks of whole packets of at most this, the kernel's largest single
 * buffer. */
#define QUEUE_PACED_MAX (32u << 10)
/* Control frames that wait for one receiver, in bytes: beyond, errors are counted and not sent. */
#define QUEUE_CONTROL_MAX (64u << 10)

enum queue_drop {
	QUEUE_DROP_OLDEST = 0,
	QUEUE_DROP_NEWEST,
	QUEUE_DROP_CONFLATE,
	QUEUE_DROP_DISCONNECTED,   /* was queued when the receiver went */
	QUEUE_DROP_UNTRANSLATABLE, /* a native payload that is no valid text or JSON, to a JSON
	                              client */
	QUEUE_N_DROP,
};

/* How the bytes of a queue are cut into messages. */
enum queue_dialect {
	QUEUE_NATIVE = 0, /* frames */
	QUEUE_JSON = 1,   /* packets that end with NUL */
};

/* Counters that outlive a queue: kept by queue, and added up by their owner. */
struct queue_flow {
	uint64_t routed;
	uint64_t written;
	uint64_t dropped[QUEUE_N_DROP];
	uint64_t bytes; /* written, control frames included */
};

/* Some bytes in a slab; the reference is the holder's. */
struct range {
	struct slab *slab;
	const uint8_t *p;
	uint32_t len;
};

/* What is handed to queues: `n` whole messages in `n_ranges` ranges, of one route. More than one
 * range only for a single message (n == 1) or where ranges end at message boundaries is not
 * assumed: boundaries are found by the dialect. */
struct batch {
	const struct range *ranges;
	uint32_t n_ranges;
	uint32_t n;      /* messages */
	uint64_t len;    /* bytes in all */
	const char *key; /* channel and event, for conflation */
	uint32_t key_len;
};

struct qent;

struct queue {
	struct qent *ents; /* ring of cap_ents (a power of two), NULL until used */
	uint32_t cap_ents;
	uint32_t head;
	uint32_t n_ents;
	uint32_t written_off; /* bytes of the head entry that are written */
	bool head_begun;      /* a byte of the first message is written, here or in parts before */
	bool blocked;
	uint8_t dialect;        /* enum queue_dialect */
	uint8_t policy;         /* enum frame_policy, in force: the channel's, or a lossier one */
	uint32_t control_len;   /* bytes of control frames waiting */
	uint64_t queued;        /* messages waiting */
	uint64_t bytes;         /* all bytes waiting */
	uint64_t charge;        /* memory charged, see above */
	struct slab *own;       /* where small ranges are copied to while blocked */
	struct slab_pool *pool; /* not owned */
	const struct conf_queue *conf; /* not owned */
	struct conflate *conflate;     /* while blocked under that policy */
	struct queue_flow flow;
};

/* Makes an empty queue; takes no memory. `conf` must outlive it or be replaced by queue_set_conf.
 */
void queue_init(struct queue *q, struct slab_pool *pool, const struct conf_queue *conf,
                enum frame_policy policy);

/* Drops everything as QUEUE_DROP_DISCONNECTED and frees the memory; flow stays readable. */
void queue_fini(struct queue *q);

void queue_set_conf(struct queue *q, const struct conf_queue *conf, enum frame_policy policy);

/* Whether a batch may come in under policy block: there is room, or nothing waits. One batch may
 * pass the limit, so that a bound is the limit and one read, or one message. */
bool queue_has_room(const struct queue *q);

/* Whether it is so empty again (three quarters of the limit) that those who wait for it go on. */
bool queue_has_drained(const struct queue *q);

enum queue_result {
	QUEUE_OK = 0,
	QUEUE_LOST, /* taken, but some message, this or an older one, was dropped and will be told
	             */
	QUEUE_OVERFLOW, /* policy disconnect: nothing was taken; the receiver is to go */
};

/* Takes a batch, as the policy says; counts it as routed (but on QUEUE_OVERFLOW). Takes its own
 * references. Under block the caller has asked queue_has_room. Without memory it drops the newest,
 * counted and told. */
enum queue_result queue_push(struct queue *q, const struct batch *b);

/* Counts n messages as routed and lost for `why`, and tells it here. */
void queue_lose(struct queue *q, enum queue_drop why, uint64_t n);

/* Appends a control frame (native) or packet (JSON, with its NUL), copied. Returns 0 or -ENOMEM. */
int queue_control(struct queue *q, const void *p, size_t len);

/* Fills iov (at most QUEUE_IOV_MAX) with what is to be written next, up to `max` bytes (whole
 * messages where they fit; a single one may be larger). Returns the number of iovecs, 0 where
 * nothing waits. */
int queue_peek(struct queue *q, struct iovec *iov, size_t max);

/* The kernel took `len` bytes of what was peeked. Never blocks or fails. */
void queue_wrote(struct queue *q, size_t len);

/* The kernel took less than there was, or all again. Copies out what pins too much. */
void queue_set_blocked(struct queue *q, bool blocked);

/* Turns what waits into JSON packets, when an undecided connection turns out to be a JSON client.
 * `translate` appends packets for the native frames at p to `out` and returns how many it could
 * not. Nothing was written yet (asserted). Returns 0 or -ENOMEM (the rest is dropped, counted). */
struct buf;
int queue_to_json(struct queue *q,
                  uint32_t (*translate)(void *arg, const uint8_t *p, size_t len, struct buf *out),
                  void *arg);

static inline bool queue_is_empty(const struct queue *q)
{
	return q->n_ents == 0;
}

/* Messages dropped, over all reasons. */
uint64_t queue_dropped(const struct queue_flow *f);

/* Adds b's counters to a. */
void queue_flow_add(struct queue_flow *a, const struct queue_flow *b);

#endif
