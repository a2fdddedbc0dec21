/* bus.h - channels, clients and the way of a message between them; no socket and no clock inside
 *
 * The io layer owns sockets, and calls in: a connection was accepted, bytes arrived, the kernel
 * took bytes, time passed. The bus reads frames and packets, routes them into the queues of their
 * receivers, and leaves lists of clients that need something done: output to write, reading to stop
 * or go on, a connection to close. Io empties those lists once per turn of its loop. The bus never
 * calls back into io, but for the functions in struct bus_env.
 *
 * All times are nanoseconds of one monotonic clock. One thread.
 */
#ifndef NC_BUS_BUS_H
#define NC_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "libnc/netcluster/nc.h"

struct buf;
struct bus;
struct chan;
struct client;
struct conf;
struct conf_channel;
struct rules;

/* Supplementary groups of one client that are looked at. */
#define BUS_GROUPS_MAX 256u

/* What the bus needs from outside. */
struct bus_env {
	void *arg;
	uint8_t boot[16];     /* random, of this start */
	uint8_t hash_key[16]; /* random, seeds hash tables */
	const char *host;     /* name of this host; outlives the bus */
	const char *version;  /* "ncserver 0.1.0"; outlives the bus */
	pid_t pid;
	uid_t uid; /* the server's own user */
	/* Writes what a client's queue holds, as far as the kernel takes it; used when a queue is
	 * full in the middle of a turn. May call bus_output*() for this client only. */
	void (*flush)(void *arg, struct client *c);
	/* dumptoconsole: one packet of a channel, as JSON text without NUL. dumpnet: `channel` is
	 * "host/channel". */
	void (*dump)(void *arg, const char *channel, const char *text, size_t len);
	/* nc-control-reloadconfig: text NULL: the server's own file. Returns 0, or 1 with *why
	 * (malloc'ed text). */
	int (*reload)(void *arg, const char *text, size_t len, const char *name, char **why);
	/* A question to control about the network, without "nc-control-"; `data` is JSON text.
	 * Appends the answer as JSON and returns NC_OK; or NC_ENOBODY (it is none), or what went
	 * wrong with *why (malloc'ed text). NULL: there is none. */
	enum nc_error (*net)(void *arg, const char *what, size_t len, const char *data,
	                     size_t data_len, struct buf *out, char **why);
	/* Wall-clock time in milliseconds since 1970, for displays only. */
	int64_t (*wall_ms)(void *arg);
	/* The name of a user, valid until the next call; NULL where it is not known (yet). For
	 * displays; never waits. */
	const char *(*user_name)(void *arg, uid_t uid);
	/* A line for the log. level as in conf.h. */
	void (*log)(void *arg, int level, const char *fmt, ...)
	        __attribute__((format(printf, 3, 4)));
};

/* Who is at the other end, as the kernel says. */
struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	size_t n_gids; /* of gids: primary and supplementary */
	gid_t gids[BUS_GROUPS_MAX];
	char comm[16]; /* its command's name, or "" */
};

/* Makes a bus of a configuration; takes over `conf` and `rules` on success. Returns 0, -ENOMEM. */
int bus_new(struct bus **out, const struct bus_env *env, struct conf *conf, struct rules *rules,
            uint64_t now);
/* Frees everything; all clients have been freed before (asserted). */
void bus_free(struct bus *b);

const struct conf *bus_conf(const struct bus *b);

/* Exchanges the configuration. Clients of channels that are gone are put on the dead list with
 * NC_ESHUTDOWN; all others stay, and nothing of theirs is lost. Takes over conf and rules on
 * success; on -ENOMEM nothing has changed. */
int bus_reconfigure(struct bus *b, struct conf *conf, struct rules *rules, uint64_t now);

/* The channel of that name, or NULL. Its pointer stays valid over reconfigurations that keep the
 * channel. */
struct chan *bus_chan(struct bus *b, const char *name);

/* ---- connections ---- */

/* A connection was accepted on `ch`. Returns the client. With *why other than NC_OK it is refused,
 * and the client is only there to hear why (NC_EDENIED: neither emit nor listen; NC_EQUOTA); or
 * NULL, when io closes at once (too many of those, NC_ENOMEM, NC_ESHUTDOWN). */
struct client *bus_accept(struct bus *b, struct chan *ch, const struct peer *peer, uint64_t now,
                          enum nc_error *why);

/* A pseudo-client for a FIFO: only emits; JSON packets ended by newline or NUL. */
struct client *bus_accept_fifo(struct bus *b, struct chan *ch, uint64_t now);

/* Io's own pointer. */
void bus_client_set_io(struct client *c, void *io);
void *bus_client_io(const struct client *c);
struct chan *bus_client_chan(const struct client *c);

/* Where the next bytes of this client are to be received: *p with room for *room. Returns 0, or
 * -ENOMEM: read later. */
