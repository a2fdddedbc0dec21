/* state.h - the bus itself (private to ncserver/bus) */
#ifndef NC_BUS_STATE_H
#define NC_BUS_STATE_H

#include <stdint.h>

#include "libnc/base/buf.h"
#include "libnc/base/list.h"
#include "libnc/base/map.h"
#include "libnc/json/packet.h"
#include "ncserver/bus/bus.h"
#include "ncserver/bus/queue.h"
#include "ncserver/bus/slab.h"

struct slow_list;
struct origins;
struct users;

/* Connections that are refused and wait to hear why, at once: beyond, they are closed without a
 * word. */
#define BUS_REFUSED_MAX 64u

/* Packets that a run of JSON input gathers before it is delivered. */
#define BUS_RUN_MAX 1024u

/* One packet of a run, as offsets from the run's start. */
struct run_packet {
	uint32_t off;
	uint32_t len; /* without NUL */
	uint32_t data_off;
	uint32_t data_len;
	bool broadcast;
};

struct bus_totals {
	uint64_t published, published_bytes, refused;
	uint64_t bytes_in, bytes_out;
	uint64_t quota, denied;
	uint64_t memo_hits, memo_misses, memo_evictions;
	uint64_t reloads, reload_errors;
};

struct bus {
	struct bus_env env;
	struct conf *conf;
	struct rules *rules;
	struct chan **chans; /* in the order of the configuration: by name */
	size_t n_chans;
	uint32_t n_clients;
	uint32_t n_refused;  /* of them, that are only told why they must go */
	uint32_t n_lanes;    /* of them, that are no connections but lanes */
	uint64_t n_patterns; /* of all clients */
	uint32_t tag;        /* upper half of sender ids */
	uint32_t session;    /* lower half of the last one */
	bool reuses_ids;     /* all of them have been used */
	uint64_t mark;
	uint64_t server_seq; /* of frames that the server itself makes */
	uint64_t now;
	int64_t started_at; /* wall clock, ms */
	uint64_t started;
	int64_t loaded_at;
	bool stopping;

	struct slab_pool pool;
	struct slab *cur; /* where input is received */
	struct list tails;
	struct list dirty, changed, dead, ready;
	struct list fresh, undecided, blocking, probation;
	uint64_t soon;       /* while one is on the last two: none of them is due before */
	struct list leaving; /* channels that are gone but for their last clients */

	struct packet_reader *reader;
	struct buf scratch;      /* translations */
	struct missing *missing; /* of the last translation, from its front on */
	uint32_t n_missing;
	uint32_t missing_cap;
	struct run_packet *run;
	struct users *users;
	struct origins *origins; /* of lanes in */
	struct slow_list *slow;
	uint64_t memo_bytes;
	struct queue_flow gone; /* of channels that are gone */
	struct bus_totals totals;
	struct bus_io_counters io;
};

/* deadline.c: one more waits for `c`, which blocks from its block_from on; it is on probation,
 * until its probation_until. And the looking anew, when the times themselves have changed. */
void bus_expect_block(struct bus *b, struct client *c);
void bus_expect_probation(struct bus *b, struct client *c);
void bus_expect_anew(struct bus *b);

/* Frees a channel that is gone, once its last client is. */
void bus_reap_chan(struct bus *b, struct chan *ch);

#endif
