/* net.h - the mesh of this server: its session, sockets, keys and lanes
 *
 * Joins what must not see each other: the bus, whose lanes hold frames; the session of the mesh,
 * that makes datagrams of them; and the sockets. It is there while a channel takes part in the
 * network. Within a turn of the loop what arrived goes to the bus, what clients emitted goes into
 * the session, and what the session has for the network is sent; sending comes last.
 *
 * A reload that changes how hosts speak (address, interface, cluster, limits) ends the session and
 * begins another; one that changes channels or keys does not.
 */
#ifndef NC_IO_NET_H
#define NC_IO_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/netcluster/nc.h"

struct buf;
struct client;
struct conf;
struct fault;
struct net;
struct server;

/* What a configuration makes of the network. */
struct net_plan {
	struct net *next; /* takes the place of the one that is there; NULL: see is_kept */
	bool is_kept;     /* the one that is there goes on */
	bool opens_late;  /* its sockets take the place of the old ones: not before these close */
	struct keyring *ring; /* what its keys become, if it goes on; or NULL */
};

/* Makes what `conf` needs, beside what is there. Returns 0; 1 with *f; or a negative errno. */
int net_plan_make(struct net_plan *p, struct server *s, const struct conf *conf, struct fault *f);
void net_plan_rollback(struct net_plan *p);
/* The bus has the configuration: lanes are opened and closed. Can't fail; what does is logged. */
void net_plan_commit(struct net_plan *p, struct server *s, const struct conf *conf);

/* ---- the turn ---- */

/* What arrived so far goes to the bus. */
void net_settle(struct server *s);

/* Sends. Returns whether there is more to do at once. */
bool net_turn(struct server *s, uint64_t now);

/* The timer went off, or a moment has passed. */
void net_tick(struct server *s, uint64_t now);

/* Goes on with what the kernel, or memory, had no room for. */
void net_retry(struct server *s, uint64_t now);

/* ---- clients of the bus that are lanes ---- */

/* Has it something to write: into the session, as far as there is room. */
void net_lane_flush(struct client *c, uint64_t now);

/* bus_wants_input() has changed. */
void net_lane_update(struct client *c, uint64_t now);

/* It is dead. */
void net_lane_dead(struct client *c, uint64_t now);

/* ---- the end ---- */

/* Nothing is taken from other hosts any more. */
void net_hush(struct server *s, uint64_t now);

/* All that was emitted is in the session: whether the other hosts have taken it. */
bool net_is_drained(struct server *s, uint64_t now);

/* Says good-bye and closes all. */
void net_close(struct server *s, uint64_t now);

/* ---- questions, net_show.c and net_keys.c ---- */

/* Answers a question about the network; what it is called stands behind "nc-control-". Returns
 * NC_OK with the answer in `out`, NC_ENOBODY where it is none of these, or what went wrong with
 * *why (malloc'ed). */
enum nc_error net_ask(struct server *s, const char *what, size_t len, const char *data,
                      size_t data_len, struct buf *out, char **why);

#endif
