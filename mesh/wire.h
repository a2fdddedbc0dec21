/* wire.h - datagrams and chunks of the mesh: layout, reader, writer
 *
 * man/nc-mesh.7 has the diagrams. A datagram is a header of 32 bytes in clear, then, sealed, a time
 * stamp and chunks, then the tag. Everything here works on opened bytes, holds no state, takes no
 * memory and trusts no length.
 */
#ifndef NC_MESH_WIRE_H
#define NC_MESH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/base/endian.h"

#define MW_MAGIC          0x4Du /* 'M' */
#define MW_VERSION        1u
#define MW_BOOT_LEN       16u
#define MW_HEADER_LEN     32u
#define MW_STAMP_LEN      4u
#define MW_TAG_LEN        16u
#define MW_OVERHEAD       (MW_HEADER_LEN + MW_STAMP_LEN + MW_TAG_LEN)
#define MW_CHUNK_LEN      4u  /* what every chunk begins with */
#define MW_DATA_LEN       16u /* a DATA's body up to its payload */
#define MW_NONCE_LEN      16u
#define MW_HEARD_LEN      8u      /* the part of a boot id that HEARD names */
#define MW_NO_FIRST       0xFFFFu /* no frame begins in this segment */
#define MW_HOPS_MAX       8u
#define MW_CHALLENGE_SIZE 300u /* of the small challenge and its answer */

enum mw_kind {
	MW_PAD = 0, /* anything; skipped */
	MW_TO = 1,  /* the boot that all that follows is meant for */
	MW_DATA = 2,
	MW_HEAD = 3,
	MW_END = 4,
	MW_STATUS = 5,
	MW_NAK = 6,
	MW_JOIN = 7,
	MW_JOINED = 8,
	MW_PART = 9,
	MW_EVICTED = 10,
	MW_ANNOUNCE = 11,
	MW_LANES = 12,
	MW_HEARD = 13,
	MW_KEYS = 14,
	MW_CHALLENGE = 15,
	MW_ANSWER = 16,
	MW_REFUSE = 17,
	MW_LEAVE = 18,
};

#define MW_F_HOPS   0x0Fu /* DATA: hosts that have forwarded it */
#define MW_F_REPAIR 0x10u /* DATA: sent again */
#define MW_F_GROUP  0x01u /* HEARD: heard by the group */
#define MW_F_QUERY  0x01u /* ANNOUNCE: whoever hears it announces soon */
#define MW_F_ASK    0x01u /* HEAD: a STATUS is wanted now */
#define MW_F_OVER   0x80u /* LANES: the class's bit: the lane has ended */

enum mw_refusal {
	MW_REFUSE_NAME = 1, /* a live host has this name */
	MW_REFUSE_MTU = 2,  /* full datagrams do not pass */
};

/* ---- the header ---- */

struct mw_header {
	uint32_t key_id;
	uint64_t counter;
	const uint8_t *boot; /* into the datagram */
};

/* Reads the header; false where the datagram is too short or of another protocol or version;
 * *version tells which. */
static inline bool mw_header_get(struct mw_header *h, const uint8_t *p, size_t n, bool *version)
{
	*version = n >= MW_OVERHEAD && (p[0] != MW_MAGIC || p[1] != MW_VERSION || le16_get(p + 2));
	if (n < MW_OVERHEAD || *version)
		return false;
	h->key_id = le32_get(p + 4);
	h->counter = le64_get(p + 8);
	h->boot = p + 16;
	return true;
}

void mw_header_put(uint8_t *p, uint32_t key_id, uint64_t counter, const uint8_t *boot);

/* ---- walking chunks ---- */

struct mw_reader {
	const uint8_t *p;
	size_t n;
};

struct mw_chunk {
	uint8_t kind;
	uint8_t flags;
	uint16_t len;
	const uint8_t *body;
};

