/* Datagrams out: control first, then repairs and data in turns, lanes by deficit round robin */
#include "mesh/key.h"
#include "mesh/state.h"

#include <string.h>

/* ---- control ---- */

static struct mw_echo echo_of(const struct peer *p, uint64_t now)
{
	uint64_t held = (now - p->stamp_at) / 1000;

	return (struct mw_echo){p->stamp,
	                        p->stamp_at && held < UINT32_MAX ? (uint32_t)held : UINT32_MAX};
}

static void put_status(struct mesh *m, struct peer *p, struct mw_writer *w, uint64_t now)
{
	struct mw_echo e = echo_of(p, now);
	bool all = p->ctl & CTL_ALL, full = false;
	struct list *it;

	if (!mw_open(w, MW_STATUS, 0, 8 + 14))
		return;
	mw_add_echo(w, &e);
	list_for_each(it, &p->ins) {
		struct mesh_in *in = list_entry(it, struct mesh_in, link);
		struct mw_status s;

		if (in->state != IN_JOINED || in->class != MESH_RELIABLE || in->broken ||
		    !(all || in->status_due))
			continue;
		if (mw_room(w) < 14) {
			in->status_due = true;
			full = true;
			continue;
		}
		in_status(m, in, &s);
		mw_add_status(w, &s);
	}
	mw_close(w);
	p->ctl &= ~(unsigned)CTL_ALL;
	if (full)
		return;
	p->ctl &= ~(unsigned)CTL_STATUS;
	p->status_sent_at = now;
	in_status_sent(m, p, now);
	deadline_clear(&m->statuses, &p->status);
}

static void put_joins(struct mesh *m, struct peer *p, struct mw_writer *w)
{
	bool full = false;
	struct list *it;

	if (!mw_open(w, MW_JOIN, 0, 10))
		return;
	list_for_each(it, &p->ins) {
		struct mesh_in *in = list_entry(it, struct mesh_in, link);
		struct mw_join j = {in->idx, in->token, in_window(m)};

		if (in->state != IN_JOINING || !in->status_due)
			continue;
		full = !mw_add_join(w, &j);
		if (full)
			break;
		in->join_window = j.window;
		in->status_due = false;
	}
	mw_close(w);
	if (!full)
		p->ctl &= ~(unsigned)CTL_JOIN;
}

static void put_joined(struct peer *p, struct mw_writer *w)
{
	bool full = false;
	struct list *it;

	if (!mw_open(w, MW_JOINED, 0, 22))
		return;
	list_for_each(it, &p->members) {
		struct member *mb = list_entry(it, struct member, peer_link);
		struct mw_joined j = {mb->lane->idx, mb->token, mb->join_seq, mb->join_msgs};

		if (!mb->joined_due)
			continue;
		full = !mw_add_joined(w, &j);
		if (full)
			break;
		mb->joined_due = false;
	}
	mw_close(w);
	if (!full)
		p->ctl &= ~(unsigned)CTL_JOINED;
}

static void put_notes(struct mesh *m, struct peer *p, struct mw_writer *w)
{
	while (p->n_notes) {
		struct note *n = &p->notes[p->n_notes - 1];
		struct mw_evicted e = {n->lane, n->token};
		struct mw_head h = {.lane = n->lane};
		const struct mesh_lane *l;

		if (mw_room(w) < MW_CHUNK_LEN + 18)
			return;
		/* A lane that was opened again under the same index is not over. */
		if (n->kind == MW_END && !lane_by_idx(m, n->lane)) {
			mw_put_head(w, MW_END, 0, &h);
		} else if (n->kind == MW_HEAD && (l = lane_by_idx(m, n->lane))) {
			lane_head(l, &h);
			mw_put_head(w, MW_HEAD, MW_F_ASK, &h);
		} else if (n->kind == MW_PART) {
			mw_open(w, MW_PART, 0, 2);
			mw_add_part(w, n->lane);
			mw_close(w);
		} else if (n->kind == MW_EVICTED) {
			mw_open(w, MW_EVICTED, 0, 6);
			mw_add_evicted(w, &e);
			mw_close(w);
		}
		p->n_notes--;
	}
	p->ctl &= ~(unsigned)CTL_NOTES;
}