int bus_input_space(struct bus *b, struct client *c, uint8_t **p, size_t *room);
/* `len` bytes were received there. */
void bus_input(struct bus *b, struct client *c, size_t len, uint64_t now);
/* The other end will send no more. What it sent is routed before it goes. */
void bus_input_eof(struct bus *b, struct client *c, uint64_t now);
/* The connection is broken: it goes on the dead list. */
void bus_broken(struct bus *b, struct client *c, uint64_t now);

/* Whether io should read from this client now. */
bool bus_wants_input(const struct client *c);

/* What is to be written next: iovecs (room for QUEUE_IOV_MAX), their number is returned; 0: nothing
 * now. *paced: it is one chunk for a paced JSON client: io writes it only when nothing is unread.
 */
int bus_output(struct bus *b, struct client *c, struct iovec *iov, bool *paced);
/* The kernel took len bytes of it. */
void bus_output_done(struct bus *b, struct client *c, size_t len, uint64_t now);
/* Whether a native message that is written in part is a long one, of more than 16 KiB. */
bool bus_output_is_long(const struct client *c);
/* The kernel takes no more now (true), or there is room again (false). */
void bus_output_blocked(struct bus *b, struct client *c, bool blocked, uint64_t now);

/* ---- lanes: what leaves this host, and what comes from others ----
 *
 * A lane is a pseudo-client of a channel, without a socket: io takes its output to the mesh, and
 * brings its input from there. Both go by the lists below, as connections do. The bus counts lanes
 * as neither connections nor clients' bytes; it never disconnects one, but puts it on the list of
 * the dead when its channel goes.
 */

enum bus_lane {
	BUS_LANE_NONE = 0, /* a connection or a FIFO */
	BUS_LANE_OUT,
	BUS_LANE_IN,
};
enum bus_lane bus_client_lane(const struct client *c);

/* Opens the lane out of a channel: a native receiver, under the channel's policy (drop-newest where
 * that is disconnect), of what clients of this host emit on that very channel. What rules bring
 * there, and what came from other hosts, it does not hear. Its stream holds EMIT, GAP and SENDER
 * frames. There is one at most. Returns NULL where there is one, or no memory. */
struct client *bus_open_lane_out(struct bus *b, struct chan *ch, uint64_t now);

/* Opens a lane in: what the host `host`, whose boot has the origin tag `tag`, emits on the channel
 * of that name. Its frames go to the clients of the channel, to no lane out, and to other channels
 * only where this one has "propagatefromnet". Returns the client; or NULL with *why: NC_EDENIED
 * (the channel has no "propagatetonet", or its "netfrom" does not name the host), NC_EPROTO (the
 * tag is this host's own, or belongs to another host), NC_ESHUTDOWN, NC_ENOMEM. */
struct client *bus_open_lane_in(struct bus *b, struct chan *ch, const char *host, uint32_t tag,
                                uint64_t now, enum nc_error *why);

/* Behind what was put in so far `count` messages (not exact: or more) are missing: all who hear the
 * channel are told. What was begun of a frame is void. */
void bus_lane_gap(struct bus *b, struct client *lane, uint64_t count, bool exact, uint64_t now);

/* Ends a lane: it is put on the list of the dead, a lane in when what was put in has been
 * delivered. What waits in a lane out is dropped, and counted. */
void bus_close_lane(struct bus *b, struct client *lane, uint64_t now);

/* ---- what io has to do after each turn ---- */

/* The next client with something to write; it is taken from the list. NULL: none. */
struct client *bus_next_dirty(struct bus *b);
/* The next client whose bus_wants_input may have changed. */
struct client *bus_next_changed(struct bus *b);
/* The next client that is to be closed: io tries to write what its queue still holds (once), closes
 * the socket and calls bus_client_free. */
struct client *bus_next_dead(struct bus *b);
void bus_client_free(struct bus *b, struct client *c);

/* Goes on with senders that waited for room which is there now. To be called in each turn before
 * the lists are emptied. Returns whether something was done: then another turn follows without
 * sleeping. */
bool bus_run_ready(struct bus *b, uint64_t now);

/* When bus_tick wants to be called (UINT64_MAX: never); and the tick. */
uint64_t bus_next_deadline(const struct bus *b);
void bus_tick(struct bus *b, uint64_t now);

/* The server stops: every client is told (native BYE NC_ESHUTDOWN); queues are to be flushed by io.
 * Nothing is accepted after it. */
void bus_shutdown(struct bus *b, uint64_t now);
/* Whether all queues are empty and no sender waits. */
bool bus_is_drained(const struct bus *b);

/* Every client once, for shutdown. */
void bus_each_client(struct bus *b, void (*fn)(void *arg, struct client *c), void *arg);

/* Bytes that messages, routes and clients take, about. */
size_t bus_memory(const struct bus *b);

/* Counted by io, shown in stats. */
struct bus_io_counters {
	uint64_t turns, reads, writes;
	uint64_t accepted, refused;
};
struct bus_io_counters *bus_io_counters(struct bus *b);

/* Told by reload, shown in stats. */
void bus_note_reload(struct bus *b, bool ok);

#endif
