/* Datagrams in: what they are, whose, and whom their chunks concern */
#include "mesh/key.h"
#include "mesh/state.h"

#include <errno.h>
#include <string.h>

struct arrival {
	struct mesh *m;
	struct peer *p;
	const struct mesh_addr *from;
	size_t len; /* of the datagram */
	uint64_t counter;
	uint64_t now;
	bool to_us, to_other;
	bool has_announce;
	struct mw_announce announce;
};

static void drop(struct mesh *m, enum mesh_drop d)
{
	m->stats.dropped[d]++;
}

static bool on_lanes(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	struct mw_lane v;
	int r;

	mw_list_begin(&list, c);
	while ((r = mw_lanes_next(&list, &v)) > 0)
		in_on_lane(a->m, a->p, &v, a->now);
	return !r;
}

static bool on_status(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	struct mw_echo e;
	struct mw_status s;
	int r;

	if (!mw_status_begin(&list, &e, c))
		return false;
	if (e.held_us != UINT32_MAX) {
		peer_rtt(a->p, (uint64_t)(us32(a->now) - e.stamp - e.held_us) * 1000);
		a->p->echo = e.stamp;
		a->p->has_echo = true;
	}
	while ((r = mw_status_next(&list, &s)) > 0)
		member_on_status(a->m, a->p, &s, a->now);
	return !r;
}

static bool on_nak(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	struct mesh_lane *l;
	uint16_t lane;

	if (!mw_nak_begin(&list, &lane, c))
		return false;
	if (a->to_us && (l = lane_by_idx(a->m, lane)))
		repair_on_nak(a->m, a->p, l, &list, a->now);
	return true;
}

/* A NAK to the group that is meant for another: what we would ask for ourselves need not be asked
 * again. */
static bool on_nak_of_other(struct arrival *a, const struct mw_chunk *c, const uint8_t *to)
{
	struct peer *sender = peer_find(a->m, to);
	struct mw_list list;
	struct mesh_in *in;
	uint16_t lane;

	if (!mw_nak_begin(&list, &lane, c))
		return false;
	if (sender && sender->proven && (in = in_find(a->m, sender, lane)))
		nak_on_other(a->m, in, &list, a->now);
	return true;
}

static bool on_join(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	struct mw_join j;
	int r;

	mw_list_begin(&list, c);
	while ((r = mw_join_next(&list, &j)) > 0)
		member_on_join(a->m, a->p, &j, a->now);
	return !r;
}

static bool on_joined(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	struct mw_joined j;
	int r;

	mw_list_begin(&list, c);
	while ((r = mw_joined_next(&list, &j)) > 0)
		in_on_joined(a->m, a->p, &j, a->now);
	return !r;
}

static bool on_part(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	uint16_t lane;
	int r;

	mw_list_begin(&list, c);
	while ((r = mw_part_next(&list, &lane)) > 0)
		member_on_part(a->m, a->p, lane, a->now);
	return !r;
}

static bool on_evicted(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_list list;
	struct mw_evicted e;
	int r;

	mw_list_begin(&list, c);
	while ((r = mw_evicted_next(&list, &e)) > 0)
		in_on_evicted(a->m, a->p, &e, a->now);
	return !r;
}

/* Chunks that prove, or ask for proof: they count from anybody who is authentic. */
static bool on_proof(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_challenge v;
	struct mw_refuse r;

	if (c->kind == MW_REFUSE) {
		if (!mw_refuse_get(&r, c) || !a->has_announce)
			return false;
		proof_on_refuse(a->m, a->p, &r, &a->announce, a->now);
		return true;
	}
	if (!mw_challenge_get(&v, c))
		return false;
	if (c->kind == MW_CHALLENGE) {
		proof_on_challenge(a->m, a->p, &v, a->len, a->from, a->now);
		return true;
	}
	if (!a->has_announce)
		return false;
	proof_on_answer(a->m, a->p, &v, &a->announce, a->len, a->from, a->counter, a->now);
	return true;
}

/* Chunks that stand behind a TO. */
static bool on_addressed(struct arrival *a, const struct mw_chunk *c)
{
	switch (c->kind) {
	case MW_STATUS: return on_status(a, c);
	case MW_NAK: return on_nak(a, c);
	case MW_JOIN: return on_join(a, c);
	case MW_JOINED: return on_joined(a, c);
	case MW_PART: return on_part(a, c);
	case MW_EVICTED: return on_evicted(a, c);
	default: return true;
	}
}

