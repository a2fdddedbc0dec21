/* conn.h - one connection: its descriptor, and what the loop is asked to watch
 *
 * A connection joins a client of the bus with a descriptor: an accepted socket, or a FIFO. It reads
 * straight into the bus's slabs and writes straight out of its queues; it holds no byte itself. It
 * watches for exactly what it waits for, and for nothing while it waits for nothing, so that a peer
 * that hangs up can't make the loop spin.
 *
 * It ends when the bus puts its client on the list of the dead, and only then.
 */
#ifndef NC_IO_CONN_H
#define NC_IO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "libnc/base/list.h"
#include "ncserver/io/pacer.h"

struct client;
struct fifo;
struct server;

/* Writes in a row for one connection, of up to QUEUE_WRITE_MAX bytes each: a reader that is as fast
 * as we are must not keep the others waiting. */
#define CONN_WRITES_MAX 8u
/* Bytes that are read and forgotten when a connection is closed, so that the other side finds an
 * end, and not a reset: more than any socket holds by default. */
#define CONN_DISCARD_MAX (1u << 20)

/* Send buffer of a connection over which long messages stream, as far as the system allows it: with
 * more at a time in it both sides sleep and wake up less often. */
#define CONN_LONG_SNDBUF (256 << 10)

/* What a connection waits for apart from its descriptor: the list on which `wait` is. */
enum conn_wait {
	CONN_WAIT_NOTHING = 0,
	CONN_WAIT_MEMORY, /* server.starved */
	CONN_WAIT_MOMENT, /* server.settling: to write, at `due` */
	CONN_WAIT_REST,   /* server.ending: it takes nothing more, what it sent is still read */
};

struct conn {
	uv_poll_t poll;
	struct list link; /* server.conns */
	struct list wait;
	struct server *server;
	struct client *client; /* of the bus; its pointer back is bus_client_io() */
	struct fifo *fifo;     /* whose pseudo-connection this is; NULL: a socket */
	size_t n_unread;       /* bytes that state READING still reads from it */
	struct pacer pacer;
	uint64_t due; /* of CONN_WAIT_MOMENT */
	int fd;
	int sndbuf;       /* the usual SO_SNDBUF; 0: not yet asked */
	uint8_t mask;     /* what is watched, UV_READABLE | UV_WRITABLE */
	uint8_t waits;    /* enum conn_wait */
	bool wants_write; /* output waits for the kernel */
	bool is_blocked;  /* bus_output_blocked() */
	bool is_long;     /* SO_SNDBUF is CONN_LONG_SNDBUF */
	bool is_narrow;   /* SO_SNDBUF is at its minimum, see conn_pace.c */
	bool is_begun;    /* a paced chunk is written in part */
	bool is_eof;      /* nothing more to read */
	bool is_deaf;     /* it takes nothing more */
	bool is_closing;  /* its client is dead: what is written now is the last */
};

/* Makes the connection of `client`, which reads from `fd`. On success fd is the connection's, which
 * watches it from the next turn on. Returns NULL where there is no memory, or where fd can't be
 * watched. */
struct conn *conn_new(struct server *s, int fd, struct client *client, struct fifo *fifo);

/* The connection of a client. */
struct conn *conn_of(const struct client *client);

/* Waits for something else than the descriptor; CONN_WAIT_NOTHING: no more. */
void conn_wait(struct conn *c, enum conn_wait what);

/* Watches for what is waited for now. */
void conn_update(struct conn *c);

/* Writes what the bus has for it, as far as the kernel takes it. */
void conn_flush(struct conn *c, uint64_t now);

/* The same, where the bus has something new for it: who waits for the kernel is written to when
 * there is room, and not asked before. */
void conn_flush_new(struct conn *c, uint64_t now);

/* Reads once, or twice where the room was filled. Returns whether there may be more. */
bool conn_read(struct conn *c, uint64_t now);

/* Nothing is written any more; what was sent so far is read in the next turns, then the connection
 * is broken. */
void conn_end(struct conn *c);

/* The client is dead: tries to write what is left, closes, and frees the client. The memory of the
 * connection goes with the loop's close callback. */
void conn_close(struct conn *c, uint64_t now);

/* From now on only what was sent so far is read (state READING). */
void conn_read_rest(struct conn *c);

/* Goes on with those that waited: for memory; for the moment to come at which a paced chunk may be
 * written; for the rest of what deaf ones had sent. conn_run_ending() returns whether something was
 * done, so that the bus may have more to do. */
void conn_run_starved(struct server *s, uint64_t now);
void conn_run_settling(struct server *s, uint64_t now);
bool conn_run_ending(struct server *s, uint64_t now);

/* ---- paced JSON clients, conn_pace.c ---- */

/* Whether a chunk of `len` bytes may be written now; if not, the connection waits for the right
 * moment and comes back by itself. */
bool conn_pace(struct conn *c, size_t len, uint64_t now, size_t *unread);

/* Makes the socket take whole chunks again. */
void conn_widen(struct conn *c);

#endif
