/* queue.h - what waits for one receiver: bounded, with a policy, and exact
 *
 * A queue holds ranges of slabs, each of whole messages (or a part of one long message), in the
 *order in which they will be written; neighbours in one slab are one range, so that a burst goes
 *out as one write. It counts every message once: at any time
 *
 *	routed == written + queued + dropped (by reason)
 *
 * where written means taken whole by the kernel. What is lost is told exactly where it was lost:
 *each entry carries the count of what was lost before it, so that telling takes no memory that may
 *be missing. A message of which a byte is written is never dropped.
 *
 * While the receiver is blocked (the kernel took less than there was), small ranges are copied out
 *of the slabs that they would pin, at once all of them under a policy that drops; what stays pinned
 *is charged with its whole slab. While the receiver is not blocked, the charge is the bytes that
 *wait.
 *
 * Control frames of the server (welcome, errors, pongs, answers) pass in the same order, are not
 * counted as messages, and are never dropped; who makes them bounds them by control_len.
 */
#ifndef NC_BUS_QUEUE_H
#define NC_BUS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "libnc/base/map.h"
#include "libnc/wire/frame.h"
#include "ncserver/bus/slab.h"

struct buf;
struct conf_queue;
struct qent;

/* Iovecs that one write gathers at most. */
#define QUEUE_IOV_MAX 256u
/* Bytes that one write gathers at most: more does not get faster, and starves other clients. */
#define QUEUE_WRITE_MAX (1u << 20)
/* A paced JSON client gets chunks of whole packets of at most this: what the kernel keeps in one
 * buffer, so that a reader sees all of it or nothing. */
#define QUEUE_PACED_MAX (32u << 10)
/* Control frames that wait for one receiver, in bytes: beyond, errors are counted and not sent. */
#define QUEUE_CONTROL_MAX (64u << 10)
/* Where small ranges are copied to: private slabs that grow with the queue, from and up to. */
#define QUEUE_COPY_MIN (4u << 10)
#define QUEUE_COPY_MAX (64u << 10)
/* A range that is not at least this part of its slab is copied out when its receiver is blocked. */
#define QUEUE_PIN_FACTOR 4u
/* Notes that wait for one receiver under a policy that drops, in bytes. */
#define QUEUE_NOTES_MAX (64u << 10)
/* Room for one gap, in either dialect. */
#define QUEUE_GAP_LEN 192u

enum queue_drop {
	QUEUE_DROP_OLDEST = 0,
	QUEUE_DROP_NEWEST,
	QUEUE_DROP_CONFLATE,
	QUEUE_DROP_DISCONNECTED,   /* was queued when the receiver went */
	QUEUE_DROP_UNTRANSLATABLE, /* a native payload that is no valid text or JSON, to JSON */
	QUEUE_N_DROP,
};

/* How the bytes of a queue are cut into messages. */
enum queue_dialect {
	QUEUE_NATIVE = 0, /* frames */
	QUEUE_JSON = 1,   /* packets that end with NUL */
};

/* Counters that outlive a queue: kept by it, and added up by its owner. */
struct queue_flow {
	uint64_t routed;
	uint64_t written;
	uint64_t dropped[QUEUE_N_DROP];
	uint64_t bytes; /* written, control frames included */
};

/* `n` whole messages in a slab; or, in a chain, a part of one. The reference is the holder's. */
struct range {
	struct slab *slab;
	const uint8_t *p;
	uint32_t len;
	uint32_t n;
};

/* What is handed to queues at once: messages of one event. */
struct batch {
	const struct range *ranges;
	uint32_t n_ranges;
	bool chain;      /* the ranges are the parts of one message */
	uint64_t n;      /* messages in all */
	uint64_t len;    /* bytes in all */
	const void *key; /* what conflation goes by: bytes, the same for the same event */
	uint32_t key_len;
};

struct queue {
	struct qent *ents; /* ring of cap_ents (a power of two), NULL until used */
	uint32_t cap_ents;
	uint32_t head;
	uint32_t n_ents;
	uint32_t written_off; /* bytes of the head entry that are written */
	bool in_chain;        /* a part of the first message is written and gone */
	bool blocked;
	uint8_t dialect;               /* enum queue_dialect */
	uint8_t policy;                /* enum frame_policy in force */
	uint8_t tail_gap_why;          /* of tail_gap; 0: nothing is to be told */
	uint8_t gap_len;               /* bytes of a gap in gap_buf, 0: none */
	uint8_t gap_off;               /* of them, written */
	uint32_t control_len;          /* bytes of control frames waiting */
	uint32_t note_len;             /* bytes of notes waiting */
	uint64_t tail_gap;             /* lost behind the last entry, to be told */
	uint64_t base;                 /* serial number of the head entry */
	uint64_t queued;               /* messages waiting */
	uint64_t bytes;                /* bytes waiting, control frames included */
	uint64_t pinned;               /* memory of the slabs held, kept up while blocked */
	uint64_t waste;                /* bytes dropped since copies were last put together */
	struct slab *own;              /* where small ranges are copied to */
	struct slab_pool *pool;        /* not owned */
	const struct conf_queue *conf; /* not owned */
	const char *channel;           /* for gaps in JSON; not owned */
	struct map *names;             /* what a conflating queue holds, by key */
	struct queue_flow flow;
	uint8_t gap_buf[QUEUE_GAP_LEN];
};

