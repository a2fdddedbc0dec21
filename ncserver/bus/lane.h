/* lane.h - what a client has that stands for other hosts (private to ncserver/bus)
 *
 * A lane out is the receiver that stands for all other hosts, one per channel. A lane in is the
 * sender that stands for one other host on one channel: its stream is that of a lane out there.
 *
 * What a lane in brings is believed as far as another host is: the frames must bear ids of that
 * host's boot and name the lane's channel, and a wrapped packet must be the packet that its frame
 * says. A frame that is not so is refused and counted, and its neighbours are delivered. Where the
 * stream itself is broken, all up to the next gap is refused, since frames begin right behind gaps.
 */
#ifndef NC_BUS_LANE_H
#define NC_BUS_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/wire/frame.h"
#include "libnc/wire/limits.h"
#include "ncserver/bus/bus.h"

struct origins;
struct route;

/* How long receivers of a lane out are thought to remember who a sender is: one that begins to hear
 * it later, or lost that frame, is told after this time. */
#define LANE_RETELL_NS 1000000000u

/* A sender of another host, as that host says. */
struct lane_sender {
	uint64_t id; /* 0: none */
	uint32_t uid, gid, pid;
};

/* The boot of another host: shared by its lanes. */
struct origin {
	uint32_t tag;
	uint32_t refs;
	char host[NC_CHANNEL_MAX + 1];
	struct lane_sender senders[NC_SENDER_SLOTS];
};

struct lane {
	enum bus_lane kind;
	/* out */
	uint64_t told_since; /* the client's `senders` were told from then on */
	/* in */
	struct origin *origin;
	uint32_t skip;  /* bytes of a refused frame that are still to come */
	bool is_broken; /* nothing is taken until the next gap */
	bool has_gap;   /* behind the input that waits for room */
	bool exact;     /* that gap */
	uint64_t gap;
};

/* Makes the table of other hosts; NULL without memory. Empty when it is freed. */
struct origins *origins_new(const uint8_t seed[16]);
void origins_free(struct origins *o);

/* Takes from the lane what it holds, and frees it. */
void buslane_free(struct client *c);

/* input_lane.c: takes the input apart, as input_native() does. Returns false where the lane waits,
 * or where a frame is not whole. */
bool input_lane(struct client *c);

/* Delivers the long frame that is whole. Returns false where the lane waits. */
bool input_lane_chain(struct client *c);

/* There is no memory for the rest of a long frame: it is lost. */
void input_lane_drop_chain(struct client *c);

/* All input has been delivered: tells the gap behind it, if there is one. */
void input_lane_gap(struct client *c);

/* `n` messages of the lane do not reach who hears the channel: they are told. */
void buslane_lose(struct client *c, uint64_t n, bool exact);

/* The frame that tells who sender `id` is, to a receiver that hears him by the lane `from`, or that
 * is a lane out: *known is false where the other host has not said it yet. */
struct frame_sender buslane_sender(const struct client *from, uint64_t id, bool *known);

#endif