/* NAKs of all lanes of a peer; to the group where one of them is large. Before them it is told what
 * was heard last, so that it knows which repairs should have come. */
static void put_naks(struct mesh *m, struct peer *p, struct mw_writer *w, bool *group, uint64_t now)
{
	struct mw_echo e = echo_of(p, now);
	size_t begin = w->len;
	bool any = false;
	struct list *it;

	if (mw_open(w, MW_STATUS, 0, 8)) {
		mw_add_echo(w, &e);
		mw_close(w);
	}
	list_for_each(it, &p->ins) {
		struct mesh_in *in = list_entry(it, struct mesh_in, link);

		if (in->class != MESH_RELIABLE || !nak_write(m, in, w, now))
			continue;
		any = true;
		*group |= !nak_is_unicast(m, in);
	}
	if (!any)
		w->len = begin;
	p->ctl &= ~(unsigned)CTL_NAK;
}

/* One datagram for one peer; false: there is nothing after all. */
static bool put_control(struct mesh *m, struct peer *p, struct mw_writer *w, struct mesh_addr *to,
                        uint64_t now)
{
	size_t empty = w->len + MW_CHUNK_LEN + MW_BOOT_LEN;
	bool group = false;

	*to = p->addr;
	if (p->ctl & CTL_ANSWER) {
		p->ctl &= ~(unsigned)CTL_ANSWER;
		*to = p->answer_to;
		return proof_write_answer(m, p, w);
	}
	if (p->ctl & CTL_CHALLENGE) {
		p->ctl &= ~(unsigned)CTL_CHALLENGE;
		return proof_write_challenge(m, p, w, now);
	}
	mw_put_to(w, p->boot);
	if (p->ctl & CTL_REFUSE) {
		p->ctl &= ~(unsigned)CTL_REFUSE;
		announce_put_self(m, w, 0);
		proof_write_refuse(p, w);
		return true;
	}
	if (p->ctl & CTL_NAK)
		put_naks(m, p, w, &group, now);
	if (p->ctl & (CTL_STATUS | CTL_ALL))
		put_status(m, p, w, now);
	if (p->ctl & CTL_JOINED)
		put_joined(p, w);
	if (p->ctl & CTL_JOIN)
		put_joins(m, p, w);
	if (p->ctl & CTL_NOTES)
		put_notes(m, p, w);
	if (group)
		to->len = 0;
	return w->len > empty;
}

static bool next_control(struct mesh *m, struct mw_writer *w, uint8_t *buf, struct mesh_addr *to,
                         uint64_t now)
{
	while (!list_empty(&m->ctl)) {
		struct peer *p = list_entry(m->ctl.next, struct peer, ctl_link);

		list_del(&p->ctl_link);
		mw_begin(w, buf, m->cfg.mtu, us32(now));
		if (!put_control(m, p, w, to, now)) {
			if (p->ctl & (CTL_ANSWER | CTL_CHALLENGE))
				list_add_tail(&m->ctl, &p->ctl_link);
			continue;
		}
		if (p->ctl)
			list_add_tail(&m->ctl, &p->ctl_link);
		return true;
	}
	return false;
}

/* ---- lanes ---- */

/* The heads of lanes that fell silent before everybody had all. */
static bool next_heads(struct mesh *m, struct mw_writer *w, uint64_t now)
{
	bool any = false;
	struct list *it;

	list_for_each(it, &m->busy) {
		struct mesh_lane *l = list_entry(it, struct mesh_lane, busy_link);
		struct mw_head h;

		if (l->head_at > now)
			continue;
		if (l->class == MESH_BEST_EFFORT || l->sent == 1) {
			l->head_at = NEVER;
			continue;
		}
		lane_head(l, &h);
		if (!mw_put_head(w, MW_HEAD, l->head_gap > HEAD_NS ? MW_F_ASK : 0, &h))
			break;
		l->head_gap = l->head_gap * 2 < 200 * NS_MS ? l->head_gap * 2 : 200 * NS_MS;
		l->head_at = now + l->head_gap;
		any = true;
	}
	return any;
}

