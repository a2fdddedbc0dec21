/* bus_rig.h - a bus without sockets: bytes in, bytes out, time by hand */
#ifndef NC_T_UNIT_BUS_RIG_H
#define NC_T_UNIT_BUS_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/base/buf.h"
#include "ncserver/bus/bus.h"

#define RIG_CLIENTS_MAX 64

struct rig_client {
	struct client *c; /* NULL: gone */
	struct buf out;   /* what it was sent, until taken */
	uint64_t id;      /* of its welcome */
	uint64_t seq;
	size_t kernel; /* bytes that its socket takes, SIZE_MAX: no end */
	bool blocked;
};

struct rig {
	struct bus *bus;
	uint64_t now;
	struct rig_client clients[RIG_CLIENTS_MAX];
	int n_clients;
	struct buf dumped;
};

/* A bus of a configuration in netcluster's JSON. Fails the test where that is wrong. */
void rig_init(struct rig *r, const char *json);
/* The same, as a host of that name whose sender ids have the tag. */
void rig_init_as(struct rig *r, const char *json, const char *host, uint32_t tag);
/* Closes all clients and frees the bus, whose counters must be exact. */
void rig_fini(struct rig *r);

/* Accepts a connection. Returns its number, or -1 where it was refused with *why. */
int rig_accept(struct rig *r, const char *channel, uid_t uid, pid_t pid, enum nc_error *why);
/* Opens a FIFO of the channel, which is sent to as a connection is. */
int rig_accept_fifo(struct rig *r, const char *channel);
/* Opens a lane of the channel, which is read from or sent to as a connection is. Returns -1 where
 * it was refused with *why. */
int rig_lane_out(struct rig *r, const char *channel);
int rig_lane_in(struct rig *r, const char *channel, const char *host, uint32_t tag,
                enum nc_error *why);
/* Says hello with these features and policy wish (0: none), and takes in the welcome. */
void rig_hello(struct rig *r, int i, uint32_t features, uint8_t policy);
int rig_native(struct rig *r, const char *channel);

/* Sends bytes, as many reads as it takes of at most `chunk` bytes. What can't be read now (the
 * client waits) is left out: returns the bytes sent. */
size_t rig_send(struct rig *r, int i, const void *p, size_t len, size_t chunk);
/* An event with text, in a frame. */
void rig_emit(struct rig *r, int i, const char *channel, const char *event, const void *data,
              size_t len);
void rig_listen(struct rig *r, int i, const char *pattern);
void rig_close(struct rig *r, int i);

/* What io does at the end of a turn of its loop, until nothing is left to do. */
void rig_turn(struct rig *r);
/* Time passes. */
void rig_wait(struct rig *r, uint64_t ms);

/* Exchanges the configuration. */
void rig_reload(struct rig *r, const char *json);

/* Fails the test where a counter is not exact. */
void rig_check(struct rig *r);

#endif
