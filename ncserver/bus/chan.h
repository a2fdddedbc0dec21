/* chan.h - one channel: its clients, who hears what, and the memo of routes
 *
 * Private to ncserver/bus. The memo answers "who gets this event, emitted here" for the names seen
 * last. It is a table of sets: a name has a few places only, so that it is bounded, needs no
 * rehashing, and a look-up costs a few compares. A change of interest drops only the routes that it
 * can touch.
 */
#ifndef NC_BUS_CHAN_H
#define NC_BUS_CHAN_H

#include <stdbool.h>
#include <stdint.h>

#include "libnc/base/list.h"
#include "libnc/wire/limits.h"
#include "libnc/wire/name.h"
#include "ncserver/bus/queue.h"

struct client;
struct conf_channel;
struct trie;

/* Names that a channel's memo holds: sets times ways. */
#define MEMO_SETS 512u
#define MEMO_WAYS 4u
/* Memory of all routes together; beyond, they are looked up each time. */
#define MEMO_BYTES_MAX (16u << 20)

/* A change of interest in a pattern with wildcards only writes the pattern down; the next look-up
 * of each route sees whether the pattern concerns it. So many changes are remembered: a route that
 * missed more is looked up anew. */
#define MEMO_CHANGES 16u

struct change {
	uint8_t len;
	char pattern[NC_PATTERN_MAX];
};

/* Why an event may not be emitted by a client. */
enum route_verdict {
	ROUTE_OK = 0,
	ROUTE_RESERVED, /* from servers only */
	ROUTE_ILLEGAL,  /* see `name` */
};

struct route {
	uint64_t hash;
	uint64_t change; /* the channel's last change that it takes into account */
	uint32_t n_targets;
	uint32_t size; /* of this object, in bytes */
	uint32_t key_len;
	uint8_t verdict;   /* enum route_verdict */
	uint8_t name;      /* enum name_result, where illegal */
	const char *key;   /* channel, '.', event; in this object */
	const char *event; /* in key */
	uint32_t event_len;
	bool cached;              /* in the memo; else the bus frees it after use */
	struct client *targets[]; /* not owned; may be dead */
};

/* Of one kind of emitter: clients of this host, or other hosts. */
struct memo {
	struct route *(*sets)[MEMO_WAYS]; /* MEMO_SETS, NULL until used */
	uint8_t *next;                    /* which way of a set goes next */
	uint64_t n_changes;               /* of interest by wildcard patterns, so far */
	struct change *changes;           /* the last MEMO_CHANGES of them */
};

/* What came from other hosts. */
struct chan_net {
	uint64_t arrived, arrived_bytes; /* and went to who hears it */
	uint64_t refused;                /* frames that no host may send */
	uint64_t lost;                   /* told as gaps: between hosts, or too long for here */
};

struct chan {
	struct bus *bus;
	const struct conf_channel *conf; /* owned by the bus's configuration */
	struct list clients;
	uint32_t n_clients;
	uint32_t n_lanes; /* of them */
	uint32_t index;   /* in the configuration */
	uint8_t name_len;
	bool is_control;
	char name[NC_CHANNEL_MAX + 1];
	struct trie *trie; /* pattern -> client of this channel */
	uint64_t n_subscriptions;
	struct chan **reach; /* channels that events from here reach, this one first */
	uint32_t n_reach;
	struct chan **sources; /* channels whose events reach this one */
	uint32_t n_sources;
	struct memo memo;        /* of what is emitted on this host */
	struct memo memo_net;    /* of what arrives from others */
	struct client *lane_out; /* or NULL */

	uint64_t published, published_bytes, refused, stalls;
	struct chan_net net;
	struct queue_flow gone; /* of receivers that are gone */

	struct list leaving;          /* bus.leaving */
	struct conf_channel *retired; /* what conf points to then */
};

struct chan *chan_new(struct bus *b, const struct conf_channel *conf);
void chan_free(struct chan *ch);

/* The route of an event emitted here, by a client of this host or (net) on another one. NULL
 * without memory. Valid until the bus's lists are emptied, or interest changes; to be given back by
 * chan_route_done. */
struct route *chan_route(struct chan *ch, const char *event, size_t len, bool net);
void chan_route_done(struct chan *ch, struct route *r);

/* Interest in a pattern by clients of `ch` has changed: drops the routes that it can touch, here
 * and in every channel whose events come here. */
void chan_touch(struct chan *ch, const char *pattern, size_t len);

/* Channels that what arrives from other hosts reaches: of `reach`, so many from its beginning. */
uint32_t chan_net_reach(const struct chan *ch);

/* Routes in both memos. */
uint32_t chan_memo_len(const struct chan *ch);

/* Drops all routes. */
void chan_memo_clear(struct chan *ch);

#endif