/* Makes an empty queue; takes no memory. `conf` and `channel` must outlive it. */
void queue_init(struct queue *q, struct slab_pool *pool, const struct conf_queue *conf,
                enum frame_policy policy, const char *channel);

/* Drops everything as QUEUE_DROP_DISCONNECTED and frees the memory; flow stays readable. */
void queue_fini(struct queue *q);

void queue_set_conf(struct queue *q, const struct conf_queue *conf, enum frame_policy policy);

/* Memory that is charged to the receiver now. */
uint64_t queue_charge(const struct queue *q);

/* Whether a batch may come in under a policy that does not drop: there is room, or nothing waits.
 * One batch may pass the limit, so that the bound is the limit and one read, or one message. */
bool queue_has_room(const struct queue *q);

/* Whether a batch fits without passing the limit: nobody needs to write first. */
bool queue_fits(const struct queue *q, const struct batch *b);

/* Whether it is so empty again (three quarters of the limit) that those who wait for it go on. */
bool queue_has_drained(const struct queue *q);

enum queue_result {
	QUEUE_OK = 0,
	QUEUE_LOST, /* taken, but a message, this or an older one, was dropped and will be told */
	QUEUE_OVERFLOW, /* policy disconnect: nothing was taken; the receiver is to go */
};

/* Takes a batch as the policy says, with references of its own, and counts it as routed (but on
 * QUEUE_OVERFLOW). Under block the caller has asked queue_has_room. Without memory the newest is
 * dropped, counted and told. */
enum queue_result queue_push(struct queue *q, const struct batch *b);

/* Counts n messages as routed and lost for `why`, to be told here. */
void queue_lose(struct queue *q, enum queue_drop why, uint64_t n);

/* Tells that n messages (not exact: or more) were lost on their way to this host: they were never
 * routed here, and only the receiver is told, here. */
void queue_tell_gap(struct queue *q, uint64_t n, bool exact);

/* Appends a control frame, or packet with its NUL, copied. Returns 0 or -ENOMEM. */
int queue_control(struct queue *q, const void *p, size_t len);

/* Appends a frame about what is pushed next. Returns 0, -ENOMEM, or 1: there are too many already.
 */
int queue_note(struct queue *q, const void *p, size_t len);

/* Fills iov (QUEUE_IOV_MAX) with what is to be written next, about QUEUE_WRITE_MAX bytes; `paced`:
 * whole packets of at most QUEUE_PACED_MAX together, or a single larger one. Returns the number of
 * iovecs, 0 where nothing waits. */
int queue_peek(struct queue *q, struct iovec *iov, bool paced);

/* Bytes of the message that is written in part; UINT32_MAX where it is in several parts, and 0
 * where none is. */
uint32_t queue_begun_len(const struct queue *q);

/* The kernel took `len` bytes of what was peeked. */
void queue_wrote(struct queue *q, size_t len);

/* The kernel took less than there was (true), or there is room again. Copies out what pins too
 * much. */
void queue_set_blocked(struct queue *q, bool blocked);

/* Drops what waits but for the rest of a message that is begun, as QUEUE_DROP_DISCONNECTED: what
 * the receiver is told last comes right behind. */
void queue_drop_all(struct queue *q);

/* Takes back what waits, as if it had never been routed: the receiver turned out to be a native
 * one, which does not hear it. Nothing of it was written yet. */
void queue_withdraw(struct queue *q);

/* Turns native frames that wait into packets, when an undecided connection turns out to be a JSON
 * client. `translate` appends the packets of the `len` bytes of frames at p to `out`, and returns
 * how many messages it made, or -ENOMEM. Nothing was written yet (asserted). Returns 0 or -ENOMEM;
 * what could not be translated is dropped, counted and told. */
int queue_to_json(struct queue *q,
                  int (*translate)(void *arg, const uint8_t *p, size_t len, struct buf *out),
                  void *arg);

static inline bool queue_is_empty(const struct queue *q)
{
	return q->n_ents == 0 && q->gap_len == 0 && q->tail_gap_why == 0;
}

/* What an enum frame_policy is called; and which one a name means, -1: none. */
const char *queue_policy_str(uint8_t policy);
int queue_policy_find(const char *name, size_t len);

/* Messages dropped, over all reasons. */
uint64_t queue_flow_dropped(const struct queue_flow *f);

/* Adds b's counters to a. */
void queue_flow_add(struct queue_flow *a, const struct queue_flow *b);

#endif
