/* listener.h - the socket of one channel, and the connections that it accepts
 *
 * When the process has no descriptor left, the one that is kept in reserve is given up for a
 * moment, so that those who connect are refused at once instead of waiting for ever; when the
 * kernel has no memory, or no descriptors for anybody, listening pauses for a moment.
 */
#ifndef NC_IO_LISTENER_H
#define NC_IO_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#include "libnc/base/list.h"
#include "ncserver/io/place.h"

struct chan;
struct server;

/* Connections accepted in one turn of the loop from one listener: those that are there already have
 * their turn too. */
#define LISTENER_ACCEPTS_MAX 64u

struct listener {
	uv_poll_t poll;
	struct list link; /* server.listeners once it listens */
	struct server *server;
	struct chan *chan; /* of the bus, set by listener_start() */
	struct place place;
	bool is_watched; /* poll is initialised */
	bool is_paused;
};

/* Makes a listener with an empty place. Returns NULL without memory. */
struct listener *listener_new(struct server *s);

/* Prepares for listening on its prepared place. Returns 0 or a negative errno. */
int listener_watch(struct listener *l);

/* Accepts connections for `chan` from the next turn on. */
void listener_start(struct listener *l, struct chan *chan);

/* Goes on after a pause. */
void listener_resume(struct listener *l);

/* Closes it, without unlinking: a place that is not committed is rolled back, a standing one is
 * left to the file system. The memory goes with the loop's close callback. */
void listener_close(struct listener *l);

/* Unlinks the socket, accepts whoever connected before (if `chan` still exists), and closes. */
void listener_retire(struct listener *l, bool accept_rest);

#endif
