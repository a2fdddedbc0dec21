/* state.h - what a session holds; for the files of mesh/ only
 *
 * One file per idea: peer.c who is there, proof.c whether they are, announce.c saying so ourselves,
 * lane.c what we send, member.c who takes it, repair.c what they lack, in.c what we hear,
 * window.c how much of it is taken, nak.c what we lack, pool.c memory for it, recv.c datagrams in,
 * send.c datagrams out, show.c looking in.
 */
#ifndef NC_MESH_STATE_H
#define NC_MESH_STATE_H

#include "libnc/base/deadline.h"
#include "libnc/base/list.h"
#include "libnc/base/map.h"
#include "mesh/pool.h"
#include "mesh/replay.h"
#include "mesh/seal.h"
#include "mesh/session.h"
#include "mesh/stream.h"
#include "mesh/wire.h"

#define NS_MS UINT64_C(1000000)
#define NS_S  UINT64_C(1000000000)
#define NEVER DEADLINE_NEVER

#define SEG_MAX          8192u /* segments in one window, a power of 2 */
#define NEW_MAX          1024u /* boots that have not yet proved themselves */
#define CHALLENGES_PER_S 200u
#define ANSWERS_PER_S    400u          /* more than challenges: all may ask one */
#define ANSWERS_TO_ONE   20u           /* of these, to one boot */
#define REPAIRS_FACTOR   2u            /* that a member may ask for, of what is sent */
#define STRANGERS_PER_S  10000u        /* unknown boots that are looked at */
#define CHALLENGE_NS     (250 * NS_MS) /* between two of them to one peer */
#define CHALLENGE_TRIES  4u
#define CONTEST_NS       NS_S          /* in which the old bearer of a name may answer */
#define REFUSED_NS       (60 * NS_S)   /* then it may try again */
#define MEMORY_NS        (3600 * NS_S) /* how long a peer that is gone is known */
#define JOIN_NS          (50 * NS_MS)  /* doubling to 1 s */
#define REJOIN_NS        (100 * NS_MS) /* after an eviction, four times as long each time */
#define REJOIN_MAX_NS    (20 * NS_S)
#define FORGIVEN_NS      (60 * NS_S) /* without an eviction: then it is as if there was none */
#define HEAD_NS          NS_MS       /* doubling to 200 ms */
#define NAK_NS           NS_MS       /* the least time between two for one segment */
#define NAK_MAX_NS       (100 * NS_MS)
#define QUERY_NS         (200 * NS_MS) /* between two announcements that peers ask for */
#define STATUS_NS        (2 * NS_MS)
#define STATUS_EACH_NS   NS_MS              /* for each member of a large group: 1,000 per second */
#define PACE_NS          (10 * NS_MS)       /* in which a large group reads what a socket holds */
#define BURST_MIN        16u                /* segments that everybody takes at once */
#define SMALL_GROUP      8u                 /* members up to which NAKs go at once and unicast */
#define RATE_DEFAULT     UINT64_C(62500000) /* 500 Mbit/s */
#define RTT_DEFAULT_NS   (10 * NS_MS)
#define KEYS_MAX         16u
#define BYES             3u /* copies of LEAVE */

/* ---- time and chance ---- */

/* A token bucket; `max` of it may be spent at once. */
struct bucket {
	uint64_t rate; /* per second; 0: no limit */
	int64_t has, max;
	uint64_t at;
};
void bucket_init(struct bucket *b, uint64_t rate, int64_t max, uint64_t now);
/* Whether something is left; what is spent may exceed it once. */
bool bucket_has(struct bucket *b, uint64_t now);
static inline void bucket_spend(struct bucket *b, size_t n)
{
	b->has -= (int64_t)n;
}
/* When something will be left. */
uint64_t bucket_when(const struct bucket *b);

/* ---- peers ---- */

enum ctl {
	CTL_STATUS = 1,
	CTL_ALL = 2, /* STATUS of all lanes, changed or not */
	CTL_JOIN = 4,
	CTL_JOINED = 8,
	CTL_CHALLENGE = 16,
	CTL_ANSWER = 32,
	CTL_REFUSE = 64,
	CTL_NOTES = 128, /* PART, EVICTED, END, HEAD in `notes` */
	CTL_NAK = 256,
};

