/* session.h - the mesh: reliable, ordered, encrypted multicast between hosts; its only face
 *
 * A session is one boot of one host. It owns no socket, clock, file or random source: datagrams are
 * handed in with mesh_recv(), taken out with mesh_next(), and time comes as an argument. What goes
 * over the wire is man/nc-mesh.7; names there and here are the same.
 *
 * What is carried is *lanes*: streams of native frames (nc-protocol(7)), one per channel and class.
 * A lane of this host is written like a socket: any bytes of the stream, as many as there is room
 * for. A lane of another host is delivered like a socket: the same bytes in the same order, in
 * pieces that may end anywhere in a frame. Where messages are lost the stream breaks, always
 * between two frames, and gap() tells how many are missing.
 *
 * All times are nanoseconds of one monotonic clock that never goes back; sizes are bytes. One
 * thread. Callbacks may call mesh_lane_*() and mesh_in_*() functions, but neither mesh_recv(),
 * mesh_tick(), mesh_next() nor mesh_free().
 */
#ifndef NC_MESH_SESSION_H
#define NC_MESH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct mesh;
struct mesh_in;   /* a lane of another host, as it is heard here */
struct mesh_lane; /* a lane of this host */
struct crypto;
struct keyring;

#define MESH_BOOT_LEN     16u
#define MESH_DATAGRAM_MAX 9000u /* largest UDP payload that is made: jumbo frames */
#define MESH_DATAGRAM_MIN 548u  /* smallest limit: what every IPv4 host takes */
#define MESH_HOST_MAX     63u
#define MESH_VERSION_MAX  63u
#define MESH_LANES_MAX    4096u /* of one host */
#define MESH_PEERS_MAX    1024u /* default of max_peers */

enum mesh_class {
	MESH_RELIABLE = 0,
	MESH_BEST_EFFORT = 1,
};

/* Where a datagram comes from or goes to: the bytes of a socket address, opaque here. Unused bytes
 * are zero, so that addresses are compared with memcmp. */
struct mesh_addr {
	uint8_t len; /* 0: the group, and every host of the unicast list */
	uint8_t bytes[28];
};

struct mesh_config {
	const char *host;    /* 1 to MESH_HOST_MAX bytes; copied */
	const char *cluster; /* up to 255 bytes; hosts of other clusters are strangers; copied */
	const char *version; /* "ncserver 0.1.0"; copied */
	uint8_t boot[MESH_BOOT_LEN];
	uint8_t hash_key[16]; /* seeds hash tables */
	size_t mtu;           /* largest UDP payload, MESH_DATAGRAM_MIN to MESH_DATAGRAM_MAX */
	uint64_t rate;        /* bytes per second of UDP payload; 0: no limit */
	size_t rcvbuf;        /* what SO_RCVBUF really is, as getsockopt tells */
	size_t memory_max;    /* of all windows together, sending and receiving each */
	size_t lane_max;      /* of one lane's window, sending and receiving each */
	uint32_t announce_ms; /* between announcements of a small group; 1000 */
	uint32_t liveness_ms; /* silence after which a peer is gone; 5000 */
	uint32_t block_ms;    /* how long a closed window is waited for: net_block_timeout, 1000 */
	uint32_t max_peers;   /* 1 to 65,535 */
	bool unicast;         /* no group: every datagram goes to single hosts */
};

/* The defaults of all but host, version, boot and hash_key. */
void mesh_config_init(struct mesh_config *c);

enum mesh_peer_state {
	MESH_PEER_NEW = 0, /* challenged, not proven */
	MESH_PEER_ONE_WAY, /* heard here, but it does not say that it hears us */
	MESH_PEER_UP,
	MESH_PEER_SUSPECT,      /* up, but silent for half the liveness limit; it is asked */
	MESH_PEER_LEFT,         /* said good-bye */
	MESH_PEER_GONE,         /* silent, or replaced by a new boot */
	MESH_PEER_REFUSED_NAME, /* duplicate host name */
	MESH_PEER_REFUSED_MTU,  /* full datagrams do not pass */
	MESH_PEER_REFUSED_SELF, /* it bears this host's own name */
};

/* The state's name as displays show it: "up", "one-way", ... Never NULL. */
const char *mesh_peer_state_str(enum mesh_peer_state s);

