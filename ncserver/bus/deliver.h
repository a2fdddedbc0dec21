/* deliver.h - a batch of messages into the queues of its receivers (private to ncserver/bus) */
#ifndef NC_BUS_DELIVER_H
#define NC_BUS_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "ncserver/bus/queue.h"

struct bus;
struct chan;
struct client;
struct input;
struct route;
struct run_packet;

/* What a sender hands over: messages of one event in one of two forms; the other is made when a
 * receiver needs it, once. */
struct delivery {
	struct chan *chan;   /* where it was emitted */
	struct client *from; /* NULL: the server */
	uint64_t sender;     /* where `from` is a lane: who on the other host */
	const struct route *route;
	struct batch native; /* n == 0: not made yet */
	struct batch json;
	bool no_packets; /* none can be made of `native` */
	/* for JSON input, to make frames of it: n packets in the only range of `json` */
	const struct run_packet *packets;
	uint64_t first_seq;
};

/* Makes a batch of the messages in one range. */
void deliver_one_range(struct batch *to, const struct range *r, const struct route *route);

/* Makes a batch of the one long message that lies in the ranges of an input. */
void deliver_one_chain(struct batch *to, const struct input *in, const struct route *route);

/* Delivers to all targets of the route. Returns true; or false where a receiver under policy block
 * has no room: then nothing was delivered, and the sender waits for that receiver and is not read
 * until it has room. */
bool deliver(struct bus *b, struct delivery *d);

/* Goes on with a sender that waited. */
void deliver_resume(struct client *c);

/* The receiver drained, or is gone: its waiters are ready. */
void deliver_release(struct client *receiver);

/* Takes a sender out of the waiting. */
void deliver_forget(struct client *sender);

/* Messages that have no packet: `lost` of them behind the first `n` packets, which end at `off`. */
struct missing {
	uint32_t n;
	uint32_t off;
	uint32_t lost;
};

/* translate.c: frames to packets. Appends the packets of whole frames at p to `out`, which holds
 * `made` packets; those that could not be made are listed in b->missing. Returns packets made in
 * all, or -ENOMEM. */
int translate_frames(struct bus *b, const uint8_t *p, size_t len, struct buf *out, int made);

/* Packets of a run to frames, in a new slab. Returns 0 or -ENOMEM; *out is one range with a
 * reference. */
int translate_packets(struct client *from, const struct delivery *d, struct range *out);

#endif