#define NOTES_MAX 16u
struct note {
	uint8_t kind; /* enum mw_kind */
	uint16_t lane;
	uint32_t token;
};

/* What peers are called: more than one only while a name is contested, and of earlier boots. */
struct name {
	struct list peers;
	char text[MESH_HOST_MAX + 1];
};

struct peer {
	uint8_t boot[MW_BOOT_LEN];
	struct list link;       /* in mesh.peers */
	struct list ctl_link;   /* in mesh.ctl, while something is to be said to it */
	struct list name_link;  /* in name.peers */
	struct list ask_link;   /* in mesh.asking, while a challenge waits for its turn */
	struct deadline due;    /* in mesh.dues: when it is looked at next */
	struct deadline status; /* in mesh.statuses: when STATUS is due */
	struct list ins;        /* struct mesh_in */
	struct list members;    /* struct member: lanes of ours that it hears */
	uint64_t id;            /* of this session, never used twice; half of the key of mesh.ins */
	struct mesh_addr addr;
	struct name *name; /* NULL: not known yet; `host` is "" then */
	char host[MESH_HOST_MAX + 1], version[MESH_VERSION_MAX + 1];
	enum mesh_peer_state state;
	bool proven;          /* what it says counts */
	bool multicast_heard; /* one of its datagrams came by the group, within its limit */
	bool left;            /* said good-bye */
	uint64_t since, heard_at, hears_us_at, group_at; /* the last: by the group */
	uint64_t limit;                                  /* of its silence, ns */
	uint32_t interval_ms;

	/* proof.c */
	uint8_t nonce[MW_NONCE_LEN];
	uint64_t challenge_at; /* next one; NEVER: none is due */
	uint64_t challenged_at;
	uint16_t challenge_size;
	uint16_t passes; /* largest size that was answered */
	uint8_t tries;
	uint8_t stage;       /* enum stage in proof.c */
	uint8_t full_rounds; /* of the full size, once a smaller one has passed */
	bool nonce_set;
	uint8_t answer_nonce[MW_NONCE_LEN];
	uint16_t answer_size;
	struct mesh_addr answer_to;
	struct bucket answers; /* to it */
	struct peer *rival;    /* NEW: the bearer of its name; not owned */
	uint64_t contest_at;
	uint8_t refusal;   /* enum mw_refusal; 0: it refuses us */
	uint64_t retry_at; /* refused until then */

	/* datagrams */
	struct seal *seal; /* of the key of its last datagram */
	uint32_t key_id;
	uint32_t keys[KEYS_MAX]; /* that it holds, as it says */
	uint8_t n_keys;
	struct replay *replay;
	uint64_t top, first; /* its counter: highest, and where it was proven */
	uint64_t datagrams, bytes, replayed;

	/* control */
	unsigned ctl;
	struct note notes[NOTES_MAX];
	uint8_t n_notes;
	uint64_t status_sent_at;
	uint64_t status_even; /* large groups: until then it has said its share */
	uint16_t status_turn; /* where in a round, by chance */
	uint32_t stamp;
	uint64_t stamp_at; /* 0: none */
	uint64_t srtt;     /* 0: unknown */
	uint32_t echo;     /* stamp of ours that it heard last, as it says */
	bool has_echo;
	struct bucket budget; /* bytes of repairs */
	int64_t repair_left;  /* the same, by what is sent */
	uint64_t repair_seen; /* stats.data_out then */
	uint64_t repaired_at;
	uint32_t n_in, n_out;
	uint64_t naks_in, naks_out, repairs_in, repairs_out, gaps, evictions;
};

/* ---- what we send ---- */

enum seg_flags {
	SEG_FULL = 1,    /* closed: padded to a whole datagram */
	SEG_PENDING = 2, /* in the queue of repairs */
};