/* One peer, for displays and logs. Text is valid until the next call into the session. */
struct mesh_peer_info {
	const char *host; /* "" while NEW */
	const char *version;
	uint8_t boot[MESH_BOOT_LEN];
	struct mesh_addr addr;
	enum mesh_peer_state state;
	uint64_t state_since_ns, last_heard_ns, rtt_ns; /* rtt 0: not yet known */
	uint64_t mtu_passes;       /* largest datagram that passed; with REFUSED_MTU */
	bool multicast_heard;      /* one came by the group within the liveness limit */
	uint32_t n_in, n_out;      /* lanes heard from it, and lanes that it hears */
	uint64_t datagrams, bytes; /* heard from it, authentic ones */
	uint64_t lost;             /* datagrams missing in its count */
	uint64_t replayed;         /* refused by the replay window */
	uint64_t naks_in, naks_out, repairs_in, repairs_out; /* segments asked for; repaired */
	uint64_t gaps;      /* messages lost for good, from it to us */
	uint64_t evictions; /* of it from our lanes */
	uint64_t window;    /* segments that it takes now, on the tightest of our lanes */
	uint32_t key_id;    /* of its last datagram */
};

/* Why datagrams and chunks had no effect. */
enum mesh_drop {
	MESH_DROP_SHORT = 0, /* shorter than a header and a tag, or longer than allowed */
	MESH_DROP_VERSION,   /* no datagram of this protocol and version */
	MESH_DROP_KEY,       /* unknown key id */
	MESH_DROP_AUTH,      /* does not authenticate */
	MESH_DROP_OWN,       /* own, heard back */
	MESH_DROP_REPLAY,    /* seen, or too old to know */
	MESH_DROP_UNPROVEN,  /* authentic, of a boot that has not yet proved itself */
	MESH_DROP_FLOOD,     /* unknown boots, beyond what is looked at per second */
	MESH_DROP_CHUNK,     /* malformed inside, though authentic: a fault or a lie of a member */
	MESH_DROP_LANE,      /* of a lane that is not taken here */
	MESH_DROP_JOINING,   /* of a lane that this host has asked to join, or is about to */
	MESH_DROP_WINDOW,    /* beyond the window that was offered */
	MESH_DROP_DUPLICATE, /* segments that were there already */
	MESH_DROP_MEMORY,    /* no memory */
	MESH_DROP_N,
};
const char *mesh_drop_str(enum mesh_drop d);

struct mesh_stats {
	uint64_t datagrams_in, bytes_in, datagrams_out, bytes_out; /* UDP payload */
	uint64_t dropped[MESH_DROP_N];
	uint64_t control_out;       /* bytes in datagrams without data */
	uint64_t data_out, data_in; /* bytes of lanes, first sendings; delivered */
	uint64_t messages_out, messages_in;
	uint64_t unheard; /* messages written while nobody took the lane */
	uint64_t repairs_out, repair_bytes_out, naks_out, naks_in;
	uint64_t gaps, gap_messages, evictions;
	uint64_t memory_out, memory_in; /* held by windows now */
	uint64_t counter;               /* datagrams sealed by this boot */
	uint32_t n_peers_up, n_peers, n_lanes_out, n_lanes_in;
};

/* What the session asks and tells. No callback may be NULL. */
struct mesh_env {
	void *arg;
	void (*random)(void *arg, void *p, size_t n);
	/* A lane of `host` for `channel`: is it taken here? Returns the upper layer's object for
	 * it, or NULL. Asked when the lane is first announced, when its host comes back with a new
	 * boot, and again after mesh_offers_changed(). gone() ends it. `tag` is the upper half of
	 * the sender ids in its frames. */
	void *(*accept)(void *arg, const char *host, uint32_t tag, const char *channel,
	                enum mesh_class class, struct mesh_in *in);
	/* The next bytes of its stream. Returns how many were taken; with fewer than len, nothing
	 * more is delivered until mesh_in_resume(). */
	size_t (*deliver)(void *arg, void *obj, const uint8_t *p, size_t len);
	/* `count` messages are missing here; a frame that was begun is void. Not exact: at least
	 * so many. 0 where nothing but a frame that is no message, and was begun, is void. */
	void (*gap)(void *arg, void *obj, uint64_t count, bool exact);
	/* The lane ends; obj is not used again. A frame that was begun is void. */
	void (*gone)(void *arg, void *obj);
	/* The lane has room again after mesh_lane_write() took less than it was given. */
	void (*writable)(void *arg, void *user);
	/* A peer's state has changed; for the log. */
	void (*peer)(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was);
	/* A peer was evicted from a lane of ours: it took nothing for block_ms. */
	void (*evicted)(void *arg, const struct mesh_peer_info *info, const char *channel);
};

/* Makes a session. `crypto` and `keys` (not owned) outlive it; a ring has a current key, which
 * is the key of no key (key.h) where hosts run insecure. Returns 0, -EINVAL (a value out of range),
 * -ENOMEM. */
int mesh_new(struct mesh **out, const struct mesh_config *c, const struct mesh_env *env,
             struct crypto *crypto, struct keyring *keys, uint64_t now);
