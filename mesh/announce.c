/* Announcements: saying that we are there, what lanes we have, and whom we hear */
#include "mesh/key.h"
#include "mesh/state.h"

#include <string.h>

void announce_soon(struct mesh *m, uint64_t within, uint64_t now)
{
	uint64_t at = now + mesh_jitter(m, within);

	if (at < m->announce_at)
		m->announce_at = at;
}

void announce_apart(struct mesh *m, uint64_t within, uint64_t apart, uint64_t now)
{
	uint64_t at = now + mesh_jitter(m, within);

	if (apart < m->announce_least)
		apart = m->announce_least;
	if (at < m->announced_at + apart)
		at = m->announced_at + apart;
	if (at < m->announce_at)
		m->announce_at = at;
}

void announce_put_self(struct mesh *m, struct mw_writer *w, uint8_t flags)
{
	struct mw_announce a = {
	        .interval_ms = (uint32_t)(m->announce_gap / NS_MS),
	        .n_lanes = (uint16_t)m->n_lanes,
	        .n_peers = (uint16_t)m->n_up,
	        .host_len = (uint8_t)strlen(m->host),
	        .version_len = (uint8_t)strlen(m->version),
	        .host = m->host,
	        .version = m->version,
	};

	mw_put_announce(w, flags, &a);
}

static void put_keys(struct mesh *m, struct mw_writer *w)
{
	const struct key *k;

	if (!mw_open(w, MW_KEYS, 0, 4 * keyring_n(m->keys)))
		return;
	for (k = keyring_next(m->keys, NULL); k; k = keyring_next(m->keys, k))
		mw_add_u32(w, k->id);
	mw_close(w);
}

/* Nothing of it will follow; all has been sent. */
static bool lane_is_over(const struct mesh_lane *l)
{
	return l->closing && l->sent == l->next;
}

/* Lanes in turn, from where the last announcement ended; at most all of them once, and `max` bytes.
 */
static void put_lanes(struct mesh *m, struct mw_writer *w, size_t max, bool to_all)
{
	uint32_t i, n = map_len(&m->by_idx);
	struct list *it = m->lanes.next;
	size_t end = w->len + max;

	if (!n || !mw_open(w, MW_LANES, 0, 22 + 64))
		return;
	m->announce_lane %= n;
	for (i = 0; i < m->announce_lane; i++)
		it = it->next;
	for (i = 0; i < n; i++) {
		struct mesh_lane *l = list_entry(it, struct mesh_lane, link);
		struct mw_head h;
		struct mw_lane v;

		lane_head(l, &h);
		v = (struct mw_lane){
		        .lane = l->idx,
		        .class = (uint8_t)(l->class | (lane_is_over(l) ? MW_F_OVER : 0)),
		        .name_len = (uint8_t)strlen(l->channel),
		        .members = (uint16_t)l->n_members,
		        .seq = h.seq,
		        .msgs = h.msgs,
		        .name = l->channel};
		if (w->len + 22 + v.name_len > end || !mw_add_lane(w, &v))
			break;
		m->announce_lane = (m->announce_lane + 1) % n;
		if (to_all && lane_is_over(l) && l->over_left)
			l->over_left--;
		if (to_all && m->announce_fresh)
			m->announce_fresh--;
		it = it->next == &m->lanes ? m->lanes.next : it->next;
	}
	mw_close(w);
}

/* Those of the peers with ids in (from, to] that were heard by the group, or were not. */
static void put_heard_by(struct mesh *m, struct mw_writer *w, uint64_t from, uint64_t to,
                         bool group)
{
	bool open = false;
	struct list *it;

	list_for_each(it, &m->peers) {
		struct peer *p = list_entry(it, struct peer, link);

		if (!p->proven || p->multicast_heard != group || p->id <= from || p->id > to)
			continue;
		if (!open && !(open = mw_open(w, MW_HEARD, group ? MW_F_GROUP : 0, MW_HEARD_LEN)))
			return;
		mw_add_bytes(w, p->boot, MW_HEARD_LEN);
	}
	if (open)
		mw_close(w);
}