struct seg {
	uint32_t off; /* in the lane's buffer */
	uint16_t len;
	uint16_t first;
	uint32_t msgs;
	uint32_t repaired_us; /* low bits, of the last repair */
	uint64_t to;          /* peer id of the last or pending repair, 0: the group, NEVER: none */
	uint8_t flags;
};

struct member {
	struct list link;      /* in lane.members, or lane.outs */
	struct list peer_link; /* in peer.members */
	struct mesh_lane *lane;
	struct peer *peer;
	uint64_t cum, limit; /* has all below; takes all below */
	uint32_t burst;      /* segments that its socket holds */
	uint64_t held_at;    /* since when it holds the lane up; 0: it does not */
	uint64_t joined_at;
	uint32_t token;
	bool is_out;      /* evicted: it is remembered, but nothing waits for it */
	uint64_t out_at;  /* when it was, last; 0: never */
	uint64_t out_for; /* how long it is not let in again */
	bool joined_due;  /* a JOINED is to be sent */
	bool has_said;    /* a STATUS came since it joined */
	uint64_t join_seq, join_msgs;
};

struct mesh_lane {
	struct list link;        /* in mesh.lanes */
	struct list busy_link;   /* in mesh.busy: something is unsent or unacknowledged */
	struct list repair_link; /* in mesh.repairing */
	struct list members, outs;
	uint32_t n_members;
	uint16_t idx;
	enum mesh_class class;
	char channel[64];
	void *user;
	bool closing, broken, short_write;
	bool holed;        /* the last sequence number is that of bytes that nobody heard */
	uint8_t over_left; /* announcements of its end still to be made */

	struct stream stream;
	uint8_t head[STREAM_HEAD_LEN]; /* the begin of a frame, until it is whole */
	uint8_t head_len;

	struct seg *segs; /* ring, by sequence */
	uint32_t segs_cap;
	uint8_t *buf; /* ring of bytes; each segment lies in one piece */
	size_t buf_cap, buf_head;
	uint64_t base, sent, next; /* oldest held, first unsent, next to be made */
	uint64_t limit;            /* members take all below */
	struct bucket pace;        /* segments; no limit in a small group */
	int64_t deficit;

	uint64_t *repairs; /* ring of sequences */
	uint32_t repairs_cap, repairs_head, repairs_n;

	uint64_t head_at, head_gap; /* the next HEAD, and the time to the one after it */
	uint64_t messages, bytes;
};

/* ---- what we hear ---- */

enum in_state {
	IN_IDLE = 0, /* to be joined when its host is up */
	IN_JOINING,
	IN_JOINED, /* best-effort lanes are from the start */
};

struct rseg {
	uint8_t *data; /* NULL: not here */
	uint16_t len, first;
	uint32_t msgs;
	uint32_t asked_us; /* low bits, of the last NAK; only with tries */
	uint8_t tries;
	bool is_hushed; /* another has asked since we did */
};

struct mesh_in {
	struct list link;        /* in peer.ins */
	struct list nak_link;    /* in mesh.naks, while segments are missing */
	struct list active_link; /* in mesh.active */
	struct peer *peer;
	uint64_t key; /* in mesh.ins */
	uint16_t idx;
	enum mesh_class class;
	enum in_state state;
	char channel[64];
	void *obj;
	bool sync;    /* the stream is at a frame, or in one */
	bool stalled; /* the upper layer takes nothing */
	bool broken;  /* it was no stream */
	bool status_due;
	bool started; /* best-effort: a first segment came */
	bool ended;   /* nothing follows end_seq */
	bool lost,
	        lost_exact; /* its host is gone: to be closed when all that is here is delivered */
	struct stream stream;

	uint64_t next, cum, high; /* to deliver; first missing; end of what is known */
	uint64_t floor;           /* what is missing below will not come */
	uint64_t floor_msgs;      /* messages begun before it */
	uint64_t promised;        /* segments below it are taken */
	uint64_t reported;        /* cum when the last STATUS was sent */
	struct rseg *ring;
	uint32_t ring_cap;
	uint8_t *rest; /* of the segment that the upper layer took in part */
	size_t rest_len, rest_at;
	uint64_t head_seq, head_msgs; /* as announced */
	uint64_t end_seq;
	uint32_t join_window;