static bool on_public(struct arrival *a, const struct mw_chunk *c)
{
	struct mw_data d;
	struct mw_head h;

	switch (c->kind) {
	case MW_DATA:
		if (!mw_data_get(&d, c) || d.hops >= MW_HOPS_MAX)
			return false;
		in_on_data(a->m, a->p, &d, a->now);
		return true;
	case MW_HEAD:
	case MW_END:
		if (!mw_head_get(&h, c))
			return false;
		if (c->kind == MW_HEAD && a->to_us)
			in_on_asked(a->m, a->p, h.lane);
		in_on_head(a->m, a->p, &h, c->kind == MW_END, c->flags & MW_F_ASK, a->now);
		return true;
	case MW_LANES: return on_lanes(a, c);
	case MW_HEARD: announce_on_heard(a->m, a->p, c, a->now); return true;
	case MW_KEYS: announce_on_keys(a->p, c); return true;
	case MW_LEAVE:
		a->p->left = true;
		peer_gone(a->m, a->p, MESH_PEER_LEFT, a->now);
		return true;
	default: return on_addressed(a, c);
	}
}

static bool needs_to(uint8_t kind)
{
	return (kind >= MW_STATUS && kind <= MW_EVICTED) || kind == MW_CHALLENGE ||
	       kind == MW_ANSWER || kind == MW_REFUSE;
}

/* Returns false where the chunk is malformed. */
static bool on_chunk(struct arrival *a, const struct mw_chunk *c, const uint8_t **to)
{
	if (c->kind == MW_TO) {
		if (c->len != MW_BOOT_LEN)
			return false;
		*to = c->body;
		a->to_us = !memcmp(c->body, a->m->cfg.boot, MW_BOOT_LEN);
		a->to_other = !a->to_us;
		if (a->to_us && a->p->proven)
			peer_hears_us(a->m, a->p, a->now);
		return true;
	}
	if (a->to_other)
		return c->kind != MW_NAK || !a->p->proven || on_nak_of_other(a, c, *to);
	if (c->kind == MW_ANNOUNCE) {
		a->has_announce = mw_announce_get(&a->announce, c);
		if (a->has_announce && a->p->proven)
			announce_on(a->m, a->p, &a->announce, c->flags, a->now);
		return a->has_announce;
	}
	if (needs_to(c->kind) && !a->to_us)
		return false;
	if (c->kind == MW_CHALLENGE || c->kind == MW_ANSWER || c->kind == MW_REFUSE)
		return on_proof(a, c);
	return !a->p->proven || on_public(a, c);
}

/* What it holds; the peer, and the boot, may be freed by a chunk. */
static void on_chunks(struct arrival *a, const uint8_t *p, size_t n)
{
	struct mw_reader r = {p, n};
	bool was_proven = a->p->proven;
	uint64_t id = a->p->id, freed = a->m->n_freed;
	uint8_t boot[MW_BOOT_LEN];
	const uint8_t *to = NULL;
	struct mw_chunk c;
	int got;

	memcpy(boot, a->p->boot, sizeof(boot));
	while ((got = mw_next(&r, &c)) > 0) {
		if (c.kind == MW_PAD)
			continue;
		if (!on_chunk(a, &c, &to)) {
			got = -1;
			break;
		}
		/* A chunk may end the peer, and may even free it. */
		if (a->m->n_freed != freed) {
			freed = a->m->n_freed;
			a->p = peer_find(a->m, boot);
			if (!a->p || a->p->id != id)
				return;
		}
		if (was_proven && !a->p->proven)
			break;
	}
	if (got < 0)
		drop(a->m, MESH_DROP_CHUNK);
	else if (!was_proven && !a->p->proven)
		drop(a->m, MESH_DROP_UNPROVEN);
}

/* The object that opens what comes from a boot under a key. */
static struct seal *opener(struct mesh *m, struct peer *p, const struct key *k, const uint8_t *boot)
{
	/* Under another key than before it is kept only when it has opened something. */
	if (p && p->proven && p->seal && seal_key_id(p->seal) == k->id)
		return p->seal;
	return mesh_seal_set(m, m->stranger, k, boot) ? NULL : m->stranger;
}

