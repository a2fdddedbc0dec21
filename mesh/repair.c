/* Repairs: segments sent again to who asks for them, once for many
 *
 * A segment that waits in the queue, or went out within a round trip, is not sent again for the
 * same host, unless that host says that it has heard what was sent after it; what a second host
 * asks for goes to the group. Who asks for more than its budget waits: it asks again, and a lying
 * member can't amplify.
 */
#include "mesh/state.h"

#include <stdlib.h>
#include <string.h>

void repair_forget(struct mesh_lane *l)
{
	l->repairs_n = 0;
	list_del(&l->repair_link);
}

/* The queue holds each segment of the window once at most. */
static bool queue(struct mesh *m, struct mesh_lane *l, uint64_t seq)
{
	uint32_t i, cap = l->repairs_cap;

	if (l->repairs_n == cap) {
		uint64_t *r = malloc((cap ? cap * 2 : 64) * sizeof(*r));

		if (!r)
			return false;
		for (i = 0; i < l->repairs_n; i++)
			r[i] = l->repairs[(l->repairs_head + i) & (cap - 1)];
		free(l->repairs);
		l->repairs = r;
		l->repairs_cap = cap ? cap * 2 : 64;
		l->repairs_head = 0;
	}
	l->repairs[(l->repairs_head + l->repairs_n++) & (l->repairs_cap - 1)] = seq;
	if (!list_linked(&l->repair_link))
		list_add_tail(&m->repairing, &l->repair_link);
	return true;
}

/* Whether the last repair may still be on its way to a host, or its NAK have been on its way then.
 */
static bool is_underway(const struct peer *p, const struct seg *s, uint64_t now)
{
	if (s->to == NEVER || (uint64_t)(us32(now) - s->repaired_us) * 1000 >= peer_srtt(p))
		return false;
	return !p->has_echo || (int32_t)(p->echo - s->repaired_us) <= 0;
}

/* For each byte that is sent it may ask for REPAIRS_FACTOR; what it does not need is kept, up to
 * two windows. Beyond it gets a segment now and then, so that nobody waits for ever. */
static void earn(struct mesh *m, struct peer *p)
{
	int64_t max = 2 * (int64_t)m->cfg.lane_max;
	uint64_t sent = m->stats.data_out - p->repair_seen;

	p->repair_seen = m->stats.data_out;
	if (sent < m->cfg.lane_max)
		p->repair_left += (int64_t)(sent * REPAIRS_FACTOR);
	if (p->repair_left > max || sent >= m->cfg.lane_max)
		p->repair_left = max;
}

static void ask(struct mesh *m, struct peer *p, struct mesh_lane *l, uint64_t seq, uint64_t now)
{
	bool many = l->n_members > SMALL_GROUP && !m->cfg.unicast;
	struct seg *s = lane_seg(l, seq);
	uint64_t to = many ? 0 : p->id;

	if (s->flags & SEG_PENDING) {
		if (s->to != to)
			s->to = 0;
		return;
	}
	if (is_underway(p, s, now)) {
		if (s->to == 0 || s->to == to)
			return;
		to = 0;
	}
	if ((p->repair_left <= 0 && now - p->repaired_at < PACE_NS) ||
	    !bucket_has(&p->budget, now) || !queue(m, l, seq))
		return;
	p->repaired_at = now;
	p->repair_left -= s->len;
	bucket_spend(&p->budget, s->len);
	s->to = to;
	s->flags |= SEG_PENDING;
}

void repair_on_nak(struct mesh *m, struct peer *p, struct mesh_lane *l, struct mw_list *list,
                   uint64_t now)
{
	struct member *mb = member_find(l, p);
	struct mw_range r;
	uint64_t q, end;

	if (!mb || mb->is_out || l->class != MESH_RELIABLE)
		return;
	m->stats.naks_in++;
	earn(m, p);
	while (mw_nak_next(list, &r) > 0) {
		end = r.seq + r.n < l->sent ? r.seq + r.n : l->sent;
		for (q = r.seq > l->base ? r.seq : l->base; q < end; q++) {
			p->naks_in++;
			ask(m, p, l, q, now);
		}
	}
}

static struct peer *peer_by_id(struct mesh_lane *l, uint64_t id)
{
	struct list *it;

	list_for_each(it, &l->members) {
		struct member *mb = list_entry(it, struct member, link);

		if (mb->peer->id == id)
			return mb->peer;
	}
	return NULL;
}

bool repair_write(struct mesh *m, struct mw_writer *w, struct mesh_addr *to, uint64_t now)
{
	while (!list_empty(&m->repairing)) {
		struct mesh_lane *l = list_entry(m->repairing.next, struct mesh_lane, repair_link);
		struct mw_data d = {.lane = l->idx, .repair = true};
		struct peer *p = NULL;
		struct seg *s;
		uint8_t *at;

		if (!l->repairs_n) {
			list_del(&l->repair_link);
			continue;
		}
		d.seq = l->repairs[l->repairs_head];
		l->repairs_head = (l->repairs_head + 1) & (l->repairs_cap - 1);
		l->repairs_n--;
		if (d.seq < l->base || d.seq >= l->sent)
			continue;
		s = lane_seg(l, d.seq);
		s->flags &= (uint8_t)~SEG_PENDING;
		if (s->to && !(p = peer_by_id(l, s->to)))
			continue; /* whoever asked is gone */
		d.first = s->first;
		d.msgs = s->msgs;
		d.len = s->len;
		at = mw_put_data(w, &d);
		memcpy(at, l->buf + s->off, s->len);
		s->repaired_us = us32(now);
		if (p) {
			*to = p->addr;
			p->repairs_out++;
		}
		m->stats.repairs_out++;
		m->stats.repair_bytes_out += s->len;
		/* Lanes take turns. */
		list_del(&l->repair_link);
		if (l->repairs_n)
			list_add_tail(&m->repairing, &l->repair_link);
		return true;
	}
	return false;
}