	uint64_t nak_at;       /* NEVER: nothing to ask for */
	uint64_t answered_seq; /* that was asked for last of those repaired; 0: none */
	uint32_t answered_us;  /* and when */
	/* best-effort: end of what was announced, looked at then; NEVER: nothing is */
	uint64_t tail_at, tail_seq, tail_msgs;
	uint32_t members;
	uint32_t token;
	uint64_t join_at, join_gap;
	uint64_t active_at; /* a segment came */
	uint64_t messages, bytes, gaps;
};

/* ---- the session ---- */

struct mesh {
	struct mesh_config cfg;
	struct mesh_env env;
	char host[MESH_HOST_MAX + 1], version[MESH_VERSION_MAX + 1], cluster[256];
	struct crypto *crypto;
	struct keyring *keys;
	struct seal *seal;     /* our own, of the current key */
	struct seal *stranger; /* for whoever is not proven */
	uint64_t counter;
	uint64_t rng[2];
	uint64_t now; /* of the last call */

	struct map by_boot; /* peers */
	struct map by_host; /* names of peers */
	struct map ins;     /* by peer id and lane */
	struct pool pool;   /* of what came out of order */
	struct mesh_in *last_in;
	struct list peers, ctl, asking, naks, lanes, busy, repairing;
	struct deadlines dues, statuses; /* of peers; room for all */
	struct list active;              /* struct mesh_in: reliable, heard lately */
	struct peer *last_peer;          /* found last; NULL: none */
	uint64_t n_freed;                /* peers so far */
	uint64_t next_peer_id;
	uint32_t n_up, n_new;
	uint32_t n_lanes;
	uint16_t next_lane;
	uint32_t n_active; /* reliable lanes that were heard lately */
	struct {           /* what of the windows does not change with each segment, see in.c */
		uint32_t n_active; /* for so many lanes; 0: to be worked out */
		uint32_t memory, socket;
	} rooms;
	struct map by_idx; /* our lanes by index */

	uint64_t house_at; /* when lanes are looked at next */
	uint64_t announce_at, announce_gap;
	uint64_t announced_at, announce_least; /* what is only news waits so long after the last */
	uint32_t announce_lane;                /* where the rotating parts go on */
	uint64_t announce_peer;
	bool announce_query;
	uint32_t announce_fresh; /* lanes still to be announced at once */
	uint8_t byes;            /* LEAVE datagrams still to be sent */
	bool leaving;
	struct bucket rate, strangers, challenges, answers;
	int64_t repair_turn; /* bytes that repairs are ahead of data */
	size_t seg_len;      /* bytes of stream in a full datagram */

	struct mesh_stats stats;
};

static inline uint32_t us32(uint64_t ns)
{
	return (uint32_t)(ns / 1000);
}

/* session.c */
uint64_t mesh_random(struct mesh *m);
/* A random time below `ns`. */
uint64_t mesh_jitter(struct mesh *m, uint64_t ns);
/* Makes `s` the one of a boot under a key. Returns 0, -ENOMEM. */
int mesh_seal_set(struct mesh *m, struct seal *s, const struct key *k, const uint8_t *boot);

/* peer.c */
struct peer *peer_find(struct mesh *m, const uint8_t *boot);
struct peer *peer_new(struct mesh *m, const uint8_t *boot, const struct mesh_addr *from,
                      uint64_t now);