/* Ends it without a word to anybody: gone() is called for each lane heard. NULL is harmless. */
void mesh_free(struct mesh *m);

/* ---- datagrams ---- */

/* A datagram arrived; `data` is opened in place. `group` where it came by the group's socket. `now`
 * may be when it was read, together with others, and so a little before that of the last call.
 * Whatever it holds, nothing but memory within the bounds is taken. */
void mesh_recv(struct mesh *m, uint8_t *data, size_t len, const struct mesh_addr *from, bool group,
               uint64_t now);

/* Writes the next datagram that is to be sent at `buf`, sealed; `cap` is at least the mtu. Returns
 * its length, or 0: nothing now. Datagrams are made late and in bulk: call it until it returns 0,
 * or the socket takes no more; what it returned counts as sent. */
size_t mesh_next(struct mesh *m, uint8_t *buf, size_t cap, struct mesh_addr *to, uint64_t now);

/* When mesh_tick() or mesh_next() have something to do next: UINT64_MAX never, 0 now. */
uint64_t mesh_next_expiry(const struct mesh *m);
void mesh_tick(struct mesh *m, uint64_t now);

/* ---- lanes of this host ---- */

/* Opens a lane. There is one at most per channel and class. Returns NULL where there is one, the
 * name is illegal, there are MESH_LANES_MAX, or memory is out. `user` is for writable(). */
struct mesh_lane *mesh_lane_open(struct mesh *m, const char *channel, enum mesh_class class,
                                 void *user, uint64_t now);
/* Ends it: receivers get what was written, then the end. It is invalid afterwards. */
void mesh_lane_close(struct mesh *m, struct mesh_lane *lane, uint64_t now);
/* Takes bytes of its stream: frames, one after the other, cut anywhere. Returns how many were
 * taken, less than all where the window is full: writable() tells. Everything is taken, and
 * nothing sent, while no host hears the lane (counted as unheard). -EBADMSG for a stream that is
 * no frames: the lane takes nothing any more. */
ssize_t mesh_lane_write(struct mesh *m, struct mesh_lane *lane, const struct iovec *iov, int n_iov,
                        uint64_t now);

/* ---- lanes of other hosts ---- */

/* The upper layer takes bytes again. */
void mesh_in_resume(struct mesh *m, struct mesh_in *in, uint64_t now);
/* Which lanes accept() takes has changed: all are asked for again, those no longer taken end. */
void mesh_offers_changed(struct mesh *m, uint64_t now);

/* ---- the end ---- */

/* Begins to leave: lanes take nothing more. */
void mesh_leave(struct mesh *m, uint64_t now);
/* Whether all that was written has been taken by all who hear it, or they are gone. */
bool mesh_is_drained(const struct mesh *m);
/* Says good-bye to all; the following mesh_next() return it. */
void mesh_bye(struct mesh *m, uint64_t now);

/* ---- keys, interface ---- */

/* The keyring has changed (key.h): contexts of keys that are gone are wiped, and what is sent is
 * sealed with the current one, or not at all while there is no memory for it. */
void mesh_keys_changed(struct mesh *m);
/* Writes the host names of peers, up or heard within the last hour, that have not shown that they
 * hold key `id`, one after the other, to `fn`. Returns their number. */
uint32_t mesh_key_lacking(struct mesh *m, uint32_t id, uint64_t now,
                          void (*fn)(void *arg, const char *host), void *arg);
/* The real receive buffer has changed (sockets were opened again). */
void mesh_set_rcvbuf(struct mesh *m, size_t rcvbuf);
/* Sends to the group what every host answers that hears it, so that probe results are fresh. */
void mesh_probe(struct mesh *m, uint64_t now);

/* ---- looking in ---- */

void mesh_stats(const struct mesh *m, struct mesh_stats *s);
/* Every peer once; fn must not call into the session. */
void mesh_each_peer(const struct mesh *m, void (*fn)(void *arg, const struct mesh_peer_info *info),
                    void *arg);

/* One lane, for displays. */
struct mesh_lane_info {
	const char *channel, *host; /* host NULL: ours */
	enum mesh_class class;
	uint32_t n_members;             /* hosts that hear ours */
	uint64_t next_seq, first_seq;   /* ours: next to be made, oldest held */
	uint64_t messages, bytes, held; /* carried; bytes held */
	uint64_t gaps;                  /* messages lost */
	bool waiting; /* ours: closed window; theirs: the upper layer takes nothing */
};
void mesh_each_lane(const struct mesh *m, void (*fn)(void *arg, const struct mesh_lane_info *info),
                    void *arg);

#endif