/* The next chunk: 1, 0 at the end, -1 where it overruns the datagram. */
static inline int mw_next(struct mw_reader *r, struct mw_chunk *c)
{
	if (r->n < MW_CHUNK_LEN) /* at most three bytes of padding */
		return 0;
	c->kind = r->p[0];
	c->flags = r->p[1];
	c->len = le16_get(r->p + 2);
	c->body = r->p + MW_CHUNK_LEN;
	if (c->len > r->n - MW_CHUNK_LEN)
		return -1;
	r->p += MW_CHUNK_LEN + c->len;
	r->n -= MW_CHUNK_LEN + c->len;
	return 1;
}

/* ---- the chunks; each *_get returns false for a malformed body ---- */

struct mw_data {
	uint16_t lane;
	uint16_t first; /* offset of the first frame that begins in it, or MW_NO_FIRST */
	uint32_t msgs;  /* low half of the count of messages begun before it */
	uint64_t seq;
	const uint8_t *payload;
	uint16_t len;
	uint8_t hops;
	bool repair;
};
static inline bool mw_data_get(struct mw_data *d, const struct mw_chunk *c)
{
	if (c->len <= MW_DATA_LEN)
		return false;
	d->lane = le16_get(c->body);
	d->first = le16_get(c->body + 2);
	d->msgs = le32_get(c->body + 4);
	d->seq = le64_get(c->body + 8);
	d->payload = c->body + MW_DATA_LEN;
	d->len = (uint16_t)(c->len - MW_DATA_LEN);
	d->hops = c->flags & MW_F_HOPS;
	d->repair = c->flags & MW_F_REPAIR;
	return d->first == MW_NO_FIRST || d->first < d->len;
}

/* HEAD, END: where a lane stands. */
struct mw_head {
	uint16_t lane;
	uint64_t seq;  /* next to be made */
	uint64_t msgs; /* begun so far */
};
bool mw_head_get(struct mw_head *h, const struct mw_chunk *c);

/* One lane of LANES. */
struct mw_lane {
	uint16_t lane;
	uint8_t class; /* with MW_F_OVER */
	uint8_t name_len;
	uint16_t members;
	uint64_t seq;
	uint64_t msgs;
	const char *name;
};

/* STATUS: an echo of the last time stamp, then lanes. */
struct mw_echo {
	uint32_t stamp;
	uint32_t held_us; /* UINT32_MAX: there was none */
};
struct mw_status {
	uint16_t lane;
	uint64_t cum;    /* all below it is here */
	uint16_t window; /* segments from cum on that are taken */
	uint16_t burst;  /* segments that the socket holds at once */
};

/* NAK: ranges of segments of one lane. */
struct mw_range {
	uint64_t seq;
	uint16_t n;
};

struct mw_join {
	uint16_t lane;
	uint32_t token;
	uint32_t window; /* segments from the first one on that are taken */
};
struct mw_joined {
	uint16_t lane;
	uint32_t token;
	uint64_t seq;  /* reliability holds from here on */
	uint64_t msgs; /* messages begun before it */
};
struct mw_evicted {
	uint16_t lane;
	uint32_t token;
};

struct mw_announce {
	uint32_t interval_ms;
	uint16_t n_lanes;
	uint16_t n_peers; /* that it hears */
	uint8_t host_len, version_len;
	const char *host, *version;
};

struct mw_challenge {
	uint8_t nonce[MW_NONCE_LEN];
	uint16_t size; /* of the datagram */
};

struct mw_refuse {
	uint8_t reason;              /* enum mw_refusal */
	uint16_t size;               /* largest that passed; 0: does not matter */
	uint8_t nonce[MW_NONCE_LEN]; /* of the challenge that it answers */
};

/* Lists are read from a cursor over the chunk's body: 1 an entry, 0 the end, -1 malformed. */
struct mw_list {
	const uint8_t *p;
	size_t n;
	uint64_t base; /* NAK */
};