void peer_free(struct mesh *m, struct peer *p);
/* Gives it a name, of MESH_HOST_MAX bytes at most. Returns 0, -ENOMEM: it has none then. */
int peer_name(struct mesh *m, struct peer *p, const char *text, size_t len);
void peer_set_state(struct mesh *m, struct peer *p, enum mesh_peer_state s, uint64_t now);
/* Ends what binds us to it: lanes of ours; what is heard of it stays, for its return. */
void peer_gone(struct mesh *m, struct peer *p, enum mesh_peer_state s, uint64_t now);
bool peer_is_up(const struct peer *p);
/* Something came that is meant for us: it hears us. */
void peer_hears_us(struct mesh *m, struct peer *p, uint64_t now);
void peer_ctl(struct mesh *m, struct peer *p, unsigned what);
void peer_note(struct mesh *m, struct peer *p, enum mw_kind kind, uint16_t lane, uint32_t token);
void peer_rtt(struct peer *p, uint64_t sample);
static inline uint64_t peer_srtt(const struct peer *p)
{
	return p->srtt ? p->srtt : RTT_DEFAULT_NS;
}
/* Has the peer looked at by then. */
void peer_wake(struct mesh *m, struct peer *p, uint64_t at);
/* Looks at the peers that are due, and at lanes. */
void peer_sweep(struct mesh *m, uint64_t now);
uint64_t peer_sweep_at(const struct mesh *m);
void peer_info(const struct peer *p, struct mesh_peer_info *info);

/* proof.c */
void proof_begin(struct mesh *m, struct peer *p, const struct mesh_addr *from, uint64_t now);
/* An unproven one has said something: it is asked where its newest datagram came from. What was
 * recorded is older, wherever it is played from. */
void proof_heard(struct mesh *m, struct peer *p, const struct mesh_addr *from, uint64_t counter,
                 uint64_t now);
void proof_probe(struct mesh *m, struct peer *p, uint64_t now);
void proof_sweep(struct mesh *m, struct peer *p, uint64_t now);
void proof_on_challenge(struct mesh *m, struct peer *p, const struct mw_challenge *c, size_t len,
                        const struct mesh_addr *from, uint64_t now);
void proof_on_answer(struct mesh *m, struct peer *p, const struct mw_challenge *c,
                     const struct mw_announce *a, size_t len, const struct mesh_addr *from,
                     uint64_t counter, uint64_t now);
void proof_on_refuse(struct mesh *m, struct peer *p, const struct mw_refuse *r,
                     const struct mw_announce *a, uint64_t now);
void proof_write_refuse(struct peer *p, struct mw_writer *w);
/* Lets as many newcomers be challenged as may be now. */
void proof_tick(struct mesh *m, uint64_t now);
/* When it has something to do. */
uint64_t proof_when(const struct mesh *m);
/* Writes the datagram that is due; its length, 0: none. */
bool proof_write_challenge(struct mesh *m, struct peer *p, struct mw_writer *w, uint64_t now);
bool proof_write_answer(struct mesh *m, struct peer *p, struct mw_writer *w);

/* announce.c */
void announce_soon(struct mesh *m, uint64_t within, uint64_t now);
/* The same, but not sooner than `apart` after the last one. */
void announce_apart(struct mesh *m, uint64_t within, uint64_t apart, uint64_t now);
void announce_write(struct mesh *m, struct mw_writer *w, uint64_t now);
void announce_put_self(struct mesh *m, struct mw_writer *w, uint8_t flags);
void announce_on(struct mesh *m, struct peer *p, const struct mw_announce *a, uint8_t flags,
                 uint64_t now);
void announce_on_heard(struct mesh *m, struct peer *p, const struct mw_chunk *c, uint64_t now);
void announce_on_keys(struct peer *p, const struct mw_chunk *c);
/* As many lanes as there is room for, for one peer; none into a small datagram. */
void announce_put_lanes(struct mesh *m, struct mw_writer *w);
void announce_bye(struct mesh *m, struct mw_writer *w);

/* lane.c */
struct mesh_lane *lane_by_idx(const struct mesh *m, uint16_t idx);
struct seg *lane_seg(const struct mesh_lane *l, uint64_t seq);
/* Forgets what all members have; wakes the writer. */
void lane_advance(struct mesh *m, struct mesh_lane *l, uint64_t now);
/* Whether a new segment may be sent, at its pace. */
bool lane_can_send(const struct mesh_lane *l);
/* Whether something is held that a member lacks, or waits to be sent. */
bool lane_is_busy(const struct mesh_lane *l);
void lane_free(struct mesh *m, struct mesh_lane *l);
/* Messages begun before the first segment that is unsent. */
uint64_t lane_msgs_at_sent(const struct mesh_lane *l);
void lane_head(const struct mesh_lane *l, struct mw_head *h);
void lane_sent(struct mesh *m, struct mesh_lane *l, uint64_t now);