static bool put_segment(struct mesh *m, struct mesh_lane *l, struct mw_writer *w, uint64_t now)
{
	struct seg *s = lane_seg(l, l->sent);
	struct mw_data d = {
	        .lane = l->idx, .first = s->first, .msgs = s->msgs, .seq = l->sent, .len = s->len};
	uint8_t *p = mw_put_data(w, &d);

	if (!p)
		return false;
	memcpy(p, l->buf + s->off, s->len);
	l->deficit -= s->len;
	m->stats.data_out += s->len;
	lane_sent(m, l, now);
	return true;
}

/* The next lane that may send, whose turn it is. Lanes lie in m->busy in the order of their turns.
 */
static struct mesh_lane *next_lane(struct mesh *m)
{
	bool any = true;

	while (any) {
		struct list *it, *next;

		any = false;
		list_for_each_safe(it, next, &m->busy) {
			struct mesh_lane *l = list_entry(it, struct mesh_lane, busy_link);

			if (!lane_can_send(l) || !bucket_has(&l->pace, m->now))
				continue;
			if (l->deficit > 0)
				return l;
			any = true;
			l->deficit += (int64_t)m->seg_len * 8;
			list_del(&l->busy_link);
			list_add_tail(&m->busy, &l->busy_link);
		}
	}
	return NULL;
}

/* Data: one whole segment, or as many small ones, of several lanes, as there is room for. */
static bool next_data(struct mesh *m, struct mw_writer *w, uint64_t now)
{
	struct mesh_lane *l = next_lane(m);
	bool any = false, full = false;

	while (l) {
		full |= lane_seg(l, l->sent)->flags & SEG_FULL;
		if (mw_room(w) < MW_CHUNK_LEN + MW_DATA_LEN + lane_seg(l, l->sent)->len)
			break;
		put_segment(m, l, w, now);
		any = true;
		if (full || mw_room(w) < MW_CHUNK_LEN + MW_DATA_LEN + STREAM_HEAD_LEN)
			break;
		l = next_lane(m);
	}
	/* Datagrams of a batch are of one length. */
	if (any && (full || l))
		mw_pad(w, m->cfg.mtu);
	return any;
}

static bool next_paced(struct mesh *m, struct mw_writer *w, struct mesh_addr *to, uint64_t now)
{
	bool data, repair;

	if (!bucket_has(&m->rate, now))
		return false;
	repair = !list_empty(&m->repairing);
	if (repair && m->repair_turn > 0) {
		data = next_data(m, w, now);
		if (data) {
			m->repair_turn -= (int64_t)w->len;
			return true;
		}
	}
	if (repair && repair_write(m, w, to, now)) {
		m->repair_turn = (int64_t)w->len;
		return true;
	}
	m->repair_turn = 0;
	return next_data(m, w, now);
}

/* ---- sealing ---- */

static size_t finish(struct mesh *m, struct mw_writer *w, bool control)
{
	size_t len = w->len + MW_TAG_LEN;

	mw_header_put(w->p, seal_key_id(m->seal), ++m->counter, m->cfg.boot);
	if (seal_datagram(m->seal, m->counter, w->p, MW_HEADER_LEN, w->p + MW_HEADER_LEN,
	                  w->len - MW_HEADER_LEN, w->p + w->len))
		return 0;
	bucket_spend(&m->rate, len);
	m->stats.datagrams_out++;
	m->stats.bytes_out += len;
	m->stats.control_out += control ? len : 0;
	return len;
}

size_t mesh_next(struct mesh *m, uint8_t *buf, size_t cap, struct mesh_addr *to, uint64_t now)
{
	struct mw_writer w;

	m->now = now;
	*to = (struct mesh_addr){0};
	if (cap < m->cfg.mtu)
		return 0;
	if (next_control(m, &w, buf, to, now))
		return finish(m, &w, true);
	*to = (struct mesh_addr){0};
	mw_begin(&w, buf, m->cfg.mtu, us32(now));
	if (m->byes) {
		m->byes--;
		announce_bye(m, &w);
		return finish(m, &w, true);
	}
	if (m->announce_at <= now) {
		announce_write(m, &w, now);
		return finish(m, &w, true);
	}
	if (next_heads(m, &w, now))
		return finish(m, &w, true);
	if (next_paced(m, &w, to, now))
		return finish(m, &w, false);
	return 0;
}