/* Peers in turn, in the order of their ids, from where the last announcement ended. */
static void put_heard(struct mesh *m, struct mw_writer *w)
{
	size_t room = mw_room(w), n;
	uint64_t from = m->announce_peer, to = from;
	struct list *it;

	n = room > 2 * MW_CHUNK_LEN ? (room - 2 * MW_CHUNK_LEN) / MW_HEARD_LEN : 0;
	m->announce_peer = 0;
	list_for_each(it, &m->peers) {
		struct peer *p = list_entry(it, struct peer, link);

		if (!p->proven || p->id <= from)
			continue;
		if (!n--) {
			m->announce_peer = to;
			break;
		}
		to = p->id;
	}
	put_heard_by(m, w, from, to, true);
	put_heard_by(m, w, from, to, false);
}

void announce_write(struct mesh *m, struct mw_writer *w, uint64_t now)
{
	uint64_t rate = m->cfg.rate ? m->cfg.rate : RATE_DEFAULT, all;

	announce_put_self(m, w, m->announce_query ? MW_F_QUERY : 0);
	m->announce_query = false;
	put_keys(m, w);
	put_lanes(m, w, mw_room(w) / 2, true);
	put_heard(m, w);
	/* All hosts together stay below 1% of the rate limit. */
	all = (uint64_t)(m->n_up + m->n_new + 1) * (w->len + MW_TAG_LEN) * 100 * 1000 / rate;
	m->announced_at = now;
	/* the lists of all will be full soon */
	m->announce_least = (uint64_t)(m->n_up + m->n_new) * m->cfg.mtu * 50 * NS_S / rate;
	m->announce_gap = (all > m->cfg.announce_ms ? all : m->cfg.announce_ms) * NS_MS;
	m->announce_at = m->announce_fresh
	                         ? now + 5 * NS_MS
	                         : now + m->announce_gap - mesh_jitter(m, m->announce_gap / 8);
}

void announce_put_lanes(struct mesh *m, struct mw_writer *w)
{
	if (mw_room(w) > MW_CHALLENGE_SIZE)
		put_lanes(m, w, mw_room(w) - MW_CHUNK_LEN, false);
}

void announce_bye(struct mesh *m, struct mw_writer *w)
{
	announce_put_self(m, w, 0);
	put_lanes(m, w, mw_room(w) - 3 * MW_CHUNK_LEN, true);
	mw_open(w, MW_LEAVE, 0, 0);
	mw_close(w);
	/* Each is longer than the one before, so that no two go as one packet and are lost as one.
	 */
	mw_pad(w, w->len + MW_TAG_LEN + MW_CHUNK_LEN + (BYES - m->byes));
}

/* ---- others' ---- */

void announce_on(struct mesh *m, struct peer *p, const struct mw_announce *a, uint8_t flags,
                 uint64_t now)
{
	uint64_t limit = 5 * (uint64_t)a->interval_ms * NS_MS, own = m->cfg.liveness_ms * NS_MS;

	/* A member can't make us believe in it for ever. */
	if (limit > 60 * NS_S)
		limit = 60 * NS_S;
	p->limit = limit > own ? limit : own;
	p->interval_ms = a->interval_ms;
	if (flags & MW_F_QUERY)
		announce_apart(m, (m->n_up < 100 ? m->n_up * 10 : 1000) * NS_MS, QUERY_NS, now);
}

void announce_on_heard(struct mesh *m, struct peer *p, const struct mw_chunk *c, uint64_t now)
{
	size_t i;

	for (i = 0; i + MW_HEARD_LEN <= c->len; i += MW_HEARD_LEN)
		if (!memcmp(c->body + i, m->cfg.boot, MW_HEARD_LEN)) {
			peer_hears_us(m, p, now);
			return;
		}
}

void announce_on_keys(struct peer *p, const struct mw_chunk *c)
{
	size_t i;

	p->n_keys = 0;
	for (i = 0; i + 4 <= c->len && p->n_keys < KEYS_MAX; i += 4)
		p->keys[p->n_keys++] = le32_get(c->body + i);
}