/* member.c */
void member_on_join(struct mesh *m, struct peer *p, const struct mw_join *j, uint64_t now);
void member_on_status(struct mesh *m, struct peer *p, const struct mw_status *s, uint64_t now);
void member_on_part(struct mesh *m, struct peer *p, uint16_t lane, uint64_t now);
void member_free(struct mesh *m, struct member *mb, uint64_t now);
struct member *member_find(const struct mesh_lane *l, const struct peer *p);
/* Evicts who holds the window closed for too long. Returns when to look again. */
uint64_t member_check(struct mesh *m, struct mesh_lane *l, uint64_t now);

/* repair.c */
void repair_on_nak(struct mesh *m, struct peer *p, struct mesh_lane *l, struct mw_list *list,
                   uint64_t now);
/* Writes one repair. False: there is none. */
bool repair_write(struct mesh *m, struct mw_writer *w, struct mesh_addr *to, uint64_t now);
void repair_forget(struct mesh_lane *l);

/* in.c */
struct mesh_in *in_find(struct mesh *m, const struct peer *p, uint16_t lane);
void in_on_lane(struct mesh *m, struct peer *p, const struct mw_lane *v, uint64_t now);
void in_on_head(struct mesh *m, struct peer *p, const struct mw_head *h, bool end, bool ask,
                uint64_t now);
/* HEAD came for us alone: its sender takes us for a member. Whoever parted parts again. */
void in_on_asked(struct mesh *m, struct peer *p, uint16_t lane);
void in_on_data(struct mesh *m, struct peer *p, const struct mw_data *d, uint64_t now);
void in_on_joined(struct mesh *m, struct peer *p, const struct mw_joined *j, uint64_t now);
void in_on_evicted(struct mesh *m, struct peer *p, const struct mw_evicted *e, uint64_t now);
/* Its host is gone: delivers what is here, and tells what is missing. */
void in_lost(struct mesh *m, struct mesh_in *in, bool exact, uint64_t now);
void in_free(struct mesh *m, struct mesh_in *in);
/* Lanes that were not heard for a second share the windows no more. */
void in_forget_active(struct mesh *m, uint64_t now);
void in_sweep(struct mesh *m, struct mesh_in *in, uint64_t now);
static inline struct rseg *in_seg(const struct mesh_in *in, uint64_t seq)
{
	return &in->ring[seq & (in->ring_cap - 1)];
}

/* window.c */
/* What windows may take of the memory. The rest is for segments of which the upper layer takes a
 * part, so that a lane that takes nothing does not keep others from being delivered. */
size_t in_memory_max(const struct mesh *m);
/* Segments that are taken of a lane of which none has come. */
uint32_t in_window(struct mesh *m);
/* The STATUS of a lane, to be sent now. */
void in_status(struct mesh *m, struct mesh_in *in, struct mw_status *s);
/* STATUS was sent to a peer. */
void in_status_sent(struct mesh *m, struct peer *p, uint64_t now);
/* Something changed that the sender will want to know: soon, or at once. */
void in_status_soon(struct mesh *m, struct mesh_in *in, uint64_t now);

/* nak.c */
/* Segments below in->high are missing, or no more. */
void nak_update(struct mesh *m, struct mesh_in *in, bool fresh, uint64_t now);
bool nak_write(struct mesh *m, struct mesh_in *in, struct mw_writer *w, uint64_t now);
/* Whether NAKs go at once and to the sender alone. */
bool nak_is_unicast(const struct mesh *m, const struct mesh_in *in);
/* A segment below in->high that was missing comes as a repair. */
void nak_on_repair(struct mesh *m, struct mesh_in *in, uint64_t seq, uint64_t now);
/* Somebody else asked the same. */
void nak_on_other(struct mesh *m, struct mesh_in *in, struct mw_list *list, uint64_t now);
void nak_tick(struct mesh *m, uint64_t now);

#endif
