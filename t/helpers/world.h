/* world.h - a server and clients of either dialect, in one process and one thread
 *
 * A test opens peers of its kinds, lets them emit and listen, and asks what each has heard. All
 * waiting is done by turns: each one polls every peer that is not stalled and lets it work, so that
 * no peer holds up another one by not reading, unless a test wants that.
 *
 * Order is known without waiting for time to pass: peer_settle() returns when the server has routed
 * all that a peer sent before, peer_barrier() when a peer has heard all that was routed to it
 * before. Both use the event "t.sync", which peers do not count as heard.
 */
#ifndef NC_T_HELPERS_WORLD_H
#define NC_T_HELPERS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netcluster/nc.h>

#include "t/helpers/jsonclient.h"
#include "t/helpers/server.h"
#include "t/helpers/util.h"

#define WORLD_PEERS_MAX 128u

/* The two dialects that a client may speak. */
enum kind {
	NATIVE = 0, /* libnc, through its public functions */
	JSON = 1,   /* netcluster's packets, by hand */
	N_KINDS = 2,
};

const char *kind_name(enum kind k);

/* One value in both dialects. */
struct value {
	const char *name;
	enum nc_type type;
	const void *data; /* as nc_emit() takes it */
	size_t len;
	const char *json; /* as `data` of a packet; NULL: absent */
};

/* A message that a peer has heard. */
struct heard {
	char *event;
	char *channel;
	char *packet; /* the whole JSON packet, or NULL where it came as a frame from a native one
	               */
	size_t packet_len;
	enum nc_type type; /* towards JSON: NC_JSON or NC_EMPTY */
	char *data;        /* terminated */
	size_t len;
	bool broadcast;
	struct nc_sender from; /* towards native */
};

struct world;
struct peer;

/* Runs with each message heard, instead of keeping it. */
typedef void peer_hear(struct peer *p, const struct heard *h);

struct peer {
	struct world *world;
	enum kind kind;
	char channel[64];
	nc_client *nc;
	struct jc jc;
	bool stalled;    /* set by tests: it does not read */
	bool probe;      /* the world's own */
	bool picky;      /* JSON: it has declared interest */
	bool open;       /* native: it was opened */
	bool ended;      /* its connection ended, and it does not come back */
	int ended_error; /* native */
	unsigned n_connected;
	peer_hear *on_heard;
	void *arg;
	struct heard *heard;
	size_t n_heard;
	size_t heard_room;
	uint64_t n_messages; /* heard in all, the world's own included, the server's not */
	uint64_t last_sync;
	uint64_t n_gaps;
	uint64_t lost;     /* told in gaps */
	unsigned n_errors; /* told by the server */
	int error;         /* the last one; with JSON, its code */
	char text[256];
};

struct world {
	struct server server;
	struct peer *peers[WORLD_PEERS_MAX];
	size_t n_peers;
	struct peer *control;
	uint64_t n_syncs;
};

/* Makes a server with this configuration (see server_configure) and starts it. */
void world_init(struct world *w, const char *config);

/* Closes all peers, stops the server (which must end well) and removes everything. With `failed`,
 * the server is killed and its log is shown. */
void world_fini(struct world *w, bool failed);

/* One turn of all peers, waiting for at most what is left until `deadline`; fails the test, naming
 * `what`, where that has passed. */
void world_turn(struct world *w, uint64_t deadline, const char *what);

/* A short turn between two questions about the same thing, of which the peers hear nothing. */
void world_pause(struct world *w, uint64_t deadline, const char *what);

/* One turn that waits for nothing. */
void world_poll(struct world *w);

/* Turns until `cond` is true. */
#define WORLD_UNTIL(w, cond)                                                                       \
	do {                                                                                       \
		uint64_t until_ = util_deadline();                                                 \
		while (!(cond))                                                                    \
			world_turn((w), until_, #cond);                                            \
	} while (0)

/* ---- peers */

/* A peer that is not connected yet; libnc's options are set through p->nc. It does not reconnect
 * by itself and does not hear itself. */
struct peer *world_new_peer(struct world *w, enum kind k, const char *channel);

/* Connects it. Returns 0, an enum nc_error (native), or a negative errno (JSON). */
int peer_connect(struct peer *p);

/* A peer that is connected, and that the server knows of. It listens to nothing if it is native,
 * and to everything if it speaks JSON. */
struct peer *world_peer(struct world *w, enum kind k, const char *channel);

/* world_peer() and peer_listen(). */
struct peer *world_listener(struct world *w, enum kind k, const char *channel, const char *pattern);

/* Declares interest. For a JSON peer ">" declares none, since it hears all to begin with. */
void peer_want(struct peer *p, const char *pattern);

/* peer_want(), and waits until it is in force. */
void peer_listen(struct peer *p, const char *pattern);

/* From now on the peer, which has declared interest, does not hear "t.sync" (so that only a test's
 * own events count); and does again. */
void peer_ignore_sync(struct peer *p);
void peer_heed_sync(struct peer *p);

/* Ends its connection and frees it. */
void peer_close(struct peer *p);

/* peer_close(), and waits until the server has forgotten it. */
void peer_leave(struct peer *p);

/* Forgets what it heard. */
void peer_forget(struct peer *p);

/* Emits, doing turns while its queue is full. Returns what nc_emit() does; 0 with JSON. */
int peer_emit(struct peer *p, const char *event, const struct value *v);

/* Emits a whole number, and must succeed. */
void peer_emit_int(struct peer *p, const char *event, int64_t n);

/* Writes bytes as they are, after what is queued (JSON only), doing turns while there is no room.
 */
void peer_write(struct peer *p, const void *bytes, size_t len);

/* Writes one packet of text, its NUL included (JSON only). */
void peer_packet(struct peer *p, const char *packet);

/* Returns when the server has routed all that p sent before. */
void peer_settle(struct peer *p);

/* Returns when p has heard all that was routed to it before. */
void peer_barrier(struct peer *p);

/* The value of a message that holds a whole number, or -1. */
int64_t heard_int(const struct heard *h);

/* Whether the message holds this value, in the dialect of its receiver. */
bool heard_is(const struct heard *h, const struct value *v);

/* ---- the control channel */

/* Asks, and returns the answer, to be freed with yajl_tree_free(). `json` may be NULL. An error
 * fails the test. */
yajl_val world_ask(struct world *w, const char *question, const char *json);

/* Asks what must fail, and returns the error's text, to be freed. */
char *world_ask_in_vain(struct world *w, const char *question, const char *json);

/* reloadconfig with the text of a libconfig file. Returns NULL, or the error's text, to be freed.
 */
char *world_reload(struct world *w, const char *config);

/* What was routed to a receiver. */
struct flow {
	int64_t routed;
	int64_t written;
	int64_t queued;
	int64_t queued_bytes;
	int64_t drop_oldest;
	int64_t drop_newest;
	int64_t conflate;
	int64_t disconnected;
	int64_t untranslatable;
	int64_t dropped_total;
};

/* Reads a flow object. routed == written + queued + dropped must hold, or the test fails. */
void flow_read(struct flow *f, yajl_val v);

/* The flow of a peer, and of all receivers of a channel. */
void peer_flow(struct peer *p, struct flow *f);
void channel_flow(struct world *w, const char *channel, struct flow *f);

/* Its whole client object, to be freed. */
yajl_val peer_client_object(struct peer *p);

/* Clients that the server counts on a channel. */
size_t channel_clients(struct world *w, const char *channel);

#endif