int mw_lanes_next(struct mw_list *l, struct mw_lane *v);
bool mw_status_begin(struct mw_list *l, struct mw_echo *e, const struct mw_chunk *c);
int mw_status_next(struct mw_list *l, struct mw_status *v);
bool mw_nak_begin(struct mw_list *l, uint16_t *lane, const struct mw_chunk *c);
int mw_nak_next(struct mw_list *l, struct mw_range *v);
int mw_join_next(struct mw_list *l, struct mw_join *v);
int mw_joined_next(struct mw_list *l, struct mw_joined *v);
int mw_part_next(struct mw_list *l, uint16_t *lane);
int mw_evicted_next(struct mw_list *l, struct mw_evicted *v);
bool mw_announce_get(struct mw_announce *a, const struct mw_chunk *c);
bool mw_challenge_get(struct mw_challenge *v, const struct mw_chunk *c);
bool mw_refuse_get(struct mw_refuse *r, const struct mw_chunk *c);

static inline void mw_list_begin(struct mw_list *l, const struct mw_chunk *c)
{
	l->p = c->body;
	l->n = c->len;
	l->base = 0;
}

/* ---- writing ---- */

/* A datagram in the making; `p` is its first byte. Room for the tag is kept. */
struct mw_writer {
	uint8_t *p;
	size_t len;
	size_t max;   /* of the chunks: the datagram's size less the tag */
	size_t chunk; /* where the open chunk begins, 0: none */
};

/* Begins a datagram of at most `size` bytes; the header is filled in when it is sealed. */
void mw_begin(struct mw_writer *w, uint8_t *p, size_t size, uint32_t stamp);
static inline size_t mw_room(const struct mw_writer *w)
{
	return w->max - w->len;
}
/* Opens a chunk if `need` bytes of body fit; mw_close() writes its length. */
bool mw_open(struct mw_writer *w, enum mw_kind kind, uint8_t flags, size_t need);
void mw_close(struct mw_writer *w);
/* Adds to the open chunk; false, and nothing written, where there is no room. */
bool mw_add_lane(struct mw_writer *w, const struct mw_lane *v);
bool mw_add_echo(struct mw_writer *w, const struct mw_echo *e);
bool mw_add_status(struct mw_writer *w, const struct mw_status *v);
bool mw_add_join(struct mw_writer *w, const struct mw_join *v);
bool mw_add_joined(struct mw_writer *w, const struct mw_joined *v);
bool mw_add_part(struct mw_writer *w, uint16_t lane);
bool mw_add_evicted(struct mw_writer *w, const struct mw_evicted *v);
bool mw_add_bytes(struct mw_writer *w, const void *p, size_t n);
bool mw_add_u32(struct mw_writer *w, uint32_t v);
/* Begins a NAK of a lane, whose ranges lie at `base` or above, in order. */
bool mw_open_nak(struct mw_writer *w, uint16_t lane, uint64_t base);
/* Adds a range that begins at *base or above; *base becomes its end. */
bool mw_add_range(struct mw_writer *w, uint64_t *base, const struct mw_range *v);

/* Whole chunks. */
bool mw_put_to(struct mw_writer *w, const uint8_t *boot);
bool mw_put_head(struct mw_writer *w, enum mw_kind kind, uint8_t flags, const struct mw_head *h);
bool mw_put_announce(struct mw_writer *w, uint8_t flags, const struct mw_announce *a);
bool mw_put_challenge(struct mw_writer *w, enum mw_kind kind, const struct mw_challenge *v);
bool mw_put_refuse(struct mw_writer *w, const struct mw_refuse *r);
/* Fills up to `size` bytes of datagram, tag included. */
void mw_pad(struct mw_writer *w, size_t size);
/* A DATA chunk's head; its payload of d->len bytes is to be written where it returns, NULL: no
 * room. */
uint8_t *mw_put_data(struct mw_writer *w, const struct mw_data *d);

#endif