/* A peer uses a key for the first time, or again: swaps the ready object. */
static void keep_opener(struct mesh *m, struct peer *p, struct seal *used)
{
	struct seal *fresh;

	if (used == p->seal || !p->proven || seal_new(&fresh, m->crypto))
		return;
	seal_free(p->seal);
	p->seal = used;
	m->stranger = fresh;
}

/* Finds, or makes, the peer of an authentic datagram. */
static struct peer *take_peer(struct mesh *m, struct peer *p, const uint8_t *boot,
                              const struct mesh_addr *from, uint64_t counter, uint64_t now)
{
	if (p && p->state == MESH_PEER_GONE) {
		proof_begin(m, p, from, now);
	} else if (!p && !m->leaving) {
		p = peer_new(m, boot, from, now);
		if (p)
			proof_begin(m, p, from, now);
	}
	if (p && p->state == MESH_PEER_NEW)
		proof_heard(m, p, from, counter, now);
	return p;
}

static void count(struct mesh *m, struct peer *p, const struct mw_header *h, size_t len,
                  const uint8_t *data, bool group, uint64_t now)
{
	p->key_id = h->key_id;
	p->datagrams++;
	p->bytes += len;
	p->heard_at = now > p->heard_at ? now : p->heard_at;
	p->top = h->counter > p->top ? h->counter : p->top;
	p->stamp = le32_get(data + MW_HEADER_LEN);
	p->stamp_at = now;
	if (group)
		p->group_at = now;
	if (group && !p->multicast_heard) {
		p->multicast_heard = true;
		announce_apart(m, 100 * NS_MS, 0, now);
	}
}

void mesh_recv(struct mesh *m, uint8_t *data, size_t len, const struct mesh_addr *from, bool group,
               uint64_t now)
{
	struct arrival a = {.m = m, .from = from, .len = len, .now = now};
	size_t sealed = len - MW_HEADER_LEN - MW_TAG_LEN;
	const struct key *k;
	struct mw_header h;
	struct seal *s;
	bool version = false;
	int err;

	if (now < m->now)
		a.now = now = m->now;
	m->now = now;
	m->stats.datagrams_in++;
	m->stats.bytes_in += len;
	if (len > MESH_DATAGRAM_MAX || !mw_header_get(&h, data, len, &version)) {
		drop(m, version ? MESH_DROP_VERSION : MESH_DROP_SHORT);
		return;
	}
	if (!memcmp(h.boot, m->cfg.boot, MW_BOOT_LEN)) {
		drop(m, MESH_DROP_OWN);
		return;
	}
	if (!(k = keyring_find(m->keys, h.key_id))) {
		drop(m, MESH_DROP_KEY);
		return;
	}
	a.p = peer_find(m, h.boot);
	a.counter = h.counter;
	/* one that was proven once, too: what was heard of it begins nothing again */
	if (a.p && a.p->replay && !replay_check(a.p->replay, h.counter)) {
		a.p->replayed++;
		drop(m, MESH_DROP_REPLAY);
		return;
	}
	/* Who comes anew proves itself from host to host: until then its words to the group are
	 * not worth opening, unless they come from elsewhere. One that is gone may be back. */
	if (a.p && group && !a.p->proven && a.p->state != MESH_PEER_GONE &&
	    !memcmp(&a.p->addr, from, sizeof(*from))) {
		drop(m, MESH_DROP_UNPROVEN);
		return;
	}
	if (!a.p || !a.p->proven) {
		if (!bucket_has(&m->strangers, now)) {
			drop(m, MESH_DROP_FLOOD);
			return;
		}
		bucket_spend(&m->strangers, 1);
	}
	s = opener(m, a.p, k, h.boot);
	err = s ? seal_open(s, h.counter, data, MW_HEADER_LEN, data + MW_HEADER_LEN, sealed,
	                    data + len - MW_TAG_LEN)
	        : -ENOMEM;
	if (err) {
		drop(m, err == SEAL_FORGED ? MESH_DROP_AUTH : MESH_DROP_MEMORY);
		return;
	}
	a.p = take_peer(m, a.p, h.boot, from, h.counter, now);
	if (!a.p) {
		drop(m, MESH_DROP_MEMORY);
		return;
	}
	if (a.p->proven) {
		replay_commit(a.p->replay, h.counter);
		keep_opener(m, a.p, s);
		count(m, a.p, &h, len, data, group, now);
	}
	on_chunks(&a, data + MW_HEADER_LEN + MW_STAMP_LEN, sealed - MW_STAMP_LEN);
}
